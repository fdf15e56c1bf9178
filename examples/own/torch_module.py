"""Your own PyTorch module: a small convolutional network with batch normalisation and dropout.

    descenso compare examples/own/torch_module.py:problem

Give ``from_torch`` a function that makes the module, and the data: tensors, a ``Dataset`` or a
``DataLoader``. Here the validation and test parts are split off by the study's seed.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from descenso import problems


class SmallNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.dropout = nn.Dropout(0.25)
        self.scores = nn.Linear(8 * 4 * 4, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scores(self.dropout(self.seen(images).flatten(1)))


def digits() -> DataLoader:
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32)[:, None] / 16  # (1797, 1, 8, 8)
    return DataLoader(TensorDataset(images, torch.tensor(data.target)), batch_size=64, shuffle=True)


problem = problems.from_torch(
    SmallNetwork, digits(), name="digits-small-cnn", target=0.97, epochs=10
)
