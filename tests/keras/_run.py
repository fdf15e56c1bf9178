"""Run every check of a suite in this process, on the backend that KERAS_BACKEND names.

Prints, as the last line, JSON that maps each check to its traceback, or to null if it passed.
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


def main(module):
    suite = importlib.import_module(f"tests.keras.{module}")
    checks = {name: value for name, value in vars(suite).items() if name.startswith("check_")}
    print(json.dumps({name: outcome(check) for name, check in checks.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
