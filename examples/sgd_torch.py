"""Stochastic gradient descent: fit the line y = x, one example at a time. PyTorch.

Every step follows the gradient of a single example, drawn in a new order each epoch, so five
examples make five steps.

Mended: the tutorial's listing gives the whole batch to each step, which is batch gradient descent;
and it pairs outputs of shape (5, 1) with targets of shape (5,), which PyTorch broadcasts to 25
differences, so that the line learnt is flat. Here both are columns.
"""

import torch
from common import Curve, arguments, line
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso.torch import GradientDescent


def main():
    args = arguments(__doc__, epochs=150, lr=0.02, data="CSV file of points: x, y in each row")
    torch.manual_seed(args.seed)
    x, y = (torch.from_numpy(column) for column in line(args))
    one_at_a_time = DataLoader(TensorDataset(x, y), batch_size=1, shuffle=True)

    model = nn.Linear(1, 1)
    mean_squared_error = nn.MSELoss()
    optimizer = GradientDescent(model.parameters(), lr=args.lr)

    curve = Curve(args)
    for _epoch in range(args.epochs):
        for x_one, y_one in one_at_a_time:
            optimizer.zero_grad()
            mean_squared_error(model(x_one), y_one).backward()
            optimizer.step()
        with torch.no_grad():
            loss = mean_squared_error(model(x), y).item()
        curve.add(loss)

    slope, intercept = model.weight.item(), model.bias.item()
    curve.finish(f"learnt y = {slope:.4f}·x {intercept:+.4f}; loss {loss:.2e}")


if __name__ == "__main__":
    main()
