"""Momentum on MNIST with a convolutional network. Keras.

Momentum steps along a running average of the gradients, v = βv + (1−β)g with β = 0.9, which keeps
the direction they agree on and cancels what swings to and fro.

On the step size: with the average, η = 0.1 is the path of the heavy ball v = βv + g (PyTorch's and
Keras's own momentum) at η = 0.01, the tutorial's. ``--lr 0.01`` shows the average at that η: it
learns too, with steps ten times shorter.
"""

import keras
from common import Curve, arguments, mnist
from keras import layers

from descenso.keras import Momentum


def main():
    args = arguments(__doc__, epochs=10, lr=0.1)
    keras.utils.set_random_seed(args.seed)
    train, test = mnist(args)

    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),  # one channel
            layers.Rescaling(2, offset=-1),  # from 0…1 to -1…1
            layers.Conv2D(32, kernel_size=3, activation="relu"),  # 28 → 26
            layers.MaxPooling2D(2),  # 26 → 13
            layers.Conv2D(64, kernel_size=3, activation="relu"),  # 13 → 11
            layers.MaxPooling2D(2),  # 11 → 5
            layers.Flatten(),  # 5 · 5 · 64 = 1600
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=Momentum(lr=args.lr, beta=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )

    curve = Curve(args)
    history = model.fit(
        *train,
        batch_size=64,
        epochs=args.epochs,
        validation_data=test,
        verbose=curve.verbose,
    )
    curve.take(history.history)
    curve.finish()


if __name__ == "__main__":
    main()
