"""Check what a Parquet file expands to: it keeps a value that repeats once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from descenso.data.file_kinds import most_bytes
from descenso.errors import DataError
from descenso.language import _


def check_expanded(path: Path, most_cells: int) -> None:
    """Check that neither the cells of a Parquet file nor its texts expand beyond measure.

    Raises
    ------
    DataError
        If there are more than ``most_cells`` cells, or their texts are longer than those of any
        compressed file may be.
    ImportError
        If pyarrow is absent.
    """
    from pyarrow import types
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        cells = max(about.num_rows * about.num_columns, _values(about))
        if cells > most_cells:
            raise DataError(
                _(
                    "{path} holds {cells} cells, more than {most}; keep the columns and rows that are "
                    "needed"
                ).format(path=path, cells=cells, most=most_cells)
            )
        texts = [
            f.name
            for f in schema
            if types.is_string(f.type)
            or types.is_binary(f.type)
            or types.is_large_string(f.type)
            or types.is_dictionary(f.type)
        ]
    with ParquetFile(path, read_dictionary=texts) as file:
        length, most = 0, most_bytes(path)
        for batch in file.iter_batches(columns=texts) if texts else ():
            length += sum(map(_length, batch.columns))
            if length > most:
                raise DataError(
                    _(
                        "{path} holds more than {most} MB; keep the columns and rows that are needed"
                    ).format(path=path, most=most >> 20)
                )


def _values(about: Any) -> int:
    groups = [about.row_group(place) for place in range(about.num_row_groups)]
    return sum(g.column(place).num_values for g in groups for place in range(g.num_columns))


def _length(column: Any) -> int:
    """Return the bytes of the texts of a column that is coded by a dictionary."""
    from pyarrow import compute, types

    if not types.is_dictionary(column.type) or types.is_primitive(column.type.value_type):
        return int(column.nbytes)
    lengths = compute.binary_length(column.dictionary)
    return int(compute.sum(lengths.take(column.indices)).as_py() or 0)
