"""Problems made of Keras models: the checks run in one process, with Keras on JAX."""

import ast
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from descenso.problems._from_keras import keras_on_jax

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SUITE = "tests.problems._suite_keras"
RUN = f"""
import json
from tests.keras._run import outcomes
print(json.dumps(outcomes({SUITE!r})))
"""


def checks():
    for node in ast.parse((HERE / "_suite_keras.py").read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("check_"):
            yield pytest.param(node.name, id=node.name.removeprefix("check_"))


def in_a_process(*arguments, **more):
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        **more.pop("env", {}),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True, text=True, check=False, env=environment, **more,
    )  # fmt: skip


@functools.cache
def outcomes():
    done = in_a_process("-c", RUN, cwd=ROOT, env={"KERAS_BACKEND": "jax"})
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("check", list(checks()))
def test_keras(check):
    found = outcomes()
    assert isinstance(found, dict), found
    failure = found[check]
    assert failure is None, failure


COMPARE = ("-c", "from descenso.cli import main; main()", "compare")
EXAMPLE = ROOT / "examples" / "own" / "keras_model.py"
FEW = ("--methods", "adam", "--epochs", "1", "--seeds", "2", "--trials", "2", "--json", "-")


@pytest.mark.slow
def test_the_example_is_compared_and_keras_is_set_to_jax_for_it(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    done = in_a_process(
        *COMPARE, f"{EXAMPLE}:problem", *FEW, cwd=tmp_path, env={"XDG_DATA_HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    study = json.loads(done.stdout)
    assert study["problem"] == "keras-digits"
    assert study["methods"][0]["name"] == "adam"


@pytest.mark.slow
def test_the_backend_that_the_user_chose_is_left_and_told_of(tmp_path):
    done = in_a_process(
        *COMPARE, f"{EXAMPLE}:problem", *FEW, cwd=tmp_path, env={"KERAS_BACKEND": "tensorflow"}
    )
    assert done.returncode == 1
    assert "Keras runs on tensorflow: set KERAS_BACKEND=jax" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_is_as_it_was_afterwards(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    with keras_on_jax():
        assert os.environ["KERAS_BACKEND"] == "jax"
    assert "KERAS_BACKEND" not in os.environ
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with keras_on_jax():
        assert os.environ["KERAS_BACKEND"] == "torch"
