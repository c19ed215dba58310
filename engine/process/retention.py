"""Retention 保管期限: how long the record of a case is kept after it has ended, as its diagram says.

`retention` of the process is a number of years or days (`10y`, `180d`), or `permanent`; a process that says nothing keeps its
cases for ever as well. When a case ends, the first instant at which it may be removed is written onto its row; nothing is
removed by that alone (`engine.process.removing`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from calendars.deadline import shanghai_day, start_of

PERMANENT = "permanent"
_PERIOD = re.compile(r"([1-9][0-9]{0,2})y|([1-9][0-9]{0,4})d")


class BadRetention(ValueError):
    """What a process says of its retention is no period."""


def read_retention(text: str | None) -> tuple[int, int] | None:
    """(years, days), of which one is 0; None for ever. Raises BadRetention."""
    if text is None or not text.strip() or text.strip() == PERMANENT:
        return None
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        raise BadRetention(text)
    return int(found[1] or 0), int(found[2] or 0)


def removal_time(properties: Mapping[str, str], ended_at: datetime) -> datetime | None:
    """From when on a case that ended then may be removed; None: never.

    The day on which it ended does not count, and the last day counts in full: of `10y`, a case that ended on 2026-03-05 may go
    from 2036-03-06 00:00 (Shanghai) on. A 29 February that the last year has not is taken as 1 March.
    """
    period = read_retention(properties.get("retention"))
    if period is None:
        return None
    years, days = period
    return start_of(_years_later(shanghai_day(ended_at), years) + timedelta(days=days + 1))


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def time_to_live(properties: Mapping[str, str]) -> int | None:
    """The period in days, as other programs ask for it: a year counts 365.25, and the sum is rounded up. None for ever."""
    period = read_retention(properties.get("retention"))
    return None if period is None else -(-period[0] * 1461 // 4) + period[1]
