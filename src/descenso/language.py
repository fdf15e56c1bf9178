"""Translation of every text a user reads: gettext catalogs in ``locale/``, English and Spanish."""

from __future__ import annotations

import errno
import gettext
import os
import unicodedata
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from descenso.errors import nearest

LANGUAGES = ("en", "es")
LOCALE_DIRECTORY = Path(__file__).parent / "locale"


def from_environment() -> str:
    """Return ``"es"`` where the environment asks for Spanish, else ``"en"``."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "es" if value.lower().startswith("es") else "en"
    return "en"


_current: ContextVar[str | None] = ContextVar("language", default=None)


@cache
def _catalog(language: str) -> gettext.NullTranslations:
    # English is the language of the source: a missing catalog means the text itself.
    return gettext.translation("descenso", LOCALE_DIRECTORY, [language], fallback=language == "en")


def use(language: str) -> None:
    """Choose the language of all texts from here on: ``"en"`` or ``"es"``."""
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}; got {language!r}")
    _current.set(language)


def current() -> str:
    """Return the language in use."""
    return _current.get() or from_environment()


def _(message: str) -> str:
    """Return ``message`` in the language in use."""
    return _catalog(current()).gettext(message)


def N_(message: str) -> str:  # noqa: N802 (the name that extraction tools look for)
    """Mark a message for translation and return it as it is: it is translated when shown."""
    return message


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of the message that fits ``count``, in the language in use."""
    return _catalog(current()).ngettext(singular, plural, count)


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return a sentence that offers the known name most like ``name``; nothing if none is like it."""
    close = nearest(name, known)
    return _(" Did you mean {name!r}?").format(name=prefix + close) if close else ""


_CONTROLS = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # Unicode's categories of control characters
_REASONS = {
    errno.ENOENT: N_("there is no such file or folder"),
    errno.EACCES: N_("permission denied"),
    errno.EPERM: N_("the operation is not permitted"),
    errno.EISDIR: N_("it is a folder"),
    errno.ENOTDIR: N_("a part of its path is not a folder"),
    errno.ENOSPC: N_("no space is left on the disk"),
    errno.EROFS: N_("the disk can only be read"),
    errno.EADDRINUSE: N_("the address is in use"),
    errno.ENAMETOOLONG: N_("the name is too long"),
}


def reason(error: BaseException) -> str:
    """Return why the system refused, in the language in use; what is unknown, as the system says it."""
    known = _REASONS.get(getattr(error, "errno", None) or 0)
    return _(known) if known else str(getattr(error, "strerror", None) or error)


def printable(text: str) -> str:
    """Return text without the control characters that would steer a terminal."""
    return "".join(
        sign
        if sign == "\n" or unicodedata.category(sign) not in _CONTROLS
        else "\N{REPLACEMENT CHARACTER}"
        for sign in text
    )
