"""The generated C++ is mended where it should be, and nowhere else."""

from __future__ import annotations

import torch

from descenso import rules
from descenso.torch import _kernel, _recipe, _source

SOURCE = (
    _source._INCLUDE
    + """
auto tmp3 = at::vec::Vectorized<at::BFloat16>::loadu(out_ptr3 + x0, static_cast<int64_t>(16));
auto tmp4 = at::vec::Vectorized<float>::loadu(out_ptr2 + x0, static_cast<int64_t>(16));
tmp61.store(out_ptr3 + x0, static_cast<int64_t>(16));
tmp61.store(out_ptr3 + x0, static_cast<int64_t>(ks0 + (-16L)));
"""
)


def test_whole_halves_are_read_and_written_plainly_and_remainders_as_before():
    plain = _source.mended(SOURCE).splitlines()
    assert "auto tmp3 = load_half<at::BFloat16>(out_ptr3 + x0);" in plain
    assert "store_16(tmp61, out_ptr3 + x0);" in plain
    before = SOURCE.splitlines()
    assert [line for line in before if "Vectorized<float>" in line or "ks0" in line] == [
        line for line in plain if "Vectorized<float>::loadu(o" in line or "ks0" in line
    ]


def test_source_without_16_bit_numbers_is_left_alone():
    source = SOURCE.replace("at::BFloat16", "float")
    assert _source.mended(source) == source


def test_threads_share_long_arrays_only():
    source = "kernel(const int64_t ks0)\n    #pragma omp parallel num_threads(2)\n    {\n"
    assert "num_threads(2) if(ks0 >= 32768L)\n" in _source.mended(source)
    other = source.replace("ks0", "n")
    assert _source.mended(other) == other


def test_kernels_of_16_bit_parameters_are_built_that_way(monkeypatch):
    seen = []
    keep = _source.mended
    monkeypatch.setattr(_source, "mended", lambda s: seen.append(keep(s)) or seen[-1])
    adam = rules.get("adam")
    for dtype in (torch.bfloat16, torch.float16):
        recipe = _recipe.Recipe(adam, ("m", "v"), (), dtype, torch.float32, False)
        made = _kernel._try_to_compile(recipe)
        assert isinstance(made, _kernel.Kernel), made
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        assert all("load_half<at::" in source for source in seen)
    assert len(seen) >= 2
    if torch.get_num_threads() > 1:
        assert all("#pragma omp parallel if(ks0 >= 32768L)" in source for source in seen)
