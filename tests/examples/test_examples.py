"""Every listing of ``examples/`` in both frameworks, on small data in the real files' formats."""

import csv
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from descenso.testing.datasets import write_cifar10, write_mnist

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("torch", "keras")
IMAGES, SEEN = 300, 256  # training images in the files, and how many of them --limit leaves
LINES = ("sgd", "batch", "minibatch_line")
# A few hundred images make few steps an epoch: the convolutional networks take longer ones here.
CLASSIFIERS = {
    "adam_mnist": ["--epochs", "4"],
    "rmsprop_mnist": ["--epochs", "4"],
    "momentum_mnist": ["--epochs", "8", "--lr", "0.3"],
    "minibatch_cifar10": ["--epochs", "12", "--lr", "0.1"],
}
REGRESSIONS = (*LINES, "adam_regression")
OWN_POINTS = "0,1\n1,3\n2,5\n3,7\n"  # y = 2x + 1


def commands(framework, folder):
    """Return the command line of each case: its name → listing and options."""
    data = ["--data", str(folder), "--limit", str(SEEN)]
    points, missing = str(folder / "points.csv"), str(folder / "missing.csv")
    cases = {
        **{listing: [listing] for listing in LINES},
        **{listing: [listing, *options, *data] for listing, options in CLASSIFIERS.items()},
        "adam_regression": ["adam_regression", "--epochs", "12"],
        "again": ["sgd", "--epochs", "3", "--seed", "7"],
        "and again": ["sgd", "--epochs", "3", "--seed", "7"],
        "another seed": ["sgd", "--epochs", "3", "--seed", "8"],
        "own points": ["batch", "--epochs", "80", "--lr", "0.2", "--data", points],
        "three points": ["sgd", "--epochs", "2", "--limit", "3"],
        "as json": ["batch", "--epochs", "2"],
        "missing points": ["batch", "--data", missing],
        "wrong columns": ["adam_regression", "--data", points],
        "missing images": ["adam_mnist", "--data", str(folder / "nowhere")],
        "no epochs": ["batch", "--epochs", "0"],
    }
    return {
        name: [f"{listing}_{framework}", *options, "--curve", curve_file(folder, framework, name)]
        for name, (listing, *options) in cases.items()
    }


def curve_file(folder, framework, case):
    return str(folder / "curves" / f"{framework} {case}.{'json' if case == 'as json' else 'csv'}")


@functools.cache
def data_folder():
    folder = Path(tempfile.mkdtemp(prefix="descenso-examples-"))
    write_mnist(folder, train=IMAGES, test=100)
    write_cifar10(folder, train=IMAGES, test=100)
    (folder / "points.csv").write_text(OWN_POINTS)
    return folder


@functools.cache
def outcomes(framework):
    wanted = commands(framework, data_folder())
    done = subprocess.run(
        [sys.executable, "-m", "tests.examples._run", framework],
        input=json.dumps(list(wanted.values())),
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(wanted, json.loads(done.stdout.splitlines()[-1]), strict=True))


def succeeded(framework, case):
    outcome = outcomes(framework)[case]
    assert outcome["failure"] is None, outcome["failure"]
    return outcome


def curve(framework, case):
    succeeded(framework, case)
    with Path(curve_file(data_folder(), framework, case)).open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def learnt_line(framework, case):
    printed = succeeded(framework, case)["printed"]
    found = re.search(r"learnt y = (\S+)·x (\S+); loss (\S+),", printed)
    assert found, printed
    return [float(number) for number in found.groups()]


pytestmark = [pytest.mark.slow, pytest.mark.parametrize("framework", FRAMEWORKS)]


@pytest.mark.parametrize("listing", LINES)
def test_each_regression_learns_the_line(framework, listing):
    slope, intercept, loss = learnt_line(framework, listing)
    assert loss < 1e-3
    assert slope == pytest.approx(1, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("listing", "epochs", "steps"), [("sgd", 150, 5), ("batch", 300, 1),
                                                          ("minibatch_line", 250, 3)])  # fmt: skip
def test_a_regime_takes_its_own_number_of_steps_an_epoch(framework, listing, epochs, steps):
    assert len(curve(framework, listing)) == epochs
    assert succeeded(framework, listing)["steps"] == epochs * steps


@pytest.mark.parametrize("listing", [*CLASSIFIERS, *REGRESSIONS])
def test_the_loss_falls(framework, listing):
    rows = curve(framework, listing)
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("listing", CLASSIFIERS)
def test_a_network_tells_new_images_apart(framework, listing):
    assert curve(framework, listing)[-1]["test_accuracy"] > 0.5  # chance is 0.1


@pytest.mark.parametrize("listing", CLASSIFIERS)
def test_the_result_is_printed(framework, listing):
    last, printed = curve(framework, listing)[-1], succeeded(framework, listing)["printed"]
    assert f"{SEEN} training examples, 100 test examples" in printed
    result = f"training loss {last['loss']:.4g}, test accuracy {last['test_accuracy']:.2%}"
    assert result in printed


def test_progress_is_shown_epoch_by_epoch(framework):
    shown = succeeded(framework, "adam_mnist")["printed"]
    assert all(re.search(f"epoch {number}/4", shown, re.IGNORECASE) for number in range(1, 5))


def test_the_random_regression_is_also_judged_on_new_examples(framework):
    printed = succeeded(framework, "adam_regression")["printed"]
    assert "800 training examples, 200 test examples" in printed
    assert float(re.search(r"test loss (\S+),", printed)[1]) < 0.3


def test_the_seed_decides_the_whole_training(framework):
    first, second, other = (curve(framework, c) for c in ("again", "and again", "another seed"))
    assert first == second
    assert first != other


def test_own_points_are_fitted(framework):
    slope, intercept, loss = learnt_line(framework, "own points")
    assert (slope, intercept) == pytest.approx((2, 1), abs=0.05)
    assert loss < 1e-3


def test_the_limit_holds(framework):
    assert succeeded(framework, "three points")["steps"] == 2 * 3


def test_a_curve_can_be_json(framework):
    succeeded(framework, "as json")
    rows = json.loads(Path(curve_file(data_folder(), framework, "as json")).read_text())
    assert [set(row) for row in rows] == [{"epoch", "loss"}] * 2


@pytest.mark.parametrize(("case", "words"), [
    ("missing points", "missing.csv"),
    ("wrong columns", "11 columns of finite numbers are needed"),
    ("missing images", "nowhere"),
])  # fmt: skip
def test_bad_data_is_refused_in_words(framework, case, words):
    failure = outcomes(framework)[case]["failure"]
    assert failure.startswith("error: ")
    assert words in failure


def test_no_epochs_are_refused(framework):
    outcome = outcomes(framework)["no epochs"]
    assert outcome["failure"] == "2"  # how argparse ends
    assert "must be at least 1; got 0" in outcome["printed"]
