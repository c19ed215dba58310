"""Calendars of counties beside the city's, and which unit counts by which.

Binding a unit changes nothing that runs: a clock keeps the calendar that it began with, and what begins from now on counts by
the new one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from calendars.notices import Notice
from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import powers, require
from engine.people.tables import Account, Unit
from engine.process.calendar_tables import CITY, CalendarBinding, Recount, RecountMove, WorkCalendar
from engine.process.editions import forget, known
from engine.process.tables import CalendarNotice, Timer
from engine.process.timekeeping.publishing import calendar_names
from engine.store.errors import Invalid, NotAllowed, NotFound
from engine.store.store import Origin, Store, command

_KEY = re.compile(r"[a-z][a-z0-9_-]{1,62}")


@dataclass(frozen=True, slots=True)
class KeptCalendar:
    """A calendar with the units that are bound to it."""

    key: str
    name: str
    follows_city: bool
    units: list[str]
    orders: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice that stands."""

    doc: str
    calendar: str | None
    published: date
    loaded_at: datetime
    policy: str
    confirmed_by: str | None
    notice: Notice


@dataclass(frozen=True, slots=True)
class RecountSheet:
    """How far the counting after a publication is, and a page of what it moved."""

    id: int
    cause: str
    policy: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    looked_at: int
    moved: int
    kept: int
    told: int
    moves: list[tuple[str, str, str | None, date | None, date | None, date | None, bool]]
    """Number, activity, unit, from, to, what the calendar gives; whether the date may still move by a notice to come."""
    more: int | None
    """The id after which the next page begins."""


@command
def create_calendar(
    store: Store, key: str, name: str, *, actor: Actor, follows_city: bool = True, origin: Origin = Origin()
) -> None:
    """A calendar with orders of its own. Raises NotAllowed, Invalid."""
    require(actor, "edit_diagrams")
    errors = {}
    if not _KEY.fullmatch(key) or key == CITY:
        errors["key"] = "代码应为小写英文字母开头的字母、数字、连字符"
    if not name.strip() or len(name) > 200:
        errors["name"] = "请填写日历名称"
    if errors:
        raise Invalid(errors)
    with store.work(actor, origin) as work:
        if key in calendar_names(work.session):
            raise Invalid({"key": f"代码“{key}”已被使用"})
        work.session.add(WorkCalendar(key=key, name=name.strip(), follows_city=follows_city, created_at=work.now))
        append(work, "calendar", [Entry(act="calendar_created", data={"key": key, "name": name.strip(), "follows_city": follows_city})])


@command
def bind_unit(store: Store, unit_id: int, calendar: str, *, actor: Actor, origin: Origin = Origin()) -> None:
    """From now on the unit's limits count by this calendar. Raises NotAllowed, Invalid, NotFound."""
    require(actor, "edit_diagrams")
    with store.work(actor, origin) as work:
        if calendar not in calendar_names(work.session):
            raise Invalid({"calendar": "没有这个日历"})
        if work.session.get(Unit, unit_id) is None:
            raise NotFound("没有找到该单位")
        before = known(work.session).bindings.get(unit_id, CITY)
        if before == calendar:
            return
        work.session.add(CalendarBinding(unit_id=unit_id, calendar=calendar, bound_at=work.now, bound_by=actor.account_id))
        append(work, "calendar", [Entry(act="unit_bound", data={"unit": unit_id, "from": before, "to": calendar})])
        forget(work.session)


def kept_calendars(session: Session) -> list[KeptCalendar]:
    """All calendars, the city's first (its `units` are left out: all the others)."""
    everything = known(session)
    names = {unit_id: short for unit_id, short in session.execute(select(Unit.id, Unit.short).order_by(Unit.code))}
    return [
        KeptCalendar(
            key, name, key in everything.follow_city or key == CITY,
            [names[unit_id] for unit_id, bound in everything.bindings.items() if bound == key and unit_id in names],
            everything.local.get(key, ()),
        )
        for key, name in calendar_names(session).items()
    ]  # fmt: skip


def standing_notices(session: Session) -> list[NoticeLine]:
    """All notices and orders that stand, newest first. One query beside the known ones."""
    rows = session.execute(
        select(CalendarNotice.doc, CalendarNotice.calendar, CalendarNotice.published, CalendarNotice.loaded_at, CalendarNotice.policy,
               Account.name)
        .outerjoin(Account, Account.id == CalendarNotice.confirmed_by).order_by(CalendarNotice.published.desc(), CalendarNotice.id.desc())
    )
    everything = known(session)
    by_doc = {notice.doc: notice for notice in (*everything.national, *(order for orders in everything.local.values() for order in orders))}
    return [NoticeLine(doc, calendar, published, loaded, policy, by, by_doc[doc]) for doc, calendar, published, loaded, policy, by in rows]


def recount_sheet(session: Session, actor: Actor, recount_id: int, *, after: int = 0, limit: int | None = 50) -> RecountSheet:
    """Raises NotFound, NotAllowed. While it is counting, the numbers are of this moment."""
    if not powers(actor) & {"edit_diagrams", "approve_diagrams", "supervise", "operate"}:
        raise NotAllowed
    run = session.get(Recount, recount_id)
    if run is None:
        raise NotFound("没有找到该次重新推算")
    query = (
        select(RecountMove.id, RecountMove.number, RecountMove.activity, Unit.short, RecountMove.from_day, RecountMove.to_day,
               RecountMove.computed_day, and_(Timer.provisional, Timer.state == "waiting", Timer.last_day == RecountMove.to_day))
        .join(Timer, Timer.id == RecountMove.timer_id).outerjoin(Unit, Unit.id == RecountMove.unit_id).where(RecountMove.recount_id == recount_id, RecountMove.id > after)
        .order_by(RecountMove.id)
    )
    rows = session.execute(query if limit is None else query.limit(limit + 1)).all()
    page = rows if limit is None else rows[:limit]
    moved, kept = run.moved, run.kept
    if run.state != "done":
        same = RecountMove.from_day == RecountMove.to_day
        counted = select(func.count()).select_from(RecountMove).where(RecountMove.recount_id == recount_id)
        kept = session.scalar(counted.where(same)) or 0
        moved = (session.scalar(counted) or 0) - kept
    return RecountSheet(
        run.id, run.cause, run.policy, run.state, run.started_at, run.ended_at, run.looked_at, moved, kept, run.told,
        [(row[1], row[2], row[3], row[4], row[5], row[6], bool(row[7])) for row in page], page[-1][0] if len(rows) > len(page) else None,
    )


def recent_recounts(session: Session, limit: int = 5) -> list[tuple[int, str, str, datetime, int]]:
    """The newest publications: id, cause, state, when, how many deadlines moved."""
    rows = session.execute(
        select(Recount.id, Recount.cause, Recount.state, Recount.started_at, Recount.moved).order_by(Recount.id.desc()).limit(limit)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
