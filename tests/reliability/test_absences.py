"""A leave whose worker is killed while it moves tasks: every task changes hands once, and the substitute is told once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from engine.history import History
from engine.history_seal import verify
from engine.people.tables import Absence
from engine.process.desk.standing_in import take_leave
from engine.process.tables import Notice, Task
from engine.store.clock import MovableClock, WallClock
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office
from tests.reliability.conftest import office_on
from tests.reliability.processes import Launcher

TASKS = 300


@pytest.fixture
def leaving(database_url: str) -> Iterator[Office]:
    """An office in which Anna has many tasks in hand and goes on leave this very minute, with Ben for her."""
    office = office_on(database_url, MovableClock(WallClock().now()))
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'A'", post="handler"))
    for _ in range(TASKS):
        office.start()
    with office.store.work() as work:
        work.session.execute(update(Task).values(assignee_id=office["anna"].account_id))
    take_leave(
        office.store, office["anna"].account_id, actor=office["anna"], starts_at=office.clock.now(), ends_at=office.clock.now() + timedelta(hours=9),
        reason="年休假", take_open=True, substitutes={(office.units["A"], "handler"): office["ben"].account_id},
    )  # fmt: skip
    yield office
    office.store.close()


def with_ben(office: Office) -> int:
    with office.store.read() as session:
        return session.scalar(select(func.count()).where(Task.assignee_id == office["ben"].account_id, Task.for_id == office["anna"].account_id)) or 0


def test_a_worker_killed_while_it_moves_tasks_moves_none_twice_and_loses_none(leaving: Office, launcher: Launcher) -> None:
    worker = launcher.start("worker", "--once")
    worker.until(lambda: with_ben(leaving) > 0, "it moves the first tasks")
    worker.signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    assert 0 < with_ben(leaving) < TASKS, "killed in the middle of its work"
    with leaving.store.read() as session:
        assert session.scalars(select(Absence.state)).one() == "planned"
    launcher.once()
    assert with_ben(leaving) == TASKS
    with leaving.store.read() as session:
        assert session.scalars(select(Absence.state)).one() == "running"
        entries = session.execute(select(History.instance_id, func.count()).where(History.act == "stand_in").group_by(History.instance_id)).all()
        assert [count for _, count in entries] == [1] * TASKS
        told = session.scalars(select(Notice.text).where(Notice.account_id == leaving["ben"].account_id)).all()
    assert len(told) == 1 and f"已有{TASKS}件待办转到您名下" in told[0]
    assert verify(leaving.store).ok
