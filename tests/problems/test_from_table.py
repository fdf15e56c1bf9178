"""Tables of every kind and fault, from what a column is told to be to a network that learns."""

import numpy as np
import pandas as pd
import pytest

from descenso import problems
from descenso.data._table_columns import CATEGORY, NUMBER, Column
from descenso.data._table_encoding import encode, levels_of, width
from descenso.errors import DataError, ProblemError, SettingError, UnknownNameError
from descenso.problems import from_table

RNG = np.random.default_rng(0)
ROWS = 200
AREA = RNG.gamma(5, 20, ROWS).round(1)
KIND = RNG.choice(["flat", "house", "villa"], ROWS)
PRICE = 1000 * AREA * (1 + (KIND == "villa")) + RNG.normal(0, 50, ROWS)


def houses(**more):
    return pd.DataFrame({"area": AREA, "kind": KIND, **more, "price": PRICE})


def told(table, target="price", **options):
    """Return the problem, and all that was said."""
    said = []
    return from_table(table, target=target, say=said.append, **options), "\n".join(said)


def inputs(problem, seed=0):
    return problem.make_data(seed).train.inputs


# ---- the task ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "task", "why"),
    [
        (PRICE, "regression", "200 different numbers"),
        (KIND, "classification", "3 different texts"),
        (np.median(PRICE) < PRICE, "classification", "true or false"),
        (np.arange(ROWS) % 5, "classification", "only 5 different whole numbers"),
        ((np.arange(ROWS) % 5) * 1.0, "classification", "only 5 different whole numbers"),
        (np.arange(ROWS) % 5 + 0.5, "regression", "5 different numbers"),
        (np.arange(ROWS) % 40, "regression", "40 different numbers"),
    ],
)
def test_the_task_is_told_from_the_target(values, task, why):
    problem, said = told(pd.DataFrame({"area": AREA, "y": values}), "y")
    assert f"y: {task}, for it" in said
    assert why in said
    assert problem.metric.name == ("accuracy" if task == "classification" else "r2")
    assert problems.rehearse(problem, problem.make_data(0)) > 0


def test_the_task_can_be_chosen():
    grades = pd.DataFrame({"area": AREA, "grade": np.arange(ROWS) % 5})
    problem, said = told(grades, "grade", task="regression")
    assert problem.metric.name == "r2"
    assert "grade:" not in said
    assert problem.make_data(0).train.targets.shape == (120, 1)


def test_a_target_may_have_decimal_commas():
    table = houses().assign(price=[f"{p:.2f}".replace(".", ",") for p in PRICE])
    problem, said = told(table)
    assert "price: commas are taken for decimal signs" in said
    assert "price: regression, for it holds 200 different numbers" in said
    np.testing.assert_allclose(
        problem.make_data(0).train.targets, told(houses())[0].make_data(0).train.targets, atol=1e-4
    )


def test_the_parts_keep_the_share_of_each_class():
    table = pd.DataFrame({"area": AREA, "y": np.where(np.arange(ROWS) < 180, "no", "yes")})
    problem, said = told(table, "y")
    data = problem.make_data(3)
    shares = [part.targets.mean() for part in (data.train, data.validation, data.test)]
    np.testing.assert_allclose(shares, 0.1, atol=0.01)
    assert "always guessing the largest, no, is right in 90.0% of rows" in said


def test_targets_of_a_regression_are_standardised_by_the_training_rows():
    data = told(houses())[0].make_data(0)
    assert data.train.targets.mean() == pytest.approx(0, abs=1e-6)
    assert data.train.targets.std() == pytest.approx(1, abs=1e-5)
    assert abs(data.test.targets.mean()) > 1e-4


# ---- the columns ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([f"Street {i}" for i in range(ROWS)], "more: left out: nearly every value is different"),
        (np.arange(7, ROWS + 7), "more: left out: it counts the rows"),
        (["ES"] * ROWS, "more: left out: all values are ES"),
        ([np.nan] * ROWS, "more: left out: all values are missing"),
        ([[1, 2]] * ROWS, "more: left out: its values are no single numbers or texts"),
        (pd.date_range("2020", periods=ROWS), "more: dates, taken as a number of days"),
        ([f"{i % 28 + 1:02}/12/2021" for i in range(ROWS)], "more: dates"),
        ([f"2021-03-{i % 28 + 1:02}T10:00:00" for i in range(ROWS)], "more: dates"),
        ([f"{i / 7:.3f}" for i in range(ROWS)], "numbers: area, more"),
        ([f"{i},{i % 9}" for i in range(ROWS)], "more: commas are taken for decimal signs"),
        (
            [f"{i * 97:,}" for i in range(ROWS)],  # 97, ... 19,303
            "more: commas are taken to separate thousands",
        ),
        (
            ["cheap", *map(str, range(3, 7 * ROWS - 4, 7))],
            "more: mixed; what is no number counts as missing: 1, the first 'cheap'",
        ),
        ([str(i % 4) if i else "x" for i in range(ROWS)], "categories: kind, more"),
        ([True, False] * (ROWS // 2), "numbers: area, more"),
        (pd.array([1, None] * (ROWS // 2), "Int64").astype(object), "left out: all values are 1"),
        (
            pd.array([1, None, 3, 4] * (ROWS // 4), "Int64"),
            "more: missing values become the median, and are marked: 50",
        ),
        (
            pd.array([True, None, False, True] * 50, "boolean"),
            "more: missing values become the median, and are marked: 50",
        ),
        (
            np.where(np.arange(ROWS) == 3, np.inf, AREA[::-1]),
            "more: infinite values count as missing: 1",
        ),
        ([f"zip{i % 50}" for i in range(ROWS)], "more: 50 different values; all but the 20 most"),
        (
            [None, "a", "b", "c"] * 50,
            "more: missing values become the most frequent, and are marked: 50",
        ),
    ],
)
def test_each_column_is_told_for_what_it_is(values, says):
    problem, said = told(houses(more=values))
    assert says in said
    for seed in (0, 1):
        assert np.isfinite(inputs(problem, seed)).all()
    assert problems.rehearse(problem, problem.make_data(0)) > 0


def test_what_a_column_is_can_be_chosen_and_columns_dropped():
    rooms = np.arange(ROWS) % 4
    _problem, said = told(houses(rooms=rooms), columns={"rooms": "category"})
    assert "categories: kind, rooms" in said
    problem, said = told(houses(rooms=rooms), drop=["rooms", "kind"])
    assert "rooms: left out: as asked" in said
    assert inputs(problem).shape == (120, 1)
    _problem, said = told(houses(row=np.arange(ROWS)), columns={"row": "number"})
    assert "numbers: area, row" in said


def test_figures_are_those_of_the_training_rows_alone():
    train = np.arange(4)
    number = Column("n", NUMBER, pd.Series([1.0, 3, np.nan, 5, 1e9, np.nan]))
    block = encode([number], train)
    filled = np.array([1.0, 3, 3, 5])  # the median of 1, 3, 5
    np.testing.assert_allclose(block[:4, 0], (filled - 3) / filled.std(), rtol=1e-6)
    assert block[5, 0] == 0
    assert block[:, 1].tolist() == [0, 0, 1, 0, 0, 1]


def test_rare_and_unseen_levels_share_an_input_and_missing_ones_take_the_most_frequent():
    levels = pd.Series(["a", "a", "b", "b", "b", "rare", "unseen", None, "a"], dtype=object)
    column = Column("c", CATEGORY, levels)
    train = np.arange(6)
    assert levels_of(column, train) == ["b", "a"]
    assert width(column) == 4 + 1 + 1  # each level of the table, all others, missing
    block = encode([column], train)
    assert block[:, 0].tolist() == [0, 0, 1, 1, 1, 0, 0, 1, 0]
    assert block[:, 1].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 1]
    assert block[:, 4].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0]
    assert block[:, 5].tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_a_column_that_is_missing_in_all_training_rows_becomes_zero():
    block = encode([Column("n", NUMBER, pd.Series([np.nan, np.nan, 7.0]))], np.arange(2))
    assert block.tolist() == [[0, 1], [0, 1], [0, 0]]


def test_a_test_value_moves_no_input_of_the_training_rows():
    table = houses(more=AREA[::-1])
    problem, _said = told(table)
    before = problem.make_data(0)
    rows = problems.Split(np.arange(ROWS), PRICE)
    from descenso.data import split

    test_rows = split(rows.inputs, PRICE[:, None], 0, stratify=False).test.inputs
    changed = table.copy()
    changed.loc[test_rows, "more"] = 1e6
    after = told(changed)[0].make_data(0)
    np.testing.assert_array_equal(before.train.inputs, after.train.inputs)
    assert not np.array_equal(before.test.inputs, after.test.inputs)


def test_the_network_and_the_budget_are_told_and_can_be_chosen():
    problem, said = told(houses())
    assert "dense network 5-8-1; 200 rows; 0.0 MB of inputs" in said
    assert "batches of 16, 50 epochs unless told otherwise" in said
    problem, said = told(houses(), hidden=[6, 4], batch_size=8, epochs=3)
    assert [layer["weight"].shape for layer in problem.init(RNG)] == [(5, 6), (6, 4), (4, 1)]
    assert (problem.batch_size, problem.epochs) == (8, 3)
    straight, _said = told(houses(), hidden=[])
    assert [layer["weight"].shape for layer in straight.init(RNG)] == [(5, 1)]


def test_rows_without_a_target_are_left_out():
    table = houses()
    table.loc[3:12, "price"] = np.nan
    problem, said = told(table)
    assert "price: rows without it are left out: 10" in said
    assert len(problem.make_data(0).train) == 114


# ---- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_first_lines(tmp_path, sign):
    houses().to_csv(tmp_path / "h.csv", index=False, sep=sign)
    problem, said = told(tmp_path / "h.csv")
    assert "columns are separated by" in said
    np.testing.assert_allclose(inputs(problem), inputs(told(houses())[0]), atol=1e-6)


def test_every_kind_of_file_gives_the_same_problem(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("pyarrow")
    table = houses()
    table.to_csv("h.csv", index=False)
    table.to_csv("h.csv.gz", index=False)
    table.to_csv("h.tsv", index=False, sep="\t")
    table.to_csv("latin.csv", index=False, encoding="utf-16")
    table.to_parquet("h.parquet")
    reference = inputs(told(table)[0])
    names = ["h.csv", "h.csv.gz", "h.tsv", "h.parquet"]
    for text in [f"{n}(target=price)" for n in names] + [
        "latin.csv(target=price, encoding=utf-16, delimiter=\",\")"
    ]:  # fmt: skip
        problem = problems.get(text)
        assert problem.name == text
        np.testing.assert_allclose(inputs(problem), reference, atol=1e-6)


def test_arrays_are_learnt_from(tmp_path):
    path = tmp_path / "a.npz"
    images = RNG.normal(size=(60, 4, 4))
    np.savez(path, x=images, y=np.arange(60) % 3, weight=np.ones(60))
    problem, said = told(path, None)
    assert "inputs are x, targets are y" in said
    assert "each example, of shape (4, 4), is laid out as one row" in said
    assert inputs(problem).shape == (36, 16)
    np.savez(path, inputs=images[:, 0], out=images[:, 0, :1])
    assert told(path, "out")[0].metric.name == "r2"


def test_a_name_with_odd_signs_is_written_in_quotes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = houses().rename(columns={"price": "price, in (k) €", "kind": 'kind "x"'})
    odd.to_csv("h (1).csv", index=False)
    name = problems.table_name(
        "h (1).csv", [("target", "price, in (k) €"), ("drop", 'kind "x"'), ("hidden", "8-4")]
    )
    problem = problems.get(name)
    assert problem.name == name
    assert [layer["weight"].shape for layer in problem.init(RNG)] == [(1, 8), (8, 4), (4, 1)]


@pytest.mark.slow
def test_a_million_rows_are_read_and_encoded(tmp_path):
    rows = 1_000_000
    table = pd.DataFrame(
        {
            "a": np.arange(rows) % 1013,
            "b": np.where(np.arange(rows) % 7, "x", "y"),
            "t": np.arange(rows) % 2,
        }
    )
    problem, said = told(table, "t")
    data = problem.make_data(0)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [600000] + [
        200000
    ] * 2
    assert "1000000 rows; 16.0 MB of inputs" in said
    assert "batches of 512, 5 epochs" in said


# ---- faults -----------------------------------------------------------------------------------

FILES = {
    "empty.csv": (b"", DataError, r"empty.csv: the file is empty"),
    "blank.csv": (b"\n\n", DataError, r"blank.csv: the file is empty"),
    "head.csv": (b"a,price\n", DataError, r"head.csv: the table has no rows"),
    "one.csv": (b"price\n1\n2\n", DataError, r"only one column is found with the delimiter ,"),
    "numbers.csv": (b"1,2\n3,4\n", DataError, r"the first line holds data .* it must name"),
    "ragged.csv": (
        b"a,price\n1,2\n1,2,3,4\n",
        DataError,
        r"row 3 has 4 cells, and the header names 2",
    ),
    "wide.csv": (b"a,price\n1,2,3\n1,2,3\n", DataError, r"the rows have more cells than the 2"),
    "bad.parquet": (b"no parquet at all", DataError, r"bad.parquet: it cannot be read"),
    "bad.npz": (b"no zip at all", DataError, r"bad.npz: it cannot be read"),
    "cut.csv.gz": (b"\x1f\x8b\x08\x00", DataError, r"cut.csv.gz: it cannot be read"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_learnt_from_is_told_why(tmp_path, name):
    content, error, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(error, match=message):
        told(tmp_path / name)


def test_a_wrong_delimiter_is_told_with_the_likely_one(tmp_path):
    houses().to_csv(tmp_path / "h.csv", index=False, sep=";")
    with pytest.raises(DataError, match=r"only one column .* delimiter ,; .* probably ;"):
        told(tmp_path / "h.csv", delimiter=",")


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        (houses(), {"target": "prize"}, DataError, "no column 'prize'; there are area, kind, price. D"),
        (houses(), {"target": None}, ProblemError, "which column to learn with --target; there are a"),
        (houses(), {"drop": ["aria"]}, DataError, r"no column 'aria'.*Did you mean 'area'\?"),
        (houses(), {"columns": {"area": "numbr"}}, UnknownNameError, "Did you mean 'number'"),
        (houses(), {"columns": {"kind": "number"}}, DataError, "kind: it holds no numbers; its first"),
        (houses(), {"columns": {"kind": "date"}}, DataError, "kind: these are no dates"),
        (houses(), {"task": "classify"}, UnknownNameError, "Did you mean 'classification'"),
        (houses(), {"task": "classification"}, DataError, "too many for classes"),
        (houses(), {"target": "kind", "task": "regression"}, DataError, "kind: numbers and texts"),
        (houses(), {"drop": ["area", "kind"]}, DataError, "no column is left to learn from"),
        (houses(), {"hidden": [0]}, ProblemError, "hidden must be a whole number ≥ 1; got 0"),
        (houses(), {"epochs": 0}, ProblemError, "epochs must be a whole number"),
        (houses().assign(price=3), {}, DataError, "price: all values to learn are 3"),
        (houses().assign(price=np.nan), {}, DataError, "price: all values to learn are missing"),
        (
            houses().assign(price=[*map(str, PRICE[:-1]), "n/a?"]), {}, DataError,
            r"price: numbers and texts are mixed; 1 of 200 are no numbers, the first 'n/a\?' in row 199",
        ),
        (houses().assign(price=[*PRICE[:-1], np.inf]), {}, DataError, "is infinite, in row 199"),
        (houses().iloc[:3], {}, DataError, "3 examples are too few"),
        (houses().iloc[:0], {}, DataError, "the table has no rows"),
        ([[1, 2]], {}, ProblemError, "a table is a file or a pandas frame; got list"),
        ("nowhere.csv", {}, DataError, "there is no file nowhere.csv"),
    ],
)  # fmt: skip
def test_a_fault_is_named(table, options, error, message):
    options = {"target": "price", **options}
    with pytest.raises(error, match=message):
        told(table, **options)[0].make_data(0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h.csv(target=price, traget=area)", "no option 'traget'; it has .*Did you mean 'target'"),
        ("h.csv(target=price, target=area)", "the option target of a table is given twice"),
        ("h.csv(price)", "an option is written name=value; got 'price'"),
        ("h.csv(target=price, column=area)", "written name=kind"),
        ("h.csv(target=price, hidden=a-b)", "hidden layers are written 64-32; got 'a-b'"),
        ("h.csv(target=price, delimiter=::)", "the delimiter must be one sign; got '::'"),
    ],
)
def test_a_table_written_wrongly_is_told_how_to_write_it(text, message):
    with pytest.raises(SettingError, match=message):
        problems.get(text)
