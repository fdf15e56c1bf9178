"""Convolutions and pooling of the user's own models, in forms that are fast in a compiled loop.

Inside a loop on a CPU, XLA's own convolution is some twenty times slower than outside; on a GPU,
those of members side by side are grouped, and slow. The gradient of its window reduction is slow
everywhere. The same sums written as matrix products, of shifted slices beside each other or of
transformed tiles (``minimal_filtering``), and the same maxima as maxima of slices, are
not. So a problem's functions are traced, and these operations replaced; all else stays as it is.
Products and maxima that a network is written in already get the faster of their gradients.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.extend.core import Literal

from descenso.engine import layout
from descenso.engine.jax.convolution import minimal_filtering
from descenso.engine.jax.convolution.gradients import (
    larger,
    largest_in_windows,
    largest_under,
    product,
    slices_of,
)
from descenso.problems import Problem

Array: TypeAlias = Any
#: Kernels and windows of more positions than this stay as they are: the slices would fill memory.
MOST_PLACES = 128
#: Convolutions of more groups stay as they are: each group is a product of its own.
MOST_GROUPS = 32
_CALLS = ("pjit", "jit")  # older and newer JAX


def with_fast_forms(problem: Problem) -> Problem:
    """Return the problem with its convolutions and pooling in fast forms."""
    train_loss = problem.train_loss and in_fast_forms(problem.train_loss)
    return replace(problem, apply=in_fast_forms(problem.apply), train_loss=train_loss)


def in_fast_forms(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of arrays with its convolutions and pooling in fast forms.

    One that has none is called as it is.
    """

    def fast(*arguments: Any) -> Any:
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        if not _has_any(closed.jaxpr):
            return function(*arguments)
        results = _run(closed.jaxpr, closed.consts, jax.tree.leaves(arguments))
        return jax.tree.unflatten(jax.tree.structure(shape), results)

    return fast


def _has_any(jaxpr: Any) -> bool:
    return any(
        eqn.primitive.name in _FORMS
        or (eqn.primitive.name in _CALLS and _has_any(eqn.params["jaxpr"].jaxpr))
        for eqn in jaxpr.eqns
    )


def _run(jaxpr: Any, constants: Sequence[Array], arguments: Sequence[Array]) -> list[Array]:
    """Run traced code, with the operations that have a fast form in it."""
    known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *arguments), strict=True))

    def value(variable: Any) -> Array:
        return variable.val if isinstance(variable, Literal) else known[variable]

    for eqn in jaxpr.eqns:
        results = _do(eqn, [value(v) for v in eqn.invars])
        known.update(zip(eqn.outvars, results, strict=True))
    return [value(v) for v in jaxpr.outvars]


def _do(eqn: Any, values: list[Array]) -> Sequence[Array]:
    name = eqn.primitive.name
    if name in _CALLS:
        inner = eqn.params["jaxpr"]
        return _run(inner.jaxpr, inner.consts, values)
    fast = _FORMS[name](*values, **eqn.params) if name in _FORMS else None
    if fast is not None:
        return [fast.astype(eqn.outvars[0].aval.dtype)]
    bound = eqn.primitive.get_bind_params(eqn.params)
    functions, parameters = bound if isinstance(bound, tuple) else ((), bound)  # older, newer JAX
    result = eqn.primitive.bind(*functions, *values, **parameters)
    several: Sequence[Array] = result if eqn.primitive.multiple_results else [result]
    return several


# ---- convolution -----------------------------------------------------------------------------


def _convolution(
    images: Array,
    kernel: Array,
    *,
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int],
    rhs_dilation: Sequence[int],
    dimension_numbers: Any,
    feature_group_count: int,
    batch_group_count: int,
    **_others: Any,
) -> Array | None:
    """Return a convolution as matrix products; ``None`` where it has no such form."""
    batch_last, kernel_last, out = dimension_numbers
    images = jnp.transpose(images, (batch_last[0], *batch_last[2:], batch_last[1]))
    kernel = jnp.transpose(kernel, (*kernel_last[2:], kernel_last[1], kernel_last[0]))
    *positions, inputs, _outputs = kernel.shape
    depthwise = 1 < feature_group_count == images.shape[-1] and inputs == 1
    groups = 1 if depthwise else feature_group_count
    if batch_group_count != 1 or groups > MOST_GROUPS or math.prod(positions) > MOST_PLACES:
        return None
    images = _padded(images, padding, 0, lhs_dilation)

    def by_slices(some: Array, weights: Array) -> Array:
        slices = list(slices_of(some, positions, window_strides, rhs_dilation))
        sum_up = _depthwise if depthwise else _one_product
        return sum_up(slices, weights).reshape(*slices[0].shape[:-1], -1)

    if depthwise:
        sums = by_slices(images, kernel)
    else:
        plain = {*window_strides, *rhs_dilation} == {1}
        each = zip(jnp.split(images, groups, -1), jnp.split(kernel, groups, -1), strict=True)
        sums = jnp.concatenate([_sums(by_slices, some, w, plain) for some, w in each], -1)
    order = [0] * len(out)
    order[out[0]], order[out[1]] = 0, len(out) - 1
    for axis, place in enumerate(out[2:], start=1):
        order[place] = axis
    return jnp.transpose(sums, order)


def _sums(
    by_slices: Callable[[Array, Array], Array], images: Array, kernel: Array, plain: bool
) -> Array:
    """Convolve in the form with fewer operations; ``plain`` kernels neither stride nor spread."""
    on_cpu = jax.default_backend() == "cpu"  # where it was measured
    if on_cpu and plain and minimal_filtering.pays(images, kernel):
        largest = minimal_filtering.largest(images, kernel)
        return _some_at_a_time(
            lambda some: minimal_filtering.convolve(some, kernel), images, largest
        )
    positions = math.prod(kernel.shape[:-2])
    if positions == 1:
        return by_slices(images, kernel)
    one = jax.eval_shape(by_slices, images[:1], kernel)
    patches = positions * math.prod(one.shape[:-1]) * images.shape[-1]
    return _some_at_a_time(lambda some: by_slices(some, kernel), images, patches)


def _some_at_a_time(convolve: Callable[[Array], Array], images: Array, largest: int) -> Array:
    """Convolve so many images at a time that what they become on the way stays in a core's cache.

    ``largest`` are the numbers that an image becomes at most. They are computed again for
    the gradient: to keep all of them would fill the memory.
    """
    part = layout.examples_at_a_time(largest * images.dtype.itemsize, len(images))
    whole = len(images) // part * part
    if jax.default_backend() != "cpu" or 2 * part > len(images):
        return convolve(images)
    again = jax.checkpoint(convolve, prevent_cse=False)
    parts = jax.lax.map(again, images[:whole].reshape(-1, part, *images.shape[1:]))
    done = parts.reshape(whole, *parts.shape[2:])
    return jnp.concatenate([done, again(images[whole:])]) if whole < len(images) else done


def _one_product(slices: list[Array], kernel: Array) -> Array:
    *_places, inputs, outputs = kernel.shape
    patches = jnp.concatenate(slices, axis=-1).reshape(-1, len(slices) * inputs)
    return product(patches, kernel.reshape(len(slices) * inputs, outputs))


def _depthwise(slices: list[Array], kernel: Array) -> Array:
    """Return the sums where each channel has kernels of its own."""
    outputs = kernel.shape[-1]
    weights = kernel.reshape(len(slices), outputs)
    repeats = outputs // slices[0].shape[-1]
    wide = [jnp.repeat(s, repeats, axis=-1) if repeats > 1 else s for s in slices]
    return sum(s * w for s, w in zip(wide, weights, strict=True))


def _padded(
    images: Array,
    padding: Sequence[tuple[int, int]],
    value: float,
    dilation: Sequence[int] | None = None,
) -> Array:
    """Return images with spatial axes padded, and spread out by their dilation if they have one.

    A negative width takes away.
    """
    dilation = dilation or (1,) * len(padding)
    if not any(itertools.chain(*padding)) and set(dilation) == {1}:
        return images
    spread = [(low, high, d - 1) for (low, high), d in zip(padding, dilation, strict=True)]
    widths = [(0, 0, 0), *spread, (0, 0, 0)]
    return jax.lax.pad(images, jnp.asarray(value, images.dtype), widths)


# ---- pooling ---------------------------------------------------------------------------------


def _pooling(
    beside: Callable[[Array], Array],
    overlapping: Callable[[Array, tuple[int, ...], tuple[int, ...]], Array],
    blank: float,
) -> Callable[..., Array | None]:
    def pool(
        images: Array,
        *,
        window_dimensions: Sequence[int],
        window_strides: Sequence[int],
        padding: Sequence[tuple[int, int]],
        base_dilation: Sequence[int],
        window_dilation: Sequence[int],
        **_others: Any,
    ) -> Array | None:
        """Return a reduction over windows as one over slices; ``None`` where there is none."""
        across = (0, len(window_dimensions) - 1)
        flat = all(
            window_dimensions[a] == window_strides[a] == 1 and not any(padding[a]) for a in across
        )
        if not flat or not _is_floating(images):
            return None
        if any(d != 1 for d in (*base_dilation, *window_dilation)):
            return None
        if math.prod(window_dimensions) > MOST_PLACES:
            return None
        images = _padded(images, padding[1:-1], blank)
        window, strides = tuple(window_dimensions[1:-1]), tuple(window_strides[1:-1])
        if window == strides:
            return beside(_parted(images, window))
        return overlapping(images, window, strides)

    return pool


def _parted(images: Array, window: Sequence[int]) -> Array:
    """Return each spatial axis as windows and the positions in one; an edge that fills none is left.

    The shape is (examples, windows, positions, windows, positions, ..., channels).
    """
    counts = [size // w for size, w in zip(images.shape[1:-1], window, strict=True)]
    whole = [slice(None, n * w) for n, w in zip(counts, window, strict=True)]
    pairs = itertools.chain(*zip(counts, window, strict=True))
    return images[(slice(None), *whole)].reshape(images.shape[0], *pairs, images.shape[-1])


def _sum_in_windows(parted: Array) -> Array:
    return parted.sum(axis=tuple(range(2, parted.ndim - 1, 2)))


def _sum_under(images: Array, window: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    return reduce(jnp.add, slices_of(images, window, strides, (1,) * len(window)))


# ---- what is written as these already ----------------------------------------------------------


def _largest(parted: Array, *, axes: Sequence[int], **_others: Any) -> Array | None:
    """Return maxima over every other axis, as windows beside each other have them."""
    if parted.ndim < 4 or tuple(axes) != tuple(range(2, parted.ndim - 1, 2)):
        return None
    return largest_in_windows(parted) if _is_floating(parted) else None


def _larger(a: Array, b: Array) -> Array | None:
    return larger(*jnp.broadcast_arrays(a, b)) if _is_floating(a) else None


def _matrix_product(
    rows: Array, weights: Array, *, dimension_numbers: Any, precision: Any = None, **_others: Any
) -> Array | None:
    plain = dimension_numbers == (((1,), (0,)), ((), ()))
    if not plain or precision is not None or rows.ndim != 2 or weights.ndim != 2:
        return None
    return product(rows, weights) if _is_floating(rows) and rows.dtype == weights.dtype else None


def _is_floating(array: Array) -> bool:
    return bool(jnp.issubdtype(array.dtype, jnp.floating))


_FORMS: dict[str, Callable[..., Array | None]] = {
    "conv_general_dilated": _convolution,
    "reduce_window_max": _pooling(largest_in_windows, largest_under, -math.inf),
    "reduce_window_sum": _pooling(_sum_in_windows, _sum_under, 0.0),
    "dot_general": _matrix_product,
    "max": _larger,
    "reduce_max": _largest,
}
