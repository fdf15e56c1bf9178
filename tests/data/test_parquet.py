"""Parquet keeps once what repeats: what it expands to is counted before it is read."""

import pandas as pd
import pytest

from descenso.errors import DataError


def test_parquet_that_declares_more_cells_than_it_has_bytes_for_is_refused(tmp_path, monkeypatch):
    from descenso.data import _table_files

    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": [1] * 100_000, "y": [2] * 100_000}).to_parquet(path)
    monkeypatch.setattr(_table_files, "_MOST_CELLS", 1000)
    with pytest.raises(DataError, match="holds 200000 cells"):
        _table_files.read_table(path, None, None, print)


def test_a_text_that_parquet_keeps_once_and_repeats_is_counted_each_time(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    from descenso.data import _table_files
    from descenso.study import external

    path = tmp_path / "a.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), ["x" * 200_000])
    table = pa.table({"method": texts.cast(pa.dictionary(pa.int32(), pa.string())),
                      "value": list(range(2000))})  # fmt: skip
    write_table(table, path, store_schema=False)
    assert path.stat().st_size < 1_000_000
    for read in (
        lambda: _table_files.read_table(path, None, None, print),
        lambda: external.read_runs(path),
    ):
        with pytest.raises(DataError, match="holds more than 256 MB; keep the columns and rows"):
            read()
