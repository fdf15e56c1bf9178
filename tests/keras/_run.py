"""Run every check of some suites in this process, on the backend that KERAS_BACKEND names.

Prints, as the last line, JSON that maps each suite to its checks, and each check to its traceback,
or to null if it passed.
"""

import importlib
import json
import sys
import traceback

import pytest


def outcome(check):
    try:
        check()
    except (Exception, pytest.fail.Exception):
        return traceback.format_exc(limit=-6)
    return None


def outcomes(module):
    """Return what became of each check of a suite."""
    checks = dict(vars(importlib.import_module(module)))  # a check may add names to its module
    return {name: outcome(check) for name, check in checks.items() if name.startswith("check_")}


def main(suites):
    print(json.dumps({suite: outcomes(f"tests.keras.{suite}") for suite in suites}))


if __name__ == "__main__":
    main(sys.argv[1:])
