"""The worked example of a torch module is compared, and a broken one is told, from the shell."""

import json
import os
import subprocess
import sys
from pathlib import Path

OWN = Path(__file__).parents[2] / "examples" / "own"
RUN = ("-c", "from descenso.cli import main; main()", "compare")
FEW = ("--methods", "adam,minibatch", "--epochs", "2", "--seeds", "2", "--trials", "2", "-q")


def compare(place, folder):
    return subprocess.run(
        [sys.executable, *RUN, f"{place}:problem", *FEW, "--json", "-"],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "XDG_DATA_HOME": str(folder)},
    )  # fmt: skip


def test_a_torch_module_with_dropout_and_batch_normalisation_is_compared(tmp_path):
    done = compare(OWN / "torch_module.py", tmp_path)
    assert done.returncode == 0, done.stderr
    study = json.loads(done.stdout)
    assert study["problem"] == "digits-small-cnn"
    assert {method["name"] for method in study["methods"]} == {"adam", "minibatch"}
    assert study["parameters"] == 8 * 9 + 8 + 8 + 8 + 128 * 10 + 10
    assert study["layout"]["engine"] == "torch"
    again = compare(OWN / "torch_module.py", tmp_path)  # the stored study is recalled
    assert json.loads(again.stdout)["verdict"] == study["verdict"]


def test_a_torch_module_that_gives_nan_is_told_in_one_line(tmp_path):
    text = (OWN / "torch_module.py").read_text()
    broken = text.replace("return self.scores(", "return float('nan') * self.scores(")
    (tmp_path / "broken.py").write_text(broken)
    done = compare("broken.py", tmp_path)
    assert done.returncode != 0
    assert "loss: it is nan on the first batch, before any training" in done.stderr
    assert done.stderr.count("\n") == 1
