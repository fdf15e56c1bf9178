"""The training loop of the tutorial's PyTorch listings, as it stands there.

The listings take MNIST from torchvision, whose dataset makes a picture of each image each time it is
asked for, and transforms it: ``ToTensor`` and ``Normalize((0.5,), (0.5,))``. The same work is done
here without torchvision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset


class TransformedImages(Dataset[Any]):
    """Images that are made, converted and normalised one by one, whenever they are asked for."""

    def __init__(self, images: Any, labels: Any) -> None:
        self.images = torch.from_numpy(np.ascontiguousarray(images))
        self.labels = torch.from_numpy(labels.astype(np.int64))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.images[i].numpy())
        return _normalised(_to_tensor(picture)), int(self.labels[i])


def _to_tensor(picture: Any) -> torch.Tensor:
    pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
    pixels = pixels.view(picture.size[1], picture.size[0], 1).permute(2, 0, 1).contiguous()
    return pixels.to(torch.float32).div(255)


def _normalised(image: torch.Tensor) -> torch.Tensor:
    mean = torch.as_tensor([0.5], dtype=image.dtype).view(-1, 1, 1)
    deviation = torch.as_tensor([0.5], dtype=image.dtype).view(-1, 1, 1)
    return image.clone().sub_(mean).div_(deviation)


def tutorials_epoch(images: Any, labels: Any, batch_size: int = 64) -> Callable[[], float]:
    """Return a call that trains 784-128-10 by RMSprop for an epoch, as the listing does.

    It returns the mean loss.

    Parameters
    ----------
    images : bytes, shape (examples, 28, 28).
    """
    batches = DataLoader(TransformedImages(images, labels), batch_size=batch_size, shuffle=True)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001)

    def train() -> float:
        total = 0.0
        for pictures, targets in batches:
            optimizer.zero_grad()
            loss = criterion(model(pictures), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / len(batches)

    return train
