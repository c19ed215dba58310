"""The unit of work: what is read changes nothing, what is written is kept or undone as a whole."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from engine.people.tables import Unit
from engine.store.clock import MovableClock
from engine.store.store import Store

NEW = insert(Unit).values(code="900", name="新单位", short="新单位", kind="", area="", active=True)


def codes(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(Unit.code)))


def test_who_only_reads_changes_nothing(store: Store) -> None:
    with store.read() as session, suppress(DBAPIError):
        session.execute(NEW)
    assert codes(store) == []


def test_a_reader_sees_what_was_committed_a_moment_ago(store: Store) -> None:
    assert codes(store) == []
    with store.work() as work:
        work.session.execute(NEW)
        assert codes(store) == []
    assert codes(store) == ["900"]


def test_a_command_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.work() as work:
        work.session.execute(NEW)
        raise RuntimeError
    assert codes(store) == []


def test_a_rehearsal_sees_the_real_rows_and_leaves_nothing(store: Store, clock: MovableClock) -> None:
    store.cache["known"] = 1
    later = clock.now() + timedelta(hours=5)
    with store.rehearsal(later) as work:
        assert (work.now, work.session.info["store"].clock.now()) == (later, later)
        work.session.execute(NEW)
        assert list(work.session.scalars(select(Unit.code))) == ["900"]
        work.session.info["store"].cache["tried"] = 2
        with pytest.raises(RuntimeError), work.session.info["store"].work():
            raise AssertionError("no transaction of its own")
    assert codes(store) == []
    assert store.cache == {"known": 1} and store.clock.now() < later


def test_a_rehearsal_that_fails_lets_go_of_everything(store: Store, clock: MovableClock) -> None:
    with pytest.raises(ZeroDivisionError), store.rehearsal(clock.now()) as work:
        work.session.execute(NEW)
        raise ZeroDivisionError
    with store.work() as work:
        work.session.execute(NEW)
    assert codes(store) == ["900"]
