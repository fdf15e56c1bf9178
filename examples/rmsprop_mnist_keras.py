"""RMSprop on MNIST with a dense network, 784-128-10. Keras.

RMSprop divides each weight's gradient by the root of a running mean of its square: weights whose
gradients are small take steps as long as the others'.
"""

import keras
from common import Curve, arguments, mnist
from keras import layers

from descenso.keras import RMSprop


def main():
    args = arguments(__doc__, epochs=5, lr=0.001)
    keras.utils.set_random_seed(args.seed)
    train, test = mnist(args)

    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=RMSprop(lr=args.lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
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
