"""What a torch module may hold, where its members run, and what happens when they fail."""

import gc
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from tests.engine._torch_members import finished, member, same
from torch import nn

from descenso import problems
from descenso.engine import scheduling
from descenso.engine.torch import TorchEngine
from descenso.errors import ProblemError

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0.5)


class Everything(nn.Module):
    """Dropout, batch normalisation, tied weights and a frozen layer."""

    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Linear(6, 6), nn.Linear(6, 6)
        self.again.weight = self.first.weight
        self.normal, self.dropout = nn.BatchNorm1d(6), nn.Dropout(0.4)
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.scores, self.unused = nn.Linear(6, 3), nn.Linear(2, 2)

    def forward(self, x):
        x = self.dropout(torch.relu(self.normal(self.first(x))))
        return self.scores(torch.tanh(self.frozen(self.again(x))))


def problem_of(make_model=Everything, **options):
    return problems.from_torch(make_model, (X, LABELS), batch_size=8, **options)


def engine_of(problem, **options):
    return TorchEngine(problem, problem.make_data(0), 5, **{"device": "cpu", **options})


@pytest.mark.parametrize("compiled", [False, True])
def test_a_run_equals_a_plain_loop_with_torchs_own_optimizer(compiled):
    """Training mode, buffers, dropout's draws, tied and frozen weights: all as torch has them."""
    from descenso.engine.randomness import example_order, step_seeds, weights_generator

    problem = problem_of(compile=compiled)
    data, who = problem.make_data(0), member("sgd", 3, lr=0.1)
    run = finished(engine_of(problem), [who], 3, judge=False)[0]
    module = problem.init(weights_generator(5, 3))
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.1)
    x, y = torch.tensor(data.train.inputs), torch.tensor(data.train.targets)
    for epoch in range(3):
        order, seeds = example_order(5, 3, epoch, len(y)), step_seeds(5, 3, epoch, 4)
        for step in range(4):
            rows = order[step * 8 : step * 8 + 8]
            torch.manual_seed(seeds[step])
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(x[rows]), y[rows]).backward()
            optimizer.step()
    for name, tensor in module.state_dict().items():
        kind = "buffer" if name.startswith("normal.") and "running" in name else "parameter"
        if f"{kind} {name}" in run.checkpoint:
            kept = run.checkpoint[f"{kind} {name}"]
            np.testing.assert_allclose(kept, tensor.numpy(), rtol=1e-4, atol=1e-5)
    assert run.checkpoint["buffer normal.num_batches_tracked"] == 12
    assert "parameter frozen.weight" not in run.checkpoint
    assert "parameter again.weight" not in run.checkpoint
    assert run.checkpoint["step"] == 12
    module.eval()
    with torch.no_grad():
        outputs = module(torch.tensor(data.validation.inputs))
        loss = nn.functional.cross_entropy(outputs, torch.tensor(data.validation.targets))
    assert run.curve.validation_loss[-1] == pytest.approx(float(loss), rel=1e-4)


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_and_buffers_resume_bit_for_bit(compiled):
    problem = problem_of(compile=compiled)
    engine = engine_of(problem)
    crowd = [member("adam", 2, lr=0.05), member("rmsprop", 2, lr=0.01, centered=True)]
    whole = finished(engine, crowd, 5)
    assert engine.describe()["steps"]["8"]["step_compiled"] is compiled
    for who, undisturbed in zip(crowd, whole, strict=True):
        part = finished(engine_of(problem), [who], 2, judge=False)
        assert same(finished(engine_of(problem), part, 5)[0], undisturbed)


def test_workers_give_the_figures_that_this_process_gives(monkeypatch):
    problem = problem_of()
    crowd = [member("adam", s, lr=lr) for s in range(3) for lr in (0.01, 0.1)]
    alone = engine_of(problem, processes=1)
    shared = engine_of(problem, processes=2)
    monkeypatch.setattr("descenso.engine.torch.engine.SECONDS_THAT_PAY", 0.0)
    pairs = zip(finished(alone, crowd), finished(shared, crowd), strict=True)
    assert all(same(one, other) for one, other in pairs)
    assert alone.describe()["streams"] == 1
    assert shared.describe()["streams"] == 2
    assert all(p["compile_seconds"] > 0 for p in shared.describe()["programs"])
    folder = shared._pool._folder
    assert os.path.isdir(folder)  # noqa: PTH112
    del shared
    gc.collect()
    assert not os.path.exists(folder)  # noqa: PTH110


def test_how_steps_are_taken_in_the_workers_is_told_too(monkeypatch):
    monkeypatch.setattr("descenso.engine.torch.engine.SECONDS_THAT_PAY", 0.0)
    engine = engine_of(problem_of(compile=False), processes=2)
    finished(engine, [member("adam", seed, size) for size in (8, 10) for seed in range(2)])
    told = engine.describe()
    assert told["streams"] == 2
    assert list(told["steps"]) == ["8", "10"]
    assert told["steps"]["8"]["operations"] < told["steps"]["10"]["operations"]


def test_a_model_that_cannot_be_sent_is_trained_here_and_the_layout_says_why(monkeypatch):
    monkeypatch.setattr("descenso.engine.torch.engine.SECONDS_THAT_PAY", 0.0)
    lock = __import__("threading").Lock()

    def make_model():
        with lock:
            return Everything()

    engine = engine_of(problem_of(make_model), processes=2)
    runs = finished(engine, [member("adam", s, lr=0.01) for s in range(3)])
    assert all(np.isfinite(run.curve.test_loss) for run in runs)
    described = engine.describe()
    assert described["streams"] == 1
    assert "cannot pickle" in described["alone_because"]


class Killer(Everything):
    def forward(self, x):
        if self.training and os.environ.get("DESCENSO_TEST_PARENT", "") not in (
            "",
            str(os.getpid()),
        ):
            os._exit(9)
        return super().forward(x)


def test_a_worker_that_ends_is_told(monkeypatch):
    monkeypatch.setenv("DESCENSO_TEST_PARENT", str(os.getpid()))
    monkeypatch.setattr("descenso.engine.torch.engine.SECONDS_THAT_PAY", 0.0)
    engine = engine_of(problem_of(Killer), processes=2)
    with pytest.raises(ProblemError, match="a worker process ended while it trained"):
        finished(engine, [member("adam", s, lr=0.01) for s in range(4)])


def test_members_whose_code_fails_end_there_and_the_others_go_on():
    """Batch normalisation cannot train on one example."""
    engine = engine_of(problem_of())
    fine, failing = finished(engine, [member("adam", lr=0.01), member("sgd", 0, 1, lr=0.01)])
    assert fine.curve.epochs == 3
    assert not fine.curve.diverged
    assert failing.curve.diverged_at == 0
    assert np.isnan(failing.curve.validation_loss[-1])
    assert failing.checkpoint is None
    (told,) = engine.describe()["failures"]
    assert told["method"] == "sgd"
    assert told["step"] == 0
    assert "Expected more than 1 value per channel" in told["error"]


class Brittle(nn.Module):
    """Breaks once its weights have gone far."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        if self.layer.weight.detach().abs().max() > 3:
            return self.layer(x)[:, :2].sum(1)
        return self.layer(x)


def test_a_module_that_changes_shape_on_the_way_ends_its_member_alone():
    engine = engine_of(problem_of(Brittle))
    wild, calm = finished(engine, [member("adam", lr=1.0), member("adam", lr=0.001)])
    assert 1 <= wild.curve.diverged_at < 12
    assert "class labels need outputs of shape" in engine.describe()["failures"][0]["error"]
    assert calm.curve.epochs == 3


class Draws(nn.Module):
    """Stochastic depth by Python's generator, noise by NumPy's."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        if not self.training:
            return self.last(x + self.first(x))
        noise = torch.tensor(np.random.normal(size=x.shape), dtype=x.dtype)
        return self.last(x + noise * 0.1 + (self.first(x) if random.random() < 0.5 else 0))


def test_draws_from_other_generators_are_keyed_too_and_never_compiled_in():
    engine = engine_of(problem_of(Draws, compile=True))
    first, other = finished(engine, [member("adam", 1, lr=0.01), member("adam", 2, lr=0.01)])
    assert "NumPy's generators" in engine.describe()["steps"]["8"]["not_compiled_because"]
    random.seed(9)
    np.random.seed(9)
    again = finished(engine_of(problem_of(Draws)), [member("adam", 1, lr=0.01)])[0]
    assert same(first, again)
    assert not same(first, other)


class Branches(nn.Module):
    """Takes another way on some batches."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        outputs = self.layer(x)
        return outputs * 2 if x.sum() > 0 else outputs


class Constant(nn.Module):
    """Holds a drawn tensor that is no buffer."""

    def __init__(self):
        super().__init__()
        self.layer, self.mixed = nn.Linear(6, 3), torch.randn(6, 6)

    def forward(self, x):
        return self.layer(x @ self.mixed)


@pytest.mark.parametrize("kind", [Branches, Constant])
def test_what_cannot_be_compiled_runs_as_it_is_and_the_layout_says_why(kind):
    problem = problem_of(kind, compile=True)
    with_it, without = engine_of(problem), engine_of(problem_of(kind, compile=False))
    who = member("adam", 1, lr=0.01)
    one, other = finished(with_it, [who])[0], finished(without, [who])[0]
    np.testing.assert_allclose(one.curve.validation_loss, other.curve.validation_loss, rtol=1e-4)
    told = with_it.describe()["steps"]["8"]
    assert not told["step_compiled"]
    assert told["not_compiled_because"]


def test_whether_a_step_is_compiled_follows_from_the_problem_alone():
    from descenso.engine.torch.step import plan_for

    problem = problem_of(epochs=2)
    module, batch = Everything(), ((torch.tensor(X[:8]),), torch.tensor(LABELS[:8]))
    assert not plan_for(problem, module, batch, 4).whole_step
    assert plan_for(problem, module, batch, 4000).whole_step
    wide = nn.Sequential(nn.Linear(6, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 3))
    plan = plan_for(problem, wide, batch, 4000)
    assert plan.kernels
    assert not plan.whole_step


def test_the_callers_generators_and_threads_are_left_alone():
    torch.set_num_threads(2)
    torch.manual_seed(1)
    random.seed(1)
    expected = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    finished(engine_of(problem_of()), [member("adam", lr=0.01)])
    assert torch.equal(torch.get_rng_state(), expected[0])
    assert random.getstate() == expected[1]
    assert np.array_equal(np.random.get_state()[1], expected[2])
    assert torch.get_num_threads() == 2


IMAGES = RNG.normal(size=(60, 1, 6, 6)).astype(np.float32)


class Convolution(nn.Module):
    def __init__(self, flatten=True):
        super().__init__()
        self.seen, self.scores = nn.Conv2d(1, 4, 3), nn.Linear(16, 3)
        self.flatten = flatten

    def forward(self, images):
        maps = nn.functional.max_pool2d(torch.relu(self.seen(images)), 2)
        return self.scores(maps.flatten(1) if self.flatten else maps.view(len(maps), -1))


def test_members_advance_side_by_side_so_that_none_is_left_for_the_end(monkeypatch):
    monkeypatch.setattr(scheduling, "SECONDS_PER_CALL", 1e-9)  # an epoch of one member
    problem = problems.from_torch(Convolution, (IMAGES, LABELS), batch_size=8)
    crowd = [member("adam", seed, lr=0.02) for seed in range(3)]
    calls = list(engine_of(problem, processes=1).train(crowd, 3))
    assert [[run.curve.epochs for run in runs] for runs in calls] == [
        [e] for e in (1, 2, 3) for _ in crowd
    ]


@pytest.mark.parametrize("kernels", [0, 10**9])
def test_images_are_laid_channels_last_and_resume_bit_for_bit(kernels, monkeypatch):
    monkeypatch.setattr("descenso.engine.torch.step.STEPS_THAT_PAY_FOR_A_RULE", kernels)
    problem = problems.from_torch(Convolution, (IMAGES, LABELS), batch_size=8)
    engine, who = engine_of(problem), member("adam", 1, lr=0.02)
    whole = finished(engine, [who], 4)[0]
    told = engine.describe()["steps"]["8"]
    assert told["channels_last"]
    assert told["rule_compiled"] is (kernels == 0)
    part = finished(engine_of(problem), [who], 2, judge=False)
    assert same(finished(engine_of(problem), part, 4)[0], whole)
    viewing = problems.from_torch(lambda: Convolution(False), (IMAGES, LABELS), batch_size=8)
    plain = engine_of(viewing)
    other = finished(plain, [who], 4)[0]
    assert not plain.describe()["steps"]["8"]["channels_last"]
    np.testing.assert_allclose(other.curve.train_loss, whole.curve.train_loss, rtol=1e-4)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.scores = nn.Embedding(5, 3), nn.Linear(9, 3)

    def forward(self, numbers, words):
        return self.scores(torch.cat([numbers, self.words(words)], 1))


@pytest.mark.parametrize("compiled", [False, True])
def test_several_inputs_and_lazy_layers_are_trained(compiled):
    words = torch.arange(60) % 5
    both = problems.from_torch(TwoInputs, ((X, words), LABELS), batch_size=8, compile=compiled)
    run = finished(engine_of(both), [member("adam", lr=0.05)], 10)[0]
    assert run.curve.validation_loss[-1] < run.curve.validation_loss[0]
    lazy = problem_of(lambda: nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.LazyLinear(3)))
    assert engine_of(lazy).parameters() == 6 * 5 + 5 + 5 * 3 + 3
    run = finished(engine_of(lazy), [member("adam", lr=0.05)], 10)[0]
    assert run.curve.validation_loss[-1] < run.curve.validation_loss[0]


def test_a_large_part_is_evaluated_in_parts_with_the_figures_of_the_whole(monkeypatch):
    problem, who = problem_of(), member("adam", lr=0.01)
    whole = finished(engine_of(problem), [who])[0]
    monkeypatch.setattr("descenso.engine.torch.serial.EXAMPLES_PER_PART", 5)
    parted = finished(engine_of(problem), [who])[0]
    assert parted.curve.test_loss == pytest.approx(whole.curve.test_loss, rel=1e-6)


def test_batches_do_not_depend_on_how_many_examples_are_put_in_order_at_a_time(monkeypatch):
    problem, who = problem_of(), member("adam", lr=0.01)
    whole = finished(engine_of(problem), [who])[0]
    monkeypatch.setattr("descenso.engine.torch.serial.BYTES_PER_BLOCK", 1)
    assert same(finished(engine_of(problem), [who])[0], whole)


def test_training_left_early_leaves_no_worker_behind(monkeypatch):
    monkeypatch.setattr("descenso.engine.torch.engine.SECONDS_THAT_PAY", 0.0)
    engine = engine_of(problem_of(), processes=2)
    going = engine.train([member("adam", s, lr=0.01) for s in range(9)], 30)
    for _chunk in range(3):
        next(going)
    workers = list(engine._pool._executor._processes)
    going.close()
    deadline = time.monotonic() + 30
    while any(_is_alive(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert finished(engine, [member("adam", lr=0.01)])[0].curve.epochs == 3


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


_LEFT_EARLY = """
import numpy as np
from torch import nn
from descenso import methods, problems
from descenso.engine.torch import engine as engines
from descenso.records import Member

if __name__ == "__main__":
    engines.SECONDS_THAT_PAY = 0.0
    x = np.random.default_rng(0).normal(size=(600, 6)).astype(np.float32)
    problem = problems.from_torch(
        lambda: nn.Sequential(nn.Linear(6, 2)), (x, (x[:, 0] > 0).astype(np.int64)), batch_size=8
    )
    engine = engines.TorchEngine(problem, problem.make_data(0), 0, processes=2, device="cpu")
    settings = methods.parse("adam").definition().settings(lr=0.01)
    going = engine.train([Member("adam", "adam", settings, 8, s) for s in range(9)], 40)
    chunks = [next(going) for _chunk in range(5)]
    assert engine._pool
    going.close()
"""


def test_workers_ended_amid_their_work_are_not_complained_of(tmp_path):
    (tmp_path / "left.py").write_text(_LEFT_EARLY)
    done = subprocess.run(
        [sys.executable, tmp_path / "left.py"], capture_output=True, text=True, check=True
    )
    assert "leaked" not in done.stderr
