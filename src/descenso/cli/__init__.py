"""The command line: one function per command, errors in one line, exit codes that mean something.

0 done · 1 the world refused (store, disk, data) · 2 asked for something impossible · 130 interrupted
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from descenso import language
from descenso.cli import _interrupts
from descenso.errors import (
    BudgetError,
    DescensoError,
    RuleError,
    SettingError,
    UnknownNameError,
    first_line,
)

REFUSED, ASKED_WRONGLY, INTERRUPTED = 1, 2, 130

# Package -> the extra that brings it, where a command asks for one that is not installed.
_EXTRAS = {"keras": "keras", "matplotlib": "web", "tensorflow": "keras", "torch": "torch"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    _interrupts.deliver_safely()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # once more, while the first one was being told of
        code = INTERRUPTED
    _interrupts.ignore()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; no error leaves a traceback."""
    _ready_streams()
    try:
        _choose_language(arguments)
        code = _invoke(arguments)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of our output left: `descenso studies | head`
        code = REFUSED
    except Exception as error:
        code = _explain(error)
    if code == INTERRUPTED:  # raised, or turned into a code by the parser of the command line
        _complain(
            language._(
                "interrupted; what was finished is stored, and the same command goes on from there"
            )
        )
    return code if _flushed() else REFUSED


def _invoke(arguments: Sequence[str]) -> int:
    from descenso.cli._app import invoke

    code = invoke(list(arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        text = language._("the output cannot be written: {reason}")
        _complain(text.format(reason=language.reason(error)))
        return REFUSED
    return code


def _explain(error: Exception) -> int:
    """Say in one line what went wrong, and return the exit code that fits it."""
    if isinstance(error, DescensoError):
        _complain(str(error))
        return ASKED_WRONGLY if _was_asked_wrongly(error) else REFUSED
    if isinstance(error, OSError):
        _complain(language._("the system refused: {error}").format(error=_refusal(error)))
        return REFUSED
    if os.environ.get("DESCENSO_DEBUG"):
        raise error
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        text = language._("this needs {module}: pip install 'descenso[{extra}]'")
        _complain(text.format(module=error.name, extra=_EXTRAS[error.name]))
        return REFUSED
    text = language._(
        "this should not have happened: {kind}: {error} (set DESCENSO_DEBUG=1 for the details)"
    )
    _complain(text.format(kind=type(error).__name__, error=first_line(error)))
    return REFUSED


def _refusal(error: OSError) -> str:
    named = f"{error.filename}: " if error.filename else ""
    return named + language.reason(error)


def _was_asked_wrongly(error: DescensoError) -> bool:
    from descenso.cli._usage import UsageError

    kinds = (BudgetError, RuleError, SettingError, UnknownNameError, UsageError)
    return isinstance(error, kinds)


def _complain(text: str) -> None:
    from descenso.language import printable

    one_line = printable(" ".join(text.split()))
    print(language._("descenso: error: {text}").format(text=one_line), file=sys.stderr)


def _ready_streams() -> None:
    """Put a sink where a stream is closed, and a mark for each letter that a stream cannot show."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _flushed() -> bool:
    """Whether all output went out; what could not is let go, or Python would complain at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


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
