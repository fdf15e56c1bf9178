"""Stochastic gradient descent: fit the line y = x, one example at a time. Keras.

Every step follows the gradient of a single example, drawn in a new order each epoch, so five
examples make five steps.

Mended: the tutorial's listing leaves ``batch_size`` at Keras's 32, so that each step sees all five
examples, and passes Python lists, which ``fit`` does not take; here the batch size is 1 and the
data are arrays.
"""

import keras
from common import Curve, arguments, line

from descenso.keras import GradientDescent


def main():
    args = arguments(__doc__, epochs=150, lr=0.02, data="CSV file of points: x, y in each row")
    keras.utils.set_random_seed(args.seed)
    x, y = line(args)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=GradientDescent(lr=args.lr), loss="mean_squared_error")

    curve = Curve(args)
    show = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, logs: curve.add(logs["loss"]))
    model.fit(x, y, batch_size=1, epochs=args.epochs, verbose=0, callbacks=[show])

    loss = model.evaluate(x, y, verbose=0)
    slope, intercept = (weight.item() for weight in model.get_weights())
    curve.finish(f"learnt y = {slope:.4f}·x {intercept:+.4f}; loss {loss:.2e}")


if __name__ == "__main__":
    main()
