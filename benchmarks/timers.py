"""Firing due timers, beside durable transactions: reminders, deadlines of the diagram, and supervision cases that start.

One case of each kind is made by the engine and then copied with its rows in bulk, for this benchmark only. Then the
clock is moved and one worker fires what is due, one transaction each, as after an outage.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import String, cast, func, insert, literal, select, update

from benchmarks.floors import durable_transaction
from benchmarks.ground import Ground, Statements, analyze
from benchmarks.report import Table
from engine.process.tables import Instance, Party, Task, Timer
from engine.process.timers import fire_due
from engine.store.clock import MovableClock

#: Of how many the transactions of the floor are measured between two kinds of timers.
_FLOOR = 500


def run(ground: Ground, clock: MovableClock, count: int) -> list[Table]:
    """Figures of one database; `count` timers of the cheap kinds, a tenth as many supervision cases."""
    table = Table(
        f"Firing due timers, {ground.kind}", ("", "timers", "a second", "CPU ms each", "statements each", "floor: transactions a second"),
        "One worker, one transaction each; CPU of the worker alone. The floor is measured right before.",
    )  # fmt: skip
    kinds: list[tuple[str, Callable[[], int], int, str]] = [
        ("escalation of a limit: a notice to a post", ground.start_share, count // 2, "escalation"),
        ("interrupting deadline of the diagram", ground.start_review, count // 2, "deadline"),
        ("missed limit that starts a supervision case", ground.start_share, count // 20, "deadline"),
    ]
    with durable_transaction(ground.url) as transaction:
        for name, start, copies, role in kinds:
            case = start()
            copy_case(ground, case, copies - 1)
            clock.to(_only(ground, case, role))
            floor = _per_second(lambda: [transaction() for _ in range(_FLOOR)], _FLOOR)
            with Statements(ground.store) as statements:
                cpu, before = time.process_time(), time.perf_counter()
                fired = fire_due(ground.store, most=count * 2)
                seconds, cpu = time.perf_counter() - before, time.process_time() - cpu
            assert fired == copies, f"{fired} of {copies} fired"
            table.add(name, f"{fired:,}", f"{fired / seconds:,.0f}", f"{cpu / fired * 1000:.2f}", f"{statements.count / fired:.1f}", f"{floor:,.0f}")
    return [table]


def _per_second(act: Callable[[], object], times: int) -> float:
    before = time.perf_counter()
    act()
    return times / (time.perf_counter() - before)


def copy_case(ground: Ground, instance_id: int, copies: int) -> None:
    """Copies a case with its tasks, timers and parties."""
    with ground.store.work() as work:
        last = work.session.scalar(select(func.max(Instance.id))) or 0
        numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < copies))
        for model, key in ((Instance, "id"), (Task, "instance_id"), (Timer, "instance_id"), (Party, "instance_id")):
            rows = model.__table__
            changed = {key: last + numbers.c.n, "number": rows.c.get("number", literal("")) + "-" + cast(numbers.c.n, String)}
            names = [column.name for column in rows.columns if column.name != "id" or key == "id"]
            copied = select(*(changed.get(name, rows.c[name]) for name in names)).join_from(rows, numbers, literal(True))
            work.session.execute(insert(model).from_select(names, copied.where(rows.c[key] == instance_id)))
        if ground.kind == "postgresql":
            work.session.execute(select(func.setval(func.pg_get_serial_sequence("instance", "id"), last + copies)))
    analyze(ground)


def _only(ground: Ground, instance_id: int, role: str) -> datetime:
    """Lets nothing but the timers of a role wait in the case and its copies; returns when they are due."""
    with ground.store.work() as work:
        waiting = Timer.state == "waiting"
        work.session.execute(update(Timer).where(waiting, Timer.instance_id < instance_id).values(state="cancelled"))
        work.session.execute(update(Timer).where(waiting, Timer.role != role).values(state="cancelled"))
        due = work.session.scalar(select(func.max(Timer.due_at)).where(waiting))
    assert due is not None
    return due
