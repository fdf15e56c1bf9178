"""Mend the C++ that Inductor generates, in two places that cost optimizer steps their speed.

Half vectors: a loop takes as many elements at a time as a vector holds of float32, which is half a
vector of bfloat16 or float16. Inductor reads and writes that half through a mask, which took most of
a step's time on an AMD EPYC (Zen 4); here plain 256-bit instructions do.

Short arrays: a loop is shared between threads however short it is, and handing out the work takes
longer than a bias or a normalization has to be worked on; here one thread does these.

Source that looks otherwise, as of another version of PyTorch, stays as it is.
"""

from __future__ import annotations

import re

#: Arrays shorter than this are not worth sharing between threads (PyTorch's own grain size).
GRAIN = 32768

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


_PARALLEL = re.compile(r"^( *#pragma omp parallel(?: num_threads\(\d+\))?)$", re.MULTILINE)


def mended(source: str) -> str:
    """Return generated C++ with half vectors read and written plainly, short arrays unshared."""
    if "const int64_t ks0" in source:  # the number of elements
        source = _PARALLEL.sub(rf"\1 if(ks0 >= {GRAIN}L)", source)
    if not _LOAD.search(source):
        return source
    plain = _STORE.sub(r"store_16(\1, \2)", _LOAD.sub(r"load_half<\1>(\2)", source))
    return plain.replace(_INCLUDE, _INCLUDE + _FUNCTIONS, 1)
