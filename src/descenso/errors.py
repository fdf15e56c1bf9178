"""The exception tree. Every error a user can cause is a :class:`DescensoError`.

Each message names the rule that was broken and the value that broke it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DescensoError(Exception):
    """Base of all errors descenso raises on purpose; the CLI prints them in one line."""


class SettingError(DescensoError, ValueError):
    """A hyperparameter is unknown, out of its range or not a number."""


class ParameterError(DescensoError, ValueError):
    """A parameter, its gradient or its optimizer state cannot be used; the message names it."""


class ParameterTypeError(ParameterError, TypeError):
    """What is given for parameters is of another type: one tensor, a set, a group that is no dict."""


class ConventionError(DescensoError, ValueError):
    """Another framework's optimizer has no exact equal here; the message says why and what is nearest."""


class UnknownNameError(DescensoError, LookupError):
    """A method, rule, problem, surface or study of that name does not exist."""


class RuleError(DescensoError, TypeError):
    """A rule file breaks the contract of a rule."""


class ProblemError(DescensoError, ValueError):
    """A problem cannot be loaded or trained as given."""


class DataError(ProblemError):
    """The data break a condition (a NaN, a single class, an empty split ...)."""


class BudgetError(DescensoError, ValueError):
    """Epochs, trials, seeds or steps are not positive whole numbers."""


class StoreError(DescensoError, OSError):
    """The store cannot be read or written."""


class ReportError(DescensoError, OSError):
    """A report, picture or table cannot be written."""


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its kind if it says nothing."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def in_a_line(error: BaseException) -> str:
    """Return an error's kind and the first line of what it says: ``ValueError: no such axis``."""
    kind, said = type(error).__name__, first_line(error)
    return kind if said == kind else f"{kind}: {said}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like ``name`` in any case, or an empty string if none is like it."""
    by_lower = {k.lower(): k for k in known}
    match = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[match[0]] if match else ""
