"""Adam on a random regression with a dense network, 10-5-1. PyTorch.

Ten random inputs, five hidden units, one output. The targets come from a random network of the same
shape, with noise of deviation 0.1, so a mean squared error near 0.01 is the best there is.
With as few as five units some first weights (``--seed``) lead to a worse minimum, and stay there.

Mended: outputs and targets are both columns, of shape (n, 1); see ``sgd_torch.py``.
"""

import torch
from common import Curve, arguments, random_regression
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso.torch import Adam


def main():
    args = arguments(__doc__, epochs=100, lr=0.01, data="CSV file: ten inputs, target in each row")
    torch.manual_seed(args.seed)
    train, test = ([torch.from_numpy(a) for a in part] for part in random_regression(args))
    batches = DataLoader(TensorDataset(*train), batch_size=32, shuffle=True)

    model = nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 1))
    mean_squared_error = nn.MSELoss()
    optimizer = Adam(model.parameters(), lr=args.lr)

    curve = Curve(args)
    for _epoch in range(args.epochs):
        total = 0.0
        for x, y in batches:
            optimizer.zero_grad()
            loss = mean_squared_error(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        curve.add(total / len(train[0]))

    x, y = test
    with torch.no_grad():
        test_loss = mean_squared_error(model(x), y).item()
    curve.finish(f"training loss {curve.rows[-1]['loss']:.4f}, test loss {test_loss:.4f}")


if __name__ == "__main__":
    main()
