"""Duties that come by themselves: the worker's sweep opens each exactly once per unit and period.

That somebody got a duty is a row whose key is duty, unit and period. It is written in the transaction that starts the
case: two workers, a restart or a crash in between can neither open one twice nor lose one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars.deadline import shanghai_day, start_of
from engine.people.tables import Unit, UnitBody
from engine.people.units import unit_by_code
from engine.process.clocks import day_in_words
from engine.process.definitions import in_force
from engine.process.editions import edition_at
from engine.process.instances import start_by_system
from engine.process.operations import word
from engine.process.tables import Definition
from engine.sharing.catalogue import Resource
from engine.sharing.schedule import Duty, Period, duties_of, periods_due_in
from engine.store.base import Base
from engine.store.errors import NotFound
from engine.store.settings import ROOT
from engine.store.store import WORKER, Store, Work, command

log = logging.getLogger("duties")

DIAGRAMS = ROOT / "bpmn"
#: A period that a whole outage slept through is still opened when it was due no longer ago than this.
CATCH_UP = timedelta(days=31)


class OpenedDuty(Base):
    """That a unit got a duty (or a reminder) of a period. The key makes it happen once."""

    __tablename__ = "opened_duty"

    duty: Mapped[str] = mapped_column(String(64), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(String(64), primary_key=True)
    opened_at: Mapped[datetime]
    due_day: Mapped[date]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    """The case; None for a mere reminder."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A duty that ought to be open and is not."""

    period: Period
    unit_id: int
    unit_code: str
    unit_kind: str


class _Taken(Exception):
    """Another worker was quicker."""


def open_due(store: Store, diagrams: Path = DIAGRAMS) -> int:
    """Opens every duty whose day has come and that nobody has opened yet; returns how many.

    One transaction each: a unit for which it fails is logged and stops no other.
    """
    with store.read() as session:
        waiting = list(_waiting(session, store.clock.now(), diagrams))
    opened = 0
    for duty in waiting:
        try:
            opened += _open(store, duty)
        except Exception as error:  # noqa: BLE001 - one unit's trouble must not keep the others from their duties
            where = {"duty": duty.period.duty.key, "unit": duty.unit_code, "period": duty.period.key, "error": str(error)}
            log.error("duty not opened", exc_info=error, extra={"facts": where})
    return opened


@command
def _open(store: Store, waiting: _Waiting) -> bool:
    """Opens one duty; False when it was opened meanwhile."""
    period = waiting.period
    try:
        with store.work(None, WORKER) as work:
            row = once(work, period.duty.key, waiting.unit_id, period.key, period.due)
            row.instance_id = start_by_system(
                work, period.duty.process, unit_code=waiting.unit_code, variables=_facts(waiting)
            )
            work.session.flush()
    except _Taken:
        return False
    return True


def once(work: Work, duty: str, unit_id: int, period: str, due: date) -> OpenedDuty:
    """Writes down that a unit got a duty, in the open transaction. Raises `_Taken` where that is written already."""
    row = OpenedDuty(duty=duty, unit_id=unit_id, period=period, opened_at=work.now, due_day=due, instance_id=None)
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise _Taken from error
    return row


def remind_once(store: Store, duty: str, unit_id: int, period: str, due: date, remind: Any) -> bool:
    """Calls `remind(work)` in a transaction that can happen only once for this unit and period; False when it had."""
    try:
        with store.work(None, WORKER) as work:
            once(work, duty, unit_id, period, due)
            remind(work)
    except _Taken:
        return False
    return True


def _facts(waiting: _Waiting) -> dict[str, Any]:
    """What the case of a duty starts with: plain values, as expressions see them."""
    period = waiting.period
    return {
        "duty": period.duty.key,
        "unit_kind": waiting.unit_kind,
        "period": period.key,
        "period_label": period.label,
        "period_from": period.first.isoformat(),
        "period_until": period.last.isoformat(),
        "due_day": period.due.isoformat(),
        **period.given,
    }


def facts_of_next(
    session: Session, process: str, unit_code: str, at: datetime, diagrams: Path = DIAGRAMS
) -> dict[str, Any]:
    """What a case of the process would start with, were its next duty opened for the unit at `at`; empty where it is no duty.

    For those who try a diagram out; it opens nothing.
    """
    today, edition, unit = shanghai_day(at), edition_at(session, at), unit_by_code(session, unit_code)
    periods = [
        period for duty in duties_of(diagrams) if duty.process == process and _holds(session, duty, at)
        for year in (today.year, today.year + 1) for period in periods_due_in(duty, year, edition) if period.due >= today
    ]  # fmt: skip
    if unit is None or not periods:
        return {}
    return _facts(_Waiting(min(periods, key=lambda period: period.due), unit.id, unit.code, unit.kind))


def _waiting(session: Session, now: datetime, diagrams: Path) -> Iterator[_Waiting]:
    today, edition = shanghai_day(now), edition_at(session, now)
    for duty in duties_of(diagrams):
        if not _holds(session, duty, now):
            continue
        units = _units(session, duty)
        for year in (today.year - 1, today.year, today.year + 1):
            for period in periods_due_in(duty, year, edition):
                if period.opens > today or period.due < today - CATCH_UP:
                    continue
                have = set(
                    session.scalars(
                        select(OpenedDuty.unit_id).where(OpenedDuty.duty == duty.key, OpenedDuty.period == period.key)
                    )
                )
                if period.due < today and (have or not _slept_through(session, period)):
                    continue
                yield from (_Waiting(period, *unit) for unit in units if unit[0] not in have)


def _holds(session: Session, duty: Duty, now: datetime) -> bool:
    """Whether the process in force now belongs to the rule set whose schedule this is."""
    try:
        return in_force(session, duty.process, now).rule_set == duty.rule_set
    except NotFound:
        return False


def _slept_through(session: Session, period: Period) -> bool:
    """Whether the installation was there already when the period opened: what was due before it does not concern it."""
    first = session.scalar(select(func.min(Definition.deployed_at)).where(Definition.key == period.duty.process))
    return first is not None and first < start_of(period.opens)


def _units(session: Session, duty: Duty) -> list[tuple[int, str, str]]:
    """Id, code and kind of the active units that have the duty."""
    query = select(Unit.id, Unit.code, Unit.kind).where(Unit.active).order_by(Unit.code)
    if duty.kinds:
        query = query.where(Unit.kind.in_(duty.kinds))
    if duty.body is not None:
        query = query.join(UnitBody, UnitBody.unit_id == Unit.id).where(UnitBody.body == duty.body)
    if duty.providers_only:
        query = query.where(Unit.id.in_(select(Resource.provider_id).where(Resource.state != "withdrawn")))
    return [(unit_id, code, kind) for unit_id, code, kind in session.execute(query)]


@word("last_working_day")
def last_working_day(session: Session, day: str) -> str:
    """The last working day up to an ISO date (the day itself where it is one), as an ISO date."""
    store: Store = session.info["store"]
    return edition_at(session, store.clock.now()).working_day_until(date.fromisoformat(day)).isoformat()


@word("last_working_day_text")
def last_working_day_text(session: Session, day: str) -> str:
    """The same as a sentence writes it: 2027年1月29日, with （暂定） while a notice may still change which day it is."""
    store: Store = session.info["store"]
    edition, until = edition_at(session, store.clock.now()), date.fromisoformat(day)
    last = edition.working_day_until(until)
    return day_in_words(last, edition.provisional(last) or edition.doubtful_between(last, until))
