"""Compare and train on tables from the command line."""

import json

import numpy as np
import pandas as pd
import pytest

FEW = ("--methods", "adam", "--trials", "2", "--seeds", "2", "--epochs", "2", "-q")


@pytest.fixture(autouse=True)
def _houses(tmp_path):
    rng = np.random.default_rng(0)
    area, kind = rng.gamma(5, 20, 120), rng.choice(["flat", "house"], 120)
    table = pd.DataFrame({"area": area, "kind": kind, "price": 1000 * area + rng.normal(size=120)})
    table.to_csv(tmp_path / "houses.csv", index=False, sep=";")
    np.savez(tmp_path / "arrays.npz", x=rng.normal(size=(60, 3)), y=np.arange(60) % 2)


def test_a_table_is_compared_and_what_was_told_is_said(descenso):
    outcome = descenso("compare", "houses.csv", "--target", "price", "--json", "-", *FEW)
    assert outcome.code == 0, outcome.err
    study = json.loads(outcome.out)
    assert study["problem"] == "houses.csv(target=price)"
    assert "columns are separated by ;" in outcome.err
    assert "price: regression" in outcome.err
    assert "numbers: area" in outcome.err
    assert "categories: kind" in outcome.err


def test_the_study_can_be_run_again_by_its_name(descenso):
    options = ("--target", "kind", "--drop", "area", "--hidden", "4", "--task", "classification")
    first = descenso("compare", "houses.csv", *options, "--json", "-", *FEW)
    study = json.loads(first.out)
    assert study["problem"] == ("houses.csv(target=kind, task=classification, hidden=4, drop=area)")
    again = descenso("compare", study["problem"], "--json", "-", *FEW)
    assert json.loads(again.out) == study


def test_every_inference_can_be_overridden(descenso):
    outcome = descenso(
        "train", "houses.csv", "--target", "price", "--column", "area=category", "--epochs", "1",
        "--delimiter", ";", "--encoding", "latin-1", "--hidden", "6-3",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "categories: area, kind" in outcome.err
    assert "separated" not in outcome.err
    assert "-6-3-1;" in outcome.err


def test_arrays_need_no_target(descenso):
    outcome = descenso("train", "arrays.npz", "--epochs", "2")
    assert outcome.code == 0, outcome.err
    assert "test accuracy" in outcome.out


@pytest.mark.parametrize("ending", ["csv.gz", "tsv", "parquet"])
def test_every_kind_of_file_is_trained_on(descenso, tmp_path, ending):
    table = pd.read_csv(tmp_path / "houses.csv", sep=";")
    name = f"more.{ending}"
    if ending == "parquet":
        table.to_parquet(tmp_path / name)
    else:
        table.to_csv(tmp_path / name, index=False, sep="\t" if ending == "tsv" else ",")
    outcome = descenso("train", name, "--target", "price", "--epochs", "2")
    assert outcome.code == 0, outcome.err
    assert "price: regression, for it holds 120 different numbers" in outcome.err
    assert "test r2" in outcome.out


def test_prices_are_figures_and_the_kind_of_the_target_can_be_given(descenso, tmp_path):
    rows = [f"{60 + i % 90};${200000 + 317 * i:,};{i % 3}" for i in range(120)]
    (tmp_path / "prices.csv").write_text("\n".join(["area;price, in $;rooms", *rows]))
    outcome = descenso("train", "prices.csv", "--target", "price, in $", "--epochs", "1")
    assert outcome.code == 0, outcome.err
    assert "price, in $: regression, for it holds 120 different numbers" in outcome.err
    assert "price, in $: numbers in $" in outcome.err
    options = ("--column", "rooms=number", "--drop", '"price, in $"', "--epochs", "1")
    outcome = descenso("train", "prices.csv", "--target", "rooms", *options)
    assert outcome.code == 0, outcome.err
    assert "rooms: regression, for it was given as number" in outcome.err
    assert "price, in $: left out: as asked" in outcome.err
    outcome = descenso("train", "prices.csv", "--target", "rooms", "--drop", "rooms")
    assert outcome.code == 1
    assert "rooms is the column to learn: it cannot be left out" in outcome.err


FAULTY = {
    "mixed.csv": (
        "area;price\n" + "".join(f"{i};{i * 7}\n" for i in range(40)) + "3;cheap\n",
        "price: numbers and texts are mixed; 1 of 41 are no numbers, the first 'cheap' in row 40",
    ),
    "ragged.csv": ("area;price\n1;2\n2;3\n3;4\n4;5\n1;2;3;4\n", "row 6 has 4 cells"),
    "none.csv": ("area;price\n1;\n2;\n", "price: all values to learn are missing"),
    "few.csv": ("area;price\n1;2\n2;3.5\n", "2 examples are too few"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_table_is_refused_in_one_line(descenso, tmp_path, name):
    content, says = FAULTY[name]
    (tmp_path / name).write_text(content)
    outcome = descenso("compare", name, "--target", "price", *FEW)
    assert outcome.code == 1
    assert says in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ("houses.csv",),
            1,
            "say which column to learn with --target; there are area, kind, price",
        ),
        (("houses.csv", "--target", "prize"), 1, "Did you mean 'price'?"),
        (("houses.csv", "--target", "price", "--delimiter", ","), 1, "the delimiter is probably ;"),
        (("digits", "--target", "price"), 2, "--target is for a table"),
        (("none.csv", "--target", "price"), 1, "there is no file none.csv"),
        (
            ("houses.csv", "--target", "price", "--hidden", "x"),
            2,
            "hidden layers are written 64-32",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(descenso, arguments, code, says):
    for command in ("compare", "train"):
        outcome = descenso(command, *arguments)
        assert outcome.code == code
        assert says in outcome.err.splitlines()[-1]
        assert "Traceback" not in outcome.err


def test_inferences_are_said_in_spanish(descenso):
    outcome = descenso("train", "houses.csv", "--target", "price", "--epochs", "1", "--lang", "es")
    assert outcome.code == 0
    assert "las columnas están separadas por ;" in outcome.err
    assert "price: regresión, pues contiene" in outcome.err


def test_several_tables_write_a_report_each_under_names_that_files_can_have(descenso, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "houses.csv").rename(tmp_path / "more" / "houses.csv")
    tables = ("more/houses.csv(target=kind)", "arrays.npz")
    outcome = descenso("compare", *tables, "--report", "r.html", *FEW)
    assert outcome.code == 0, outcome.err
    written = {path.name for path in tmp_path.glob("*.html")}
    assert written == {"r.html", "r-more-houses.csv-target-kind.html", "r-arrays.npz.html"}
