"""The command line: one function per command, errors in one line, exit codes that mean something.

0 done · 1 the world refused (store, disk, data) · 2 asked for something impossible · 130 interrupted
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from descenso import language
from descenso.errors import (
    BudgetError,
    DescensoError,
    ProblemError,
    ReportError,
    RuleError,
    SettingError,
    StoreError,
    UnknownNameError,
)

_ASKED_WRONGLY = (BudgetError, RuleError, SettingError, UnknownNameError)
_THE_WORLD_REFUSED = (ProblemError, ReportError, StoreError)
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; no error leaves a traceback."""
    _choose_language(arguments)
    from descenso.cli._app import invoke

    try:
        return invoke(list(arguments))
    except DescensoError as error:
        return _complain(str(error), 2 if isinstance(error, _ASKED_WRONGLY) else 1)
    except KeyboardInterrupt:
        text = language._(
            "interrupted; what was finished is stored, and the same command goes on from there"
        )
        return _complain(text, INTERRUPTED)
    except BrokenPipeError:  # the reader of our output left: `descenso studies | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("DESCENSO_DEBUG"):
            raise
        text = language._(
            "this should not have happened: {kind}: {error} (set DESCENSO_DEBUG=1 for the details)"
        )
        first_line = (str(error).splitlines() or [""])[0]
        return _complain(text.format(kind=type(error).__name__, error=first_line), 1)


def _complain(text: str, code: int) -> int:
    one_line = " ".join(text.split())
    print(language._("descenso: error: {text}").format(text=one_line), file=sys.stderr)
    return code


def _choose_language(arguments: Sequence[str]) -> None:
    """Read ``--lang`` before anything is said, so that help and errors speak it too."""
    for i, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name != "--lang":
            continue
        chosen = value if equals else (arguments[i + 1] if i + 1 < len(arguments) else "")
        if chosen in language.LANGUAGES:
            language.use(chosen)
        return
