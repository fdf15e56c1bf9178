"""Mini-batch gradient descent: fit the line y = x, two examples at a time. PyTorch.

Between one example and all: each step follows the mean gradient of two examples, so five examples
make three steps, the last of them with the one that is left.

Mended: as in the other regressions, outputs and targets are both columns; the tutorial's targets of
shape (5,) make PyTorch compare every output with every target.
"""

import torch
from common import Curve, arguments, line
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso.torch import GradientDescent


def main():
    args = arguments(__doc__, epochs=250, lr=0.02, data="CSV file of points: x, y in each row")
    torch.manual_seed(args.seed)
    x, y = (torch.from_numpy(column) for column in line(args))
    two_at_a_time = DataLoader(TensorDataset(x, y), batch_size=2, shuffle=True)

    model = nn.Linear(1, 1)
    mean_squared_error = nn.MSELoss()
    optimizer = GradientDescent(model.parameters(), lr=args.lr)

    curve = Curve(args)
    for _epoch in range(args.epochs):
        for x_some, y_some in two_at_a_time:
            optimizer.zero_grad()
            mean_squared_error(model(x_some), y_some).backward()
            optimizer.step()
        with torch.no_grad():
            loss = mean_squared_error(model(x), y).item()
        curve.add(loss)

    slope, intercept = model.weight.item(), model.bias.item()
    curve.finish(f"learnt y = {slope:.4f}·x {intercept:+.4f}; loss {loss:.2e}")


if __name__ == "__main__":
    main()
