"""Batch gradient descent: fit the line y = x, all examples in each step. PyTorch.

Every step follows the mean gradient of all the examples: an epoch is one step, and there is nothing
to draw at random.

Mended: the tutorial's listing pairs outputs of shape (5, 1) with targets of shape (5,), which
PyTorch broadcasts to 25 differences, so that the line learnt is flat. Here both are columns.
"""

import torch
from common import Curve, arguments, line
from torch import nn

from descenso.torch import GradientDescent


def main():
    args = arguments(__doc__, epochs=300, lr=0.05, data="CSV file of points: x, y in each row")
    torch.manual_seed(args.seed)
    x, y = (torch.from_numpy(column) for column in line(args))

    model = nn.Linear(1, 1)
    mean_squared_error = nn.MSELoss()
    optimizer = GradientDescent(model.parameters(), lr=args.lr)

    curve = Curve(args)
    for _epoch in range(args.epochs):
        optimizer.zero_grad()
        mean_squared_error(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            loss = mean_squared_error(model(x), y).item()
        curve.add(loss)

    slope, intercept = model.weight.item(), model.bias.item()
    curve.finish(f"learnt y = {slope:.4f}·x {intercept:+.4f}; loss {loss:.2e}")


if __name__ == "__main__":
    main()
