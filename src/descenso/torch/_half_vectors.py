"""Make Inductor's loops read and write half vectors of 16-bit numbers without a mask.

A loop takes as many elements at a time as a vector holds of float32, which is half a vector of
bfloat16 or float16. Inductor reads and writes that half through a mask, which took most of a step's
time on an AMD EPYC (Zen 4). Here the source it generates is made to use plain 256-bit instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

_INCLUDE = "#include <torch/csrc/inductor/cpp_prefix.h>\n"
_FUNCTIONS = """
template <typename T> inline at::vec::Vectorized<T> load_half(const T* from) {
#if defined(CPU_CAPABILITY_AVX512)
    return _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#else
    return at::vec::Vectorized<T>::loadu(from, 16);
#endif
}
template <typename V, typename T> inline void store_16(const V& vector, T* to) {
#if defined(CPU_CAPABILITY_AVX512)
    if constexpr (sizeof(T) == 2) {
        const __m512i bits = vector;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bits));
        return;
    }
#endif
    vector.store(to, 16);
}
"""
_SIXTEEN = r", static_cast<int64_t>\(16\)\)"
_LOAD = re.compile(r"at::vec::Vectorized<(at::BFloat16|at::Half)>::loadu\((.*?)" + _SIXTEEN)
_STORE = re.compile(r"\b(tmp\d+)\.store\((.*?)" + _SIXTEEN)


def unmasked(source: str) -> str:
    """Return generated C++ with its half vectors read and written plainly."""
    if not _LOAD.search(source):
        return source
    plain = _STORE.sub(r"store_16(\1, \2)", _LOAD.sub(r"load_half<\1>(\2)", source))
    return plain.replace(_INCLUDE, _INCLUDE + _FUNCTIONS, 1)


@contextmanager
def half_vectors() -> Iterator[None]:
    """Have what is compiled in the block use plain half vectors."""
    from torch._inductor.async_compile import AsyncCompile

    compile_source = AsyncCompile.cpp_pybinding

    def compile_plain(self: Any, argument_types: Any, source: str) -> Any:
        return compile_source(self, argument_types, unmasked(source))

    with mock.patch.object(AsyncCompile, "cpp_pybinding", compile_plain):
        yield
