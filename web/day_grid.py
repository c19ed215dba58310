"""The days of a deadline laid out as small month sheets: what was counted with its number, what was not and why.

Only the layout: which day counts was decided by `calendars.deadline`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from calendars.deadline import Explanation, Looked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a month sheet. `kind` is start, counted, last, skipped or paused; empty for days outside the count."""

    day: date
    kind: str
    mark: str
    """Its number among the counted days, or a short word."""
    why: str


@dataclass(frozen=True, slots=True)
class Month:
    """One month as weeks from Monday; None where a week reaches into another month."""

    name: str
    weeks: tuple[tuple[Cell | None, ...], ...]


def months(explanation: Explanation) -> list[Month]:
    """The month sheets from the day of receipt to the last day that was looked at."""
    looked = {found.day: found for found in explanation.days}
    last = max(looked, default=explanation.received)
    cells = {
        day: _cell(day, looked.get(day), explanation)
        for day in _span(explanation.received.replace(day=1), _end_of_month(last))
    }
    sheets: list[Month] = []
    for first in sorted({day.replace(day=1) for day in cells}):
        weeks = in_weeks(first, [cells[day] for day in _span(first, _end_of_month(first))])
        sheets.append(Month(f"{first.year}年{first.month}月", tuple(week for week in weeks if _touches(week))))
    return sheets


def in_weeks(first: date, days: Iterable[T]) -> tuple[tuple[T | None, ...], ...]:
    """A month's days, of which `first` is the first, as weeks from Monday; None where a week reaches into another month."""
    cells: list[T | None] = [*[None] * first.weekday(), *days]
    cells += [None] * (-len(cells) % 7)
    return tuple(tuple(cells[at : at + 7]) for at in range(0, len(cells), 7))


def _cell(day: date, found: Looked | None, explanation: Explanation) -> Cell:
    if day == explanation.received:
        return Cell(day, "start", "收到", "收到之日不计入")
    if found is None:
        return Cell(day, "", "", "")
    if found.ordinal is None:
        return Cell(day, "paused" if found.paused else "skipped", "暂停" if found.paused else "不计", found.why)
    kind = "last" if day == explanation.deadline.last_day else "counted"
    return Cell(day, kind, f"第{found.ordinal}日", found.why)


def _touches(week: tuple[Cell | None, ...]) -> bool:
    return any(cell is not None and cell.kind for cell in week)


def _span(first: date, last: date) -> Iterator[date]:
    for ahead in range((last - first).days + 1):
        yield first + timedelta(days=ahead)


def _end_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
