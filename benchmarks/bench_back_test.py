"""A back-test of a thousand past cases: what the replay costs beside reading their records, and how much of it is written.

A few of the demo town's stories are lived through the engine and their rows copied, for this benchmark only. So every case
has what a real one has: its answers, its timers that fired, its children.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from benchmarks.ground import SHARE, Ground, Statements
from benchmarks.report import Table
from engine.demo.half_year import live_half_year, script
from engine.history import History
from engine.people.accounts import holders
from engine.people.actor import Actor, load_actor
from engine.people.units import unit_id_of
from engine.process.definitions import in_force
from engine.process.tables import Instance, Task, Timer
from engine.process.workshop.back_testing.commands import case_ids, order_back_test, run_back_tests
from engine.process.workshop.back_testing.record import read_records
from engine.process.workshop.back_testing.sheets import back_test_sheet
from engine.process.workshop.drafts import save_draft, start_draft
from engine.store.clock import MovableClock, shanghai

SINCE, UNTIL = shanghai("2026-01-01"), shanghai("2026-11-23 10:30")
#: Stories of the main process that are lived; each gives as many copies as are needed.
LIVED = 20


def run(ground: Ground, clock: MovableClock, cases: int, lived: int = LIVED) -> list[Table]:
    """Figures of one database."""
    stories = [story for story in script()["stories"] if story.get("process", SHARE) == SHARE][:lived]
    live_half_year(ground.store, clock, UNTIL, stories)
    count = copy_cases(ground, cases)
    clock.to("2026-11-23 10:31")
    table = Table(
        f"Back-test of {count:,} past cases, {ground.kind}", ("", "seconds", "cases a second", "statements a case"),
        "One worker. What is replayed against the version that the cases ran on differs in nothing; with the limit of the reply "
        "halved every case has findings, which are written.",
    )  # fmt: skip
    with Statements(ground.store) as statements:
        before = time.perf_counter()
        _read_all(ground)
        _add(table, "read the records", time.perf_counter() - before, count, statements.count)
    for name, change in (("the version that they ran on", {}), ("the reply's limit halved", {'workingDays="10"': 'workingDays="5"'})):
        test = _order(ground, change)
        with Statements(ground.store) as statements:
            before = time.perf_counter()
            replayed = run_back_tests(ground.store)
            seconds = time.perf_counter() - before
        assert replayed == count
        with ground.store.read() as session:
            found = back_test_sheet(session, _admin(ground), test)
        assert found.state == "done" and (found.cases > 0) == bool(change)
        _add(table, f"back-test: {name}", seconds, count, statements.count)
    return [table]


def _add(table: Table, name: str, seconds: float, count: int, statements: int) -> None:
    table.add(name, f"{seconds:.1f}", f"{count / seconds:,.0f}", f"{statements / count:.2f}")


def _read_all(ground: Ground) -> None:
    last = 0
    while True:
        with ground.store.read() as session:
            ids = case_ids(session, SHARE, SINCE, UNTIL, after=last)
            if not ids:
                return
            last = read_records(session, ids, UNTIL)[-1].instance_id


def _admin(ground: Ground) -> Actor:
    with ground.store.read() as session:
        (first, *_) = holders(session, unit_id_of(session, "024"), "process_admin")
        actor = load_actor(session, first.account_id)
    assert actor is not None
    return actor


def _order(ground: Ground, change: Mapping[str, str]) -> int:
    admin = _admin(ground)
    with ground.store.read() as session:
        version = in_force(session, SHARE, ground.store.clock.now())
    draft = start_draft(ground.store, actor=admin, definition_id=version.id)
    xml = version.diagram.xml.decode()
    for old, new in change.items():
        assert old in xml
        xml = xml.replace(old, new)
    if change:
        save_draft(ground.store, draft, actor=admin, revision=1, xml=xml.encode())
    return order_back_test(ground.store, draft, actor=admin, received_from=SINCE, received_until=UNTIL)


# -- many cases out of few ------------------------------------------------------------------------


def copy_cases(ground: Ground, cases: int) -> int:
    """Copies the lived cases with their children until there are so many; returns how many there are."""
    with ground.store.work() as work:
        session = work.session
        originals = [dict(row) for row in session.execute(select(*Instance.__table__.c).order_by(Instance.id)).mappings()]
        rows = {table: [dict(row) for row in session.execute(select(*table.c)).mappings()] for table in _TABLES}
        mine = [case for case in originals if case["process_key"] == SHARE]
        count = len(mine)
        while count < cases:
            for case in mine[: cases - count]:
                _copy(session, case, [child for child in originals if child["parent_id"] == case["id"]], rows)
            count += len(mine[: cases - count])
        return count


_TABLES = (Task.__table__, Timer.__table__, History.__table__)


def _copy(session: Session, case: Mapping[str, Any], children: list[dict[str, Any]], rows: Mapping[Any, list[dict[str, Any]]]) -> None:
    instance = Instance.__table__
    top = session.scalar(select(func.max(instance.c.id))) or 0
    ids = {one["id"]: top + place for place, one in enumerate((case, *children), 1)}
    made = [
        {**one, "id": ids[one["id"]], "number": f"{one['number']}·{ids[one['id']]}", "parent_id": ids.get(one["parent_id"]),
         "source_id": ids.get(one["source_id"])}
        for one in (case, *children)
    ]  # fmt: skip
    session.execute(insert(instance), made)
    tasks: dict[int, int] = {}
    for table in _TABLES:
        own = [row for row in rows[table] if row["instance_id"] in ids]
        first = (session.scalar(select(func.max(table.c.id))) or 0) + 1
        copies = [{**row, "id": first + place, "instance_id": ids[row["instance_id"]]} for place, row in enumerate(own)]
        if table is Task.__table__:
            tasks = {row["id"]: copy["id"] for row, copy in zip(own, copies, strict=True)}
        if table is History.__table__:
            for copy in copies:
                del copy["id"]  # PostgreSQL counts on by itself, and goes on counting afterwards
                copy["stream"] = f"instance:{copy['instance_id']}"
                copy["data"] = _pointed(copy["data"], tasks, ids)
        if copies:
            session.execute(insert(table), copies)


def _pointed(data: Mapping[str, Any], tasks: Mapping[int, int], cases: Mapping[int, int]) -> dict[str, Any]:
    """An entry's data with the rows that it names replaced by their copies."""
    changed = {**data}
    if "task" in data:
        changed["task"] = tasks.get(data["task"], data["task"])
    if "child" in data:
        changed["child"] = cases.get(data["child"], data["child"])
    return changed
