"""Quiet hours 免打扰: outside the office's hours of working days a letter waits until somebody may want to read it."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from calendars.errors import CalendarError
from engine.process.clocks import OFFICE_HOURS
from engine.process.editions import calendar_of, edition_at
from engine.store.clock import SHANGHAI

#: When the office opens; it closes at the hour by which submissions are received (`OFFICE_HOURS`).
OPENS = time(8, 30)


def working_moment(session: Session, now: datetime, unit_id: int | None) -> datetime:
    """The first instant from `now` on in the working hours of a unit's calendar; `now` itself within them.

    A Saturday that is worked in exchange is a working day, a holiday is none. Beyond the calendar's end it is `now`.
    """
    edition, local = edition_at(session, now, calendar_of(session, unit_id)), now.astimezone(SHANGHAI)
    today = shanghai_day(now)
    try:
        if edition.works(today):
            if local.time() < OPENS:
                return datetime.combine(today, OPENS, SHANGHAI)
            if local.time() < OFFICE_HOURS.closes:
                return now
        return datetime.combine(edition.nth_working_day_after(today, 1), OPENS, SHANGHAI)
    except CalendarError:
        return now

