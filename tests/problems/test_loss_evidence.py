"""Losses that do not suit their outputs are found by their values, and no others are."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from torch import nn
from torch.nn import functional

from descenso import problems

X = torch.randn(90, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(90) % 3
YES = (X[:, :1] > 0).float()
SHARES = functional.softmax(X[:, :3], 1)
IMAGES = X.reshape(90, 1, 2, 4)
PIXELS = torch.arange(720).reshape(90, 2, 4) % 3
TWICE = "softmax runs twice"
BOUNDED = "sigmoid runs twice"
LOGARITHMS = "the loss takes logarithms of shares"
SUM = "it adds up over examples"


def net(outputs=3, *last):
    return lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, outputs), *last)


def pixels(*last):
    return lambda: nn.Sequential(nn.Conv2d(1, 3, 1), *last)


def zero_at_first():
    module = net(1)()
    nn.init.zeros_(module[2].weight)
    nn.init.zeros_(module[2].bias)
    return module


def contrast(outputs, labels):
    places = functional.normalize(outputs, dim=1)
    return functional.cross_entropy(10 * places @ places.T, torch.arange(len(places)))


def warnings_of(problem):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problems.rehearse(problem, problem.make_data(0))
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("make_model", "targets", "loss", "said"),
    [
        (net(3, nn.Softmax(1)), LABELS, "cross-entropy", [TWICE]),
        (lambda: net(3, nn.Softmax(1))().bfloat16(), LABELS, "cross-entropy", [TWICE]),
        (net(3, nn.Softmax(1)), LABELS, nn.CrossEntropyLoss(label_smoothing=0.1), [TWICE]),
        (net(3, nn.Softmax(1)), LABELS, lambda o, t: functional.cross_entropy(o, t), [TWICE]),
        (pixels(nn.Softmax(1)), PIXELS, "cross-entropy", [TWICE]),
        (net(3, nn.Sigmoid()), LABELS, "cross-entropy", [BOUNDED]),
        (net(1, nn.Sigmoid()), YES, nn.BCEWithLogitsLoss(), [BOUNDED]),
        (net(3), LABELS, nn.NLLLoss(), [LOGARITHMS]),
        (net(3, nn.Softmax(1)), LABELS, functional.nll_loss, [LOGARITHMS]),
        (net(3, nn.Softmax(1)), SHARES, nn.KLDivLoss(reduction="batchmean"), [LOGARITHMS]),
        (net(), LABELS, nn.CrossEntropyLoss(reduction="sum"), [SUM]),
        (net(1), YES, lambda o, t: ((o - t) ** 2).sum() / 32, [SUM]),
        (net(3, nn.Softmax(1)), LABELS, nn.CrossEntropyLoss(reduction="sum"), [SUM, TWICE]),
        # and what is as it should be
        (net(), LABELS, "cross-entropy", []),
        (pixels(), PIXELS, "cross-entropy", []),
        (lambda: net()().half(), LABELS, "cross-entropy", []),
        (net(3, nn.LogSoftmax(1)), LABELS, nn.NLLLoss(), []),
        (net(3, nn.LogSoftmax(1)), SHARES, nn.KLDivLoss(reduction="batchmean"), []),
        (net(3, nn.Softmax(1)), SHARES, nn.MSELoss(), []),
        (net(), LABELS, nn.MultiMarginLoss(), []),
        (net(1, nn.Sigmoid()), YES, nn.BCELoss(), []),
        (net(1, nn.Sigmoid()), YES, "mse", []),
        (net(1), YES, nn.BCEWithLogitsLoss(), []),
        (net(1, nn.ReLU()), YES, nn.BCEWithLogitsLoss(), []),
        (zero_at_first, YES, nn.BCEWithLogitsLoss(), []),
        (net(1), X[:, :1].abs().round(), nn.PoissonNLLLoss(), []),
        (net(1), YES, lambda o, t: (o * (1 - 2 * t)).mean(), []),
        (net(4), LABELS, contrast, []),
    ],
)
def test_a_torch_loss_that_does_not_suit_its_outputs_is_warned_of(make_model, targets, loss, said):
    inputs = IMAGES if targets is PIXELS else X
    found = warnings_of(problems.from_torch(make_model, (inputs, targets), loss=loss))
    assert [words in text for words, text in zip(said, found, strict=True)] == [True] * len(said)


def of_labels(outputs, labels):
    return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()


def of_yes_and_no(outputs, targets):
    return optax.sigmoid_binary_cross_entropy(outputs, targets).mean()


@pytest.mark.parametrize(
    ("last", "targets", "loss", "said"),
    [
        (jax.nn.softmax, LABELS, "cross-entropy", [TWICE]),
        (jax.nn.softmax, LABELS, of_labels, [TWICE]),
        (jax.nn.sigmoid, YES, of_yes_and_no, [BOUNDED]),
        (jax.nn.identity, YES, lambda o, t: jnp.sum((o - t) ** 2), [SUM]),
        (jax.nn.identity, LABELS, of_labels, []),
        (jax.nn.identity, YES, of_yes_and_no, []),
    ],
)
def test_a_jax_loss_that_does_not_suit_its_outputs_is_warned_of(last, targets, loss, said):
    outputs = 1 if targets is YES else 3
    problem = problems.from_jax(
        lambda key: jax.random.normal(key, (8, outputs)),
        lambda weights, inputs: last(inputs @ weights),
        (X.numpy(), targets.numpy()),
        loss=loss,
    )
    found = warnings_of(problem)
    assert [words in text for words, text in zip(said, found, strict=True)] == [True] * len(said)


# ---- seeds that all start alike -----------------------------------------------------------------


def seeded_within():
    torch.manual_seed(0)
    return net()()


def test_seeds_that_all_start_alike_are_reported(capsys):
    def jax_problem(init):
        return problems.from_jax(init, lambda w, x: x @ w, (X.numpy(), LABELS.numpy()))

    said = "every seed starts from the same parameters"
    alike = [
        problems.from_torch(seeded_within, (X, LABELS)),
        jax_problem(lambda key: jnp.ones((8, 3))),
    ]
    drawn = [
        problems.from_torch(net(), (X, LABELS)),
        jax_problem(lambda key: jax.random.normal(key, (8, 3))),
    ]
    for problem in drawn:
        problems.rehearse(problem, problem.make_data(0))
        assert said not in capsys.readouterr().err
    for problem in alike:
        problems.rehearse(problem, problem.make_data(0))
        assert said in capsys.readouterr().err
    start = alike[0].init(np.random.default_rng(0))[0].weight
    assert torch.equal(start, alike[0].init(np.random.default_rng(1))[0].weight)
