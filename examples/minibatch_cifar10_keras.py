"""Mini-batch gradient descent on CIFAR-10 with a convolutional network. Keras.

Each step follows the mean gradient of 32 images: far cheaper than one of all, far steadier than one
of a single image.
"""

import keras
from common import Curve, arguments, cifar10
from keras import layers

from descenso.keras import GradientDescent


def main():
    args = arguments(__doc__, epochs=15, lr=0.05)
    keras.utils.set_random_seed(args.seed)
    train, test = cifar10(args)

    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(2, offset=-1),  # from 0…1 to -1…1
            layers.Conv2D(32, kernel_size=3, activation="relu"),  # 32 → 30
            layers.MaxPooling2D(2),  # 30 → 15
            layers.Conv2D(64, kernel_size=3, activation="relu"),  # 15 → 13
            layers.MaxPooling2D(2),  # 13 → 6
            layers.Conv2D(64, kernel_size=3, activation="relu"),  # 6 → 4
            layers.Flatten(),  # 4 · 4 · 64 = 1024
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=GradientDescent(lr=args.lr),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )

    curve = Curve(args)
    history = model.fit(
        *train,
        batch_size=32,
        epochs=args.epochs,
        validation_data=test,
        verbose=curve.verbose,
    )
    curve.take(history.history)
    curve.finish()


if __name__ == "__main__":
    main()
