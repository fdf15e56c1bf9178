"""Schedules, transforms and conventions import no framework until one is used."""

import subprocess
import sys

PROGRAM = """
import sys
import descenso.conventions, descenso.schedules, descenso.transforms
heavy = {"torch", "jax", "keras", "tensorflow", "optax"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


def test_nothing_heavy_is_imported():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
