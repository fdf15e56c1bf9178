"""Mini-batch gradient descent: fit the line y = x, two examples at a time. Keras.

Between one example and all: each step follows the mean gradient of two examples, so five examples
make three steps, the last of them with the one that is left.

Mended: as in the other regressions, the data are arrays, not the Python lists of the tutorial.
"""

import keras
from common import Curve, arguments, line

from descenso.keras import GradientDescent


def main():
    args = arguments(__doc__, epochs=250, lr=0.02, data="CSV file of points: x, y in each row")
    keras.utils.set_random_seed(args.seed)
    x, y = line(args)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=GradientDescent(lr=args.lr), loss="mean_squared_error")

    curve = Curve(args)
    show = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, logs: curve.add(logs["loss"]))
    model.fit(x, y, batch_size=2, epochs=args.epochs, verbose=0, callbacks=[show])

    loss = model.evaluate(x, y, verbose=0)
    slope, intercept = (weight.item() for weight in model.get_weights())
    curve.finish(f"learnt y = {slope:.4f}·x {intercept:+.4f}; loss {loss:.2e}")


if __name__ == "__main__":
    main()
