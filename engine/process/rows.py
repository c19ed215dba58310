"""Small writes that are the same on SQLite and PostgreSQL: gapless numbers, rows that may already be there."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from engine.process.tables import Sequence


def next_number(session: Session, series: str) -> int:
    """The next number of a gapless series, from 1; others of the series wait until this transaction ends."""
    last = Sequence.__table__.c.last
    first = _insert(session, Sequence).values(name=series, last=1)
    counted = first.on_conflict_do_update(index_elements=["name"], set_={"last": last + 1}).returning(last)
    number: int = session.execute(counted).scalar_one()
    return number


def add_missing(session: Session, table: type[DeclarativeBase], rows: Rows[dict[str, Any]]) -> None:
    """Inserts rows and passes over those whose key is already there."""
    if rows:
        session.execute(_insert(session, table).on_conflict_do_nothing(), list(rows))


def _insert(session: Session, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT; the two dialects spell it alike."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
