"""The schema that migrations make is the one that the tables say, on both databases, and the database guards the history."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import engine.sharing.registry  # noqa: F401 - its import makes every table known
from engine.history import Entry, append
from engine.store.append_only import APPEND_ONLY
from engine.store.base import Base
from engine.store.migrate import is_current, upgrade
from engine.store.store import Store


def test_migrations_make_exactly_the_tables_of_the_code(database_url: str) -> None:
    store = Store(database_url)
    with store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    store.close()
    assert differences == []


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    store = Store(empty_database_url)
    assert not is_current(store.engine)
    upgrade(empty_database_url)
    upgrade(empty_database_url)
    assert is_current(store.engine)
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE history SET act = 'x'", "DELETE FROM history"])
def test_the_database_itself_refuses_to_touch_the_history(store: Store, statement: str) -> None:
    with store.work() as work:
        append(work, "system", [Entry(act="tested")])
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(text(statement))
    with store.read() as session:
        assert session.scalar(text("SELECT count(*) FROM history")) == 1
    assert "history" in APPEND_ONLY
