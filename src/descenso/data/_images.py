"""MNIST, Fashion-MNIST and CIFAR-10, read from their published files.

Images are uint8 arrays, labels int32. Files are looked for under the folder that the environment
variable ``DESCENSO_DATA`` names, and downloaded into the platform's cache where they are not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.data._download import CIFAR10, FASHION_MNIST, MNIST, folder_of
from descenso.data._idx import broken, content_of, read_idx
from descenso.data._records import Split, TrainTest
from descenso.language import _

CLASSES = 10
MNIST_SIDE = 28
CIFAR_SHAPE = (3, 32, 32)  # in the file: planes of red, green and blue
CIFAR_RECORD = 1 + 3 * 32 * 32


def load_mnist(base_url: str | None = None) -> TrainTest:
    """Return MNIST: images of shape (examples, 28, 28), labels 0 to 9 (LeCun et al. 1998).

    Parameters
    ----------
    base_url : where to download the four files from, if not from the usual place; the checksums
        must be those of the published files all the same.

    Raises
    ------
    DataError
        If the files cannot be had, or break a rule of their format.
    """
    return read_mnist(folder_of(MNIST, base_url))


def load_fashion_mnist(base_url: str | None = None) -> TrainTest:
    """Return Fashion-MNIST (Xiao et al. 2017), which has MNIST's format; see :func:`load_mnist`."""
    return read_mnist(folder_of(FASHION_MNIST, base_url))


def load_cifar10(base_url: str | None = None) -> TrainTest:
    """Return CIFAR-10: images of shape (examples, 32, 32, 3), labels 0 to 9 (Krizhevsky 2009).

    See :func:`load_mnist` for parameters and errors.
    """
    return read_cifar10(folder_of(CIFAR10, base_url))


def read_mnist(folder: Path) -> TrainTest:
    """Return the data in a folder with MNIST's four files, gzipped (``.gz``) or plain."""
    return TrainTest(_read_idx_pair(folder, "train"), _read_idx_pair(folder, "t10k"))


def read_cifar10(folder: Path) -> TrainTest:
    """Return the data in a folder with CIFAR-10's binary files.

    A file may hold fewer records than the published 10,000, but only whole ones.
    """
    batches = [_read_records(folder / f"data_batch_{number}.bin") for number in range(1, 6)]
    train = Split(
        np.concatenate([batch.inputs for batch in batches]),
        np.concatenate([batch.targets for batch in batches]),
    )
    return TrainTest(train, _read_records(folder / "test_batch.bin"))


def _read_idx_pair(folder: Path, part: str) -> Split:
    images_path = _gzipped_or_plain(folder / f"{part}-images-idx3-ubyte")
    labels_path = _gzipped_or_plain(folder / f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(images_path), read_idx(labels_path)
    _check_bytes(images_path, images, axes=3)
    _check_bytes(labels_path, labels, axes=1)
    if images.shape[1:] != (MNIST_SIDE, MNIST_SIDE):
        raise broken(
            images_path,
            _("images must be {side}×{side}; got {rows}×{columns}").format(
                side=MNIST_SIDE, rows=images.shape[1], columns=images.shape[2]
            ),
        )
    if len(images) != len(labels):
        raise broken(
            labels_path,
            _("there are {labels} labels for {images} images").format(
                labels=len(labels), images=len(images)
            ),
        )
    return Split(images, _checked_labels(labels_path, labels))


def _gzipped_or_plain(path: Path) -> Path:
    gzipped = path.with_name(path.name + ".gz")
    return path if path.exists() or not gzipped.exists() else gzipped


def _check_bytes(path: Path, values: NDArray[Any], axes: int) -> None:
    if values.dtype != np.uint8 or values.ndim != axes:
        raise broken(
            path,
            _("it must hold bytes in {axes} axes; got {dtype} in {got}").format(
                axes=axes, dtype=values.dtype, got=values.ndim
            ),
        )
    if not len(values):
        raise broken(path, _("it holds no examples"))


def _read_records(path: Path) -> Split:
    content = np.frombuffer(content_of(path), np.uint8)
    if not len(content):
        raise broken(path, _("it holds no examples"))
    if len(content) % CIFAR_RECORD:
        raise broken(
            path,
            _("its {count} bytes are not a whole number of records of {record}").format(
                count=len(content), record=CIFAR_RECORD
            ),
        )
    records = content.reshape(-1, CIFAR_RECORD)
    planes = records[:, 1:].reshape(-1, *CIFAR_SHAPE)
    images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    return Split(images, _checked_labels(path, records[:, 0]))


def _checked_labels(path: Path, labels: NDArray[np.uint8]) -> NDArray[np.int32]:
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        raise broken(
            path,
            _("labels go from 0 to 9; got {label} at example {place}, counted from 0").format(
                label=labels[wrong[0]], place=wrong[0]
            ),
        )
    return labels.astype(np.int32)
