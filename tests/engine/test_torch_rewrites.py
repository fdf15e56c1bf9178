"""Pooling before ReLU in the torch engine: where it is done, and that nothing changes."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from descenso import methods, problems
from descenso.engine.torch import TorchEngine
from descenso.problems.torch_modules import channels_last
from descenso.records import Member

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(60, 2, 8, 8)).astype(np.float32)
LABELS = (IMAGES[:, 0].sum((1, 2)) > 0).astype(np.int64)


def in_a_row(**options):
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(**options), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )


class Net(nn.Module):
    """A convolution, something, and a layer of scores."""

    def __init__(self):
        super().__init__()
        self.seen, self.normal = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)
        self.scores, self.dropout = nn.Linear(36, 2), nn.Dropout(0.3)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)

    def forward(self, images):
        return self.scores(self.dropout(self.maps(self.normal(self.seen(images))).flatten(1)))


class Functions(Net):
    def maps(self, x):
        return functional.max_pool2d(functional.relu(x), 2)


class Method(Net):
    def maps(self, x):
        return self.pool(x.relu())


class Adaptive(Net):
    def maps(self, x):
        return functional.adaptive_max_pool2d(torch.relu(x), 3)


class Padded(Net):
    def maps(self, x):
        return functional.max_pool2d(self.relu(x), 4, stride=2, padding=1)


class SeenTwice(Net):
    def maps(self, x):
        y = self.relu(x)
        return self.pool(y) + functional.avg_pool2d(y, 2)


class ReusedInPlace(Net):
    def maps(self, x):
        return self.pool(functional.relu(x, inplace=True)) + functional.avg_pool2d(x, 2)


class WithPlaces(Net):
    def maps(self, x):
        return functional.max_pool2d(self.relu(x), 2, return_indices=True)[0]


class Branching(Net):
    def maps(self, x):
        return self.pool(self.relu(x)) if x.sum() > 0 else self.pool(x)


class Drawing(Net):
    def maps(self, x):
        return self.pool(self.relu(x)) * float(torch.rand(()))


class Hooked(Functions):
    def __init__(self):
        super().__init__()
        self.pool.register_forward_hook(lambda *_: None)


def trained(make_model):
    problem = problems.from_torch(make_model, (IMAGES, LABELS), batch_size=8, compile=False)
    engine, rule = TorchEngine(problem, problem.make_data(0), 5), methods.parse("adam").definition()
    who = Member("adam", "adam", rule.settings(lr=0.01), 8, 0)
    *_earlier, [run] = engine.train([who], 3, judge=True)
    assert engine.describe()["failures"] == []
    return run.curve, engine.describe()["steps"]["8"]["pooling_first"]


MOVED = [in_a_row, lambda: in_a_row(inplace=True), Functions, Method, Adaptive, Padded]
LEFT = [SeenTwice, ReusedInPlace, WithPlaces, Branching, Drawing, Hooked]


@pytest.mark.parametrize("make_model", MOVED)
def test_pooling_goes_first_and_no_figure_changes(make_model, monkeypatch):
    curve, moved = trained(make_model)
    assert moved
    monkeypatch.setattr("descenso.engine.torch.serial.pooling_first", lambda *_: None)
    plain, moved = trained(make_model)
    assert not moved
    np.testing.assert_array_equal(curve.train_loss, plain.train_loss)
    np.testing.assert_array_equal(curve.validation_loss, plain.validation_loss)
    assert curve.test_loss == plain.test_loss


@pytest.mark.parametrize("make_model", LEFT)
def test_what_would_change_or_cannot_be_traced_is_left_as_it_is(make_model):
    curve, moved = trained(make_model)
    assert not moved
    assert np.isfinite(curve.train_loss).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_laid_channels_last_for_any_number_of_channels(channels):
    images = torch.arange(2.0 * channels * 20).reshape(2, channels, 4, 5)
    laid = channels_last(images)
    assert torch.equal(laid, images)
    assert laid.stride() == (channels * 20, 1, channels * 5, channels)
    table = images[0, 0]
    assert channels_last(table) is table
