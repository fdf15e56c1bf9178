"""Bring a store that an older descenso wrote to the tables of this one, step by step."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from descenso.store._schema import SCHEMA_VERSION, about


def _number_the_studies(connection: sa.Connection) -> None:
    """1 → 2: studies are ordered by a number, so that a clock that jumps changes nothing."""
    connection.exec_driver_sql("ALTER TABLE descenso_studies ADD COLUMN number INTEGER")
    ordered = connection.exec_driver_sql(
        "SELECT identity FROM descenso_studies ORDER BY started, identity"
    ).scalars()
    for number, identity in enumerate(ordered.all(), start=1):
        connection.execute(
            sa.text("UPDATE descenso_studies SET number = :number WHERE identity = :identity"),
            {"number": number, "identity": identity},
        )


def _add_arrangements(connection: sa.Connection) -> None:
    """2 → 3: a column that sizes have since made needless; it stays, for version 3 has it."""
    connection.exec_driver_sql("ALTER TABLE descenso_studies ADD COLUMN arrangements JSON")


#: Version that a store is at → what brings it to the next.
_STEPS: dict[int, Callable[[sa.Connection], None]] = {
    1: _number_the_studies,
    2: _add_arrangements,
}


#: Of PostgreSQL's advisory locks, the one of those who make or change descenso's tables.
_TURN = int.from_bytes(b"descenso", "big")


def wait_for_turn(connection: sa.Connection) -> None:
    """Let one process at a time make or change tables, until its transaction ends.

    No table can be locked for that: it may not be there yet, and of two processes that have read
    it and both want it alone, PostgreSQL ends one.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))


def knows(version: int) -> bool:
    """Whether a store at that version can be brought to this one's."""
    return version in _STEPS


def migrate(connection: sa.Connection) -> None:
    """Bring the store to this version, all or nothing. Of two processes, one waits and finds it done."""
    wait_for_turn(connection)
    found = sa.select(about.c.value).where(about.c.key == "schema_version")
    version = int(connection.execute(found).scalar_one())
    while version < SCHEMA_VERSION:
        _STEPS[version](connection)
        version += 1
    connection.execute(
        sa.update(about).where(about.c.key == "schema_version").values(value=str(version))
    )
