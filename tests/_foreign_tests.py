"""Run unit tests that another library installs."""

import unittest


def outcomes(modules, wanted, prefix):
    """Return what went wrong in each wanted test of ``modules``: its traceback, None if it passed.

    Names lose ``prefix``; skipped tests are left out. A test fails where one of its subtests does.
    """
    loaded = map(unittest.defaultTestLoader.loadTestsFromModule, modules)
    cases = [case for suite in loaded for case in _flat(suite) if wanted(case)]
    result = unittest.TestResult()
    for case in cases:
        case.run(result)
    wrong = {case.id(): text for case, text in [*result.failures, *result.errors]}
    skipped = {case.id() for case, _why in result.skipped}
    return {
        name.removeprefix(prefix): wrong.get(name, _of_subtest(name, wrong))
        for name in (case.id() for case in cases)
        if name not in skipped
    }


def _of_subtest(name, wrong):
    return next((text for part, text in wrong.items() if part.startswith(f"{name} ")), None)


def _flat(suite):
    for case in suite:
        if isinstance(case, unittest.TestSuite):
            yield from _flat(case)
        else:
            yield case
