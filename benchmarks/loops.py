"""A case that went round a thousand times: what its next step costs, and its page."""

from __future__ import annotations

import time

from sqlalchemy import func, select

from benchmarks.ground import Ground
from benchmarks.report import Table, ms
from benchmarks.measure import Times
from engine.history import History
from engine.process.sheets.case import case_sheet
from engine.process.tables import Instance, Task
from engine.process.tasks import complete_task


def run(ground: Ground, loops: int) -> list[Table]:
    """Figures of one database."""
    case = ground.start_review()
    edge = min(100, loops // 2)
    pages, completions, sizes = [_page(ground, case)], [], [_state_bytes(ground, case)]
    for _ in range(loops):
        with ground.store.read() as session:
            task_id = session.scalars(select(Task.id).where(Task.instance_id == case, Task.state == "open")).one()
        before = time.perf_counter()
        complete_task(ground.store, task_id, actor=ground.actor, answers={"decision": "again"})
        completions.append((time.perf_counter() - before) * 1000)
    pages.append(_page(ground, case))
    sizes.append(_state_bytes(ground, case))
    table = Table(
        f"A case after {loops:,} rounds, {ground.kind}", ("", "at the start", "at the end"),
        f"Completions by command: medians of the first and the last {edge}.",
    )  # fmt: skip
    table.add("completion, ms", *(ms(Times(tuple(part)).p50) for part in (completions[:edge], completions[-edge:])))
    table.add("state of the interpreter, bytes", *sizes)
    table.add("queries of the case's page, ms", *(ms(page) for page in pages))
    with ground.store.read() as session:
        entries = session.scalar(select(func.count()).select_from(History).where(History.instance_id == case))
    table.add("entries of the record", 1, entries)
    return [table]


def _state_bytes(ground: Ground, case: int) -> int:
    with ground.store.read() as session:
        return session.scalar(select(func.length(Instance.saved)).where(Instance.id == case)) or 0


def _page(ground: Ground, case: int) -> float:
    """The best of three, in ms."""
    times = []
    for _ in range(3):
        before = time.perf_counter()
        with ground.store.read() as session:
            case_sheet(session, ground.actor, case)
        times.append((time.perf_counter() - before) * 1000)
    return min(times)
