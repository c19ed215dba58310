"""A year of the working calendar as twelve month sheets, each day with its mark; and the days of a notice laid out the same way.

Only the layout: which day works was decided by `calendars.edition`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from calendars.edition import DayFact, Edition
from web.day_grid import in_weeks


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `kind`: off (a holiday), made-up (a weekend that is worked), closed or open (by an order of our own), rest, plain."""

    day: date
    kind: str
    mark: str
    """休 or 班 where a notice says so."""
    why: str
    provisional: bool
    changed: bool
    """It would be otherwise under the edition that is compared."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One month as weeks from Monday; None where a week reaches into another month."""

    name: str
    weeks: tuple[tuple[Day | None, ...], ...]


def year_sheet(edition: Edition, year: int, *, changed: Collection[date] = ()) -> list[Sheet]:
    """The months of a year; `changed` days are marked. Raises CalendarEnds outside 2008 to 2050."""
    marked = frozenset(changed)
    sheets = []
    for _, facts in groupby(edition.year(year), key=lambda fact: fact.date.month):
        days = [_day(fact, marked) for fact in facts]
        first = days[0].day
        sheets.append(Sheet(f"{first.month}月", in_weeks(first, days)))
    return sheets


def _day(fact: DayFact, marked: frozenset[date]) -> Day:
    kind = "rest" if not fact.works else "plain"
    if not fact.ordinary:
        kind = "made-up" if fact.works else "off"
    mark = "" if fact.ordinary else "班" if fact.works else "休"
    why = fact.reason + (f"（{fact.notice}）" if fact.notice else "") + ("，暂定" if fact.provisional else "")
    return Day(fact.date, kind, mark, why, fact.provisional, fact.date in marked)
