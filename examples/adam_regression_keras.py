"""Adam on a random regression with a dense network, 10-5-1. Keras.

Ten random inputs, five hidden units, one output. The targets come from a random network of the same
shape, with noise of deviation 0.1, so a mean squared error near 0.01 is the best there is.
With as few as five units some first weights (``--seed``) lead to a worse minimum, and stay there.
"""

import keras
from common import Curve, arguments, random_regression
from keras import layers

from descenso.keras import Adam


def main():
    args = arguments(__doc__, epochs=100, lr=0.01, data="CSV file: ten inputs, target in each row")
    keras.utils.set_random_seed(args.seed)
    train, test = random_regression(args)

    model = keras.Sequential(
        [keras.Input((10,)), layers.Dense(5, activation="relu"), layers.Dense(1)]
    )
    model.compile(optimizer=Adam(lr=args.lr), loss="mean_squared_error")

    curve = Curve(args)
    show = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, logs: curve.add(logs["loss"]))
    model.fit(*train, batch_size=32, epochs=args.epochs, verbose=0, callbacks=[show])

    test_loss = model.evaluate(*test, verbose=0)
    curve.finish(f"training loss {curve.rows[-1]['loss']:.4f}, test loss {test_loss:.4f}")


if __name__ == "__main__":
    main()
