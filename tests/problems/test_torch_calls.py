"""Modules as people write them: what they take and return, in which precision, and what they leave."""

import collections
import copy
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from descenso import methods, problems
from descenso.engine.torch import TorchEngine, processes, step
from descenso.errors import ProblemError
from descenso.records import Member

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(60, 4, generator=GENERATOR)
LABELS = torch.arange(60) % 3
IMAGES = torch.randn(60, 1, 6, 6, generator=GENERATOR)
WORDS = torch.randint(0, 9, (60, 5), generator=GENERATOR)


def rehearsed(make_model, data, **options):
    problem = problems.from_torch(make_model, data, **options)
    return problem, problems.rehearse(problem, problem.make_data(0))


def trained(make_model, method="gradient_descent", **options):
    """Return a problem, its engine and a run of three steps on all training examples."""
    problem = problems.from_torch(make_model, (X, LABELS), compile=False, **options)
    engine = TorchEngine(problem, problem.make_data(0), 0)
    rule = methods.parse(method).definition()
    member = Member(method, rule.name, rule.settings(lr=0.1), 36, 0)
    *_before, [run] = engine.train([member], 3)
    return problem, engine, run


# ---- by name ------------------------------------------------------------------------------------


class Two(nn.Module):
    """Takes two inputs, of which the second counts twice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, first, second):
        return self.layer(first + 2 * second)


class AnyNames(Two):
    def forward(self, **batch):
        return super().forward(**batch)


class Columns(Dataset):
    """Items name the second input first."""

    def __len__(self):
        return 60

    def __getitem__(self, row):
        return {"second": X[row], "labels": LABELS[row], "first": torch.zeros(4)}


@pytest.mark.parametrize("kind", [Two, AnyNames])
def test_named_inputs_go_to_the_module_by_name_in_rehearsal_as_in_training(kind):
    problem, loss = rehearsed(kind, Columns())
    batch = problem.make_data(0).train
    module = problem.init(np.random.default_rng(0))
    second, first = (torch.tensor(batch.inputs[f"input{i}"][:32]) for i in (0, 1))
    assert not first.any()
    outputs = module(first=first, second=second).detach()
    expected = functional.cross_entropy(outputs, torch.tensor(batch.targets[:32]))
    assert loss == pytest.approx(float(expected))


def test_the_step_that_is_compiled_names_its_inputs_too():
    problem = problems.from_torch(Two, Columns())
    trainer = TorchEngine(problem, problem.make_data(0), 0).trainer
    module, batch = trainer.module(0), trainer.train
    parts = step.parts_of(module)
    loss, *_rest = step._flat_step(problem, module, parts, 2)(*step._row(parts, batch))
    assert torch.equal(loss, step.figures(problem, module, parts, batch, 0)[0])


# ---- what a module returns ----------------------------------------------------------------------

Scores = collections.namedtuple("Scores", "logits aux")


class Returns(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.layer, self.form = nn.Linear(4, 3), form

    def forward(self, x):
        return self.form(self.layer(x))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (lambda o: {"loss": None, "logits": o}, "returns dict: logits are its outputs\n"),
        (lambda o: Scores(o, 2 * o), "returns Scores: logits are its outputs; left out: aux\n"),
        (lambda o: (o,), ""),
    ],
    ids=["mapping", "named tuple", "alone"],
)
def test_logits_are_the_outputs_of_a_module_that_returns_more(form, said, capsys):
    data = (X, LABELS)
    _problem, loss = rehearsed(lambda: Returns(form), data)
    assert capsys.readouterr().err.endswith(said)
    assert loss == rehearsed(lambda: Returns(lambda o: o), data)[1]


def test_how_to_wrap_a_module_that_returns_several_tensors_goes_by_its_names():
    class Several(Two):
        def forward(self, first, second):
            outputs = super().forward(first, second)
            return {"classes": outputs, "size": outputs[:, :1]}

    message = (
        "forward(self, second, first) returns self.inner(second=second, first=first)['classes']"
    )
    with pytest.raises(ProblemError, match=re.escape(message)):
        rehearsed(Several, Columns())
    with pytest.raises(ProblemError, match=re.escape("returns self.inner(*inputs)[0]")):
        rehearsed(lambda: Returns(lambda o: (o, o)), (X, LABELS))


# ---- what inputs lack ---------------------------------------------------------------------------

CONVOLUTION = nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 3)


@pytest.mark.parametrize(
    ("layers", "inputs", "remedy"),
    [
        ((nn.Linear(4, 3),), (10 * X).long(), "inputs.float()"),
        (CONVOLUTION, IMAGES.to(torch.uint8), "inputs.float() / 255"),
        (CONVOLUTION, IMAGES.movedim(1, -1), "inputs.movedim(-1, 1)"),
        (CONVOLUTION, IMAGES.movedim(1, -1).to(torch.uint8), "inputs.movedim(-1, 1).float() / 255"),
        (CONVOLUTION, IMAGES[:, 0], "inputs.unsqueeze(1)"),
        ((nn.Linear(36, 3),), IMAGES, "inputs.flatten(1)"),
        ((nn.Linear(1, 3),), X[:, 0], "inputs.unsqueeze(1)"),
        ((nn.Embedding(9, 2), nn.Flatten(), nn.Linear(10, 3)), WORDS.float(), "inputs.long()"),
        ((nn.Linear(5, 3),), X, None),
    ],
)
def test_what_inputs_lack_is_found_by_trying(layers, inputs, remedy):
    with pytest.raises(ProblemError, match="the module fails on the first batch") as caught:
        rehearsed(lambda: copy.deepcopy(nn.Sequential(*layers)), (inputs, LABELS))
    assert str(caught.value).partition("otherwise: give ")[2] == (remedy or "")


def test_lazy_layers_that_do_not_fit_are_named_too():
    def lazy():
        return nn.Sequential(nn.LazyConv2d(2, 3), nn.LazyBatchNorm1d())

    with pytest.raises(
        ProblemError, match="the module fails on the first batch: ValueError: expec"
    ):
        rehearsed(lazy, (IMAGES, LABELS))


# ---- what is written into -----------------------------------------------------------------------


class Halves(nn.Linear):
    def forward(self, x):
        return super().forward(x.mul_(0.5))


def counts_from_one(outputs, labels):
    labels -= 1
    return functional.cross_entropy(outputs, labels)


def in_place(outputs, targets):
    return functional.mse_loss(outputs.sigmoid_(), targets)


@pytest.mark.parametrize(
    ("make_model", "targets", "options", "message"),
    [
        (lambda: Halves(4, 3), LABELS, {}, "the module changes its inputs in place"),
        (lambda: nn.Linear(4, 3), LABELS + 1, {"loss": counts_from_one}, "the loss changes its"),
        (lambda: nn.Linear(4, 4), X, {"loss": in_place}, "the loss changes its outputs or targets"),
        (lambda: nn.Linear(4, 4), X, {"loss": "mse", "metric": in_place}, "the metric changes its"),
    ],
)
def test_what_writes_into_what_it_is_given_is_named(make_model, targets, options, message):
    with pytest.raises(ProblemError, match=message):
        rehearsed(make_model, (X.clone(), targets), **options)


# ---- precision ----------------------------------------------------------------------------------


def test_a_module_of_16_bits_is_trained(tmp_path):
    def network():
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

    for kind in (torch.bfloat16, torch.float16):
        _problem, engine, run = trained(lambda kind=kind: network().to(kind))
        exact = trained(network)[2].curve
        assert not run.curve.error
        np.testing.assert_allclose(run.curve.train_loss, exact.train_loss, atol=0.03)
        processes._save(engine.trainer, tmp_path)
        sent = processes._load(tmp_path)
        assert sent.train[0][0].dtype is kind
        assert torch.equal(sent.train[0][0], engine.trainer.train[0][0])


class Complex(nn.Module):
    def __init__(self, imaginary=1.0):
        super().__init__()
        self.wave, self.last = nn.Linear(4, 5, dtype=torch.cfloat), nn.Linear(5, 3)
        self.wave.weight.data.imag *= imaginary

    def forward(self, x):
        return self.last(self.wave(x.to(torch.cfloat)).abs())


def test_complex_parameters_are_trained_and_told_apart_whole():
    problem, engine, run = trained(Complex)
    module = engine.trainer.module(0)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    (inputs,), targets = engine.trainer.train
    for _step in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(module(inputs), targets).backward()
        optimizer.step()
    moved = torch.tensor(run.checkpoint["parameter wave.weight"])
    assert moved.is_complex()
    torch.testing.assert_close(moved, module.wave.weight.detach())

    def fingerprint(imaginary):
        other = problems.from_torch(lambda: Complex(imaginary), (X, LABELS))
        return problems.fingerprint(other, other.make_data(0))

    assert fingerprint(1.0) == problems.fingerprint(problem, problem.make_data(0))
    assert fingerprint(-1.0) != fingerprint(1.0)  # the same size of each output, but another module
