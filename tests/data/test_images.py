import os
from pathlib import Path

import numpy as np
import pytest

from descenso import data
from descenso.errors import DataError
from descenso.testing.datasets import patterned_images, write_cifar10, write_idx, write_mnist

REAL = Path(os.environ.get("DESCENSO_DATA", "nowhere"))


def needs(folder):
    return pytest.mark.skipif(
        not (REAL / folder).is_dir(), reason=f"DESCENSO_DATA holds no real files in {folder}"
    )


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize(
    ("folder", "load"), [("mnist", data.load_mnist), ("fashion-mnist", data.load_fashion_mnist)]
)
def test_mnist_files_are_read_from_descenso_data(tmp_path, monkeypatch, folder, load, compress):
    write_mnist(tmp_path, train=30, test=20, folder=folder, compress=compress)
    monkeypatch.setenv("DESCENSO_DATA", str(tmp_path))
    whole = load()
    images, labels = patterned_images(50, (28, 28))
    np.testing.assert_array_equal(whole.train.inputs, images[:30])
    np.testing.assert_array_equal(whole.test.targets, labels[30:])
    assert whole.train.inputs.dtype == np.uint8
    assert whole.train.targets.dtype == np.int32


def test_cifar_files_are_read_with_channels_last(tmp_path, monkeypatch):
    write_cifar10(tmp_path, train=23, test=7)
    monkeypatch.setenv("DESCENSO_DATA", str(tmp_path))
    whole = data.load_cifar10()
    images, labels = patterned_images(30, (3, 32, 32))
    np.testing.assert_array_equal(whole.train.inputs, images[:23].transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(whole.test.targets, labels[23:])
    assert (whole.train.inputs.dtype, whole.train.targets.dtype) == (np.uint8, np.int32)


def overwrite(folder, part, images=None, labels=None):
    if images is not None:
        write_idx(folder / f"{part}-images-idx3-ubyte", images)
    if labels is not None:
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((20, 28, 27), np.uint8), None, "must be 28×28; got 28×27"),
        (np.zeros((20, 784), np.uint8), None, "bytes in 3 axes; got uint8 in 2"),
        (np.zeros((0, 28, 28), np.uint8), None, "holds no examples"),
        (np.zeros((19, 28, 28), np.uint8), None, "20 labels for 19 images"),
        (None, np.full(20, 10, np.uint8), "labels go from 0 to 9; got 10 at example 0"),
        (None, np.zeros((20, 1), np.uint8), "bytes in 1 axes; got uint8 in 2"),
    ],
)
def test_mnist_files_that_break_a_rule_are_named(tmp_path, images, labels, message):
    folder = write_mnist(tmp_path, train=30, test=20)
    overwrite(folder, "t10k", images, labels)
    with pytest.raises(DataError, match=message) as caught:
        data.read_mnist(folder)
    assert "t10k-" in str(caught.value)


def test_a_missing_file_of_a_folder_is_named(tmp_path):
    folder = write_mnist(tmp_path)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"there is no file .*t10k-labels-idx1-ubyte"):
        data.read_mnist(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[:-1], "not a whole number of records of 3073"),
        (lambda raw: b"", "holds no examples"),
        (lambda raw: raw[:3073] + b"\x0a" + raw[3074:], "got 10 at example 1, counted from 0"),
    ],
)
def test_cifar_files_that_break_a_rule_are_named(tmp_path, change, message):
    folder = write_cifar10(tmp_path)
    path = folder / "data_batch_3.bin"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        data.read_cifar10(folder)
    assert "data_batch_3.bin" in str(caught.value)


@needs("mnist")
def test_the_real_mnist_is_what_is_known_of_it():
    whole = data.load_mnist()
    assert (whole.train.inputs.shape, len(whole.test)) == ((60_000, 28, 28), 10_000)
    assert np.bincount(whole.train.targets)[:3].tolist() == [5923, 6742, 5958]
    assert whole.train.inputs.mean() / 255 == pytest.approx(0.1307, abs=1e-4)


@needs("cifar-10-batches-bin")
def test_the_real_cifar10_is_read_right_side_up():
    whole = data.load_cifar10()
    assert whole.train.inputs.shape[1:] == (32, 32, 3)
    assert set(whole.train.targets) == set(range(10))
    # Neighbouring pixels of a photograph are alike; misread axes would make noise of it.
    pixels = whole.test.inputs.astype(float)
    for axis in (1, 2):
        assert np.abs(np.diff(pixels, axis=axis)).mean() < 0.35 * pixels.std()
