"""A publication whose worker is killed halfway, and two workers at once: every deadline moves once, and everybody gets one digest."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from calendars.deadline import shanghai_day
from calendars.reading import Reading
from engine.history import History
from engine.history_seal import verify
from engine.process.calendar_tables import Recount, RecountMove
from engine.process.tables import Notice, Timer
from engine.process.timekeeping.publishing import confirm_notice, propose_notice
from engine.store.clock import MovableClock, WallClock
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office
from tests.reliability.conftest import office_on
from tests.reliability.processes import Launcher

CASES = 500


@pytest.fixture
def published(database_url: str) -> Iterator[Office]:
    """An office of today with many open limits of a year and more, and a closure just published that moves all of them."""
    office = office_on(database_url, MovableClock(WallClock().now()))
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="300"), key="long")
    for _ in range(CASES):
        office.start(key="long")
    today = shanghai_day(office.clock.now())
    closed = next(day for ahead in range(60, 75) if (day := today + timedelta(days=ahead)).weekday() == 2)
    order = Reading("辽市政办发〔2026〕8号", closed.year, today, today, add_off=(closed,))
    proposal = propose_notice(office.store, order, actor=office["petra"], calendar="city")
    confirm_notice(office.store, proposal, actor=office["paul"])
    yield office
    office.store.close()


def moved(office: Office) -> int:
    with office.store.read() as session:
        return session.scalar(select(func.count()).select_from(RecountMove)) or 0


def require_each_moved_once(office: Office, before: dict[int, date | None]) -> None:
    with office.store.read() as session:
        entries = session.execute(select(History.instance_id, func.count()).where(History.act == "redated").group_by(History.instance_id)).all()
        assert sorted(count for _, count in entries) == [1] * CASES
        after = deadlines(office)
        assert all(after[timer] != day for timer, day in before.items()) and after.keys() == before.keys()
        run = session.scalars(select(Recount)).one()
        assert (run.state, run.moved, run.looked_at, run.told) == ("done", CASES, CASES, 2)
        digests = session.scalars(select(Notice.title).where(Notice.title.like("日历更新：%"))).all()
        assert digests == [f"日历更新：{CASES}项待办的截止日有变化"] * 2
    assert verify(office.store).ok


def deadlines(office: Office) -> dict[int, date | None]:
    with office.store.read() as session:
        rows = session.execute(select(Timer.id, Timer.last_day).where(Timer.role == "deadline", Timer.state == "waiting"))
        return {timer_id: day for timer_id, day in rows}


def test_a_worker_killed_in_the_middle_loses_nothing_and_moves_nothing_twice(published: Office, launcher: Launcher) -> None:
    before = deadlines(published)
    worker = launcher.start("worker", "--once")
    worker.until(lambda: moved(published) > 0, "it moves the first page")
    worker.signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    assert 0 < moved(published) < CASES, "killed in the middle of its work"
    launcher.once()
    require_each_moved_once(published, before)


def test_two_workers_share_the_work(published: Office, launcher: Launcher) -> None:
    before = deadlines(published)
    workers = [launcher.start("worker", "--once") for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0], [worker.said for worker in workers]
    launcher.once()
    require_each_moved_once(published, before)
