"""Momentum on MNIST with a convolutional network. PyTorch.

Momentum steps along a running average of the gradients, v = βv + (1−β)g with β = 0.9, which keeps
the direction they agree on and cancels what swings to and fro.

On the step size: with the average, η = 0.1 is the path of the heavy ball v = βv + g (PyTorch's and
Keras's own momentum) at η = 0.01, the tutorial's. ``--lr 0.01`` shows the average at that η: it
learns too, with steps ten times shorter.

Mended: the tutorial's listing normalises images of one channel with three means (one is right), has
a stray ``]]``, flattens to 9216 where two poolings leave 64·5·5 = 1600, and prints its loss outside
the loop, once, instead of each epoch's.
"""

import torch
from common import Curve, arguments, mnist
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso.torch import Momentum


def main():
    args = arguments(__doc__, epochs=10, lr=0.1)
    torch.manual_seed(args.seed)
    train, test = (as_tensors(*part) for part in mnist(args))
    batches = DataLoader(TensorDataset(*train), batch_size=64, shuffle=True)

    model = nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3),  # 28 → 26
        nn.ReLU(),
        nn.MaxPool2d(2),  # 26 → 13
        nn.Conv2d(32, 64, kernel_size=3),  # 13 → 11
        nn.ReLU(),
        nn.MaxPool2d(2),  # 11 → 5
        nn.Flatten(),  # 64 · 5 · 5 = 1600
        nn.Linear(1600, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    cross_entropy = nn.CrossEntropyLoss()
    optimizer = Momentum(model.parameters(), lr=args.lr, beta=0.9)

    curve = Curve(args)
    for _epoch in range(args.epochs):
        total = 0.0
        for images, labels in curve.watch(batches):
            optimizer.zero_grad()
            loss = cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        curve.add(total / len(train[0]), accuracy(model, *test))
    curve.finish()


def as_tensors(images, labels):
    """Return images as (n, 1, 28, 28) from -1 to 1: one channel, one mean, one deviation."""
    return (torch.from_numpy(images).unsqueeze(1) - 0.5) / 0.5, torch.from_numpy(labels)


@torch.no_grad()
def accuracy(model, images, labels):
    guesses = torch.cat([model(some).argmax(dim=1) for some in images.split(1000)])
    return (guesses == labels).float().mean().item()


if __name__ == "__main__":
    main()
