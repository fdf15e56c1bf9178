"""Read IDX files, the format of MNIST: a header that gives type and sizes, then the values.

Format: http://yann.lecun.com/exdb/mnist/ — two zero bytes, a byte for the type, a byte for the
number of axes, a big-endian 32-bit size for each axis, then the values with the last axis fastest.
"""

from __future__ import annotations

import gzip
import io
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.data.file_kinds import check_regular
from descenso.errors import DataError
from descenso.language import _
from descenso.language import reason as reason_of

_MOST_BYTES = 2**30
GZIP_MARK = b"\x1f\x8b"
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray[Any]:
    """Return the array in an IDX file, gzipped or plain.

    Raises
    ------
    DataError
        If the file cannot be read, its header breaks the format, or its length is not what the
        header says.
    """
    content = _content(path)
    if len(content) < 4:
        raise broken(path, _("the header is cut short ({count} bytes)").format(count=len(content)))
    if content[:2] != b"\0\0":
        raise broken(
            path,
            _("an IDX file begins with two zero bytes; got {got}").format(got=content[:2].hex()),
        )
    if content[2] not in _TYPES:
        raise broken(path, _("type code 0x{code:02x} is unknown").format(code=content[2]))
    shape = _shape(path, content, axes=content[3])
    return _values(path, content[4 + 4 * len(shape) :], np.dtype(_TYPES[content[2]]), shape)


def broken(path: Path, rule: str) -> DataError:
    """Return the error that names a file and the rule it breaks."""
    return DataError(_("{path}: {rule}").format(path=path, rule=rule))


def content_of(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    check_regular(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise broken(
            path, _("it cannot be read ({reason})").format(reason=reason_of(error))
        ) from error


def _content(path: Path) -> bytes:
    content = content_of(path)
    if not content.startswith(GZIP_MARK):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise broken(
            path, _("its gzip compression is broken or cut short ({error})").format(error=error)
        ) from error
    if len(plain) > _MOST_BYTES:
        raise broken(
            path, _("it holds more than {most} MB once decompressed").format(most=_MOST_BYTES >> 20)
        )
    return plain


def _shape(path: Path, content: bytes, axes: int) -> tuple[int, ...]:
    if axes == 0:
        raise broken(path, _("the header gives no axes"))
    if len(content) < 4 + 4 * axes:
        raise broken(path, _("the header is cut short ({count} bytes)").format(count=len(content)))
    return tuple(int(size) for size in np.frombuffer(content, ">u4", count=axes, offset=4))


def _values(
    path: Path, content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    expected = math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise broken(
            path,
            _("the header gives {shape}, which takes {expected} bytes; there are {got}").format(
                shape="×".join(map(str, shape)), expected=expected, got=len(content)
            ),
        )
    values = np.frombuffer(content, dtype).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=True)  # its own memory, writable
