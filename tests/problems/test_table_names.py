"""A table written as a name with its choices is read as it was written."""

import pytest

from descenso.problems import _table_names

PATHS = [
    "a.csv",
    "a b.csv",
    "two\nlines.csv",
    "a\r\u2028b.tsv.gz",
    "a(b).csv",
    "a.csv(x.csv",
    "a,b.csv",
]
OPTIONS = ["y", "", " y ", 'a\\b"c', "a(b)", "two\nlines", "\u202e", "a=b", "a,b", "\t"]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_and_option_comes_back(path):
    for value in OPTIONS:
        options = [("target", value), ("drop", "id")]
        written = _table_names.write(path, options)
        assert _table_names.is_table(written)
        assert _table_names.read(written) == (path, options)
