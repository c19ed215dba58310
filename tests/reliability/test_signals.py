"""Workers as real processes that let cases hear signals: two at a time, and killed. Each case hears each signal exactly once."""

from __future__ import annotations

import json
import signal
from collections import Counter

from sqlalchemy import func, select

from engine.history import History
from engine.history_seal import verify
from engine.process.event_tables import Signal, SignalDelivery, Subscription
from engine.process.signals import throw_signal
from engine.process.tables import Task
from tests.engine.interpreter.diagrams import element
from tests.engine.interpreter.diagrams import signal as boundary
from tests.engine.process.office import Office
from tests.reliability.processes import Launcher

WORK = {"unit": "'B'", "post": "handler"}


def thrown(office: Office, count: int) -> list[int]:
    """So many cases, each of which opens a branch whenever it hears the signal; it was thrown twice."""
    office.deploy("start > user:a > end", boundary("a", "beside", "flood", interrupting=False), "beside > user:note > end:x",
                  element("a", **WORK), element("note", **WORK), key="listens")
    cases = [office.start(key="listens") for _ in range(count)]
    for level in (1, 2):
        throw_signal(office.store, "flood", {"level": level}, actor=office["otto"])
    return cases


def heard(office: Office) -> int:
    with office.store.read() as session:
        return session.scalar(select(func.count()).select_from(History).where(History.act == "signal")) or 0


def require_each_heard_both_once(office: Office, cases: list[int]) -> None:
    with office.store.read() as session:
        entries = Counter(session.scalars(select(History.instance_id).where(History.act == "signal")))
        steps = Counter(session.scalars(select(Task.step).where(Task.state == "open", Task.instance_id.in_(cases))))
        left = [session.scalar(select(func.count()).select_from(table)) for table in (Signal, SignalDelivery)]
        waiting = session.scalar(select(func.count()).select_from(Subscription).where(Subscription.kind == "signal"))
    assert entries == dict.fromkeys(cases, 2)
    assert steps == {"a": len(cases), "note": 2 * len(cases)} and left == [0, 0] and waiting == len(cases)
    assert office.incidents() == [] and verify(office.store).ok


def test_two_workers_let_each_case_hear_once(office: Office, launcher: Launcher) -> None:
    cases = thrown(office, 30)
    workers = [launcher.start("worker", "--once", "--json") for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0], [worker.said for worker in workers]
    counts = [json.loads(worker.said[worker.said.index("{\n"):])["signalled"] for worker in workers]
    rest = launcher.once()["signalled"]
    assert sum(counts) + rest == 2 * len(cases)
    require_each_heard_both_once(office, cases)


def test_a_worker_killed_again_and_again_loses_nothing_and_repeats_nothing(office: Office, launcher: Launcher) -> None:
    cases = thrown(office, 100)
    for _ in range(3):
        before = heard(office)
        worker = launcher.start("worker")
        worker.until(lambda: heard(office) >= before + 5, "cases hear")
        worker.signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    done = heard(office)
    assert 0 < done < 2 * len(cases), "killed in the middle of its work"
    assert launcher.once()["signalled"] == 2 * len(cases) - done
    require_each_heard_both_once(office, cases)
