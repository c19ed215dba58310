"""The calendar editions of this installation: notices kept as rows, editions built from them.

A notice is never changed or removed; a new one makes a new edition. `calendars/` does the arithmetic and knows no database.
Every unit counts by the city's calendar unless it is bound to another: the national notices with orders of its own on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from calendars.edition import Edition, edition_for
from calendars.notices import Notice, notice_from_json, shipped_notices
from engine.process.calendar_tables import CITY, CalendarBinding, WorkCalendar
from engine.process.tables import CalendarNotice
from engine.store.store import Work


@dataclass(frozen=True, slots=True)
class Known:
    """All that the installation knows of its calendars, in order of publication."""

    national: tuple[Notice, ...] = ()
    local: Mapping[str, tuple[Notice, ...]] = field(default_factory=dict)
    """Calendar → its own orders."""
    calendars: frozenset[str] = frozenset()
    """All calendars beside the city's. Clocks may run by one to which no unit is bound any more."""
    follow_city: frozenset[str] = frozenset()
    """Those of them in which the city's orders hold too."""
    bindings: Mapping[int, str] = field(default_factory=dict)
    """Unit id → calendar; a unit that is not in it counts by the city's."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Number of a notice → what becomes of deadlines that would fall earlier by it: keep · move. In the order in which they
    came in here, which need not be that of their publication."""

    def orders(self, calendar: str | None) -> tuple[Notice, ...]:
        """The local orders that hold in a calendar (None: the city's)."""
        own = self.local.get(calendar or CITY, ())
        if calendar in (None, CITY) or calendar not in self.follow_city:
            return own
        return (*self.local.get(CITY, ()), *own)


def load_shipped_notices(work: Work) -> int:
    """Adds the notices that ship with the product and are not there yet; returns how many were added."""
    known = set(work.session.scalars(select(CalendarNotice.doc)))
    fresh = [notice for notice in shipped_notices() if notice.doc not in known]
    for notice in fresh:
        work.session.add(
            CalendarNotice(doc=notice.doc, published=notice.published, body=notice.as_json(), loaded_at=work.now, policy="keep")
        )
    work.session.flush()
    forget(work.session)
    return len(fresh)


_NEWEST = select(
    select(func.max(CalendarNotice.id)).scalar_subquery(),
    select(func.max(CalendarBinding.id)).scalar_subquery(),
    select(func.count(WorkCalendar.key)).scalar_subquery(),
)


def known(session: Session) -> Known:
    """Notices, orders and bindings. One query a session; what it finds is remembered until a row is added to any of them."""
    if "known" in session.info:
        asked: Known = session.info["known"]
        return asked
    newest = tuple(session.execute(_NEWEST).one())
    cache = session.info["store"].cache
    if cache.get("notices", (None,))[0] != newest:
        cache["notices"] = (newest, _load(session))
    found: Known = cache["notices"][1]
    session.info["known"] = found
    return found


def forget(session: Session) -> None:
    """For whoever adds a notice or a binding in this session: what comes after shall know of it."""
    for key in [key for key in session.info if key == "known" or (isinstance(key, tuple) and key[0] == "edition")]:
        del session.info[key]


def _load(session: Session) -> Known:
    rows = session.execute(
        select(CalendarNotice.calendar, CalendarNotice.body, CalendarNotice.policy, CalendarNotice.id)
        .order_by(CalendarNotice.published, CalendarNotice.id)
    ).all()
    local: dict[str, list[Notice]] = {}
    for calendar, body, *_ in rows:
        if calendar is not None:
            local.setdefault(calendar, []).append(notice_from_json(body))
    bindings = session.execute(select(CalendarBinding.unit_id, CalendarBinding.calendar).order_by(CalendarBinding.id)).all()
    follows = {key: too for key, too in session.execute(select(WorkCalendar.key, WorkCalendar.follows_city))}
    return Known(
        national=tuple(notice_from_json(body) for calendar, body, *_ in rows if calendar is None),
        local={calendar: tuple(orders) for calendar, orders in local.items()},
        calendars=frozenset(follows),
        follow_city=frozenset(key for key, too in follows.items() if too),
        # The newest row of a unit wins, also where it leads back to the city's calendar.
        bindings={unit: calendar for unit, calendar in {row[0]: row[1] for row in bindings}.items() if calendar != CITY},
        policies={str(body["doc"]): policy for _, body, policy, _ in sorted(rows, key=lambda row: row[3])},
    )


def notices(session: Session) -> tuple[Notice, ...]:
    """All national notices of the installation, in order of publication."""
    return known(session).national


def edition_at(session: Session, now: datetime, calendar: str | None = None) -> Edition:
    """A calendar (None: the city's) as known on the Shanghai day of `now`: notices published later do not count yet.

    Found once per session, day and calendar: a page asks for it with every line.
    """
    key = ("edition", shanghai_day(now), calendar)
    if key not in session.info:
        session.info[key] = edition_of(known(session), shanghai_day(now), calendar)
    found: Edition = session.info[key]
    return found


def edition_of(everything: Known, today: date, calendar: str | None = None) -> Edition:
    """The edition of a calendar as known at the end of a day."""
    orders = everything.orders(calendar)
    return edition_for(everything.national, _last_publication((*everything.national, *orders), today), orders)


def edition_named(session: Session, edition_id: str | None, calendar: str | None = None) -> Edition | None:
    """The edition of a calendar by the name that stands on a timer; None where no publication made it."""
    everything = known(session)
    days = {notice.published for notice in (*everything.national, *everything.orders(calendar))}
    return next((found for day in sorted(days, reverse=True) if (found := edition_of(everything, day, calendar)).id == edition_id), None)


def current_edition(work: Work, calendar: str | None = None) -> Edition:
    """The edition for this transaction; what the history says of an act that asked for one."""
    edition = edition_at(work.session, work.now, calendar)
    if calendar is None:
        work.notes["edition"] = edition
    return edition


def calendar_of(session: Session, unit_id: int | None) -> str | None:
    """The calendar that a unit counts by; None for the city's."""
    return known(session).bindings.get(unit_id) if unit_id is not None else None


def closed_until(session: Session, now: datetime) -> date | None:
    """The next working day when offices are closed on the Shanghai day of `now`; None on a working day.

    A start page warns with it that nobody is on duty until then.
    """
    edition, today = edition_at(session, now), shanghai_day(now)
    return None if edition.works(today) else edition.working_day_from(today)


def _last_publication(everything: tuple[Notice, ...], today: date) -> date | None:
    """The day of the newest notice by `today`: the same edition for all days until the next one (and one cache entry)."""
    return max((notice.published for notice in everything if notice.published <= today), default=today)
