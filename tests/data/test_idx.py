import gzip

import numpy as np
import pytest

from descenso.data import read_idx
from descenso.errors import DataError
from descenso.testing.datasets import write_idx


@pytest.fixture
def values():
    return np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("compress", [True, False])
def test_what_was_written_is_read(tmp_path, values, compress):
    path = write_idx(tmp_path / "values", values, compress=compress)
    assert path.suffix == (".gz" if compress else "")
    read = read_idx(path)
    np.testing.assert_array_equal(read, values)
    assert read.dtype == np.uint8
    assert read.flags.writeable


@pytest.mark.parametrize(
    ("code", "dtype"),
    [(0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")],
)
def test_every_type_of_the_format_is_read_in_big_endian(tmp_path, code, dtype):
    values = np.array([1, -2, 100], dtype)
    path = tmp_path / "values"
    path.write_bytes(bytes([0, 0, code, 1, 0, 0, 0, 3]) + values.tobytes())
    read = read_idx(path)
    np.testing.assert_array_equal(read, [1, -2, 100])
    assert read.dtype.isnative


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[:3], "the header is cut short"),
        (lambda raw: b"\1" + raw[1:], "begins with two zero bytes; got 0100"),
        (lambda raw: raw[:2] + b"\x07" + raw[3:], "type code 0x07 is unknown"),
        (lambda raw: raw[:3] + b"\0" + raw[4:], "gives no axes"),
        (lambda raw: raw[:3] + b"\xff" + raw[4:], "the header is cut short"),
        (lambda raw: raw[:-1], "2×3×4, which takes 24 bytes; there are 23"),
        (lambda raw: raw + b"\0", "takes 24 bytes; there are 25"),
        (lambda raw: raw[:4] + b"\xff\xff\xff\xff" + raw[8:], "4294967295×3×4"),
        (lambda raw: gzip.compress(raw)[:-4], "gzip compression is broken or cut short"),
        (lambda raw: b"\x1f\x8b" + raw, "gzip compression is broken"),
        (lambda raw: b"", "the header is cut short"),
    ],
)
def test_a_broken_file_is_named_with_the_rule_it_breaks(tmp_path, values, change, message):
    path = write_idx(tmp_path / "values", values, compress=False)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_damage_inside_the_compressed_stream_is_noticed(tmp_path, values):
    path = write_idx(tmp_path / "values", values)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(DataError, match="gzip compression is broken"):
        read_idx(path)


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_idx(tmp_path / "nothing")
