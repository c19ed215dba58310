"""Workers as real processes that move cases to another version: two at a time, and killed. Each case moves exactly once."""

from __future__ import annotations

import json
import signal
from collections import Counter

from sqlalchemy import func, select

from engine.history import History
from engine.history_seal import verify
from engine.process.tables import Instance, Task
from engine.process.workshop.migrating.commands import plan_migration, start_migration
from engine.process.workshop.tables import Migration, MigrationItem
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office
from tests.reliability.processes import Launcher

WORK = {"unit": "'B'", "post": "handler"}


def started(office: Office, count: int) -> tuple[int, list[int], int]:
    """A migration of so many cases that waits for a worker: its id, the cases, the version to which they go."""
    before = office.deploy("start > user:a > user:b > end", element("a", **WORK), element("b", **WORK), key="line")
    cases = [office.start(key="line") for _ in range(count)]
    after = office.deploy("start > user:first > user:b > end", element("first", **WORK), element("b", **WORK), key="line", at="2024-01-01")
    migration = plan_migration(
        office.store, actor=office["petra"], from_id=before, to_id=after, chosen={"a": "first"}, reason="改名"
    )
    start_migration(office.store, migration, actor=office["paul"])
    return migration, cases, after


def moved(office: Office) -> int:
    with office.store.read() as session:
        return session.scalar(select(func.count()).select_from(MigrationItem).where(MigrationItem.state == "moved")) or 0


def require_each_moved_once(office: Office, migration: int, cases: list[int], after: int) -> None:
    """One entry in the record of each case, one open task at the new step, the numbers right, the chain whole."""
    with office.store.read() as session:
        entries = Counter(session.scalars(select(History.instance_id).where(History.act == "migrated")))
        versions = Counter(session.scalars(select(Instance.definition_id).where(Instance.id.in_(cases))))
        steps = Counter(session.scalars(select(Task.step).where(Task.state == "open")))
        row = session.get_one(Migration, migration)
        ends = session.scalar(select(func.count()).select_from(History).where(History.act == "migration_done"))
    assert entries == dict.fromkeys(cases, 1)
    assert versions == {after: len(cases)} and steps == {"first": len(cases)}
    assert (row.state, row.total, row.moved, row.stayed, ends) == ("done", len(cases), len(cases), 0, 1)
    assert verify(office.store).ok


def test_two_workers_move_each_case_once(office: Office, launcher: Launcher) -> None:
    migration, cases, after = started(office, 60)
    workers = [launcher.start("worker", "--once", "--json") for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0], [worker.said for worker in workers]
    counts = [json.loads(worker.said[worker.said.index("{\n"):])["migrated"] for worker in workers]
    assert sum(counts) == len(cases)
    launcher.once()
    require_each_moved_once(office, migration, cases, after)


def test_a_worker_killed_again_and_again_loses_no_case_and_moves_none_twice(office: Office, launcher: Launcher) -> None:
    migration, cases, after = started(office, 200)
    for _ in range(3):
        before = moved(office)
        worker = launcher.start("worker")
        worker.until(lambda: moved(office) >= before + 5, "it moves cases")
        worker.signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    assert 0 < moved(office) < len(cases), "killed in the middle of its work"
    left = len(cases) - moved(office)
    assert launcher.once()["migrated"] == left
    require_each_moved_once(office, migration, cases, after)
