"""Counting open deadlines again after a publication: all of them moved, all of them only stamped, and the preview before it.

One case is made by the engine and copied with its rows in bulk, for this benchmark only. Everything is written that a
publication writes: timers, tasks, history entries, the list of moves, and the digest at the end.
"""

from __future__ import annotations

import time
from datetime import date

from sqlalchemy import func, select

from benchmarks.floors import durable_transaction
from benchmarks.ground import Ground, Statements
from benchmarks.report import Table
from benchmarks.timers import copy_case
from calendars.reading import Reading
from engine.people.accounts import holders
from engine.people.actor import Actor, load_actor
from engine.people.units import unit_id_of
from engine.process.calendar_tables import Recount
from engine.process.tables import Timer
from engine.process.timekeeping.preview import preview
from engine.process.timekeeping.publishing import confirm_notice, propose_notice
from engine.process.timekeeping.recounting import recount
from engine.store.clock import SHANGHAI

_FLOOR = 500


def run(ground: Ground, count: int) -> list[Table]:
    """Figures of one database, with `count` open deadlines, each with its reminder, in as many cases."""
    table = Table(
        f"Counting open deadlines again, {ground.kind}", ("", "deadlines", "seconds", "CPU ms each", "statements each", "floor: transactions a second"),
        "One worker, pages of cases in transactions of their own; CPU of the worker alone. The floor is measured right before.",
    )  # fmt: skip
    copy_case(ground, ground.start_review(), count - 1)
    today = ground.store.clock.now().astimezone(SHANGHAI).date()
    with ground.store.read() as session:
        due = session.scalar(select(func.max(Timer.last_day)).where(Timer.role == "deadline"))
    assert due is not None
    editor, approver = (_person(ground, post) for post in ("process_admin", "process_approver"))
    far = Reading("far", today.year, today, today, add_off=(date(today.year, 12, 2),))
    near = Reading("near", today.year, today, today, add_off=(due,))
    with durable_transaction(ground.url) as transaction:
        for name, reading in (("a closure behind all of them: stamped", far), ("a closure on their last day: moved", near)):
            before = time.perf_counter()
            for _ in range(_FLOOR):
                transaction()
            floor = _FLOOR / (time.perf_counter() - before)
            proposal = propose_notice(ground.store, reading, actor=editor, calendar="city")
            if reading is near:
                with ground.store.read() as session:
                    before = time.perf_counter()
                    foreseen = preview(session, approver, reading.notice(), "city", "keep")
                    assert foreseen.moved == count
                    table.add("preview of that", f"{count:,}", f"{time.perf_counter() - before:.1f}", "–", "–", "–")
            confirm_notice(ground.store, proposal, actor=approver)
            with Statements(ground.store) as statements:
                cpu, before = time.process_time(), time.perf_counter()
                while recount(ground.store, most=10 * count):
                    pass
                seconds, cpu = time.perf_counter() - before, time.process_time() - cpu
            with ground.store.read() as session:
                moved = session.scalar(select(Recount.moved).where(Recount.state == "done").order_by(Recount.id.desc()).limit(1))
            assert moved == (count if reading is near else 0), moved
            table.add(name, f"{count:,}", f"{seconds:.1f}", f"{cpu / count * 1000:.2f}", f"{statements.count / count:.1f}", f"{floor:,.0f}")
    return [table]


def _person(ground: Ground, post: str) -> Actor:
    with ground.store.read() as session:
        (first, *_) = holders(session, unit_id_of(session, "024"), post)
        actor = load_actor(session, first.account_id)
    assert actor is not None
    return actor
