"""The schema that migrations make is the one that the tables say, on both databases, and the database guards the history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, LargeBinary, TableClause, Text, column, insert, table, text
from sqlalchemy.exc import DBAPIError

import engine.sharing.registry  # noqa: F401 - its import makes every table known
from engine.history import Entry, append
from engine.store.append_only import APPEND_ONLY
from engine.store.base import Base, BigId, Json, UtcDateTime
from engine.store.migrate import config, is_current, upgrade
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


def test_cases_that_run_are_marked_to_be_read_for_what_they_wait_for(empty_database_url: str) -> None:
    command.upgrade(config(empty_database_url), "0006")
    store, now = Store(empty_database_url), datetime(2026, 3, 2, tzinfo=UTC)
    cases = [{"number": state, "state": state} for state in ("running", "suspended", "completed")]
    with store.engine.begin() as connection:
        version = {"key": "k", "version": 1, "rule_set": "r", "name": "n", "digest": "d", "xml": b"", "forms": {}, "documents": {}, "deployed_at": now,
                   "deployed_by": "a", "approved_by": "b", "reason": "r", "effective_at": now, "suspended": False}
        connection.execute(insert(_table("definition", version)), version)
        common = {"definition_id": 1, "process_key": "k", "title": "t", "started_at": now, "escalated": False, "variables": {}, "saved": b"{}",
                  "revision": 1, "supervised": False, "history_seq": 0, "history_hash": "", "search": ""}
        rows = [{**common, **case} for case in cases]
        connection.execute(insert(_table("instance", rows[0])), rows)
    upgrade(empty_database_url)
    with store.read() as session:
        marked = session.execute(text("SELECT number, kind, token FROM subscription JOIN instance ON instance.id = instance_id ORDER BY number")).all()
    store.close()
    assert [tuple(row) for row in marked] == [("running", "unread", ""), ("suspended", "unread", "")]


def _table(name: str, row: dict[str, Any]) -> TableClause:
    """A table as it was then, with the columns of a row."""
    kinds: dict[type, Any] = {datetime: UtcDateTime(), dict: Json, bytes: LargeBinary(), bool: Boolean(), int: BigId, str: Text()}
    return table(name, *(column(key, kinds[type(value)]) for key, value in row.items()))
