"""Adam on MNIST with a dense network, 784-128-10. Keras.

Adam keeps a running mean of each weight's gradient and of its square; the step is the one divided
by the root of the other, so every weight gets a step of its own size.
"""

import keras
from common import Curve, arguments, mnist
from keras import layers

from descenso.keras import Adam


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
        optimizer=Adam(lr=args.lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
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
