"""Each worked example of a problem of one's own is compared, with a tiny budget."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

OWN = Path(__file__).parents[2] / "examples" / "own"
RUN = ("-c", "from descenso.cli import main; main()", "compare")
FEW = ("--methods", "adam,minibatch", "--epochs", "3", "--seeds", "2", "--trials", "2", "-q")
NAMES = {
    "jax_model": "wine-gelu",
    "flax_model": "flax-digits",
    "equinox_model": "equinox-digits",
    "table": "diabetes-table",
}


@pytest.mark.slow
@pytest.mark.parametrize("example", NAMES)
def test_the_example_is_compared(example, tmp_path):
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, *RUN, f"{OWN / example}.py:problem", *FEW, "--json", "-"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    study = json.loads(done.stdout)
    assert study["problem"] == NAMES[example]
    assert {method["name"] for method in study["methods"]} == {"adam", "minibatch"}
    told = "regression" in done.stderr
    assert told == (example == "table")
