"""What goes into a store comes back to the bit."""

import dataclasses
import json
import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from descenso.records import Curve, Member
from descenso.store import encoding

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
FLOATS = st.lists(ANY_FLOAT, min_size=1, max_size=6)
EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, 0.1, math.pi, math.inf, -math.inf]


def _bits(value: float) -> bytes:
    """Every NaN is one: JSON words cannot tell their payloads apart."""
    return b"nan" if math.isnan(value) else struct.pack(">d", value)


def _through_json(value):
    return json.loads(json.dumps(value, allow_nan=False))


@st.composite
def curves(draw) -> Curve:
    return Curve(
        validation_loss=np.array(draw(FLOATS)),
        validation_metric=np.array(draw(FLOATS)),
        train_loss=np.array(draw(st.lists(ANY_FLOAT, max_size=6)), dtype=float),
        test_loss=draw(ANY_FLOAT),
        test_metric=draw(ANY_FLOAT),
        steps=draw(st.integers(0, 2**60)),
        diverged_at=draw(st.none() | st.integers(0, 2**60)),
        seconds=draw(st.floats(0, 1e9)),
    )


def _same_curve(one: Curve, other: Curve) -> bool:
    for field in dataclasses.fields(Curve):
        a, b = (np.atleast_1d(getattr(c, field.name)).tolist() for c in (one, other))
        if [_bits(x) if isinstance(x, float) else x for x in a] != [
            _bits(x) if isinstance(x, float) else x for x in b
        ]:
            return False
    return True


@given(curves())
def test_a_curve_survives_strict_json_to_the_bit(curve):
    decoded = encoding.decode_curve(_through_json(encoding.encode_curve(curve)))
    assert _same_curve(decoded, curve)


def test_the_extremes_of_floating_numbers_survive_to_the_bit():
    for value in [*EXTREMES, math.nan]:
        stored = _through_json(encoding.encode_numbers(value))
        assert _bits(encoding.decode_number(stored)) == _bits(value)


def test_single_precision_figures_survive_to_the_bit():
    figures = np.array([1.1754944e-38, 1e-45, 3.4028235e38, 0.1, np.nan, np.inf], np.float32)
    stored = _through_json(encoding.encode_numbers(figures))
    back = np.array([encoding.decode_number(x) for x in stored], np.float32)
    np.testing.assert_array_equal(back, figures)


@given(
    st.dictionaries(
        st.text("abcxyz_0123", min_size=1, max_size=8),
        hnp.arrays(
            st.sampled_from([np.float32, np.float64, np.int32, np.bool_, np.uint8]),
            hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        ),
        max_size=4,
    )
)
def test_a_checkpoint_survives_with_its_types_shapes_and_bits(arrays):
    back = encoding.decode_checkpoint(encoding.encode_checkpoint(arrays))
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


def test_no_checkpoint_is_not_an_empty_one():
    assert encoding.decode_checkpoint(encoding.encode_checkpoint(None)) is None
    assert encoding.decode_checkpoint(encoding.encode_checkpoint({})) == {}


@given(
    st.dictionaries(
        st.text(max_size=5), st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
    ),
    st.integers(1, 2**40),
    st.integers(0, 2**32),
)
def test_a_member_keeps_its_key(settings, batch_size, seed):
    member = Member("adam(lr=0.1)", "adam", settings, batch_size, seed)
    back = encoding.decode_member(_through_json(encoding.encode_member(member)))
    assert back == member
    assert back.key == member.key
