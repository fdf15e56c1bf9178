"""What an error is to the one who asked: a line of words and an HTTP status."""

from __future__ import annotations

import logging

from descenso.errors import DescensoError, StoreError, UnknownNameError
from descenso.language import _
from descenso.web._calculator import BusyError

_log = logging.getLogger("descenso.web")


def explain(error: BaseException) -> str:
    """Return an error in one line."""
    if isinstance(error, DescensoError):
        return " ".join(str(error).split())
    return _("this should not have happened; the terminal of `descenso serve` shows what did")


def status_of(error: BaseException) -> int:
    """Return the status of the answer; an error that no user can cause is logged."""
    if isinstance(error, UnknownNameError):
        return 404
    if isinstance(error, StoreError | BusyError):
        return 503
    if isinstance(error, DescensoError):
        return 400
    _log.error("a request failed", exc_info=error)
    return 500
