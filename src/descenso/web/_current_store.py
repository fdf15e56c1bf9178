"""The store a server reads: opened for each answer, so that none is of a file that is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from descenso.errors import StoreError
from descenso.language import _
from descenso.store import Store

_Mark = tuple[int, ...] | None


class CurrentStore:
    """Opens the store at ``place`` for as long as one answer takes.

    A database kept open would go on reading a file that was deleted or replaced, and what it had
    not yet written down would end in the file that took its place.

    Attributes
    ----------
    changes : how often another file has taken the place of the one before.

    Raises
    ------
    StoreError
        If the store cannot be opened.
    """

    def __init__(self, place: str | None) -> None:
        self._place = place
        self._lock = threading.Lock()
        store = Store(place)
        database = sa.make_url(store.url).database
        in_a_file = store.url.startswith("sqlite") and database not in (None, "", ":memory:")
        self._file = Path(str(database)) if in_a_file else None
        self._kept = None if in_a_file else store
        if in_a_file:
            store.close()
        self._mark = self._read_mark()
        self.changes = 0

    @contextmanager
    def open(self) -> Iterator[Store]:
        """Lend the store as it is now.

        Raises
        ------
        StoreError
            If its file is gone, or what lies there is no store.
        """
        if self._kept is not None:
            yield self._kept
            return
        mark = self._read_mark()
        if mark is None:
            raise StoreError(
                _(
                    "the store {file} is gone: it was moved or deleted while the server ran; put it "
                    "back, or start the server again for an empty one"
                ).format(file=self._file)
            )
        with self._lock:
            self.changes += mark != self._mark
            self._mark = mark
        store = Store(self._place)
        try:
            yield store
        finally:
            store.close()

    def _read_mark(self) -> _Mark:
        """Return what tells one file from another; ``None`` where there is none."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """Give back every connection."""
        if self._kept is not None:
            self._kept.close()
