"""Say in one line what is wrong with a store."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from descenso.errors import StoreError, first_line
from descenso.language import _

# Part of the database's message -> what it means for the user. N_-style: translated when raised.
_MEANINGS: dict[str, Callable[[], str]] = {
    "database is locked": lambda: _("another process holds it locked"),
    "readonly database": lambda: _("it is read-only"),
    "disk is full": lambda: _("the disk is full; what was stored before is safe"),
    "disk I/O error": lambda: _("the disk does not answer (input/output error)"),
    "unable to open database": lambda: _("it cannot be opened or created there"),
    "file is not a database": lambda: _("that file is not a database"),
    "malformed": lambda: _("that database is damaged"),
    "no such table": lambda: _("its tables are not those of descenso"),
    "no such column": lambda: _("its tables are not those of descenso"),
    "FOREIGN KEY constraint": lambda: _("the study was removed while it ran (--fresh elsewhere?)"),
    "Can't load plugin": lambda: _("that kind of database is not known"),
    "Could not parse": lambda: _("that is neither a database URL nor a file"),
    "Not a directory": lambda: _("its folder is not a directory"),
}

# What the decoders raise when a row does not hold what was written there.
_UNREADABLE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def as_store_errors(url: str) -> Iterator[None]:
    """Turn a database error inside the block into a :class:`StoreError` that names the store."""
    try:
        yield
    except StoreError:
        raise
    except ModuleNotFoundError as error:
        name = "'descenso[postgres]'" if error.name == "psycopg" else error.name
        meaning = _("its driver is not installed (pip install {name})").format(name=name)
        raise refusal(url, meaning) from error
    except (exc.SQLAlchemyError, OSError) as error:
        raise refusal(url, _meaning(error)) from error
    except _UNREADABLE as error:
        meaning = _("what is stored cannot be read ({kind}: {error}); the database is damaged")
        raise refusal(url, meaning.format(kind=type(error).__name__, error=error)) from error


def refusal(url: str, meaning: str) -> StoreError:
    """Return the error that says what is wrong with the store at ``url``."""
    return StoreError(_("store {url}: {meaning}").format(url=url, meaning=meaning))


def _meaning(error: Exception) -> str:
    cause = first_line(getattr(error, "orig", None) or error)
    return next((say() for part, say in _MEANINGS.items() if part in cause), cause)
