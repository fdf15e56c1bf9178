"""RMSprop on MNIST with a dense network, 784-128-10. PyTorch.

RMSprop divides each weight's gradient by the root of a running mean of its square: weights whose
gradients are small take steps as long as the others'.

Beware of ε: here it stands inside the root, as in Keras; ``torch.optim.RMSprop`` adds it beside the
root and has other defaults (step size 0.01, share 0.99).
"""

import torch
from common import Curve, arguments, mnist
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso.torch import RMSprop


def main():
    args = arguments(__doc__, epochs=5, lr=0.001)
    torch.manual_seed(args.seed)
    train, test = ([torch.from_numpy(array) for array in part] for part in mnist(args))
    batches = DataLoader(TensorDataset(*train), batch_size=64, shuffle=True)

    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    cross_entropy = nn.CrossEntropyLoss()
    optimizer = RMSprop(model.parameters(), lr=args.lr)

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


@torch.no_grad()
def accuracy(model, images, labels):
    guesses = model(images).argmax(dim=1)
    return (guesses == labels).float().mean().item()


if __name__ == "__main__":
    main()
