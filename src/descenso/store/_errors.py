"""Say in one line what is wrong with a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from descenso.errors import StoreError
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
}


@contextmanager
def as_store_errors(url: str) -> Iterator[None]:
    """Turn a database error inside the block into a :class:`StoreError` that names the store."""
    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        if isinstance(error, StoreError):
            raise
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        meaning = next((say() for part, say in _MEANINGS.items() if part in cause), cause)
        raise StoreError(_("store {url}: {meaning}").format(url=url, meaning=meaning)) from error
