"""What every framework must do with a rule: the conformance suite, for anyone's rule.

>>> from descenso.testing import check_rule
>>> check_rule("lion.py")          # in a test of your own: raises what does not hold
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from descenso import rules
from descenso.errors import RuleError, UnknownNameError
from descenso.language import _
from descenso.ops import numpy as xp
from descenso.rules import Hyperparameter, Rule

STEPS = 100
TOLERANCE = 1e-12
SHAPES = {"kernel": (3, 4), "bias": (5,), "gain": ()}
_HALF = STEPS // 2

Arrays = dict[str, Any]
Settings = dict[str, Any]
#: What was done → how far it ended from the bare rule on NumPy arrays.
Differences = dict[str, float]


def check_rule(
    rule: str | Path | Rule, frameworks: Iterable[str] | None = None
) -> dict[str, float]:
    """Check that a rule takes the same steps in every framework that is installed.

    In each framework it takes 100 float64 steps, over a grid of settings that is made of what the
    rule declares: the defaults, each setting moved alone, all moved at once. It ends within
    1e-12 of the bare rule on NumPy arrays. Its arrays are never changed in place; its state keeps
    its names and shapes. In JAX it is compiled, compiled once for all settings, and batched over
    members with settings of their own; in PyTorch it takes every path (one tensor after another, lists of
    tensors, one kernel where there is a compiler). After half of the steps its state is saved, and
    loaded into a new optimizer, which goes on bit for bit.

    Parameters
    ----------
    rule : a rule's name, its file, or the rule; one that is not registered yet is registered.
    frameworks : of ``"numpy"``, ``"jax"``, ``"torch"`` and ``"keras"`` (on its backend in use);
        those that are installed, unless given.

    Returns
    -------
    The largest difference of each path, such as ``{"numpy": 0.0, "torch, lists": 1e-16, ...}``.

    Raises
    ------
    RuleError
        Listing all that does not hold, or that the rule's own lines fail.
    UnknownNameError
        If there is no such rule or framework.
    """
    checked = _find(rule)
    chosen = [n for n in _RUNNERS if find_spec(n)] if frameworks is None else list(frameworks)
    for name in chosen:
        if name not in _RUNNERS:
            raise UnknownNameError(
                _("there is no framework named {name!r}; there are {known}.").format(
                    name=name, known=", ".join(_RUNNERS)
                )
            )
    cases = grid(checked)
    wanted = [reference(checked, given) for given in cases]
    found: Differences = {}
    faults: list[str] = []
    for name in chosen:
        for path, run in _RUNNERS[name].items():
            ended = run(checked, cases)
            found[path] = max(map(worst, ended, wanted))
            faults += [
                _("{path}, {case}: ends {difference:.1e} from the rule on NumPy").format(
                    path=path, case=label(checked, given), difference=worst(one, other)
                )
                for given, one, other in zip(cases, ended, wanted, strict=True)
                if not worst(one, other) <= TOLERANCE
            ]
        faults += _resumed(checked, name)
    if faults:
        raise RuleError(
            _("rule {rule} does not conform: {faults}").format(
                rule=checked.name, faults="".join(f"\n- {fault}" for fault in faults)
            )
        )
    return found


def _find(rule: str | Path | Rule) -> Rule:
    if isinstance(rule, Rule):
        return rule if rule.name in rules.names() else rules.register(rule)
    if isinstance(rule, Path) or rule.endswith(".py"):
        return rules.load_rule_file(rule)
    return rules.get(rule)


# ---- the grid, and the reference ---------------------------------------------------------------


def grid(rule: Rule) -> list[Settings]:
    """Return the defaults, each setting moved alone, and all moved at once."""
    moved = {name: _moved(h) for name, h in rule.hyperparameters.items()}
    return [{}, *({name: value} for name, value in moved.items()), moved]


def _moved(h: Hyperparameter) -> float | bool:
    if h.is_switch:
        return not h.default
    if h.name == "lr":
        return 0.05
    # Large enough to show where it stands in the formula: an ε of 1e-8 would hide that.
    return 0.3 if h.admits(0.3) else (h.low + (h.high if np.isfinite(h.high) else h.low + 1)) / 2


def label(rule: Rule, given: Settings) -> str:
    """Return a case as it is written: ``adam(eps=0.3)``."""
    return f"{rule.name}({', '.join(f'{k}={v}' for k, v in given.items())})"


def start() -> Arrays:
    """Return the parameters before the first step, float64."""
    random = np.random.default_rng(7)
    return {name: np.asarray(random.normal(size=shape)) for name, shape in SHAPES.items()}


def gradients() -> list[Arrays]:
    """Return the gradients of each step, over four orders of magnitude."""
    random = np.random.default_rng(8)
    return [
        {
            name: np.asarray(random.normal(size=shape) * 10 ** random.uniform(-3, 1))
            for name, shape in SHAPES.items()
        }
        for _step in range(STEPS)
    ]


def reference(rule: Rule, given: Settings) -> Arrays:
    """Return where the bare rule, called on float64 NumPy arrays, ends.

    Raises
    ------
    RuleError
        If it changes an array in place, or its state changes names or shapes.
    """
    settings = rule.settings(**given)
    theta = start()
    state = {key: rule.start(xp, array, settings) for key, array in theta.items()}
    for t, grads in enumerate(gradients(), start=1):
        for key in theta:
            theta[key], state[key] = _pure_step(
                rule, theta[key], grads[key], state[key], t, settings
            )
    return theta


def _pure_step(
    rule: Rule, theta: Any, g: Any, state: Arrays, t: int, settings: Settings
) -> tuple[Any, Arrays]:
    before = [np.copy(a) for a in (theta, g, *state.values())]
    new, kept = rule.update(xp, theta, g, dict(state), t, settings)
    if not all(map(np.array_equal, before, (theta, g, *state.values()))):
        raise RuleError(_("rule {rule} changes its arrays in place").format(rule=rule.name))
    shapes = {name: np.shape(theta) for name in rule.state_names(settings)}
    if np.shape(new) != np.shape(theta) or {n: np.shape(a) for n, a in kept.items()} != shapes:
        raise RuleError(
            _("rule {rule}: the state must stay {names}, each of the parameter's shape").format(
                rule=rule.name, names=tuple(shapes)
            )
        )
    return new, kept


def worst(ours: Arrays, theirs: Arrays) -> float:
    """Return the largest absolute difference over all arrays."""
    return max(float(np.max(np.abs(np.asarray(ours[k]) - theirs[k]))) for k in theirs)


# ---- in each framework ---------------------------------------------------------------------------


def _on_numpy(rule: Rule, cases: list[Settings]) -> list[Arrays]:
    import descenso.numpy

    def ended(given: Settings) -> Arrays:
        optimizer = getattr(descenso.numpy, rule.name)(**given)
        theta = start()
        state = optimizer.start(theta)
        for grads in gradients():
            theta, state = optimizer.step(theta, grads, state)
        return theta

    return [ended(given) for given in cases]


def _jax_walk(rule: Rule, numbers: Settings, switches: Settings) -> Any:
    """Return where the compiled loop over all steps ends; the numbers may be traced."""
    import jax

    import descenso.jax

    optimizer = getattr(descenso.jax, rule.name)(**numbers, **switches)
    theta = jax.tree.map(jax.numpy.asarray, start())
    rows = jax.tree.map(lambda *a: jax.numpy.stack(a), *gradients())

    def step(carry: Any, grads: Any) -> tuple[Any, None]:
        theta, state = carry
        updates, state = optimizer.update(grads, state, theta)
        return (descenso.jax.apply_updates(theta, updates), state), None

    return jax.lax.scan(step, (theta, optimizer.init(theta)), rows)[0][0]


def _by_switches(rule: Rule, cases: list[Settings]) -> list[tuple[Settings, list[int], Arrays]]:
    """Return the cases that share their switches: these, their places, and their numbers, stacked."""
    full = [rule.settings(**given) for given in cases]
    names = [n for n, h in rule.hyperparameters.items() if h.is_switch]
    alike: dict[tuple[Any, ...], list[int]] = {}
    for i, settings in enumerate(full):
        alike.setdefault(tuple(settings[n] for n in names), []).append(i)
    return [
        (
            dict(zip(names, switches, strict=True)),
            places,
            {n: np.array([full[i][n] for i in places]) for n in full[0] if n not in names},
        )
        for switches, places in alike.items()
    ]


def _in_jax(rule: Rule, cases: list[Settings], batched: bool) -> list[Arrays]:
    import jax

    ended: list[Any] = [None] * len(cases)
    with jax.enable_x64(True):
        for switches, places, numbers in _by_switches(rule, cases):
            walk = jax.jit(lambda n, switches=switches: _jax_walk(rule, n, switches))
            if batched:
                rows = jax.vmap(walk)(numbers)
                found = [jax.tree.map(lambda a, j=j: a[j], rows) for j in range(len(places))]
            else:
                found = [walk({n: a[j] for n, a in numbers.items()}) for j in range(len(places))]
                if walk._cache_size() > 1:
                    raise RuleError(
                        _("rule {rule}: a changed setting compiles it again").format(rule=rule.name)
                    )
            for i, one in zip(places, found, strict=True):
                ended[i] = jax.tree.map(np.asarray, one)
    return ended


def _torch_optimizer(rule: Rule, given: Settings, theta: Arrays, **path: Any) -> tuple[Any, Any]:
    import torch

    from descenso.torch import optimizer_class

    parameters = {key: torch.nn.Parameter(torch.tensor(a)) for key, a in theta.items()}
    return optimizer_class(rule)(list(parameters.values()), **given, **path), parameters


def _torch_steps(optimizer: Any, parameters: Any, rows: list[Arrays]) -> Arrays:
    import torch

    for grads in rows:
        for key, parameter in parameters.items():
            parameter.grad = torch.tensor(grads[key])
        optimizer.step()
    return {key: parameter.detach().numpy() for key, parameter in parameters.items()}


def _in_torch(rule: Rule, cases: list[Settings], **path: Any) -> list[Arrays]:
    return [
        _torch_steps(*_torch_optimizer(rule, given, start(), **path), gradients())
        for given in cases
    ]


def _keras_optimizer(rule: Rule, given: Settings, theta: Arrays) -> tuple[Any, Any]:
    import keras

    import descenso.keras

    variables = {key: keras.Variable(a, dtype="float64", name=key) for key, a in theta.items()}
    return getattr(descenso.keras, rules.class_name(rule))(**given), variables


def _keras_steps(optimizer: Any, variables: Any, rows: list[Arrays]) -> Arrays:
    from keras import ops

    for grads in rows:
        given = [ops.convert_to_tensor(grads[k], dtype="float64") for k in variables]
        optimizer.apply(given, list(variables.values()))
    return {name: ops.convert_to_numpy(v) for name, v in variables.items()}


@contextmanager
def keras_in_float64() -> Iterator[None]:
    """Let Keras, on any backend, compute in float64 within the block."""
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        if keras.config.backend() == "jax":
            import jax

            with jax.enable_x64(True):
                yield
        else:
            yield
    finally:
        keras.config.set_floatx(before)


def _compiled_keras_steps(optimizer: Any, variables: Any, rows: list[Arrays]) -> Arrays:
    """Take the steps as ``fit`` does: compiled, where the backend compiles."""
    import keras
    from keras import ops

    backend = keras.config.backend()
    if backend == "torch":
        return _keras_steps(optimizer, variables, rows)
    trained = list(variables.values())
    optimizer.build(trained)
    given = [[ops.convert_to_tensor(g[k], dtype="float64") for k in variables] for g in rows]
    if backend == "tensorflow":
        import tensorflow as tf

        step = tf.function(lambda grads: optimizer.apply(grads, trained))
        for grads in given:
            step(grads)
        return {name: ops.convert_to_numpy(v) for name, v in variables.items()}
    import jax

    update = jax.jit(optimizer.stateless_apply)
    values, kept = [v.value for v in trained], [v.value for v in optimizer.variables]
    for grads in given:
        values, kept = update(kept, grads, values)
    return {name: np.asarray(v) for name, v in zip(variables, values, strict=True)}


def _in_keras(rule: Rule, cases: list[Settings]) -> list[Arrays]:
    rows = gradients()
    with keras_in_float64():
        return [_compiled_keras_steps(*_keras_optimizer(rule, g, start()), rows) for g in cases]


Run = Callable[[Rule, list[Settings]], list[Arrays]]
_RUNNERS: dict[str, dict[str, Run]] = {
    "numpy": {"numpy": _on_numpy},
    "jax": {
        "jax": partial(_in_jax, batched=False),
        "jax, batched": partial(_in_jax, batched=True),
    },
    "torch": {
        "torch": partial(_in_torch),
        "torch, lists": partial(_in_torch, foreach=True),
        "torch, plain": partial(_in_torch, compile=False),
    },
    "keras": {"keras": _in_keras},
}


# ---- saved and loaded on the way -------------------------------------------------------------------


def _resumed(rule: Rule, framework: str) -> list[str]:
    """Return what is wrong with a state that is saved after half of the steps, and loaded."""
    halves = {
        "numpy": _numpy_halves,
        "jax": _jax_halves,
        "torch": _torch_halves,
        "keras": _keras_halves,
    }
    whole, resumed = halves[framework](rule)
    if all(np.array_equal(whole[k], resumed[k]) for k in whole):
        return []
    return [_("{path}: a state that is saved and loaded goes on elsewhere").format(path=framework)]


def _numpy_halves(rule: Rule) -> tuple[Arrays, Arrays]:
    import pickle

    import descenso.numpy

    make = getattr(descenso.numpy, rule.name)
    theta, rows = start(), gradients()
    state, ends = make().start(theta), []
    for grads in rows[:_HALF]:
        theta, state = make().step(theta, grads, state)
    for kept in (state, pickle.loads(pickle.dumps(state))):
        end = theta
        for grads in rows[_HALF:]:
            end, kept = make().step(end, grads, kept)
        ends.append(end)
    return ends[0], ends[1]


def _jax_halves(rule: Rule) -> tuple[Arrays, Arrays]:
    import jax

    import descenso.jax

    with jax.enable_x64(True):
        optimizer = getattr(descenso.jax, rule.name)()
        update = jax.jit(optimizer.update)

        def walk(theta: Any, state: Any, rows: list[Arrays]) -> tuple[Any, Any]:
            for grads in rows:
                updates, state = update(grads, state, theta)
                theta = descenso.jax.apply_updates(theta, updates)
            return theta, state

        theta = jax.tree.map(jax.numpy.asarray, start())
        theta, state = walk(theta, optimizer.init(theta), gradients()[:_HALF])
        leaves, structure = jax.tree.flatten(state)
        loaded = jax.tree.unflatten(structure, [np.asarray(leaf) for leaf in leaves])
        ends = [walk(theta, kept, gradients()[_HALF:])[0] for kept in (state, loaded)]
        return jax.tree.map(np.asarray, ends[0]), jax.tree.map(np.asarray, ends[1])


def _torch_halves(rule: Rule) -> tuple[Arrays, Arrays]:
    import torch

    optimizer, parameters = _torch_optimizer(rule, {}, start())
    middle = _torch_steps(optimizer, parameters, gradients()[:_HALF])
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other, copies = _torch_optimizer(rule, {}, {k: np.copy(a) for k, a in middle.items()})
    other.load_state_dict(torch.load(file, weights_only=True))
    rest = gradients()[_HALF:]
    return _torch_steps(optimizer, parameters, rest), _torch_steps(other, copies, rest)


def _keras_halves(rule: Rule) -> tuple[Arrays, Arrays]:
    with keras_in_float64():
        optimizer, variables = _keras_optimizer(rule, {}, start())
        middle = _keras_steps(optimizer, variables, gradients()[:_HALF])
        store: dict[str, Any] = {}
        optimizer.save_own_variables(store)
        other, copies = _keras_optimizer(rule, {}, {k: np.copy(a) for k, a in middle.items()})
        other.build(list(copies.values()))
        other.load_own_variables(store)
        rest = gradients()[_HALF:]
        return _keras_steps(optimizer, variables, rest), _keras_steps(other, copies, rest)
