"""The JAX engine against plain loops, and its promises."""

import os
import subprocess
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest
from tests import typical

from descenso import methods, rules
from descenso.engine import layout, open_engine
from descenso.engine.jax import JaxEngine, compiled
from descenso.engine.randomness import example_order, weights_generator
from descenso.errors import ProblemError
from descenso.ops import numpy as xp
from descenso.problems import _start_jax
from descenso.problems._start_jax import start_jax
from descenso.records import Member

pytestmark = pytest.mark.slow

on_a_cpu = pytest.mark.skipif(
    jax.default_backend() != "cpu", reason="tests how members lie on a CPU"
)
ARRANGEMENTS = [layout.ONE_AFTER_ANOTHER, layout.SIDE_BY_SIDE]
SETTINGS = {
    "gradient_descent": {"lr": 0.1},
    "momentum": {"lr": 0.1, "beta": 0.8},
    "nesterov": {"lr": 0.05, "beta": 0.8},
    "rmsprop": {"lr": 0.01, "centered": True, "momentum": 0.5},
    "adam": {"lr": 0.05, "eps": 1e-3},
    "adamw": {"lr": 0.05, "weight_decay": 0.1},
}


def member(method: str = "adam", seed: int = 0, batch_size: int = 8, **settings) -> Member:
    rule = methods.parse(method).definition()
    return Member(method, rule.name, rule.settings(**settings), batch_size, seed)


def finished(engine, members, epochs, judge=True):
    """Train to the end and return the last run of each member."""
    done = {}
    for chunk in engine.train(members, epochs, judge=judge):
        done.update({run.member.key: run for run in chunk})
    return done


def plain_loop(problem, data, who: Member, epochs: int, study_seed: int):
    """Train one member of the linear problem with NumPy alone, in float64."""
    params = problem.init(weights_generator(study_seed, who.seed))
    rule = rules.get(who.rule)
    state = {k: rule.start(xp, p, who.settings) for k, p in params.items()}
    x, y = np.float64(data.train.inputs), np.float64(data.train.targets)
    t = 0
    for epoch in range(epochs):
        order = example_order(study_seed, who.seed, epoch, len(x))
        for first in range(0, len(x) - who.batch_size + 1, who.batch_size):
            rows = order[first : first + who.batch_size]
            error = x[rows] @ params["w"] + params["b"] - y[rows]
            gradient = {"w": x[rows].T @ error * 2 / error.size, "b": 2 * error.sum(0) / error.size}
            t += 1
            for k in params:
                params[k], state[k] = rule.update(
                    xp, params[k], gradient[k], state[k], t, who.settings
                )
    test = np.float64(data.test.inputs) @ params["w"] + params["b"] - data.test.targets
    return params, (test**2).mean(), t


@pytest.mark.parametrize("batch_size", [1, 8, 36])
@pytest.mark.parametrize("rule_name", typical.RULES)
def test_a_run_equals_a_plain_numpy_loop_on_the_same_batches(linear, rule_name, batch_size):
    who = member(rule_name, 3, batch_size, **SETTINGS.get(rule_name, {"lr": 0.01}))
    with jax.enable_x64(True):
        data = linear.make_data(0)
        engine = JaxEngine(linear, data, 7, dtype=np.float64)
        run = finished(engine, [who], 3, judge=False)[who.key]
        judged = finished(engine, [who], 3)[who.key]
    params, loss, steps = plain_loop(linear, data, who, 3, 7)
    leaves = [run.checkpoint[f"leaf{i}"] for i in range(2)]
    assert run.curve.steps == steps
    np.testing.assert_allclose(leaves[0], params["b"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(leaves[1], params["w"], rtol=0, atol=1e-10)
    assert judged.curve.test_loss == pytest.approx(loss, abs=1e-10)


def test_nothing_is_compiled_again_when_a_setting_a_seed_or_the_budget_changes(linear):
    engine = JaxEngine(linear, linear.make_data(0), 0)
    finished(engine, [member(lr=0.1)], 1)
    programs = dict(engine._programs.made)
    finished(
        engine,
        [member(lr=lr, seed=s, beta1=b) for lr in (0.2, 3.0) for s, b in ((5, 0.5), (6, 0.1))],
        3,
    )
    assert engine._programs.made == programs
    assert len(programs) == 1


def test_members_with_one_seed_start_from_the_same_weights(linear):
    engine = open_engine(linear, linear.make_data(0), 0)
    runs = finished(engine, [member("adam", 4, lr=0.1), member("momentum", 4, lr=0.1)], 1).values()
    first, second = (run.curve.validation_loss[0] for run in runs)
    assert first == second


def test_the_order_of_examples_depends_on_seed_and_epoch_alone():
    again = example_order(1, 2, 3, 50)
    assert (example_order(1, 2, 3, 50) == again).all()
    assert sorted(again) == list(range(50))
    others = [example_order(*key, 50) for key in ((0, 2, 3), (1, 0, 3), (1, 2, 0))]
    assert all((other != again).any() for other in others)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_a_run_does_not_depend_on_its_neighbours_nor_on_their_order(linear, arrangement):
    data = linear.make_data(0)
    crowd = [member(lr=lr, seed=s) for lr in (0.01, 0.1, 0.5) for s in range(11)]

    def trained(members):
        return finished(JaxEngine(linear, data, 0, arrangement=arrangement), members, 3)

    together, backwards, alone = trained(crowd), trained(crowd[::-1]), trained(crowd[7:8])
    for key, run in alone.items():
        assert run.curve.test_loss == together[key].curve.test_loss
    for key, run in together.items():
        assert (run.curve.validation_loss == backwards[key].curve.validation_loss).all()


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_a_run_resumed_from_its_checkpoint_equals_an_undisturbed_one(linear, arrangement):
    data, who = linear.make_data(0), member(lr=0.05, seed=2)

    def engine():
        return JaxEngine(linear, data, 0, arrangement=arrangement)

    whole = finished(engine(), [who], 5)[who.key]
    part = finished(engine(), [who], 2, judge=False)[who.key]
    resumed = finished(engine(), [part], 5)[who.key]
    assert (resumed.curve.validation_loss == whole.curve.validation_loss).all()
    assert (resumed.curve.train_loss == whole.curve.train_loss).all()
    assert resumed.curve.test_loss == whole.curve.test_loss
    assert resumed.curve.steps == whole.curve.steps == 5 * 4


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_a_diverged_member_is_recorded_not_dropped_and_harms_no_other(steep, arrangement):
    data = steep.make_data(0)
    calm, wild = member("sgd", 1, lr=1e-4), member("sgd", 1, lr=1e6)
    runs = finished(JaxEngine(steep, data, 0, arrangement=arrangement), [calm, wild], 3)
    assert not runs[calm.key].curve.diverged
    assert runs[calm.key].curve.epochs == 3
    curve = runs[wild.key].curve
    assert 1 <= curve.diverged_at <= 4 * curve.epochs
    assert curve.epochs < 3
    assert np.isnan(curve.validation_loss[-1])
    assert np.isnan(curve.test_metric)
    assert runs[wild.key].checkpoint is None
    alone = finished(JaxEngine(steep, data, 0, arrangement=arrangement), [calm], 3)[calm.key]
    assert alone.curve.test_loss == runs[calm.key].curve.test_loss


def test_a_diverged_run_is_not_trained_again(steep):
    engine = JaxEngine(steep, steep.make_data(0), 0)
    wild = finished(engine, [member("sgd", 1, lr=1e6)], 3)
    assert list(engine.train(list(wild.values()), 10)) == []


def test_a_loss_that_is_not_finite_from_the_start_diverges_at_step_zero(linear):
    broken = replace(linear, init=lambda rng: {"w": np.full((4, 2), np.inf), "b": np.zeros(2)})
    engine = JaxEngine(broken, broken.make_data(0), 0)
    who = member(lr=0.1)
    curve = finished(engine, [who], 2)[who.key].curve
    assert curve.diverged_at == 0


def test_nothing_is_measured_on_test_before_a_run_is_judged(linear):
    engine = JaxEngine(linear, linear.make_data(0), 0)
    who = member(lr=0.01)
    searched = finished(engine, [who], 2, judge=False)[who.key]
    assert np.isnan(searched.curve.test_loss)
    assert searched.checkpoint is not None
    judged = finished(engine, [searched], 3)[who.key]
    assert np.isfinite(judged.curve.test_loss)
    assert judged.checkpoint is None


def test_a_split_evaluated_in_parts_gives_the_figures_of_the_whole(linear):
    from descenso.engine.jax.gradient import evaluate
    from descenso.engine.jax.micro_batches import EXAMPLES_PER_PART

    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(4, 2)), "b": rng.normal(size=2)}
    for examples in (2 * EXAMPLES_PER_PART + 1, 3 * EXAMPLES_PER_PART, 3 * EXAMPLES_PER_PART + 77):
        x, y = rng.normal(size=(examples, 4)), rng.normal(size=(examples, 2))
        with jax.enable_x64(True):
            loss, _ = evaluate(
                linear, params, (jax.numpy.asarray(x), jax.numpy.asarray(y)), EXAMPLES_PER_PART
            )
        assert float(loss) == pytest.approx(((x @ params["w"] + params["b"] - y) ** 2).mean())


def test_both_arrangements_give_the_same_curves_to_rounding(linear):
    crowd = [member(lr=lr, seed=s) for lr in (0.01, 0.1) for s in range(5)]
    one, other = (
        finished(JaxEngine(linear, linear.make_data(0), 0, arrangement=way), crowd, 3)
        for way in ARRANGEMENTS
    )
    for key, run in one.items():
        loss = other[key].curve.validation_loss
        np.testing.assert_allclose(run.curve.validation_loss, loss, rtol=1e-5)


@on_a_cpu
@pytest.mark.parametrize("batch_size", [1, 8, 36])
def test_on_a_cpu_members_go_one_after_another_however_small_a_step_is(linear, batch_size):
    engine = JaxEngine(linear, linear.make_data(0), 0)
    finished(engine, [member(lr=0.1, batch_size=batch_size)], 1)
    assert engine.describe()["arrangement"] == "members one after another"


def test_a_call_that_does_not_fit_into_memory_is_made_smaller(linear, monkeypatch):
    crowd = [member(lr=lr, seed=s) for lr in (0.01, 0.1, 0.5) for s in range(5)]
    way = layout.ONE_AFTER_ANOTHER
    roomy = JaxEngine(linear, linear.make_data(0), 0, arrangement=way)
    expected = finished(roomy, crowd, 2)
    tried = []

    def small_memory(compiled):
        call = native(compiled)

        def run(progress, *others):
            tried.append(len(progress.t))
            if len(progress.t) > 2:
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating")
            return call(progress, *others)

        return run

    native = compiled.Compiled.get
    engine = JaxEngine(linear, linear.make_data(0), 0, arrangement=way)
    monkeypatch.setattr(compiled.Compiled, "get", small_memory)
    runs = finished(engine, crowd, 2, judge=False)
    assert min(tried) == 2
    assert max(tried) > 2
    for key, run in expected.items():
        assert (runs[key].curve.validation_loss == run.curve.validation_loss).all()
    assert engine.describe()["programs"][0]["members_per_call"] == 2


def test_a_member_that_alone_does_not_fit_into_memory_is_told(linear, monkeypatch):
    def none_left(compiled):
        raise MemoryError("no memory at all")

    engine = JaxEngine(linear, linear.make_data(0), 0, arrangement=layout.ONE_AFTER_ANOTHER)
    monkeypatch.setattr(compiled.Compiled, "get", none_left)
    with pytest.raises(ProblemError, match="does not suffice for one member at batch size 8"):
        finished(engine, [member(lr=0.1)], 1, judge=False)


def test_a_member_whose_code_fails_ends_alone(linear):
    def refuse(weights):
        if np.abs(weights).max() > 1e3:
            raise ValueError("the weights are too large for me")
        return np.float32(0)

    def watched(params, inputs):
        weights = jax.lax.stop_gradient(params["w"])
        nothing = jax.pure_callback(refuse, jax.ShapeDtypeStruct((), np.float32), weights)
        return linear.apply(params, inputs) + nothing

    problem = replace(linear, apply=watched)
    calm, wild = member("sgd", 1, lr=1e-3), member("sgd", 1, lr=200.0)
    engine = JaxEngine(problem, linear.make_data(0), 0, arrangement=layout.ONE_AFTER_ANOTHER)
    finished(engine, [calm], 1, judge=False)  # the pace is known: both go into one call
    runs = finished(engine, [calm, wild], 3)
    assert runs[wild.key].curve.failed
    assert not runs[wild.key].curve.diverged
    assert np.isfinite(runs[calm.key].curve.test_loss)
    (failure,) = engine.describe()["failures"]
    assert failure["settings"]["lr"] == 200.0
    assert "too large for me" in failure["error"]


@on_a_cpu
@pytest.mark.parametrize("batch_size", [8, 10, 36])  # 36: in parts of 12; 10: 4, 4 and 2
def test_a_batch_in_parts_gives_the_gradient_of_the_whole(linear, monkeypatch, batch_size):
    who = member("momentum", 1, batch_size, lr=0.05)
    whole = JaxEngine(linear, linear.make_data(0), 0)
    expected = finished(whole, [who], 3)[who.key]
    monkeypatch.setattr(layout, "BYTES_AT_A_TIME", 8 * (12 if batch_size == 36 else 4))
    parted = JaxEngine(linear, linear.make_data(0), 0)
    run = finished(parted, [who], 3)[who.key]
    assert parted.describe()["programs"][0]["examples_at_a_time"] < batch_size
    np.testing.assert_allclose(run.curve.validation_loss, expected.curve.validation_loss, rtol=1e-5)


@on_a_cpu
def test_a_network_whose_examples_influence_each_other_is_never_parted(linear, monkeypatch):
    def normalised(params, inputs):
        outputs = linear.apply(params, inputs)
        return outputs - outputs.mean(0)

    monkeypatch.setattr(layout, "BYTES_AT_A_TIME", 16)
    engine = JaxEngine(replace(linear, apply=normalised), linear.make_data(0), 0)
    finished(engine, [member(lr=0.1)], 1)
    assert engine.describe()["programs"][0]["examples_at_a_time"] == 8
    assert engine._micro_batches.of_splits == 12  # the whole validation part


def test_the_examples_left_over_by_the_last_batch_are_used_in_another_epoch(linear):
    engine = JaxEngine(linear, linear.make_data(0), 0)
    who = member(lr=0.01, batch_size=10)  # 36 examples: three steps, six examples wait
    assert finished(engine, [who], 2)[who.key].curve.steps == 6


def test_the_layout_is_described_with_its_timings(linear):
    engine = JaxEngine(linear, linear.make_data(0), 0)
    finished(engine, [member(lr=0.1)], 2)
    described = engine.describe()
    assert described["streams"] >= 1
    assert described["programs"][0]["member_steps"] == 8
    assert described["programs"][0]["microseconds_per_member_step"] > 0


def test_a_process_that_has_started_jax_already_is_served_with_what_it_has():
    code = (
        "import jax; jax.devices(); from descenso.problems._start_jax import start_jax; "
        "print(start_jax().platform)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == jax.default_backend()


@pytest.mark.parametrize("given", [None, "--xla_cpu_multi_thread_eigen=true --xla_dump_to=here"])
def test_jax_starts_with_our_flags_where_the_user_has_not_chosen(given, monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda: [os.environ["XLA_FLAGS"].split()])
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if given:
        monkeypatch.setenv("XLA_FLAGS", given)
    eigen, loops = _start_jax._XLA_FLAGS
    assert start_jax() == ([loops, *given.split()] if given else [eigen, loops])


def test_starting_jax_leaves_the_environment_as_it_was():
    code = (
        "import os; os.environ.pop('XLA_FLAGS', None); "
        "from descenso.problems._start_jax import start_jax; start_jax(); print('XLA_FLAGS' in os.environ)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "chosen", [None, "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION"]
)
def test_jax_takes_a_gpus_memory_as_it_needs_it_unless_the_user_has_chosen(chosen, monkeypatch):
    for name in [name for name in os.environ if name.startswith(_start_jax._MEMORY_OF_JAX)]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(jax, "devices", lambda: [os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE")])
    if chosen:
        monkeypatch.setenv(chosen, ".5")
    assert start_jax() == (None if chosen else "false")
    assert "XLA_PYTHON_CLIENT_PREALLOCATE" not in os.environ


# ---- laid out as on a GPU ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bytes_each", "members"),
    [(1, layout.MEMBERS_AT_A_TIME), (layout.BYTES_THAT_FILL // 11, 8), (layout.BYTES_THAT_FILL, 1)],
)
def test_so_many_members_compute_at_a_time_as_fill_a_gpu(bytes_each, members):
    assert layout.members_at_a_time("gpu", layout.SIDE_BY_SIDE, bytes_each) == members
    assert layout.members_at_a_time("gpu", layout.ONE_AFTER_ANOTHER, bytes_each) == 1


@pytest.mark.parametrize("at_a_time", [1, 4, 32])
def test_on_a_gpu_members_train_as_each_does_alone_however_many_compute_at_a_time(
    linear, monkeypatch, at_a_time
):
    monkeypatch.setattr(layout, "MEMBERS_AT_A_TIME", at_a_time)
    crowd = [
        member(rule, seed, lr=lr)
        for rule in ("adam", "sgd")
        for seed in range(3)
        for lr in (0.1, 1e6)
    ]
    engine = JaxEngine(linear, linear.make_data(0), 0, platform="gpu")
    expected = finished(JaxEngine(linear, linear.make_data(0), 0), crowd, 3)
    for key, run in finished(engine, crowd, 3).items():
        mine, its = run.curve, expected[key].curve
        np.testing.assert_allclose(mine.validation_loss, its.validation_loss, rtol=1e-4)
        np.testing.assert_allclose(mine.train_loss, its.train_loss, rtol=1e-4)
        assert (mine.steps, mine.diverged_at) == (its.steps, its.diverged_at)
    assert {p.recipe.batch_shape.at_a_time for p in engine._programs.made.values()} == {at_a_time}
    assert all(program.recipe.all_steps for program in engine._programs.made.values())


@pytest.mark.parametrize(("fill", "way"), [(0, 0), (2**26, 1)])
def test_members_of_which_one_fills_a_gpu_go_one_after_another(linear, monkeypatch, fill, way):
    monkeypatch.setattr(layout, "BYTES_THAT_FILL", fill)
    engine = JaxEngine(linear, linear.make_data(0), 0, platform="gpu")
    finished(engine, [member(lr=0.1)], 1)
    (program,) = engine.describe()["programs"]
    assert program["arrangement"] == ARRANGEMENTS[way]


@on_a_cpu
def test_on_a_gpu_convolutions_are_products_only_side_by_side(linear):
    forms = []
    for platform, arrangement in (("gpu", None), ("gpu", layout.ONE_AFTER_ANOTHER), ("cpu", None)):
        data = linear.make_data(0)
        engine = JaxEngine(linear, data, 0, platform=platform, arrangement=arrangement)
        finished(engine, [member(lr=0.1)], 1)
        (program,) = engine._programs.made.values()
        forms.append(program.recipe.problem.apply is not linear.apply)
    assert forms == [True, False, True]
