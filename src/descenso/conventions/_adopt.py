"""``adopt`` and ``convert_state``: from another framework's optimizer to its exact equal."""

from __future__ import annotations

from typing import Any

from descenso.conventions import _build
from descenso.conventions._recipe import Arrange, Recipe
from descenso.errors import ConventionError
from descenso.language import _

_BUILDERS = {
    "torch": _build.in_torch,
    "keras": _build.in_keras,
    "jax": _build.in_jax,
    "numpy": _build.in_numpy,
}


def adopt(
    optimizer: Any,
    *,
    to: str | None = None,
    params: Any = None,
    state: Any = None,
    arrange: Arrange | None = None,
    **settings: Any,
) -> Any:
    """Return the descenso optimizer that goes on exactly as ``optimizer`` would.

    Settings are translated, not copied, for they do not mean the same everywhere; a state in
    mid-training is carried over.

    Parameters
    ----------
    optimizer : a ``torch.optim`` optimizer (SGD, RMSprop, Adam, AdamW), a ``keras.optimizers`` one
        (the same), or the name of an optax one, ``"optax.adam"``, or its function ``optax.adam``
        (sgd, rmsprop, adam, adamw, amsgrad).
    to : ``"torch"``, ``"keras"``, ``"jax"`` or ``"numpy"``; the same framework unless given.
    params : the parameters in the framework asked for, in the order of the original's: tensors,
        Keras variables (or a model), a tree of arrays. Not needed to stay in torch or Keras.
    state : of optax, its state in mid-training.
    arrange : (index, array) → array, where a parameter is laid out otherwise in the framework asked
        for, such as PyTorch's linear weights, which are Keras's transposed.
    settings : of optax, its settings, in optax's words: ``learning_rate=1e-3``.

    Returns
    -------
    An optimizer of ``descenso.torch`` or ``descenso.keras``, or, of ``descenso.jax`` and
    ``descenso.numpy``, whose optimizers hold no state, a pair (optimizer, state) where ``params``
    are given and the optimizer alone where they are not.

    Raises
    ------
    ConventionError
        If there is no exact equal: it says why, and what is nearest.

    Notes
    -----
    A learning-rate scheduler of PyTorch stays with the optimizer it was made for: make it anew,
    with its ``last_epoch``. Of Keras, a rate that is changed by hand later acts at once on what is
    already in the velocity; Keras keeps the old rate there.
    """
    recipe, home = _read(optimizer, settings, state, params)
    framework = to or home
    if framework not in _BUILDERS:
        raise ConventionError(
            _("to must be one of {known}; got {value!r}").format(
                known=", ".join(_BUILDERS), value=to
            )
        )
    if framework != home:
        _refuse_foreign_schedules(recipe, home)
    if params is None and framework == home:
        params = _own_parameters(optimizer, home)
    if framework == "torch" and params is None:
        raise ConventionError(_("give params=, the tensors to optimize"))
    if framework == "keras" and hasattr(params, "trainable_variables"):
        params = params.trainable_variables
    params = list(params) if framework == "torch" else params
    made = _BUILDERS[framework](recipe, params, arrange)
    if framework == home == "keras" and getattr(optimizer, "built", False):
        from descenso.conventions._keras import carry_native

        carry_native(optimizer, made, recipe.native)
    return made


def convert_state(source: Any, target: Any, *, arrange: Arrange | None = None) -> None:
    """Put the state of one framework's optimizer into another's, in place.

    Both stay what they are, with their own settings; what is exact is the state: averages,
    velocities (whether or not they hold the learning rate) and the number of steps.

    Parameters
    ----------
    source, target : of ``torch.optim`` or ``keras.optimizers`` (built), of one kind: SGD with
        momentum, RMSprop or Adam, with the same arrays.
    arrange : as in :func:`adopt`.

    Raises
    ------
    ConventionError
        If they follow different rules, keep different arrays, or a shape does not fit.
    """
    recipe, _home = _read(source, {}, None, None)
    other, home = _read(target, {}, None, None)
    if recipe.rule != other.rule:
        raise ConventionError(
            _("{source} follows {rule}, {target} follows {other}: their states differ").format(
                source=recipe.source, rule=recipe.rule, target=other.source, other=other.rule
            )
        )
    if home == "torch":
        from descenso.conventions import _torch as framework

        variables = [p for group in target.param_groups for p in group["params"]]
    else:
        from descenso.conventions import _keras as framework  # type: ignore[no-redef]

        if not target.built:
            raise ConventionError(_("build the Keras optimizer first: optimizer.build(variables)"))
        variables = target._trainable_variables
    _check_same_arrays(recipe, other)
    framework.write(target, recipe.arranged([tuple(v.shape) for v in variables], arrange))


def _read(optimizer: Any, settings: Any, state: Any, params: Any) -> tuple[Recipe, str]:
    roots = {base.__module__.partition(".")[0] for base in type(optimizer).__mro__}
    if "descenso" in roots:
        raise ConventionError(
            _("{name} is descenso's already").format(name=type(optimizer).__name__)
        )
    named = isinstance(optimizer, str) or (
        callable(optimizer) and getattr(optimizer, "__module__", "").startswith("optax")
    )
    if named or "optax" in roots:
        from descenso.conventions import _optax

        return _optax.read(optimizer, settings, state, params), "jax"
    if settings or state is not None:
        raise ConventionError(
            _("{names} are read from the optimizer; only optax's are given beside it").format(
                names=", ".join([*settings, *([] if state is None else ["state"])])
            )
        )
    if "torch" in roots and hasattr(optimizer, "param_groups"):
        from descenso.conventions import _torch

        return _torch.read(optimizer), "torch"
    if "keras" in roots and hasattr(optimizer, "apply_gradients"):
        from descenso.conventions import _keras

        return _keras.read(optimizer, params), "keras"
    raise ConventionError(
        _(
            "adopt takes an optimizer of torch.optim or keras.optimizers, or optax's by name; got {value!r}"
        ).format(value=optimizer)
    )


def _own_parameters(optimizer: Any, home: str) -> Any:
    if home == "torch":
        return [p for group in optimizer.param_groups for p in group["params"]]
    if home == "keras" and optimizer.built:
        # TensorFlow's list of them would pass for a model.
        return list(optimizer._trainable_variables)
    return None


def _refuse_foreign_schedules(recipe: Recipe, home: str) -> None:
    for group in recipe.groups:
        for name, value in group.items():
            if _is_foreign(value):
                raise ConventionError(
                    _(
                        "{source}: {name} is a schedule that only {home} can compute; give the "
                        "original one of descenso.schedules instead"
                    ).format(source=recipe.source, name=name, home=home)
                )


def _is_foreign(value: Any) -> bool:
    from descenso.schedules import Schedule

    if isinstance(value, Schedule):
        return any(_is_foreign(argument) for argument in value.arguments.values())
    return callable(value)


def _check_same_arrays(recipe: Recipe, other: Recipe) -> None:
    switches = ("centered", "momentum")
    for name in switches:
        ours, theirs = (bool(r.groups[0].get(name)) for r in (recipe, other))
        if ours != theirs:
            raise ConventionError(
                _("{source} and {target} keep different arrays: {name} is set in one only").format(
                    source=recipe.source, target=other.source, name=name
                )
            )
