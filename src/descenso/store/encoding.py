"""Records to and from what a table holds."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from descenso.records import Curve, Member


def encode_numbers(value: Any) -> Any:
    """Make ``value`` fit for strict JSON: arrays become lists, NaN and infinities words."""
    if isinstance(value, np.ndarray):
        return encode_numbers(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): encode_numbers(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [encode_numbers(v) for v in value]
    if isinstance(value, np.generic):
        return encode_numbers(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)  # 'nan', 'inf', '-inf': PostgreSQL refuses the bare tokens
    return value


def decode_number(value: Any) -> Any:
    """Undo :func:`encode_numbers` for one number."""
    return float(value) if isinstance(value, str) else value


def encode_curve(curve: Curve) -> dict[str, Any]:
    """Return the curve ready for JSON; every float comes back to the bit."""
    encoded: dict[str, Any] = encode_numbers(asdict(curve))
    return encoded


def decode_curve(stored: Mapping[str, Any]) -> Curve:
    """Return the curve that :func:`encode_curve` was given."""
    arrays = ("validation_loss", "validation_metric", "train_loss")
    fields: dict[str, Any] = {
        name: value if name == "error" else decode_number(value) for name, value in stored.items()
    }
    for name in arrays:
        fields[name] = np.array([decode_number(x) for x in stored[name]], dtype=float)
    return Curve(**fields)


def encode_member(member: Member) -> dict[str, Any]:
    """Return the member ready for JSON."""
    return asdict(member)


def decode_member(stored: Mapping[str, Any]) -> Member:
    """Return the member that :func:`encode_member` was given."""
    return Member(**stored)


def encode_checkpoint(arrays: Mapping[str, Any] | None) -> bytes | None:
    """Return the arrays as the bytes of an ``.npz`` file."""
    if arrays is None:
        return None
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))
    return buffer.getvalue()


def decode_checkpoint(stored: bytes | None) -> dict[str, Any] | None:
    """Return the arrays that :func:`encode_checkpoint` was given."""
    if stored is None:
        return None
    with np.load(io.BytesIO(stored), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
