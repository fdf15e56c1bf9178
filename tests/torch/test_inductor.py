"""The one door to Inductor."""

import pytest
import torch
from torch._inductor.async_compile import AsyncCompile
from torch._inductor.cpu_vec_isa import VecISA

from descenso.torch import inductor


def _of_pairs(function):
    """Return a function of two tensors, compiled."""
    mode, fake = inductor.tensors_without_data([torch.zeros(8), torch.zeros(8)])
    graph = inductor.traced(function, fake, mode)
    return lambda *tensors, **more: inductor.compiled(graph, fake, mode, **more)(list(tensors))


def test_a_function_is_compiled_and_inductor_left_as_it_was():
    before = AsyncCompile.cpp_pybinding, VecISA._probe_load
    one, other = torch.arange(8.0), torch.ones(8)
    (result,) = _of_pairs(lambda a, b: (torch.sin(a) * b + a,))(one, other)
    torch.testing.assert_close(result, torch.sin(one) + one)
    assert (AsyncCompile.cpp_pybinding, VecISA._probe_load) == before


def test_inductor_is_left_as_it_was_where_compiling_fails():
    before = AsyncCompile.cpp_pybinding

    def refuse(source):
        raise RuntimeError("no such source")

    call = _of_pairs(lambda a, b: (torch.cos(a) * b - 0.25,))
    with pytest.raises(Exception, match="no such source"):
        call(torch.ones(8), torch.ones(8), mend=refuse)
    assert AsyncCompile.cpp_pybinding == before


@pytest.mark.parametrize(("version", "said"), [("2.13.7+cpu", ""), ("3.1.0", "tried on 2.13")])
def test_an_error_of_the_compiler_names_a_version_that_was_never_tried(monkeypatch, version, said):
    monkeypatch.setattr(torch, "__version__", version)
    text = str(inductor.unforeseen(KeyError("cpp_fused\nmore")))
    assert text.startswith("KeyError: 'cpp_fused")
    assert ("tried on" in text) is bool(said)
    assert said in text
