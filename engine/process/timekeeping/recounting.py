"""Going through all open deadlines after a publication: many short transactions, any number of workers, and no case twice.

A case whose clocks are stale says so by the edition on its timers, so there is no list to keep and none to lose: a worker
that dies halfway leaves the rest stale, and the next one goes on. Cases that the change cannot reach are only stamped.
When nothing stale is left, everybody concerned gets one digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, inspect, select, text, update
from sqlalchemy.orm import Session, aliased, defer, undefer

from calendars.deadline import start_of
from calendars.difference import first_difference
from calendars.edition import FIRST_DAY, Edition
from engine.history import Entry, append, insert_rows
from engine.process import events, incidents
from engine.process.calendar_tables import Recount, RecountMove
from engine.process.case import Case
from engine.process.editions import Known, edition_of, known
from engine.process.redating import bring_up_to_date, write_moves
from engine.process.tables import Instance, Task, Timer
from engine.process.timekeeping.telling import tell_everybody
from engine.store.clock import SHANGHAI
from engine.store.store import WORKER, Store, Work, command

#: Cases in one transaction: on SQLite nobody else can write meanwhile, so it must stay a fraction of a second.
PAGE = 200
#: How many pages' clocks are looked at, so that a second worker finds cases beside those that the first holds.
AHEAD = 4
#: Timers that are only stamped in one statement.
STAMPED = 5000


@dataclass(frozen=True, slots=True)
class Editions:
    """The editions of today, by calendar, and the older ones that timers may still carry."""

    today: dict[str | None, Edition]
    older: dict[str, Edition]

    def first_change(self, edition_id: str, calendar: str | None) -> date:
        """The first day that was counted otherwise when a timer got its date."""
        old, new = self.older.get(edition_id), self.today[calendar]
        return FIRST_DAY if old is None else first_difference(old, new) or date.max


def editions(session: Session, today: date) -> Editions:
    """All editions that matter now. One query (and none where this session has asked before)."""
    everything = known(session)
    calendars: list[str | None] = [None, *sorted(everything.calendars)]
    current = {calendar: edition_of(everything, today, calendar) for calendar in calendars}
    return Editions(current, {edition.id: edition for calendar in calendars for edition in _past(everything, today, calendar)})


def _past(everything: Known, today: date, calendar: str | None) -> Iterable[Edition]:
    days = {notice.published for notice in (*everything.national, *everything.orders(calendar)) if notice.published <= today}
    return [edition_of(everything, day, calendar) for day in sorted(days)]


def stale(session: Session, found: Editions) -> list[tuple[str, str | None]]:
    """The older editions that running timers still carry, with their calendars. A probe of the index for each edition that occurs."""
    return [
        (edition_id, calendar)
        for calendar, edition in found.today.items()
        for edition_id in _carried(session, calendar)
        if edition_id != edition.id
    ]


def _carried(session: Session, calendar: str | None) -> Iterator[str]:
    """The editions on running timers of a calendar, in order; each found by one look into the index."""
    last = ""
    while True:
        after = session.scalar(select(func.min(Timer.edition)).where(_LIVE, _of(calendar), Timer.edition > last))
        if after is None:
            return
        yield after
        last = after


_LIVE = text("timer.state IN ('waiting', 'paused')")  # the words of the index: without them it does not apply


def _of(calendar: str | None) -> ColumnElement[bool]:
    return Timer.calendar.is_(None) if calendar is None else Timer.calendar == calendar


def recount(store: Store, most: int = 1000) -> int:
    """Counts stale clocks again, about `most` cases; returns how many were looked at. For the worker, at every beat.

    Reads only, a few probes, where nothing is stale.
    """
    with store.read() as session:
        found = stale(session, editions(session, _today(store.clock.now())))
    looked = 0
    while found and looked < most:
        stamped, cases = _page(store, found)
        looked += cases
        if not stamped and not cases:
            break  # all is done, or others hold what is left
    if looked < most:
        _conclude(store)
    return looked


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()


@command
def _page(store: Store, wanted: list[tuple[str, str | None]]) -> tuple[int, int]:
    """One transaction: stamps what the change does not reach, or counts a page of cases again. How many timers and cases.

    `wanted` are the editions, with their calendars, that were found to be older than today's.
    """
    with store.work(None, WORKER) as work:
        found = editions(work.session, _today(work.now))
        for edition_id, calendar in wanted:
            if calendar not in found.today or edition_id == found.today[calendar].id:
                continue
            # Looking for what can be stamped reads all stale clocks, so it is done until none is found, and never again.
            mark = ("stamped", edition_id, calendar, found.today[calendar].id)
            if mark not in store.cache:
                stamped = _stamp(work.session, edition_id, calendar, found)
                if stamped:
                    return stamped, 0
                store.cache[mark] = True
            cases = _take_cases(work, edition_id, calendar)
            if cases:
                failed = _count_cases(work, cases)
                # Whatever could not be counted keeps its date and becomes an incident: it must not stop the others.
                left = (Timer.instance_id.in_([case.id for case in cases]), _LIVE, _of(calendar), Timer.edition == edition_id)
                work.session.execute(update(Timer).where(*left).values(edition=found.today[calendar].id))
                break
        else:
            return 0, 0
    for error, timer_id in failed:
        incidents.report(store, error, timer_id=timer_id)
    return 0, len(cases)


def _stamp(session: Session, edition_id: str, calendar: str | None, found: Editions) -> int:
    """Gives timers of cases that the change does not reach the new edition's name; returns how many.

    A case is reached when a clock of it ends behind the first day that differs. Clocks that stand still are counted when
    they run again; all that they need is the name.
    """
    first = found.first_change(edition_id, calendar)
    mine = (_LIVE, _of(calendar), Timer.edition == edition_id)
    others = select(Timer.id).where(*mine)
    if first != date.max:
        other = aliased(Timer)
        others = others.where(~exists().where(
            other.instance_id == Timer.instance_id, other.state == "waiting", other.due_at > start_of(first)
        ))  # fmt: skip
    ids = list(session.scalars(others.order_by(Timer.id).limit(STAMPED).with_for_update(skip_locked=True, of=Timer)))
    if ids:
        session.execute(update(Timer).where(Timer.id.in_(ids)).values(edition=found.today[calendar].id))
    return len(ids)


def _take_cases(work: Work, edition_id: str, calendar: str | None) -> list[Instance]:
    """The next cases with stale clocks, locked; those that somebody else holds are left to them."""
    some = select(Timer.instance_id).where(_LIVE, _of(calendar), Timer.edition == edition_id).order_by(Timer.id).limit(PAGE * AHEAD)
    wanted = list(dict.fromkeys(work.session.scalars(some)))
    return list(work.session.scalars(
        select(Instance).where(Instance.id.in_(wanted)).order_by(Instance.id).limit(PAGE)
        .options(undefer(Instance.saved), defer(Instance.variables)).with_for_update(skip_locked=True, of=Instance)
    ))  # fmt: skip


def _count_cases(work: Work, instances: list[Instance]) -> list[tuple[Exception, int]]:
    """Counts the clocks of locked cases again; their rows are read and written together. Returns what went wrong, by timer."""
    session, ids = work.session, [instance.id for instance in instances]
    cases = {instance.id: Case(work, instance, new=True) for instance in instances}
    for task in session.scalars(select(Task).where(Task.instance_id.in_(ids), Task.state.in_(("open", "planned"))).order_by(Task.id)):
        cases[task.instance_id].take(task)
    held = select(Timer).where(Timer.instance_id.in_(ids), Timer.state.in_(("waiting", "paused", "fired"))).order_by(Timer.id)
    for timer in session.scalars(held):
        if timer.state != "fired" or timer.role in ("deadline", "reminder"):
            cases[timer.instance_id].timers.append(timer)
    failed: list[tuple[Exception, int]] = []
    moves: list[dict[str, Any]] = []
    for case in list(cases.values()):
        try:
            bring_up_to_date(case, moves)
        except Exception as error:  # noqa: BLE001 - one poisoned case stops nobody else
            for row in (case.instance, *case.timers, *case.tasks.values(), *chain.from_iterable(case.signatures.values())):
                session.expire(row)
            failed.append((error, cases.pop(case.instance.id).timers[0].id))
    newest = select(Recount.id).where(Recount.state == "counting").order_by(Recount.id.desc()).limit(1)
    session.execute(update(Recount).where(Recount.id == newest.scalar_subquery()).values(looked_at=Recount.looked_at + len(cases)))
    _write(work, list(cases.values()), moves)
    return failed


#: What counting again changes of a row.
_TIMER = ("due_at", "last_day", "provisional", "edition", "wake_at")
_TASK = ("due_at", "due_day", "provisional", "paused", "sort_at", "warn_at")
_HEAD = ("history_seq", "history_hash")


def _write(work: Work, cases: list[Case], moves: list[dict[str, Any]]) -> None:
    """Writes a page of cases in a few statements: row by row through the session would take twice as long.

    The instances are locked, so nobody else can have changed them; their revision rises as with any other step.
    """
    session = work.session
    told = [(case.instance, case.chained()) for case in cases if case.entries]
    rows = [row for _, entries in told for row in entries]
    changed = list(session.dirty)
    timers = [row for row in changed if isinstance(row, Timer)]
    _update(session, Timer, _TIMER, timers)
    _update(session, Timer, ("rule",), [row for row in timers if inspect(row).attrs.rule.history.has_changes()])
    _update(session, Task, _TASK, [row for row in changed if isinstance(row, Task)])
    _update(session, Instance, _HEAD, [row for row in changed if isinstance(row, Instance)], revision=Instance.__table__.c.revision + 1)
    write_moves(work, moves)
    with session.no_autoflush:
        events.tell(work, [event for instance, entries in told for event in events.of_case(instance, entries, ())])
    session.expunge_all()  # all is written; the session would write it again
    insert_rows(session, rows)


def _update(session: Session, model: type[Any], names: tuple[str, ...], rows: Sequence[Any], **more: Any) -> None:
    """One statement for all rows of a table."""
    if rows:
        table = model.__table__
        statement = update(table).where(table.c.id == bindparam("row")).values(**{name: bindparam(f"new_{name}") for name in names}, **more)
        session.execute(statement, [{"row": row.id} | {f"new_{name}": getattr(row, name) for name in names} for row in rows])


@command
def _conclude(store: Store) -> None:
    """Nothing is stale any more: closes the publications that were worked through, and tells those concerned, once."""
    with store.read() as session:
        if session.scalar(select(Recount.id).where(Recount.state != "done").limit(1)) is None:
            return
    with store.work(None, WORKER) as work:
        open_runs = work.session.scalars(
            select(Recount).where(Recount.state != "done").order_by(Recount.id).with_for_update(skip_locked=True)
        ).all()
        if stale(work.session, editions(work.session, _today(work.now))):
            return  # another publication came in between, or another worker still counts
        for run in open_runs:
            kept = (RecountMove.from_day == RecountMove.to_day)
            run.moved = work.session.scalar(select(func.count()).where(RecountMove.recount_id == run.id, ~kept)) or 0
            run.kept = work.session.scalar(select(func.count()).where(RecountMove.recount_id == run.id, kept)) or 0
            run.told = tell_everybody(work, run)
            run.state, run.ended_at = "done", work.now
            append(work, "calendar", [Entry(act="recounted", data={
                "cause": run.cause, "recount": run.id, "cases": run.looked_at, "moved": run.moved, "kept": run.kept, "told": run.told,
            })])
