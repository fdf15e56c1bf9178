"""Batch gradient descent: fit the line y = x, all examples in each step. Keras.

Every step follows the mean gradient of all the examples: an epoch is one step, and there is nothing
to draw at random.

Mended: the tutorial's listing passes Python lists, which ``fit`` does not take; here the data are
arrays. The batch size is said to be all: Keras's own 32 would cut a longer table into batches.
"""

import keras
from common import Curve, arguments, line

from descenso.keras import GradientDescent


def main():
    args = arguments(__doc__, epochs=300, lr=0.05, data="CSV file of points: x, y in each row")
    keras.utils.set_random_seed(args.seed)
    x, y = line(args)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=GradientDescent(lr=args.lr), loss="mean_squared_error")

    curve = Curve(args)
    show = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, logs: curve.add(logs["loss"]))
    model.fit(
        x, y, batch_size=len(x), epochs=args.epochs, shuffle=False, verbose=0, callbacks=[show]
    )

    loss = model.evaluate(x, y, batch_size=len(x), verbose=0)
    slope, intercept = (weight.item() for weight in model.get_weights())
    curve.finish(f"learnt y = {slope:.4f}·x {intercept:+.4f}; loss {loss:.2e}")


if __name__ == "__main__":
    main()
