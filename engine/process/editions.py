"""The calendar editions of this installation: notices kept as rows, editions built from them.

A notice is never changed or removed; a new one makes a new edition. `calendars/` does the arithmetic and knows no database.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from calendars.edition import Edition, edition_for
from calendars.notices import Notice, notice_from_json, shipped_notices
from engine.process.tables import CalendarNotice
from engine.store.store import Work


def load_shipped_notices(work: Work) -> int:
    """Adds the notices that ship with the product and are not there yet; returns how many were added."""
    known = set(work.session.scalars(select(CalendarNotice.doc)))
    fresh = [notice for notice in shipped_notices() if notice.doc not in known]
    for notice in fresh:
        work.session.add(
            CalendarNotice(doc=notice.doc, published=notice.published, body=notice.as_json(), loaded_at=work.now)
        )
    work.session.flush()
    return len(fresh)


def notices(session: Session) -> tuple[Notice, ...]:
    """All notices of the installation, in order of publication. One query, remembered until another one is added."""
    newest = session.scalar(select(func.max(CalendarNotice.id))) or 0
    cache = session.info["store"].cache
    if cache.get("notices", (None,))[0] != newest:
        rows = session.scalars(select(CalendarNotice.body).order_by(CalendarNotice.published, CalendarNotice.id))
        cache["notices"] = (newest, tuple(notice_from_json(body) for body in rows))
    found: tuple[Notice, ...] = cache["notices"][1]
    return found


def edition_at(session: Session, now: datetime) -> Edition:
    """The calendar as known on the Shanghai day of `now`: notices published later do not count yet.

    Found once per session and day: a page asks for it with every line.
    """
    key = ("edition", shanghai_day(now))
    if key not in session.info:
        known = notices(session)
        session.info[key] = edition_for(known, _last_publication(known, shanghai_day(now)))
    found: Edition = session.info[key]
    return found


def current_edition(work: Work) -> Edition:
    """The edition for this transaction, found once."""
    if "edition" not in work.notes:
        work.notes["edition"] = edition_at(work.session, work.now)
    edition: Edition = work.notes["edition"]
    return edition


def closed_until(session: Session, now: datetime) -> date | None:
    """The next working day when offices are closed on the Shanghai day of `now`; None on a working day.

    A start page warns with it that nobody is on duty until then.
    """
    edition, today = edition_at(session, now), shanghai_day(now)
    return None if edition.works(today) else edition.working_day_from(today)


def _last_publication(known: tuple[Notice, ...], today: date) -> date | None:
    """The day of the newest notice by `today`: the same edition for all days until the next one (and one cache entry)."""
    return max((notice.published for notice in known if notice.published <= today), default=today)
