"""Studies and their runs in a database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from descenso.errors import StoreError, UnknownNameError
from descenso.language import _
from descenso.records import Run
from descenso.store import encoding
from descenso.store._errors import as_store_errors, refusal
from descenso.store._migrations import knows, migrate, wait_for_turn
from descenso.store._schema import SCHEMA_VERSION, about, metadata, runs, studies

_LOCK_PATIENCE_MS = 5000
_RETRY_SECONDS = 0.02


@dataclass(frozen=True)
class StoredStudy:
    """A study as it lies in the store. ``result`` is ``None`` until it is finished."""

    identity: str
    problem: str
    started: str
    design: Mapping[str, Any]
    seconds: float
    result: Mapping[str, Any] | None
    number: int | None = None  # counts the studies of a store as they were begun


def default_url() -> str:
    """Return the store used unless told otherwise, under the platform's data directory."""
    folder = Path(platformdirs.user_data_dir("descenso"))
    return f"sqlite:///{folder / 'studies.db'}"


def _as_url(place: str | Path) -> str:
    """Return a database URL; a plain path means an SQLite file there."""
    text = str(place)
    if not text.strip():
        raise StoreError(_("a store is a database URL or a file; got {text!r}").format(text=text))
    return text if "://" in text else f"sqlite:///{Path(text).expanduser()}"


def _without_password(url: str) -> str:
    """Return the URL fit to be shown."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return url
    return parsed.render_as_string(hide_password=True) if parsed.password else url


def _sqlite_file(url: sa.URL) -> Path | None:
    """Return the file of an SQLite URL; ``None`` where the database is in memory or elsewhere."""
    in_a_file = (
        url.get_backend_name() == "sqlite"
        and url.database
        and url.database != ":memory:"
        and "uri" not in url.query
    )
    return Path(str(url.database)) if in_a_file else None


class Store:
    """Open the store at ``place``: a database URL or the path of an SQLite file.

    Parameters
    ----------
    create : whether an SQLite file is created where there is none.

    Raises
    ------
    StoreError
        If it cannot be opened, is no store, was written by a newer descenso, or is absent and not
        to be created.
    """

    def __init__(self, place: str | Path | None = None, *, create: bool = True) -> None:
        given = _as_url(default_url() if place is None else place)
        self.url = _without_password(given)
        with as_store_errors(self.url):
            if not create:
                self._check_it_exists(sa.make_url(given))
            self._engine = self._connect(sa.make_url(given))
            with self._engine.begin() as connection:
                self._check_version(connection)

    def _connect(self, url: sa.URL) -> sa.Engine:
        backend = url.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            meaning = _("descenso stores in SQLite or PostgreSQL, not in {kind}")
            raise refusal(self.url, meaning.format(kind=backend))
        if backend != "sqlite":
            return sa.create_engine(url)
        file = _sqlite_file(url)
        if file is not None:
            self._prepare_place(file)
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine

    @staticmethod
    def exists(place: str | Path | None = None) -> bool:
        """Whether there is a file of an SQLite store; of a server this is not known beforehand."""
        file = _sqlite_file(sa.make_url(_as_url(default_url() if place is None else place)))
        return file is None or file.exists()

    def _check_it_exists(self, url: sa.URL) -> None:
        file = _sqlite_file(url)
        if file is not None and not file.exists():
            raise refusal(self.url, _("there is none; `descenso compare` creates it"))

    def _prepare_place(self, file: Path) -> None:
        if file.is_dir():
            raise refusal(self.url, _("that is a directory; name a file"))
        if file.exists() and not file.is_file():
            raise refusal(self.url, _("that is a device, not a file"))
        file.parent.mkdir(parents=True, exist_ok=True)

    def _check_version(self, connection: sa.Connection) -> None:
        if not sa.inspect(connection).has_table(about.name):
            self._create_tables(connection)
        found = connection.execute(
            sa.select(about.c.value).where(about.c.key == "schema_version")
        ).scalar_one_or_none()
        if found is None or not found.isdecimal():
            meaning = _("its tables do not say which schema they follow (found {found!r})")
            raise refusal(self.url, meaning.format(found=found))
        if int(found) < SCHEMA_VERSION and not knows(int(found)):
            meaning = _("its tables do not say which schema they follow (found {found!r})")
            raise refusal(self.url, meaning.format(found=found))
        if int(found) < SCHEMA_VERSION:
            migrate(connection)
        if int(found) > SCHEMA_VERSION:
            raise StoreError(
                _(
                    "store {url}: it was written by a newer descenso (its schema is {found}, "
                    "this one knows up to {known}); upgrade descenso or choose another --store"
                ).format(url=self.url, found=found, known=SCHEMA_VERSION)
            )

    def _create_tables(self, connection: sa.Connection) -> None:
        """Create what is missing. Two processes may come here at once: one has to wait."""
        wait_for_turn(connection)
        metadata.create_all(connection)
        version = self._insert(about).values(key="schema_version", value=str(SCHEMA_VERSION))
        connection.execute(version.on_conflict_do_nothing())

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    # ---- studies ------------------------------------------------------------------------------

    def begin(self, identity: str, problem: str, started: str, design: Mapping[str, Any]) -> None:
        """Note that a study begins; one that is there already stays as it is."""
        values = {
            "identity": identity,
            "problem": problem,
            "started": started,
            "design": dict(design),
            "seconds": 0.0,
            "number": sa.select(
                sa.func.coalesce(sa.func.max(studies.c.number), 0) + 1
            ).scalar_subquery(),
        }
        with as_store_errors(self.url), self._engine.begin() as connection:
            insert = self._insert(studies).values(**values)
            connection.execute(insert.on_conflict_do_nothing())

    def finish(self, identity: str, result: Mapping[str, Any]) -> None:
        """Keep a study's result, and let go of what was kept only to go on training."""
        with as_store_errors(self.url), self._engine.begin() as connection:
            connection.execute(
                sa.update(studies).where(studies.c.identity == identity).values(result=result)
            )
            connection.execute(
                sa.update(runs).where(runs.c.study == identity).values(checkpoint=None)
            )

    def studies(self) -> list[StoredStudy]:
        """Return every study that can be read, the newest first."""
        try:
            return self._read_studies(sa.true())
        except StoreError:
            return [study for identity in self._identities() if (study := self._readable(identity))]

    def damaged(self) -> list[str]:
        """Return the identities of the studies that cannot be read."""
        readable = {study.identity for study in self.studies()}
        return [identity for identity in self._identities() if identity not in readable]

    def find(self, identity: str) -> StoredStudy | None:
        """Return the study of exactly that identity, if there is one."""
        return next(iter(self._read_studies(studies.c.identity == identity)), None)

    def _read_studies(self, which: Any) -> list[StoredStudy]:
        kept = [studies.c[field.name] for field in fields(StoredStudy)]
        newest_first = studies.c.number.desc(), studies.c.started.desc()
        with as_store_errors(self.url), self._engine.begin() as connection:
            rows = connection.execute(sa.select(*kept).where(which).order_by(*newest_first))
            return [_checked(StoredStudy(**row._mapping)) for row in rows]

    def _readable(self, identity: str) -> StoredStudy | None:
        try:
            return self.find(identity)
        except StoreError:
            return None

    def _identities(self) -> list[str]:
        newest_first = studies.c.number.desc(), studies.c.started.desc()
        with as_store_errors(self.url), self._engine.begin() as connection:
            rows = connection.execute(sa.select(studies.c.identity).order_by(*newest_first))
            return [str(row.identity) for row in rows]

    def resolve(self, text: str) -> StoredStudy:
        """Return the study whose identity begins with ``text``, or the newest for ``latest``.

        Raises
        ------
        UnknownNameError
            If no study fits, or more than one does.
        StoreError
            If the one that fits cannot be read.
        """
        identity = self.identity(text)
        found = self.find(identity)
        assert found is not None
        return found

    def identity(self, text: str) -> str:
        """Return the identity that begins with ``text``, or the newest readable for ``latest``.

        Raises
        ------
        UnknownNameError
            If no study fits, or more than one does.
        """
        everything = self._identities()
        fitting = (
            [study.identity for study in self.studies()[:1]]
            if text == "latest"
            else [identity for identity in everything if text and identity.startswith(text)]
        )
        if len(fitting) == 1:
            return fitting[0]
        if not everything:
            raise UnknownNameError(_("no study is stored in {url} yet").format(url=self.url))
        problem = _("no study") if not fitting else _("more than one study")
        raise UnknownNameError(
            _(
                "{problem} in {url} has an identity that begins with {text!r}; see `descenso studies`"
            ).format(problem=problem, url=self.url, text=text)
        )

    def delete(self, identity: str) -> None:
        """Remove a study and all its runs."""
        with as_store_errors(self.url), self._engine.begin() as connection:
            connection.execute(sa.delete(runs).where(runs.c.study == identity))
            connection.execute(sa.delete(studies).where(studies.c.identity == identity))

    # ---- runs ---------------------------------------------------------------------------------

    def save_runs(self, identity: str, advanced: Iterable[Run], seconds: float) -> None:
        """Keep a chunk of runs and the wall time it took, all or nothing."""
        rows = [
            {
                "study": identity,
                "member_key": run.member.key,
                "member": encoding.encode_member(run.member),
                "curve": encoding.encode_curve(run.curve),
                "checkpoint": encoding.encode_checkpoint(run.checkpoint),
            }
            # In one order for all: writers of the same runs then never wait for each other in a ring.
            for run in sorted(advanced, key=lambda run: run.member.key)
        ]
        insert = self._insert(runs)
        replaced = {name: insert.excluded[name] for name in ("curve", "checkpoint")}
        upsert = insert.on_conflict_do_update(index_elements=["study", "member_key"], set_=replaced)
        with as_store_errors(self.url), self._engine.begin() as connection:
            connection.execute(upsert, rows)
            connection.execute(
                sa.update(studies)
                .where(studies.c.identity == identity)
                .values(seconds=studies.c.seconds + seconds)
            )

    def runs(self, identity: str) -> list[Run]:
        """Return every run of a study."""
        with as_store_errors(self.url), self._engine.begin() as connection:
            rows = connection.execute(sa.select(runs).where(runs.c.study == identity)).all()
            return [
                Run(
                    encoding.decode_member(row.member),
                    encoding.decode_curve(row.curve),
                    encoding.decode_checkpoint(row.checkpoint),
                )
                for row in rows
            ]

    def _insert(self, table: sa.Table) -> Any:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)


def _checked(study: StoredStudy) -> StoredStudy:
    """Return the study if its columns hold what is written there."""
    design, result = study.design, study.result
    if not isinstance(design, Mapping) or not isinstance(design.get("methods"), list):
        raise ValueError(f"study {study.identity}: design")
    if not isinstance(study.problem, str) or not isinstance(study.started, str):
        raise TypeError(f"study {study.identity}: problem")
    float(study.seconds)
    if result is not None and not isinstance(result, Mapping):
        raise TypeError(f"study {study.identity}: result")
    return study


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Write-ahead logging lets readers read while a study writes, and survives a killed writer."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_LOCK_PATIENCE_MS}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Turn on write-ahead logging; SQLite itself does not wait when another process is at it."""
    deadline = time.monotonic() + _LOCK_PATIENCE_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
