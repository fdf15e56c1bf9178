"""Your own table: which optimizer should train a network on it?

From the command line, a file is enough: ``descenso compare houses.csv --target price``. This is the
same from Python, where a pandas frame will do too.
"""

from sklearn.datasets import load_diabetes

from descenso.problems import from_table


def problem():
    """Return the problem; each thing told from the table is printed on the standard error."""
    frame = load_diabetes(as_frame=True, scaled=False).frame
    frame["sex"] = frame["sex"].map({1.0: "one", 2.0: "other"})
    return from_table(frame, target="target", hidden=[16], name="diabetes-table", epochs=10)
