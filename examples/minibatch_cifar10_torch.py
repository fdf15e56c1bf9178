"""Mini-batch gradient descent on CIFAR-10 with a convolutional network. PyTorch.

Each step follows the mean gradient of 32 images: far cheaper than one of all, far steadier than one
of a single image.
"""

import torch
from common import Curve, arguments, cifar10
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso.torch import GradientDescent


def main():
    args = arguments(__doc__, epochs=15, lr=0.05)
    torch.manual_seed(args.seed)
    train, test = (as_tensors(*part) for part in cifar10(args))
    mini_batches = DataLoader(TensorDataset(*train), batch_size=32, shuffle=True)

    model = nn.Sequential(
        nn.Conv2d(3, 32, kernel_size=3),  # 32 → 30
        nn.ReLU(),
        nn.MaxPool2d(2),  # 30 → 15
        nn.Conv2d(32, 64, kernel_size=3),  # 15 → 13
        nn.ReLU(),
        nn.MaxPool2d(2),  # 13 → 6
        nn.Conv2d(64, 64, kernel_size=3),  # 6 → 4
        nn.ReLU(),
        nn.Flatten(),  # 64 · 4 · 4 = 1024
        nn.Linear(1024, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    cross_entropy = nn.CrossEntropyLoss()
    optimizer = GradientDescent(model.parameters(), lr=args.lr)

    curve = Curve(args)
    for _epoch in range(args.epochs):
        total = 0.0
        for images, labels in curve.watch(mini_batches):
            optimizer.zero_grad()
            loss = cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        curve.add(total / len(train[0]), accuracy(model, *test))
    curve.finish()


def as_tensors(images, labels):
    """Return images as (n, 3, 32, 32), channels before rows as PyTorch wants them, from -1 to 1."""
    channels_first = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    return (channels_first - 0.5) / 0.5, torch.from_numpy(labels)


@torch.no_grad()
def accuracy(model, images, labels):
    guesses = torch.cat([model(some).argmax(dim=1) for some in images.split(1000)])
    return (guesses == labels).float().mean().item()


if __name__ == "__main__":
    main()
