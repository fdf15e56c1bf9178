import gzip

import numpy as np

from descenso.testing.datasets import patterned_images, write_cifar10, write_mnist


def test_mnist_files_have_the_published_names_and_headers(tmp_path):
    folder = write_mnist(tmp_path, train=30, test=20)
    assert folder == tmp_path / "mnist"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]
    images = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    assert images[:16].hex() == "00000803" + "0000001e" + "0000001c" * 2
    labels = gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    assert labels[:8].hex() == "00000801" + "00000014"


def test_cifar_files_have_the_published_names_and_whole_records(tmp_path):
    folder = write_cifar10(tmp_path, train=23, test=7)
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.bin")}
    assert sizes.pop("test_batch.bin") == 7 * 3073
    assert sorted(sizes) == [f"data_batch_{number}.bin" for number in range(1, 6)]
    assert sum(sizes.values()) == 23 * 3073
    assert (folder / "batches.meta.txt").read_text().split()[3] == "cat"


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    first, again = (write_mnist(tmp_path / name, 20, 10, seed=5) for name in "ab")
    for path in first.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_the_images_can_be_learnt_by_their_nearest_class_mean():
    images, labels = patterned_images(200, (28, 28))
    means = np.stack([images[:100][labels[:100] == label].mean(axis=0) for label in range(10)])
    distances = ((images[100:, None] - means) ** 2).sum(axis=(2, 3))
    assert (distances.argmin(axis=1) == labels[100:]).mean() > 0.95
