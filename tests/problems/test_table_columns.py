"""Columns as people have them: keys, counters, mixed texts, and a column that tells the target."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets

from descenso.errors import DataError, DescensoError, ProblemError
from descenso.problems import from_table

ROWS = 400
RNG = np.random.default_rng(0)
NUMBERS = np.arange(ROWS)
NOISE = RNG.normal(size=ROWS)
LABELS = RNG.integers(0, 2, ROWS)


def said_of(values, target=None, **options):
    """Return all that was said of a table with a column c of these values, beside one of noise."""
    said = []
    table = pd.DataFrame({"z": NOISE, "c": values, "y": LABELS if target is None else target})
    from_table(table, target="y", say=said.append, **options)
    return "\n".join(said)


def shuffled(*values):
    return RNG.permutation(np.resize(np.array(values, object), ROWS))


KEYS = [
    (RNG.permutation(ROWS), "it counts the rows"),
    (RNG.permutation(ROWS) + 1000.0, "it counts the rows"),
    (NUMBERS[::-1], "it counts the rows"),
    (RNG.choice(4 * ROWS, ROWS, replace=False), "none occurs twice, as in a key"),
    (NUMBERS * 7 + 3, "none occurs twice, as in a key"),
    ([f"{i:08x}-0000-4000-8000-{i * 7:012x}" for i in NUMBERS], "its values are keys (UUIDs, hashes)"),
    ([f"{i * 7919:032x}" for i in NUMBERS], "its values are keys (UUIDs, hashes)"),
    ([f"https://x.org/{i}?d=2021-01-{i % 28 + 1:02}" for i in NUMBERS], "nearly every value is different"),
    ([f"10.{i % 7}.{i % 13}.{i % 250}" for i in NUMBERS], "nearly every value is different"),
    ([f"+34 600 123 {i:03}" for i in NUMBERS], "nearly every value is different"),
    ([f"555-{1000 + i}" for i in NUMBERS], "nearly every value is different"),
    ([f"words of a title {i % 200}" for i in NUMBERS], "no value is frequent enough"),
    ([f"{'$' if i % 2 else '€'}{i / 7:.2f}" for i in NUMBERS], "its numbers are in different units: €, $"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "why"), KEYS)
def test_what_names_a_row_is_left_out_under_any_name(values, why):
    assert "c: left out: " in (said := said_of(values))
    assert why in said


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(50000, 15000, ROWS).round(),
        RNG.integers(0, 1000, ROWS),
        RNG.choice(10**6, ROWS, replace=False),
        1.6e9 + 60 * RNG.permutation(ROWS),
        1600 + NUMBERS,
        NUMBERS / 7,
        NUMBERS % 100,
    ],
)
def test_measures_are_not_taken_for_keys(values):
    assert "numbers: z, c" in said_of(values)


def test_a_saved_index_and_keys_by_name_are_left_out_and_can_be_kept():
    table = pd.DataFrame(
        {
            "Unnamed: 0": np.tile(np.arange(100), 4),
            "": RNG.permutation(ROWS),
            "index": NUMBERS,
            "CustomerId": RNG.choice(10**6, ROWS, replace=False),
            "price id": [*RNG.choice(10**6, ROWS - 1, replace=False), 5],
            "width": RNG.choice(10**6, ROWS, replace=False),
            "y": LABELS,
        }
    )
    said = []
    from_table(table, target="y", say=said.append)
    assert "Unnamed: 0: left out: it has no name, as a saved index" in "\n".join(said)
    assert "numbers: width" in said
    said = []
    kept = {"Unnamed: 0": "number", "CustomerId": "number"}
    from_table(table, target="y", say=said.append, columns=kept)
    assert "numbers: Unnamed: 0, CustomerId, width" in said


def test_a_shuffled_index_of_sorted_classes_is_not_learnt_from():
    table = pd.DataFrame({"a": NOISE, "kind": np.repeat(["x", "y"], ROWS // 2)})
    table = table.sample(frac=1, random_state=1).reset_index(names="place")
    said = []
    from_table(table, target="kind", say=said.append)
    assert "place: left out: it counts the rows" in said


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (shuffled("yes", "no"), "c: no and yes are taken as 0 and 1"),
        (shuffled("sí", "no", "?"), "c: no and sí are taken as 0 and 1"),
        (shuffled("T", "F", None), "c: F and T are taken as 0 and 1"),
        (shuffled(True, False, None), "c: missing values become the median, and are marked: 133"),
        (shuffled("yes", "no", "perhaps"), "categories: c"),
        (shuffled("red", "blue", "?"), "c: signs that count as missing: ?: 133"),
        (shuffled("red", "blue", "unknown"), "categories: c"),
        (shuffled("+", "-"), "categories: c"),
        (shuffled("[0-10)", "[10-20)"), "categories: c"),
        (shuffled("1.2.3", "1.2.4"), "categories: c"),
        (shuffled(*(f"192.168.0.{i}" for i in range(30))), "c: 30 different values"),
        (["Varies with device" if i % 3 else f"{i / 7:.1f}M" for i in NUMBERS], "counts as missing: 266"),
        (["Free" if i % 3 == 0 else f"{i / 7:.1f}" for i in NUMBERS], "counts as missing: 134"),
        ([f"{i * 317 % 365 // 31 + 1}/{i % 28 + 1}/21" for i in NUMBERS], "c: dates, taken as a number of"),
        ([20210100 + i % 28 + 1 for i in NUMBERS], "c: dates, taken as a number of days"),
        ([f"{i % 24:02}:{i % 60:02}" for i in NUMBERS], "c: times, taken as a number of hours"),
        ([f"{i % 9}h {i % 60}m" for i in NUMBERS], "c: quantities of several units, put into one: h, m"),
        (["?" if i % 20 else f"{i / 7:.1f}" for i in NUMBERS], "c: signs that count as missing: ?: 380"),
    ],
)  # fmt: skip
def test_texts_are_told_for_what_they_are(values, says):
    assert says in said_of(values)


def test_columns_of_one_table_decide_for_each_other():
    said = []
    table = pd.DataFrame(
        {
            "grouped": [f"{1000 + 17 * i:,}" for i in NUMBERS],
            "decimal": [f"{x:.2f}".replace(".", ",") for x in NOISE],
            "open": [f"{i % 12 + 1}/{i % 10 + 1}/2021" for i in RNG.permutation(ROWS)],
            "day": [f"{i % 12 + 1}/{i % 28 + 1}/2021" for i in RNG.permutation(ROWS)],
            "y": LABELS,
        }
    )
    from_table(table, target="y", say=said.append)
    assert "grouped: the decimal sign is ,, as in other columns" in said
    assert "open: read as mdy, the only order that another column allows" in said
    said.clear()
    given = {"grouped": "number-point", "open": "date-dmy"}
    from_table(table, target="y", say=said.append, columns=given)
    assert "grouped: commas are taken to separate thousands" in said
    assert not any("another column" in text for text in said)


def test_what_is_said_of_many_columns_is_said_once():
    table = pd.DataFrame(
        {f"c{i}": RNG.permutation(["?", "1.5", *map(str, range(98))]) for i in range(60)}
    )
    said = []
    from_table(table.assign(y=np.arange(100) % 2), target="y", say=said.append)
    assert "c0: signs that count as missing: ?: 1" in said
    assert sum("signs that count" in text for text in said) == 1
    assert any(text.startswith("the same of 59 more: c1, c2, ") for text in said)


# ---- the target -------------------------------------------------------------------------------


def target_said(values, **options):
    said = []
    problem = from_table(
        pd.DataFrame({"z": NOISE, "y": values}), target="y", say=said.append, **options
    )
    return problem.metric.name, "\n".join(said)


@pytest.mark.parametrize(
    ("values", "metric", "says"),
    [
        ([f"${200000 + 317 * i:,}" for i in NUMBERS], "r2", "y: numbers in $"),
        (
            [f"{1000 + i * 7},{i % 100:02} €" for i in NUMBERS],
            "r2",
            "y: commas are taken for decimal",
        ),
        (
            ["?" if i % 5 == 0 else i * 3 for i in NUMBERS],
            "r2",
            "y: rows without it are left out: 80",
        ),
        (shuffled("yes", "no", "?"), "accuracy", "y: rows without it are left out: 133"),
        (shuffled("a", "b", "unknown"), "accuracy", "3 classes"),
        (shuffled("<=50K", ">50K"), "accuracy", "it holds 2 different texts"),
        (pd.date_range("2020", periods=ROWS), "r2", "y: dates, taken as a number of days"),
        ([f"{i % 28 + 1}/{i % 12 + 1}/2021" for i in NUMBERS], "r2", "y: dates, taken as a number"),
        ([f"{i % 9}h {i % 60}m" for i in NUMBERS], "r2", "y: quantities of several units"),
    ],
)
def test_a_target_is_read_as_any_column_is(values, metric, says):
    measured, said = target_said(values)
    assert measured == metric
    assert says in said


@pytest.mark.parametrize(
    ("kind", "metric"),
    [("number", "r2"), ("category", "accuracy"), ("date", "r2"), ("number-comma", "r2")],
)
def test_the_kind_of_the_target_can_be_given(kind, metric):
    measured, said = target_said(NUMBERS % 5, columns={"y": kind})
    assert measured == metric
    assert f"for it was given as {kind}" in said


@pytest.mark.parametrize(
    ("values", "options", "error", "message"),
    [
        (NUMBERS % 5, {"drop": ["y"]}, ProblemError, "y is the column to learn: it cannot be left"),
        (NUMBERS % 5, {"columns": {"y": "category"}, "task": "regression"}, ProblemError, "by regression"),
        ([f"n{i}" for i in NUMBERS], {}, DataError, "too many for classes; nor are they numbers: .* 'n0'"),
        (NOISE, {"task": "classification"}, DataError, "too many for classes; --task regression"),
        ([f"{'$' if i % 2 else '€'}{i}" for i in NUMBERS], {}, DataError, r"different units \(€, \$\)"),
    ],
)  # fmt: skip
def test_a_target_that_cannot_be_learnt_says_why(values, options, error, message):
    with pytest.raises(error, match=message):
        target_said(values, **options)


# ---- a column that alone tells the target -----------------------------------------------------


def alone(table, target="y", **options):
    """Return the columns that are said to predict the target alone."""
    said = []
    from_table(table, target=target, say=said.append, **options)
    return [text.split(" alone predicts ")[0] for text in said if " alone predicts " in text]


@pytest.mark.parametrize(
    "leak",
    [
        LABELS * 10 + NOISE,
        np.where(LABELS, "approved", "rejected"),
        np.where(LABELS, NOISE, np.nan),
        [f"{(3 if label else 1) * 1000 + i % 900:,} €" for i, label in enumerate(LABELS)],
    ],
)
def test_a_column_that_tells_the_class_is_said(leak):
    rng = np.random.default_rng(1)
    strong = LABELS + 0.35 * rng.normal(size=ROWS)
    table = pd.DataFrame({"z": NOISE, "strong": strong, "leak": leak, "y": LABELS})
    assert alone(table) == ["leak"]


def test_what_was_said_counts_rows_that_were_not_fitted():
    said = said_of(LABELS * 10 + NOISE)
    assert (
        "c alone predicts y nearly perfectly: right in 400 of 400 rows not used to fit. If it is not "
        "known before y is, leave it out: --drop c"
    ) in said


@pytest.mark.parametrize("share", [0.1, 0.02])
def test_a_rare_class_hides_no_leak_and_makes_none(share):
    rng = np.random.default_rng(0)
    labels = (np.arange(3000) < share * 3000).astype(int)
    table = pd.DataFrame(rng.normal(size=(3000, 10))).assign(y=labels)
    assert alone(table) == []
    assert alone(table.assign(leak=labels * 10 + rng.normal(size=3000))) == ["leak"]


@pytest.mark.parametrize("rows", [12, 30, 49])
def test_a_small_table_shows_no_leak(rows):
    labels = np.arange(rows) % 2
    assert alone(pd.DataFrame({"a": labels * 10 + NOISE[:rows], "y": labels})) == []


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_honest_features_are_no_leaks(name):
    table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    assert alone(table, "target") == []


def test_a_column_that_tells_a_figure_is_said():
    rng = np.random.default_rng(0)
    cause = rng.gamma(2, size=ROWS)
    table = pd.DataFrame({"strong": np.exp(cause) * (1 + 0.2 * rng.normal(size=ROWS))})
    table = table.assign(z=NOISE, other_currency=1.17 * np.exp(cause), y=np.exp(cause))
    assert alone(table) == ["other_currency"]


def test_many_columns_that_tell_all_are_said_once():
    table = pd.DataFrame({f"c{i}": LABELS * 10 + RNG.normal(size=ROWS) for i in range(30)})
    assert alone(table.assign(y=LABELS)) == ["c0"]


# ---- whatever stands in a cell ------------------------------------------------------------------

ALPHABETS = [
    "0123456789-/.:T",
    "0123456789.,' $€%()",
    "12-/: apmAPMTZ+",
    "JanFebMar0123 -,.",
    "٣²½–°NSEW\u202f19\x00{}",
]


@settings(max_examples=60, deadline=None)
@given(
    texts=st.sampled_from(ALPHABETS).flatmap(
        lambda signs: st.lists(st.text(signs, max_size=12), min_size=2, max_size=8)
    ),
    kind=st.sampled_from(["", "number", "date", "category", "number-comma", "date-mdy"]),
    target=st.sampled_from("cy"),
)  # fmt: skip
def test_no_text_stops_a_table_but_by_an_error_that_names_it(texts, kind, target):
    table = pd.DataFrame({"c": np.resize(texts, 30), "z": NOISE[:30], "y": np.arange(30) % 2})
    columns = {"c": kind} if kind else {}
    with suppress(DescensoError):
        problem = from_table(table, target=target, columns=columns, say=lambda text: None)
        data = problem.make_data(0)
        assert np.isfinite(data.train.inputs).all()
        assert np.isfinite(data.train.targets).all()


def test_levels_and_classes_that_differ_in_case_alone_are_one():
    said = []
    answers = shuffled("Yes", "yes", "YES ", "no", "a", "A")
    table = pd.DataFrame({"z": NOISE, "c": shuffled("red", "Red", "blue"), "y": answers})
    problem = from_table(table, target="y", say=said.append)
    assert any(
        "c: different only in case or spaces, and taken for one: 'red', 'Red'" in s for s in said
    )
    assert any(s.startswith("4 classes;") for s in said)  # yes, no, and the letters a and A
    assert problem.make_data(0).train.inputs.shape[1] == 1 + 3


def test_a_number_that_may_stand_for_missing_is_said_of_inputs_and_targets():
    values = np.where(NUMBERS % 9 == 0, -999.0, NOISE)
    says = (
        "-999 lies far from all other values: 45; if it stands for a missing one, empty these cells"
    )
    assert f"c: {says}" in said_of(values)
    assert f"y: {says}" in said_of(NOISE, target=values)
    assert "lies far" not in said_of(NOISE)


def test_numbers_near_the_largest_there_are_do_not_overflow():
    values = np.where(NUMBERS == 3, 1e300, NOISE)
    inputs = (
        from_table(pd.DataFrame({"c": values, "y": LABELS}), target="y", say=lambda _text: None)
        .make_data(0)
        .train.inputs
    )
    assert np.isfinite(inputs).all()


def test_a_name_may_be_given_as_the_file_breaks_it(tmp_path):
    (tmp_path / "form.csv").write_text(
        '"Age\n(years)",y\n' + "".join(f"{i},{i % 2}\n" for i in range(40))
    )
    name = from_table(tmp_path / "form.csv", target="Age\n(years)", say=lambda _text: None).name
    assert name.endswith(":Age (years)")


def test_codes_with_leading_zeros_stay_texts(tmp_path):
    codes = ["00123", "08001", "28013", "90210"]
    path = tmp_path / "a.csv"
    path.write_text(
        "zip,x,y\n" + "".join(f"{codes[i % 4]},{i % 7}.5,{i * i}.5\n" for i in range(60))
    )
    said: list[str] = []
    from_table(path, target="y", say=said.append)
    assert "categories: zip" in said
    assert any("codes of 5 digits that begin with zeros" in line for line in said)
    said.clear()
    from_table(path, target="y", columns={"zip": "number"}, say=said.append)
    assert "numbers: zip, x" in said


def test_hexadecimal_numbers_are_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "h,x,y\n" + "".join(f"0x{i * i % 97:02X},{i % 7}.5,{i * i}.5\n" for i in range(60))
    )
    said: list[str] = []
    from_table(path, target="y", say=said.append)
    assert {"h: hexadecimal numbers", "numbers: h, x"} <= set(said)
