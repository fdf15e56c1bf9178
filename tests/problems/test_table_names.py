"""A table written as a name with its choices is read as it was written."""

import pytest

from descenso import problems
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


def test_what_a_column_is_called_does_not_steer_the_terminal(tmp_path, capsys):
    file = tmp_path / "t.csv"
    rows = "".join(f"{k},{2 * k},{'ab'[k % 2]}\n" for k in range(40))
    file.write_text(f"x,\x1b[31mred,y\n{rows}")
    problems.from_table(file, target="y")
    said = capsys.readouterr().err
    assert "[31mred" in said
    assert "\x1b" not in said
