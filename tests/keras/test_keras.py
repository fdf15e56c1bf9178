"""Every check of the suites on every backend of Keras; one process each, for Keras has one a process."""

import ast
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BACKENDS = ("tensorflow", "jax", "torch")
SUITES = [file.stem for file in sorted(HERE.glob("_suite_*.py"))]


def checks():
    for suite in SUITES:
        for node in ast.parse((HERE / f"{suite}.py").read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("check_"):
                yield pytest.param(suite, node.name, id=node.name.removeprefix("check_"))


@functools.cache
def outcomes(backend):
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.keras._run", *SUITES],
        capture_output=True, text=True, check=False, env=environment, cwd=ROOT,
    )  # fmt: skip
    # What failed is kept too: each check would run all of them again.
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("suite", "check"), list(checks()))
def test_keras(backend, suite, check):
    found = outcomes(backend)
    assert isinstance(found, dict), found
    failure = found[suite][check]
    assert failure is None, failure
