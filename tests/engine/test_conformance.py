"""One problem written for both engines, and what both promise of it."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from tests import typical

from descenso import methods
from descenso.engine import Engine, layout, open_engine
from descenso.engine.jax import JaxEngine
from descenso.engine.torch import TorchEngine
from descenso.problems import Data, Metric, Problem, Split
from descenso.records import Member

EXAMPLES, INPUTS, HIDDEN, CLASSES = 60, 5, 7, 3
STUDY_SEED = 11


def data_of(seed: int = 0) -> Data:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(EXAMPLES, INPUTS)).astype(np.float32)
    labels = (inputs @ rng.normal(size=(INPUTS, CLASSES))).argmax(1).astype(np.int64)
    return Data(*(Split(inputs[a:b], labels[a:b]) for a, b in ((0, 36), (36, 48), (48, 60))))


def weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "w": (rng.normal(size=(INPUTS, HIDDEN)) * 0.5).astype(np.float32),
        "v": (rng.normal(size=(HIDDEN, CLASSES)) * 0.5).astype(np.float32),
    }


class Dense(torch.nn.Module):
    """The network with the weights that NumPy drew."""

    def __init__(self, given: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.w, self.v = (torch.nn.Parameter(torch.tensor(given[name])) for name in "wv")

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.tanh(inputs @ self.w) @ self.v


def _apply(params, inputs):
    import jax.numpy as jnp

    return jnp.tanh(inputs @ params["w"]) @ params["v"]


def _jax_loss(outputs, labels):
    import jax

    chosen = jax.nn.log_softmax(outputs)[np.arange(len(outputs)), labels]
    return -chosen.mean()


def _share_right(outputs, labels):
    return (outputs.argmax(-1) == labels).astype("float32").mean()


def _share_right_torch(outputs, labels):
    return (outputs.argmax(-1) == labels).float().mean()


def jax_problem() -> Problem:
    metric = Metric("accuracy", _share_right, higher_is_better=True)
    return Problem("dense", "", data_of, weights, _apply, _jax_loss, metric, batch_size=8, epochs=3)


def torch_problem(compile: bool | None = None) -> Problem:
    return replace(
        jax_problem(),
        init=lambda rng: Dense(weights(rng)),
        apply=lambda module, inputs: module(*inputs),
        loss=torch.nn.functional.cross_entropy,
        metric=Metric("accuracy", _share_right_torch, higher_is_better=True),
        framework="torch",
        details={"compile": compile},
    )


@dataclass(frozen=True)
class SerialTrainer:
    """An engine by name, opened anew for each use."""

    name: str

    def open(self, steep: bool = False) -> Engine:
        in_jax = self.name.startswith("jax")
        problem = jax_problem() if in_jax else torch_problem(self.name == "compiled")
        if steep:
            loss = problem.loss
            problem = replace(problem, loss=lambda o, t: loss(o, t) ** 4)
        data = problem.make_data(0)
        if self.name == "torch on CUDA":
            return TorchEngine(problem, data, STUDY_SEED, device="cuda")
        if not in_jax:
            batched = self.name == "torch batched"
            way = layout.SIDE_BY_SIDE if batched else layout.ONE_AFTER_ANOTHER
            return TorchEngine(problem, data, STUDY_SEED, device="cpu", arrangement=way)
        if self.name == "jax batched":  # laid out as on a GPU, wherever it computes
            return JaxEngine(problem, data, STUDY_SEED, platform="gpu")
        return open_engine(problem, data, STUDY_SEED)


ON_CUDA = ["torch on CUDA"] if torch.cuda.is_available() else []
ENGINES = ["jax", "jax batched", "torch", "compiled", "torch batched", *ON_CUDA]


@pytest.fixture(params=ENGINES, scope="module")
def trainer(request) -> SerialTrainer:
    return SerialTrainer(request.param)


def member(method: str = "adam", seed: int = 0, batch_size: int = 8, **settings) -> Member:
    rule = methods.parse(method).definition()
    return Member(method, rule.name, rule.settings(**settings), batch_size, seed)


def finished(engine, members, epochs, judge=True):
    done = {}
    for chunk in engine.train(members, epochs, judge=judge):
        done.update({run.member.key: run for run in chunk})
    return done


def same(one, other):
    return (
        np.array_equal(one.curve.validation_loss, other.curve.validation_loss, equal_nan=True)
        and np.array_equal(one.curve.train_loss, other.curve.train_loss, equal_nan=True)
        and (one.curve.test_loss == other.curve.test_loss)
        and (one.curve.steps == other.curve.steps)
    )


@pytest.mark.parametrize("problem", [jax_problem(), torch_problem()], ids=["jax", "torch"])
@pytest.mark.slow
def test_a_large_validation_part_is_sampled_so_that_measuring_it_stays_cheap(problem):
    whole = problem.make_data(0)
    large = replace(whole, train=whole.validation, validation=whole.train)  # 12 and 36 examples
    engine = open_engine(problem, large, STUDY_SEED)
    assert engine.describe()["watched"] == 5  # 0.45 of 12
    again = open_engine(problem, large, STUDY_SEED)
    who = member(lr=0.01, batch_size=4)
    assert same(finished(engine, [who], 2)[who.key], finished(again, [who], 2)[who.key])
    assert open_engine(problem, whole, STUDY_SEED).describe()["watched"] == 12  # all of them


def test_a_problem_is_opened_by_the_engine_of_its_framework():
    assert isinstance(SerialTrainer("jax").open(), JaxEngine)
    problem = torch_problem()
    assert isinstance(open_engine(problem, problem.make_data(0), STUDY_SEED), TorchEngine)


def one_of_each_rule(batch_size):
    return [member(rule, 3, batch_size, lr=0.02) for rule in typical.RULES]


@cache
def trained(name, batch_size):
    """Return a run of each rule; a program of each is compiled, so each engine trains them once."""
    return finished(SerialTrainer(name).open(), one_of_each_rule(batch_size), 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ENGINES if name not in ("jax", "compiled")])
@pytest.mark.parametrize("batch_size", [1, 8, 36])
def test_engines_draw_the_same_curves(batch_size, name):
    first = trained("jax", batch_size)
    for key, run in trained(name, batch_size).items():
        mine, other = run.curve, first[key].curve
        assert mine.steps == other.steps == 3 * (36 // batch_size)
        for name in ("validation_loss", "train_loss", "validation_metric"):
            np.testing.assert_allclose(getattr(mine, name), getattr(other, name), rtol=2e-4)
        assert mine.test_loss == pytest.approx(other.test_loss, rel=2e-4)


@pytest.mark.slow
def test_the_compiled_step_draws_the_same_curves():
    first = trained("torch", 8)
    engine = SerialTrainer("compiled").open()
    second = finished(engine, one_of_each_rule(8), 3)
    for key, run in second.items():
        np.testing.assert_allclose(
            run.curve.validation_loss, first[key].curve.validation_loss, rtol=1e-4
        )
    assert engine.describe()["steps"]["8"]["step_compiled"]


def test_engines_give_a_member_up_at_the_same_step():
    wild = member("sgd", 1, lr=1e4)
    first, *others = (finished(SerialTrainer(n).open(True), [wild], 3)[wild.key] for n in ENGINES)
    assert first.curve.diverged_at >= 1
    for other in others:
        assert first.curve.diverged_at == other.curve.diverged_at
        assert first.curve.epochs == other.curve.epochs
        np.testing.assert_allclose(first.curve.train_loss, other.curve.train_loss, rtol=2e-4)


def test_a_run_does_not_depend_on_its_neighbours_nor_on_their_order(trainer):
    crowd = [member(lr=lr, seed=s) for lr in (0.01, 0.1) for s in range(3)]
    together = finished(trainer.open(), crowd, 3)
    backwards = finished(trainer.open(), crowd[::-1], 3)
    alone = finished(trainer.open(), crowd[4:5], 3)
    assert all(same(run, backwards[key]) for key, run in together.items())
    assert all(same(run, together[key]) for key, run in alone.items())


@pytest.mark.parametrize("rule", ["adam", "gradient_descent"])
def test_a_run_resumed_from_its_checkpoint_equals_an_undisturbed_one(trainer, rule):
    who = member(rule, lr=0.05, seed=2)
    whole = finished(trainer.open(), [who], 5)[who.key]
    part = finished(trainer.open(), [who], 2, judge=False)[who.key]
    assert all(isinstance(array, np.ndarray | np.generic) for array in part.checkpoint.values())
    assert same(finished(trainer.open(), [part], 5)[who.key], whole)


def test_a_diverged_member_is_recorded_not_dropped_and_harms_no_other(trainer):
    calm, wild = member("sgd", 1, lr=1e-4), member("sgd", 1, lr=1e6)
    engine = trainer.open(steep=True)
    runs = finished(engine, [calm, wild], 3)
    curve = runs[wild.key].curve
    assert curve.diverged_at >= 1
    assert np.isnan(curve.validation_loss[-1])
    assert np.isnan(curve.test_metric)
    assert runs[wild.key].checkpoint is None
    assert runs[calm.key].curve.epochs == 3
    assert same(finished(trainer.open(steep=True), [calm], 3)[calm.key], runs[calm.key])
    assert list(engine.train(list(runs.values()), 10)) != []  # the calm one goes on
    assert list(engine.train([runs[wild.key]], 10)) == []


def test_nothing_is_measured_on_test_before_a_run_is_judged(trainer):
    engine, who = trainer.open(), member(lr=0.01)
    searched = finished(engine, [who], 2, judge=False)[who.key]
    assert np.isnan(searched.curve.test_loss)
    assert searched.checkpoint is not None
    judged = finished(engine, [searched], 3)[who.key]
    assert np.isfinite(judged.curve.test_loss)
    assert judged.checkpoint is None


def test_members_with_one_seed_start_from_the_same_weights_and_others_do_not(trainer):
    crowd = [member("adam", 4, lr=0.1), member("momentum", 4, lr=0.1), member("adam", 5, lr=0.1)]
    runs = finished(trainer.open(), crowd, 1)
    losses = [runs[who.key].curve.validation_loss[0] for who in crowd]
    assert losses[0] == losses[1] != losses[2]


def test_the_examples_left_over_by_the_last_batch_wait(trainer):
    who = member(lr=0.01, batch_size=10)
    assert finished(trainer.open(), [who], 2)[who.key].curve.steps == 6


def test_parameters_and_layout_are_told(trainer):
    import json

    engine = trainer.open()
    finished(engine, [member(lr=0.1)], 2)
    assert engine.parameters() == INPUTS * HIDDEN + HIDDEN * CLASSES
    described = json.loads(json.dumps(engine.describe()))
    assert described["programs"][0]["member_steps"] == 8
    assert described["programs"][0]["microseconds_per_member_step"] > 0
