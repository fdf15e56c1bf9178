"""Problems on images: MNIST, Fashion-MNIST, CIFAR-10, and the embedded digits as images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descenso import data
from descenso.data import Data, Split, TrainTest
from descenso.language import N_
from descenso.problems._convolution import ConvolutionalNetwork, on_bytes
from descenso.problems._figures import ACCURACY, cross_entropy
from descenso.problems._networks import dense_apply, dense_init
from descenso.problems._problem import Problem

_VALIDATION_SHARE = 1 / 6  # of the official training part: 10,000 of MNIST's 60,000

_DENSE_SIZES = (784, 128, 10)
_MNIST_CNN = ConvolutionalNetwork((28, 28, 1), (32, 64), (True, True))
_MNIST_CNN_WIDE = ConvolutionalNetwork((28, 28, 1), (32, 64), (True, True), hidden=(128,))
_CIFAR_CNN = ConvolutionalNetwork((32, 32, 3), (32, 64, 64), (True, True, False), hidden=(64,))
_CIFAR_CNN_SAME = ConvolutionalNetwork((32, 32, 3), (32, 64), (True, True), (128,), same=True)
_DIGITS_CNN = ConvolutionalNetwork((8, 8, 1), (16, 32), (True, True), same=True)


def mnist_dense() -> Problem:
    """MNIST, dense 784-128-10."""
    summary = N_("MNIST, handwritten digits of 28×28 pixels: dense network 784-128-10")
    return _dense("mnist-dense", summary, data.load_mnist, target=0.97)


def fashion_mnist_dense() -> Problem:
    """Fashion-MNIST, dense 784-128-10."""
    summary = N_("Fashion-MNIST, clothes of 28×28 pixels: dense network 784-128-10")
    return _dense("fashion-mnist-dense", summary, data.load_fashion_mnist, target=0.87)


def mnist_cnn() -> Problem:
    """MNIST, two convolutions of 32 and 64 filters, each pooled; 1600 features to 10 classes."""
    summary = N_("MNIST: two convolutions (32, 64), pooled, straight to the classes")
    return _convolutional("mnist-cnn", summary, _MNIST_CNN, data.load_mnist, target=0.985)


def mnist_cnn_wide() -> Problem:
    """The same with a dense layer of 128 before the classes."""
    summary = N_("MNIST: two convolutions (32, 64), pooled, and a dense layer of 128")
    return _convolutional("mnist-cnn-wide", summary, _MNIST_CNN_WIDE, data.load_mnist, 0.985)


def fashion_mnist_cnn() -> Problem:
    """Fashion-MNIST on the network of ``mnist-cnn``."""
    summary = N_("Fashion-MNIST: two convolutions (32, 64), pooled, straight to the classes")
    load = data.load_fashion_mnist
    return _convolutional("fashion-mnist-cnn", summary, _MNIST_CNN, load, target=0.89)


def cifar10_cnn() -> Problem:
    """CIFAR-10, three convolutions of 32, 64, 64 filters and a dense layer of 64."""
    summary = N_("CIFAR-10, photographs of 32×32 pixels: three convolutions (32, 64, 64), dense 64")
    return _convolutional("cifar10-cnn", summary, _CIFAR_CNN, data.load_cifar10, target=0.6)


def cifar10_cnn_same() -> Problem:
    """CIFAR-10, two padded convolutions of 32 and 64 filters and a dense layer of 128."""
    summary = N_("CIFAR-10: two padded convolutions (32, 64), pooled, and a dense layer of 128")
    load = data.load_cifar10
    return _convolutional("cifar10-cnn-same", summary, _CIFAR_CNN_SAME, load, target=0.6)


def digits_cnn() -> Problem:
    """The embedded digits (1,797 images of 8×8): two padded convolutions of 16 and 32 filters."""
    summary = N_("handwritten digits, 8×8 pixels: two padded convolutions (16, 32), pooled")
    network = _DIGITS_CNN
    return Problem(
        name="digits-cnn",
        summary=summary,
        make_data=_embedded_digits,
        init=network.init,
        apply=network.apply,
        loss=cross_entropy,
        metric=ACCURACY,
        target=0.97,
        epochs=10,
    )


def _dense(name: str, summary: str, load: Callable[[], TrainTest], target: float) -> Problem:
    return Problem(
        name=name,
        summary=summary,
        make_data=_official(load),
        init=dense_init(_DENSE_SIZES),
        apply=on_bytes(dense_apply),
        loss=cross_entropy,
        metric=ACCURACY,
        target=target,
        batch_size=64,
        epochs=5,
    )


def _convolutional(
    name: str,
    summary: str,
    network: ConvolutionalNetwork,
    load: Callable[[], TrainTest],
    target: float,
) -> Problem:
    return Problem(
        name=name,
        summary=summary,
        make_data=_official(load),
        init=network.init,
        apply=network.apply,
        loss=cross_entropy,
        metric=ACCURACY,
        target=target,
        batch_size=64,
        epochs=5,
    )


def _official(load: Callable[[], TrainTest]) -> Callable[[int], Data]:
    """Keep the official test part; take the validation part from the training part, by seed."""

    def make_data(split_seed: int) -> Data:
        official = load()
        train, validation = _hold_out(official.train, split_seed)
        return Data(train, validation, _with_channels(official.test))

    return make_data


def _hold_out(whole: Split, split_seed: int) -> tuple[Split, Split]:
    rng = np.random.default_rng([split_seed, 1_6])
    order = rng.permutation(len(whole))
    held = round(len(whole) * _VALIDATION_SHARE)
    parts = (np.sort(order[held:]), np.sort(order[:held]))
    train, validation = (
        _with_channels(Split(whole.inputs[rows], whole.targets[rows])) for rows in parts
    )
    return train, validation


def _with_channels(part: Split) -> Split:
    """Return grey images with the channel axis that colour images have."""
    grey = part.inputs.ndim == 3
    return Split(part.inputs[..., None], part.targets) if grey else part


def _embedded_digits(split_seed: int) -> Data:
    whole = data.load_digits()
    images = np.clip(np.reshape(whole.inputs, (-1, 8, 8, 1)) * (255 / 16), 0, 255).astype(np.uint8)
    return data.split(images, whole.targets, split_seed, stratify=True)
