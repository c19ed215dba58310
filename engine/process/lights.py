"""The light of a deadline 红黄绿灯, and how many working days are left: the same for lists, pages and the board."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from calendars.deadline import shanghai_day
from calendars.edition import Edition
from calendars.errors import CalendarError

Light = Literal["none", "green", "yellow", "red", "paused", "done"]


def light_of(
    now: datetime, *, due_at: datetime | None, warn_at: datetime | None, paused: bool, open_: bool, late: bool = False
) -> Light:
    """red: overdue (or completed late); yellow: the reminder's moment has come; paused: the clock stands still."""
    if not open_:
        return "red" if late else "done"
    if due_at is None:
        return "paused" if paused else "none"
    if now >= due_at:
        return "red"
    return "yellow" if warn_at is not None and now >= warn_at else "green"


def passed(now: datetime, due_at: datetime | None) -> bool:
    """Whether a deadline lies behind: then no notice moves it any more, and it is not provisional."""
    return due_at is not None and now >= due_at


def days_left(now: datetime, due_day: date | None, edition: Edition) -> int | None:
    """Working days after today up to and including the last day: 0 on it, negative when overdue (at least -1)."""
    if due_day is None:
        return None
    today = shanghai_day(now)
    try:
        left = edition.working_days_between(today, due_day)
    except CalendarError:
        return None
    return left if today <= due_day else min(left, -1)
