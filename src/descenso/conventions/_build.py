"""Make descenso's optimizer of a recipe, in the framework asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from descenso import rules, schedules
from descenso.conventions._recipe import Arrange, Recipe
from descenso.errors import ConventionError
from descenso.language import _


def in_torch(recipe: Recipe, params: Sequence[Any], arrange: Arrange | None) -> Any:
    """Return the ``descenso.torch`` optimizer of ``params``, standing where the recipe stands."""
    from descenso.torch import optimizer_class

    rule, settings, chain = recipe.settled(own_steps=True)
    if recipe.native:
        recipe.alike("torch")  # raises
    sizes = recipe.sizes if sum(recipe.sizes) == len(params) else (len(params),)
    if len(sizes) != len(settings):
        recipe.alike("torch")
    recipe = recipe.arranged([tuple(p.shape) for p in params], arrange)
    groups, rest, names = [], list(params), list(recipe.names)
    extras = recipe.extras or ({},) * len(settings)
    for size, values, extra in zip(sizes, settings, extras, strict=False):
        group = {**extra, "params": rest[:size], **values}
        if names:
            group["param_names"] = names[:size]
        if any(group[name] != value for name, value in recipe.first.items()):
            group["first_step"] = dict(recipe.first)
        groups.append(group)
        rest, names = rest[size:], names[size:]
    optimizer = optimizer_class(rule)(groups, transforms=chain)
    for group in optimizer.param_groups:
        if "updates" in group:
            group["updates"] = recipe.steps
    _fill_torch(optimizer, recipe, params)
    return optimizer


def _fill_torch(optimizer: Any, recipe: Recipe, params: Sequence[Any]) -> None:
    import torch

    counts = recipe.counts or (recipe.steps,) * len(recipe.slots)
    for p, kept, count in zip(params, recipe.slots, counts, strict=bool(recipe.slots)):
        if kept:
            dtype = torch.float64 if p.dtype is torch.float64 else torch.float32
            arrays = {n: torch.tensor(a, dtype=dtype, device=p.device) for n, a in kept.items()}
            optimizer.state[p] = {"step": count, **arrays}


def in_keras(recipe: Recipe, params: Sequence[Any] | None, arrange: Arrange | None) -> Any:
    """Return the ``descenso.keras`` optimizer, built on ``params`` where they are given."""
    import descenso.keras

    from_keras = recipe.source.startswith("keras.")
    if not from_keras:
        recipe.alike("keras")
    rule, (settings, *_rest), chain = recipe.settled()
    settings = {n: v for n, v in settings.items() if n not in ("maximize", "initial_lr")}
    if not from_keras and not callable(settings["lr"]):
        # A rate in one of Keras's variables would be rounded to float32; a schedule is not.
        settings["lr"] = schedules.constant(settings["lr"])
    made = getattr(descenso.keras, rules.class_name(rules.get(rule)))
    optimizer = made(**settings, **recipe.native, transforms=chain)
    for name, marks in recipe.excluded.items():
        setattr(optimizer, name, marks)
    if params is None:
        _need_params(recipe)
        return optimizer
    variables = list(params)
    recipe = recipe.arranged([tuple(v.shape) for v in variables], arrange)
    optimizer.build(variables)
    for i, kept in enumerate(recipe.slots):
        for name, array in kept.items():
            optimizer._slots[name][i].assign(array)
    every = recipe.native.get("gradient_accumulation_steps") or 1
    optimizer._iterations.assign(recipe.steps * every)
    return optimizer


def in_jax(recipe: Recipe, params: Any, arrange: Arrange | None) -> Any:
    """Return the ``descenso.jax`` transformation; with ``params``, a pair with its state."""
    import jax
    import jax.numpy as jnp

    import descenso.jax

    settings = recipe.alike("jax")
    rule, (settled, *_rest), chain = recipe.settled()
    settings = {n: v for n, v in settled.items() if n not in ("maximize", "initial_lr")}
    optimizer = getattr(descenso.jax, rule)(**settings, transforms=chain)
    if params is None:
        _need_params(recipe)
        return optimizer
    leaves, structure = jax.tree.flatten(params)
    recipe = recipe.arranged([jnp.shape(leaf) for leaf in leaves], arrange)
    state = optimizer.init(params)
    own = state.rule if chain else state
    slots = own.slots
    if recipe.slots:
        slots = {
            n: jax.tree.unflatten(
                structure,
                [
                    jnp.asarray(kept[n], old.dtype) if n in kept else old
                    for kept, old in zip(recipe.slots, jax.tree.leaves(tree), strict=True)
                ],
            )
            for n, tree in own.slots.items()
        }
    own = own._replace(count=jnp.asarray(recipe.steps, jnp.int32), slots=slots)
    return optimizer, state._replace(rule=own) if chain else own


def in_numpy(recipe: Recipe, params: Any, arrange: Arrange | None) -> Any:
    """Return the ``descenso.numpy`` optimizer; with ``params``, a pair with its state."""
    import numpy as np

    import descenso.numpy

    recipe.alike("numpy")
    rule, (settled, *_rest), chain = recipe.settled()
    settings = {n: v for n, v in settled.items() if n not in ("maximize", "initial_lr")}
    optimizer = getattr(descenso.numpy, rule)(**settings, transforms=chain)
    if params is None:
        _need_params(recipe)
        return optimizer
    state = optimizer.start(params)
    if recipe.slots:
        first = [next(iter(slots.values()), None) for slots in state.slots]
        shapes = [np.shape(a) if a is not None else () for a in first]
        recipe = recipe.arranged(shapes, arrange)
        slots = [
            {n: np.asarray(kept.get(n, a), a.dtype) for n, a in old.items()}
            for kept, old in zip(recipe.slots, state.slots, strict=True)
        ]
        state = state._replace(slots=slots)
    return optimizer, state._replace(steps=recipe.steps)


def _need_params(recipe: Recipe) -> None:
    if recipe.has_state:
        raise ConventionError(
            _(
                "{source} is in mid-training: give params=, the parameters its state belongs to"
            ).format(source=recipe.source)
        )
