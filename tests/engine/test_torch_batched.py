"""Torch members side by side: as each trains alone, and one by one where that cannot be."""

import random
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from tests import typical
from tests.engine._torch_members import finished, member, same
from torch import nn

from descenso import problems
from descenso.cli._training import print_layout
from descenso.engine import layout
from descenso.engine.torch import TorchEngine, batched
from descenso.errors import ProblemError
from descenso.problems.torch_modules import exact_products

pytestmark = pytest.mark.slow

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)).astype(np.float32)
IMAGES = RNG.normal(size=(60, 3, 10, 10)).astype(np.float32)
WORDS = RNG.integers(0, 10, size=(60, 7))
LABELS = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0.5)


class Normal(nn.Module):
    """Batch normalisation, tied weights, a frozen layer and one that nothing reaches."""

    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Linear(6, 6, bias=False), nn.Linear(6, 6)
        self.again.weight = self.first.weight
        self.normal = nn.BatchNorm1d(6)
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.scores, self.unused = nn.Linear(6, 3), nn.Linear(2, 2)

    def forward(self, x):
        x = torch.relu(self.normal(self.first(x)))
        return self.scores(torch.tanh(self.frozen(self.again(x))))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells, self.scores = nn.GRU(3, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.scores(self.cells(x.view(-1, 2, 3))[0][:, -1])


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.scores = nn.Embedding(10, 6), nn.Linear(6, 3)

    def forward(self, words):
        return self.scores(torch.tanh(self.embed(words)).mean(1))


def dense():
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 4, 3, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip


MODELS = {
    "dense": (dense, X),
    "batch normalisation": (Normal, X),
    "convolutional": (convolutional, IMAGES),
    "recurrent": (Recurrent, X),
    "embedding": (Words, WORDS),
}


def problem_of(make_model=dense, inputs=X, **options):
    return problems.from_torch(make_model, (inputs, LABELS), batch_size=8, **options)


def engine_of(problem, device="cpu", **options):
    options = {"arrangement": layout.SIDE_BY_SIDE, **options}
    return TorchEngine(problem, problem.make_data(0), 5, device=device, **options)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", MODELS)
def test_members_side_by_side_train_as_each_does_alone(name, device):
    with exact_products():
        _compare_with_alone(problem_of(*MODELS[name]), device)


def _compare_with_alone(problem, device):
    crowd = [member(m, s, lr=lr) for m in ("adam", "sgd") for s in range(2) for lr in (0.01, 0.03)]
    together = engine_of(problem, device)
    pairs = zip(
        finished(together, crowd),
        finished(engine_of(problem, arrangement=layout.ONE_AFTER_ANOTHER), crowd),
        strict=True,
    )
    for one, other in pairs:
        for figures in ("validation_loss", "train_loss"):
            mine, its = getattr(one.curve, figures), getattr(other.curve, figures)
            np.testing.assert_allclose(mine, its, rtol=2e-3)
        assert one.curve.steps == other.curve.steps
        assert one.curve.test_loss == pytest.approx(other.curve.test_loss, rel=2e-3)
    told = together.describe()
    assert told["arrangement"] == "members side by side"
    if device == "cuda" and told["why_one_by_one"]:  # cuDNN's recurrent layers take one at a time
        assert "atching rule" in told["why_one_by_one"]["8"]
        return
    assert told["batched"]["8"] > 1, told["why_one_by_one"]
    assert told["programs"][0]["members_per_call"] > 1
    assert told["programs"][0]["arrangement"] == layout.SIDE_BY_SIDE


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("rule", "batch_size"), [*((rule, 8) for rule in typical.RULES), ("adam", 36)]
)
def test_every_rule_resumes_bit_for_bit_beside_others(rule, batch_size, device):
    problem = problem_of(Normal)
    crowd = [member(rule, seed, batch_size, lr=0.01 * (1 + seed)) for seed in range(3)]
    whole = finished(engine_of(problem, device), crowd, 5)
    parts = finished(engine_of(problem, device), crowd, 2, judge=False)
    resumed = finished(engine_of(problem, device), parts[::-1], 5)[::-1]
    assert all(same(one, other) for one, other in zip(whole, resumed, strict=True))


def test_a_checkpoint_made_side_by_side_goes_on_alone():
    problem, who = problem_of(Normal), member("adam", 1, lr=0.01)
    part = finished(engine_of(problem), [who], 2, judge=False)
    alone = engine_of(problem, arrangement=layout.ONE_AFTER_ANOTHER)
    (went_on,), (whole,) = finished(alone, part, 4), finished(engine_of(problem), [who], 4)
    np.testing.assert_allclose(
        went_on.curve.validation_loss, whole.curve.validation_loss, rtol=1e-4
    )
    assert went_on.curve.steps == whole.curve.steps


@pytest.mark.parametrize("device", DEVICES)
def test_a_member_that_draws_is_keyed_by_itself(device):
    def dropping():
        return nn.Sequential(nn.Linear(6, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 3))

    problem = problem_of(dropping)
    crowd = [member("adam", seed, lr=0.01) for seed in range(3)]
    engine = engine_of(problem, device)
    together, (alone,) = finished(engine, crowd), finished(engine_of(problem, device), crowd[1:2])
    assert engine.describe()["batched"] == {"8": 1}
    assert same(together[1], alone)
    assert not same(together[0], alone)
    (part,) = finished(engine_of(problem, device), crowd[1:2], 1, judge=False)
    assert same(finished(engine_of(problem, device), [part])[0], alone)


class _Counting(nn.Module):
    """Does in turn one thing and another: side by side it would do one of them for ever."""

    def __init__(self):
        super().__init__()
        self.inner, self.calls = dense(), [0]

    def forward(self, x):
        self.calls[0] += 1
        return self.inner(x) * (1 + self.calls[0] % 2)


class _Chancy(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = dense()

    def forward(self, x):
        return self.inner(x) * random.random()


class _Hooked(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = dense()
        self.inner.register_forward_hook(lambda module, given, result: result * 2)

    def forward(self, x):
        return self.inner(x)


class _Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = dense()

    def forward(self, x):
        scores = self.inner(x)
        return scores if float(scores.detach().abs().max()) > 0 else -scores


@pytest.mark.parametrize(
    ("make_model", "why"),
    [
        (_Counting, "other figures than alone"),
        (_Chancy, "Python's or NumPy's generators"),
        (_Hooked, "hooks"),
        (_Branching, "item"),
    ],
)
def test_what_cannot_go_side_by_side_goes_one_by_one_and_the_layout_says_why(make_model, why):
    problem = problem_of()
    problem = type(problem)(**{**vars(problem), "init": _seeded(make_model)})
    engine = engine_of(problem)
    runs = finished(engine, [member("sgd", seed, lr=0.01) for seed in range(3)])
    assert all(run.curve.epochs == 3 for run in runs)
    assert why in engine.describe()["why_one_by_one"]["8"]


def _seeded(make_model):
    def init(rng):
        torch.manual_seed(int(rng.integers(2**31)))
        return make_model()

    return init


def test_where_memory_runs_out_fewer_go_side_by_side(monkeypatch):
    real, sizes = batched.Population, []

    def small_memory(*given):
        sizes.append(given[3])
        if given[3] > 4:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB")
        return real(*given)

    monkeypatch.setattr(batched, "Population", small_memory)
    engine = engine_of(problem_of())
    crowd = [member("adam", seed, lr=0.01) for seed in range(6)]
    runs = finished(engine, crowd)
    assert sizes == [16, 8, 4]
    assert engine.describe()["batched"] == {"8": 4}
    monkeypatch.undo()
    for one, other in zip(runs, finished(engine_of(problem_of()), crowd), strict=True):
        np.testing.assert_allclose(
            one.curve.validation_loss, other.curve.validation_loss, rtol=1e-5
        )


def test_memory_that_runs_out_amid_training_is_backed_off_from(monkeypatch):
    real = batched.Population.epoch

    def small_memory(population, members, epoch):
        if population.stacked.size > 4 and epoch == 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(population, members, epoch)

    monkeypatch.setattr(batched.Population, "epoch", small_memory)
    engine = engine_of(problem_of())
    runs = finished(engine, [member("adam", seed, lr=0.01) for seed in range(6)])
    assert all(run.curve.epochs == 3 for run in runs)
    assert engine.describe()["batched"] == {"8": 4}


def test_memory_that_does_not_hold_one_member_is_told(monkeypatch):
    def no_memory(*_given):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(batched, "Population", no_memory)
    with pytest.raises(ProblemError, match="one member at batch size 8: CUDA out of memory"):
        finished(engine_of(problem_of()), [member(lr=0.01)])


def test_a_member_that_diverges_leaves_the_others_as_they_are():
    problem = problem_of()
    crowd = [member("sgd", 1, lr=0.1), member("sgd", 1, lr=1e30), member("sgd", 2, lr=0.1)]
    calm, wild, other = finished(engine_of(problem), crowd)
    assert wild.curve.diverged
    assert wild.checkpoint is None
    assert same(calm, finished(engine_of(problem), crowd[:1])[0])
    assert same(other, finished(engine_of(problem), crowd[2:])[0])
    alone = engine_of(problem, arrangement=layout.ONE_AFTER_ANOTHER)
    assert wild.curve.diverged_at == finished(alone, crowd[1:2])[0].curve.diverged_at


@pytest.mark.parametrize("device", DEVICES)
def test_the_callers_generators_are_left_alone(device):
    torch.manual_seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    on_cuda = [s.tolist() for s in torch.cuda.get_rng_state_all()] if device == "cuda" else None
    finished(engine_of(problem_of(Normal), device), [member(lr=0.01)], 1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (np.random.get_state()[1].tolist(), random.getstate())
    if on_cuda:
        assert on_cuda == [state.tolist() for state in torch.cuda.get_rng_state_all()]


def test_members_of_other_rules_make_room_before_fewer_go_side_by_side(monkeypatch):
    real, alive = batched.Population, []

    class Crowded(real):
        def __init__(self, *given):
            if any(weak() for weak in alive):
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            super().__init__(*given)
            alive.append(weakref.ref(self))

    monkeypatch.setattr(batched, "Population", Crowded)
    engine = engine_of(problem_of())
    crowd = [member(rule, seed, lr=0.01) for rule in ("adam", "rmsprop") for seed in range(2)]
    runs = finished(engine, crowd)
    assert all(run.curve.epochs == 3 for run in runs)
    assert engine.describe()["batched"] == {"8": 16}
    assert {p["arrangement"] for p in engine.describe()["programs"]} == {layout.SIDE_BY_SIDE}


@pytest.mark.parametrize("how", ["never set", "legacy", "per operation"])
def test_how_products_are_rounded_is_left_as_the_user_has_it(how):
    code = f"""
import torch
from descenso.problems.torch_modules import exact_products
matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
if {how!r} == "legacy":
    matmul.allow_tf32 = True
if {how!r} == "per operation":
    matmul.fp32_precision, cudnn.conv.fp32_precision = "tf32", "ieee"
def seen():
    if {how!r} == "per operation":
        return matmul.fp32_precision, cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision
    return matmul.allow_tf32, cudnn.allow_tf32
before = seen()
with exact_products():
    if hasattr(matmul, "fp32_precision"):
        assert (matmul.fp32_precision, cudnn.conv.fp32_precision) == ("ieee", "ieee")
assert seen() == before, (before, seen())
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_layout_with_members_one_by_one_is_printed_with_the_reason(capsys):
    problem = problem_of()
    problem = type(problem)(**{**vars(problem), "init": _seeded(_Hooked)})
    engine = engine_of(problem)
    finished(engine, [member("sgd", seed, lr=0.01) for seed in range(2)], 1)
    print_layout(engine.describe())
    assert "Members one by one at batch size 8: it has hooks." in capsys.readouterr().out
