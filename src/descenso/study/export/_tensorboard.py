"""Write TensorBoard event files without TensorBoard: a few fields of a few messages, framed.

The format: records of length, its checksum, data, its checksum (masked CRC-32C), each record an
``Event`` message of protocol buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from descenso.files import write_whole

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5  # wire types


def write(folder: Path, scalars: Iterable[tuple[str, int, float]]) -> Path:
    """Write scalars (tag, step, value) into one event file in ``folder``, replacing what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "events.out.tfevents.0.descenso"
    records = [_event(version="brain.Event:2")]
    records += [_event(tag=tag, step=step, value=value) for tag, step, value in scalars]
    return write_whole(target, b"".join(map(_framed, records)))


def _event(version: str = "", tag: str = "", step: int = 0, value: float = 0.0) -> bytes:
    head = _field(1, _EIGHT_BYTES, struct.pack("<d", float(step)))  # wall_time: kept reproducible
    if version:
        return head + _string(3, version.encode())
    scalar = _string(1, tag.encode()) + _field(2, _FOUR_BYTES, struct.pack("<f", value))
    summary = _string(1, scalar)
    return head + _field(2, _VARINT, _varint(step)) + _string(5, summary)


def _field(number: int, kind: int, payload: bytes) -> bytes:
    return _varint(number << 3 | kind) + payload


def _string(number: int, payload: bytes) -> bytes:
    return _field(number, _BYTES, _varint(len(payload)) + payload)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _framed(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked_crc(length) + data + _masked_crc(data)


def _masked_crc(data: bytes) -> bytes:
    crc = _crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _crc32c(data: bytes) -> int:
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    """Return the remainders of each byte by the Castagnoli polynomial, reflected."""
    rows = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        rows.append(crc)
    return tuple(rows)
