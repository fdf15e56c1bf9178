"""Write small data sets in the real files' formats, for tests that must not download.

The images can be learnt: each class has a pattern of its own under noise.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
_CIFAR_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def write_mnist(
    root: Path,
    train: int = 200,
    test: int = 50,
    seed: int = 0,
    *,
    folder: str = "mnist",
    compress: bool = True,
) -> Path:
    """Write generated images in MNIST's format and return their folder, ``root/folder``.

    Setting ``DESCENSO_DATA`` to ``root`` makes :func:`descenso.data.load_mnist` read them.

    Parameters
    ----------
    train, test : numbers of images.
    seed : chooses patterns and noise.
    folder : ``mnist`` or ``fashion-mnist``.
    compress : gzip the files, as published; else plain.
    """
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    images, labels = patterned_images(train + test, (28, 28), seed)
    parts = {"train": slice(None, train), "t10k": slice(train, None)}
    for part, chosen in parts.items():
        write_idx(place / f"{part}-images-idx3-ubyte", images[chosen], compress=compress)
        write_idx(place / f"{part}-labels-idx1-ubyte", labels[chosen], compress=compress)
    return place


def write_cifar10(root: Path, train: int = 200, test: int = 50, seed: int = 0) -> Path:
    """Write generated images in CIFAR-10's binary format and return their folder.

    ``train`` images are dealt to the five training files; see :func:`write_mnist`.
    """
    place = root / "cifar-10-batches-bin"
    place.mkdir(parents=True, exist_ok=True)
    images, labels = patterned_images(train + test, (3, 32, 32), seed)
    records = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1)
    for number, batch in enumerate(np.array_split(records[:train], 5), start=1):
        (place / f"data_batch_{number}.bin").write_bytes(batch.tobytes())
    (place / "test_batch.bin").write_bytes(records[train:].tobytes())
    (place / "batches.meta.txt").write_text("\n".join(_CIFAR_NAMES) + "\n")
    return place


def write_idx(path: Path, values: NDArray[np.uint8], *, compress: bool = True) -> Path:
    """Write bytes as an IDX file and return its path, to which ``.gz`` is added if compressed."""
    header = bytes([0, 0, 0x08, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    content = header + values.tobytes()
    if compress:
        path = path.with_name(path.name + ".gz")
        content = gzip.compress(content, mtime=0)
    path.write_bytes(content)
    return path


def patterned_images(
    count: int, shape: tuple[int, ...], seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images of shape (count, *shape) and labels of shape (count,), both bytes.

    Every class is as frequent as any other, to within one image in every ten.
    """
    rng = np.random.default_rng(seed)
    patterns = rng.uniform(0, 255, (CLASSES, *shape))
    labels = np.concatenate([rng.permutation(CLASSES) for _ in range(-(-count // CLASSES))])[:count]
    noise: NDArray[Any] = rng.normal(0, 40, (count, *shape))
    images = np.clip(patterns[labels] + noise, 0, 255)
    return images.astype(np.uint8), labels.astype(np.uint8)
