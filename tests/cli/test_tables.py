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
    assert written == {"r-more-houses.csv-target-kind.html", "r-arrays.npz.html"}
