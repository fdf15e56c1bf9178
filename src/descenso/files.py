"""Write a file whole or not at all, and find out beforehand whether it can be written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from descenso.errors import ReportError
from descenso.language import _
from descenso.language import reason as reason_of

_DEVICES = Path("/dev")


def write_whole(path: str | Path, content: str | bytes) -> Path:
    """Write ``content``, a text in UTF-8, to ``path`` in one move, and return where it lies.

    Whoever reads the file sees the old one or the new one, never half of one. A device or a pipe
    cannot be replaced and is written to as it is.

    Raises
    ------
    ReportError
        If it cannot be written; a file that was there before is left as it was.
    """
    target = Path(path).expanduser()
    written = content.encode() if isinstance(content, str) else content
    try:
        if _is_stream(target):
            with target.open("wb") as stream:
                stream.write(written)
        else:
            _replace(Path(os.path.realpath(target)), written)
    except OSError as error:
        raise unwritable(target, reason_of(error)) from error
    return target


def check_writable(path: str | Path) -> None:
    """Try whether a file could be written at ``path``, and leave no trace.

    Raises
    ------
    ReportError
        If it could not.
    """
    target = Path(path).expanduser()
    if not str(path).strip():
        raise ReportError(_("a file to write needs a name; got {path!r}").format(path=str(path)))
    if target.is_dir():
        raise unwritable(target, _("it is a directory"))
    if target.exists() and not os.access(target, os.W_OK):
        raise unwritable(target, _("it is read-only"))
    if _is_stream(target):
        return
    try:
        with tempfile.TemporaryFile(dir=os.path.realpath(target.parent)):
            pass
    except OSError as error:
        raise unwritable(target, reason_of(error)) from error


def _is_stream(target: Path) -> bool:
    return target.exists() and (not target.is_file() or target.parent == _DEVICES)


def unwritable(target: str | Path, reason: str) -> ReportError:
    """Return the error that says why a file cannot be written."""
    return ReportError(_("{path} cannot be written: {reason}").format(path=target, reason=reason))


def _replace(target: Path, content: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(0, _("it is a directory"))
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
