"""The one door to Inductor, PyTorch's compiler: a function of tensors becomes native code.

It goes behind ``torch.compile``, whose guards cost more than a small step, to functions that PyTorch
keeps private: they may change with any version (:data:`TRIED_ON`). So whoever compiles something here
proves it against the plain function, and goes on without where that or this fails.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch

from descenso.errors import in_a_line

#: Versions of PyTorch that this was tried on.
TRIED_ON = ("2.13",)

#: Operation of ATen → what it is traced as; ``None``: as it is.
Decompositions: TypeAlias = Mapping[Any, Callable[..., Any] | None]

# The size the compiler plans for where any will come: large enough that it splits loops over cores.
_PLANNED_SIZE = 1 << 20


class CannotCompileError(Exception):
    """It cannot be compiled here, or would not do the same; the message says why."""


def unforeseen(error: Exception) -> CannotCompileError:
    """Return an error of the compiler itself, with the version if it is one never tried."""
    version = torch.__version__
    untried = f" (PyTorch {version}; tried on {', '.join(TRIED_ON)})"
    known = version.startswith(tuple(f"{tried}." for tried in TRIED_ON))
    return CannotCompileError(in_a_line(error) + ("" if known else untried))


def tensors_without_data(like: Sequence[torch.Tensor]) -> tuple[Any, list[Any]]:
    """Return a mode in which tensors hold no data, and such tensors of these shapes."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    mode = FakeTensorMode()
    return mode, [mode.from_tensor(tensor) for tensor in like]


def any_size() -> tuple[Any, Any]:
    """Return a mode in which tensors hold no data, and a size in it that stands for any number."""
    from torch._dynamo.source import ConstantSource
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import (
        DimDynamic,
        ShapeEnv,
        StatelessSymbolicContext,
    )

    mode = FakeTensorMode(shape_env=ShapeEnv())
    dynamic: Any = StatelessSymbolicContext(dynamic_sizes=[DimDynamic.DYNAMIC])
    example = torch.empty(_PLANNED_SIZE)
    fake = mode.from_tensor(example, symbolic_context=dynamic, source=ConstantSource("elements"))
    return mode, fake.shape[0]


@contextmanager
def _quietly() -> Iterator[None]:
    """Pass over the compiler's own warnings, which are about itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@_quietly()
def traced(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    mode: Any,
    decompositions: Decompositions | None = None,
) -> torch.fx.GraphModule:
    """Return the operations of a function as Inductor takes them."""
    from torch._inductor.decomposition import select_decomp_table
    from torch.fx.experimental.proxy_tensor import make_fx

    table: dict[Any, Any] = {**select_decomp_table(), **(decompositions or {})}
    with mode:
        known = {operation: how for operation, how in table.items() if how is not None}
        graph: torch.fx.GraphModule = make_fx(function, known)(*inputs)
    return graph


@_quietly()
def compiled(
    graph: torch.fx.GraphModule,
    inputs: Sequence[Any],
    mode: Any,
    *,
    mend: Callable[[str], str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Any:
    """Return Inductor's compiled graph, which takes its inputs in one list.

    Parameters
    ----------
    mend : C++ as Inductor generates it → as it is compiled.
    settings : of Inductor.
    """
    import torch._inductor.config as inductors
    from torch._guards import TracingContext, tracing
    from torch._inductor.async_compile import AsyncCompile
    from torch._inductor.compile_fx import compile_fx_inner

    compile_source: Any = AsyncCompile.cpp_pybinding

    def compile_mended(self: Any, argument_types: Any, source: str) -> Any:
        return compile_source(self, argument_types, mend(source) if mend else source)

    with (
        inductors.patch(dict(settings or {})),
        _replaced(AsyncCompile, "cpp_pybinding", compile_mended),
        probing_here(),
        tracing(TracingContext(mode)),
        torch.no_grad(),
    ):
        return compile_fx_inner(graph, list(inputs))


@contextmanager
def probing_here() -> Iterator[None]:
    """Let Inductor try in this process whether a library loads that is made for this processor.

    For each kind of vectors that the processor says it has, Inductor starts Python anew to load one
    library: most of a first step whose kernel is on disk.
    """
    from torch._inductor.cpu_vec_isa import VecISA

    with _replaced(VecISA, "_probe_load", lambda _, path: _loads(path)):
        yield


def _loads(path: str) -> bool:
    try:
        ctypes.CDLL(path)
    except OSError:
        return False
    return True


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put another value in an attribute's place for the block; one that is not there stays away."""
    theirs = getattr(owner, name, None)
    if theirs is None:  # another version of PyTorch
        yield
        return
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, theirs)


def native_call(call: Any, probe: list[torch.Tensor]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the one native function behind a compiled graph, and what it is given for ``probe``.

    Inductor's wrapper checks shapes and passes pointers; here its native function is replaced for
    one call by a recorder, so that later steps can call it themselves.
    """
    names = [n for n in call.__code__.co_names if n.startswith("cpp_fused")]
    if len(names) != 1:
        raise CannotCompileError(f"expected one fused kernel, found {len(names)}")
    namespace, recorded = call.__globals__, []
    native = namespace[names[0]]
    namespace[names[0]] = lambda *arguments: recorded.append(arguments)
    try:
        call(list(probe))
    finally:
        namespace[names[0]] = native
    if len(recorded) != 1:
        raise CannotCompileError("the fused kernel is not called once")
    return native, recorded[0]
