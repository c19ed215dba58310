"""Small writes that are the same on SQLite and PostgreSQL: gapless numbers, rows that may already be there."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from engine.process.tables import Sequence


def next_number(session: Session, series: str) -> int:
    """The next number of a gapless series, from 1; others of the series wait until this transaction ends."""
    number: int = session.execute(_counting(_dialect(session)), {"series": series}).scalar_one()
    return number


def add_missing(session: Session, table: type[DeclarativeBase], rows: Rows[dict[str, Any]]) -> None:
    """Inserts rows and passes over those whose key is already there."""
    if rows:
        session.execute(_adding(_dialect(session), table), list(rows))


# Statements are built once: that takes longer than the database does to carry one out.


@cache
def _counting(dialect: str) -> Executable:
    last = Sequence.__table__.c.last
    first = _insert(dialect, Sequence).values(name=bindparam("series"), last=1)
    return first.on_conflict_do_update(index_elements=["name"], set_={"last": last + 1}).returning(last)


@cache
def _adding(dialect: str, table: type[DeclarativeBase]) -> Executable:
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT; the two dialects spell it alike."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table.__table__)  # type: ignore[arg-type]


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name
