"""The tables of a store."""

from __future__ import annotations

import sqlalchemy as sa

#: Raised by one whenever the tables change; a store with a higher number is refused, and one with
#: a lower number is brought to this one when it is opened.
SCHEMA_VERSION = 3

metadata = sa.MetaData()

about = sa.Table(
    "descenso_about",
    metadata,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)

studies = sa.Table(
    "descenso_studies",
    metadata,
    sa.Column("identity", sa.String(64), primary_key=True),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("started", sa.String(40), nullable=False),  # ISO 8601, UTC
    sa.Column("design", sa.JSON, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
    sa.Column("result", sa.JSON, nullable=True),  # null until the study is finished
    sa.Column("number", sa.Integer, nullable=True),  # counts the studies as they were begun
    sa.Column("arrangements", sa.JSON, nullable=True),  # unread; an earlier version 3 asks for it
)

runs = sa.Table(
    "descenso_runs",
    metadata,
    sa.Column(
        "study",
        sa.String(64),
        sa.ForeignKey("descenso_studies.identity", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("member_key", sa.String(64), primary_key=True),
    sa.Column("member", sa.JSON, nullable=False),
    sa.Column("curve", sa.JSON, nullable=False),
    sa.Column("checkpoint", sa.LargeBinary, nullable=True),
)
