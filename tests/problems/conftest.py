"""Small generated data sets in the real formats, where the image problems look for them."""

import pytest

from descenso.testing import datasets


@pytest.fixture(scope="session")
def _generated(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    datasets.write_mnist(root, train=300, test=60)
    datasets.write_mnist(root, train=300, test=60, folder="fashion-mnist")
    datasets.write_cifar10(root, train=300, test=60)
    return root


@pytest.fixture(autouse=True)
def _small_files(_generated, monkeypatch):
    monkeypatch.setenv("DESCENSO_DATA", str(_generated))
