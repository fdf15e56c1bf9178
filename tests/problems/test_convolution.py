"""The convolutional networks against PyTorch's own layers, and the problems made of them."""

import gc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from descenso import problems, rules
from descenso.engine.jax import JaxEngine
from descenso.problems._convolution import ConvolutionalNetwork, convolve, pool
from descenso.records import Member


def channels_first(images):
    return torch.tensor(np.moveaxis(np.asarray(images), -1, 1))


def channels_last(images):
    return np.moveaxis(images.numpy(), 1, -1)


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, torch.tensor])
def test_a_convolution_is_pytorchs(make, same):
    rng = np.random.default_rng(0)
    images, kernel = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(3, 3, 3, 4))
    ours = convolve(make(images), make(kernel), same=same)
    weight = torch.tensor(kernel.transpose(3, 2, 0, 1))
    theirs = torch.nn.functional.conv2d(channels_first(images), weight, padding=int(same))
    np.testing.assert_allclose(np.asarray(ours), channels_last(theirs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, torch.tensor])
def test_pooling_is_pytorchs_and_leaves_out_an_odd_edge(make):
    images = np.random.default_rng(1).normal(size=(2, 7, 6, 3))
    theirs = torch.nn.functional.max_pool2d(channels_first(images), 2)
    np.testing.assert_allclose(np.asarray(pool(make(images))), channels_last(theirs), rtol=1e-6)


@pytest.mark.parametrize("sides", [(8, 8), (9, 11)])  # pooling leaves odd edges out
@pytest.mark.slow
def test_the_gradient_of_a_network_is_pytorchs(sides):
    network = ConvolutionalNetwork((*sides, 2), (3, 4), (True, False), hidden=(5,), classes=3)
    params = network.init(np.random.default_rng(2))
    images = np.random.default_rng(3).integers(0, 256, (4, *sides, 2)).astype(np.uint8)

    def total(params):
        return (network.apply(params, jnp.asarray(images)) ** 2).sum()

    ours = jax.grad(total)(params)
    leaves = jax.tree.map(lambda a: torch.tensor(a, requires_grad=True), params)
    x = channels_first(images).float() / 255
    for layer, pooled in zip(leaves["convolutions"], network.pooled, strict=True):
        x = torch.nn.functional.conv2d(x, layer["kernel"].permute(3, 2, 0, 1), layer["bias"])
        x = torch.relu(x)
        x = torch.nn.functional.max_pool2d(x, 2) if pooled else x
    x = x.permute(0, 2, 3, 1).reshape(4, network.features)
    for layer in leaves["dense"][:-1]:
        x = torch.relu(x @ layer["weight"] + layer["bias"])
    x = x @ leaves["dense"][-1]["weight"] + leaves["dense"][-1]["bias"]
    (x**2).sum().backward()
    for mine, theirs in zip(jax.tree.leaves(ours), jax.tree.leaves(leaves), strict=True):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), rtol=2e-4, atol=2e-5)


def test_pixels_that_reach_no_output_are_not_convolved(monkeypatch):
    network = ConvolutionalNetwork((28, 30, 1), (2, 3), (True, True))
    params = network.init(np.random.default_rng(2))
    images = np.random.default_rng(3).integers(0, 256, (2, 28, 30, 1)).astype(np.uint8)
    sizes = []

    def noted(images, kernel, *, same):
        sizes.append(images.shape[1:3])
        return convolve(images, kernel, same=same)

    monkeypatch.setattr("descenso.problems._convolution.convolve", noted)
    network.apply(params, images)
    # 28 rows would become 26, 13, 11, 5; five come of 10, 12, 24, 26. All 30 columns are needed.
    assert sizes == [(26, 30), (12, 14)]


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("mnist-cnn", 1600),
        ("mnist-cnn-wide", 1600),
        ("cifar10-cnn", 1024),
        ("cifar10-cnn-same", 4096),
    ],
)
def test_the_networks_of_the_image_problems_have_the_known_sizes(name, features):
    params = problems.get(name).init(np.random.default_rng(0))
    assert params["dense"][0]["weight"].shape[0] == features


@pytest.mark.parametrize(
    "name",
    ["mnist-dense", "mnist-cnn", "mnist-cnn-wide", "fashion-mnist-dense", "fashion-mnist-cnn",
     "cifar10-cnn", "cifar10-cnn-same"],
)  # fmt: skip
def test_an_image_problem_keeps_the_official_test_part_and_bytes(name):
    data = problems.get(name).make_data(0)
    assert len(data.test) == 60
    assert (len(data.train), len(data.validation)) == (250, 50)
    assert data.train.inputs.dtype == np.uint8
    assert data.train.inputs.ndim == 4


@pytest.mark.slow
def test_images_are_kept_as_bytes_on_the_device_and_nowhere_as_floats():
    problem = problems.get("mnist-cnn")
    data = problem.make_data(0)
    gc.collect()
    earlier = {id(array) for array in jax.live_arrays()}
    engine = JaxEngine(problem, data, 0)
    sgd = rules.get("gradient_descent").settings(lr=0.01)
    for _runs in engine.train([Member("sgd", "gradient_descent", sgd, 50, 0)], 1):
        pass
    gc.collect()
    held = [array for array in jax.live_arrays() if id(array) not in earlier]
    # Training images lie four bytes to a word.
    images = [a for a in held if a.dtype in (np.uint8, np.uint32)]
    assert sum(a.nbytes for a in images if a.size > 2) == 28 * 28 * (250 + 50 + 60)
    smallest_part = 28 * 28 * 50
    assert all(a.size < smallest_part for a in held if a.dtype == np.float32)


def test_the_validation_part_depends_on_the_seed_and_shares_no_image_with_training():
    problem = problems.get("mnist-dense")
    first, other = problem.make_data(0), problem.make_data(1)
    assert (first.validation.inputs != other.validation.inputs).any()
    again = problem.make_data(0)
    assert (first.train.inputs == again.train.inputs).all()


def test_the_outputs_of_an_image_problem_fit_its_loss():
    problem = problems.get("digits-cnn")
    problems.rehearse(problem, problem.make_data(0))
