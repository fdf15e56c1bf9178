"""optax's own tests pass with descenso's optimizers in place of its own, but for what is listed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# By the beginning of a test's name: why it may fail.
REFUSED = {
    "_src.alias_test.AliasTest.test_explicit_dtype": "it asks for arrays mu and trace; here m and v",
    "transforms._masking_test.MaskedTest.test_masked_state_structure": "it looks for optax's trace",
    "tree_utils._state_utils_test.StateUtilsTest.test_adam": "it compares with optax's own state",
    "tree_utils._state_utils_test.StateUtilsTest.test_inject_hparams": "it looks for optax's mu",
    "tree_utils._state_utils_test.StateUtilsTest.test_map_non_params_to_none": "optax's own state",
    "contrib._schedule_free_test.ScheduleFreeTest.test_schedule_free_adamw":
        "optax's step by another order of operations, 1e-5 apart after five steps at a rate of 1",
    # optax's own fail too, on the text of a message of JAX.
    "transforms._freezing_test.FreezeTest.test_bad_structure_raises": "the text of JAX's message",
    "transforms._freezing_test.SelectiveTransformTest.test_selective_bad_structure": "the same",
}  # fmt: skip


@pytest.mark.slow
def test_what_fails_of_the_tests_of_optax_is_what_is_listed():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.jax._swapped"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    failed = {name: text for name, text in found.items() if text}
    unlisted = {n: t for n, t in failed.items() if not n.startswith(tuple(REFUSED))}
    assert not unlisted, "\n".join(unlisted.values())
    assert len(found) > 200
    stale = [name for name in REFUSED if not any(n.startswith(name) for n in failed)]
    assert not stale, stale
