"""One year of an edition, as plain values and as text for a terminal.

A day's row is the same in both: what it is, why, since which notice, and whether it is provisional (暂定).
"""

from datetime import date
from itertools import groupby
from typing import Any

from calendars.edition import DayFact, Edition

_WEEKDAYS = "一二三四五六日"
_MONTHS_IN_A_ROW = 3
_CELL = 5
_GAP = "   "


def year_as_json(year: int, edition: Edition) -> dict[str, Any]:
    """A year: its special days, and how many days work. Raises CalendarEnds outside 2008 to 2050."""
    facts = edition.year(year)
    return {
        "year": year,
        "edition": edition.id,
        "edition_title": edition.title,
        "published": edition.covers(year),
        "provisional": any(fact.provisional for fact in facts),
        "provisional_from": next((f.date.isoformat() for f in facts if f.provisional), None),
        "working_days": sum(fact.works for fact in facts),
        "notices": sorted({fact.notice for fact in facts if fact.notice}),
        "holidays": [_span(days) for days in _holidays(facts)],
        "days_off": [_day(fact) for fact in facts if not fact.works and not fact.ordinary],
        "make_up_days": [_day(fact) for fact in facts if fact.works and not fact.ordinary],
    }


def year_as_text(year: int, edition: Edition) -> str:
    """A year for the terminal: twelve months with 休 and 班, then the holidays in words."""
    facts = edition.year(year)
    covered = edition.covers(year)
    # A year that is doubtful from its first day says so once, rather than at every day.
    lines = [f"{year}年工作日历{'' if covered else '（全年暂定）'}　{edition.title}", ""]
    months = [
        _month(number, [fact for fact in facts if fact.date.month == number], covered)
        for number in range(1, 13)
    ]
    for start in range(0, 12, _MONTHS_IN_A_ROW):
        for row in zip(*months[start : start + _MONTHS_IN_A_ROW], strict=True):
            lines.append(_GAP.join(row).rstrip())
        lines.append("")
    lines += _words(facts, edition)
    return "\n".join(lines) + "\n"


def _day(fact: DayFact) -> dict[str, Any]:
    return {
        "day": fact.date.isoformat(),
        "weekday": f"周{_WEEKDAYS[fact.date.weekday()]}",
        "why": fact.reason,
        "festival": fact.festival,
        "notice": fact.notice,
        "basis": fact.basis,
        "provisional": fact.provisional,
    }


def _span(days: list[DayFact]) -> dict[str, Any]:
    return {
        "why": days[0].reason,
        "festival": days[0].festival,
        "first": days[0].date.isoformat(),
        "last": days[-1].date.isoformat(),
        "days": len(days),
    }


def _holidays(facts: list[DayFact]) -> list[list[DayFact]]:
    """The special days off, those that follow each other for the same reason together."""
    off = [fact for fact in facts if not fact.works and not fact.ordinary]
    runs = groupby(
        enumerate(off), key=lambda item: (item[1].date.toordinal() - item[0], item[1].reason)
    )
    return [[fact for _, fact in run] for _, run in runs]


def _month(number: int, facts: list[DayFact], marks_doubt: bool) -> list[str]:
    """Eight lines of the same width on screen, where a Chinese character takes two columns."""
    width = 7 * _CELL
    title = f"{number}月"
    lines = [title + " " * (width - len(title) - 1)]
    lines.append("".join(f" {name}" + " " * (_CELL - 3) for name in _WEEKDAYS))
    cells = [" " * _CELL] * facts[0].date.weekday() + [
        _cell(fact, marks_doubt) for fact in facts
    ]
    cells += [" " * _CELL] * (6 * 7 - len(cells))
    return lines + ["".join(cells[week : week + 7]) for week in range(0, 42, 7)]


def _cell(fact: DayFact, marks_doubt: bool) -> str:
    mark = "" if fact.ordinary else ("班" if fact.works else "休")
    text = f"{fact.date.day:>2}{mark}" + ("?" if marks_doubt and fact.provisional else "")
    return text + " " * (_CELL - len(text) - len(mark))


def _words(facts: list[DayFact], edition: Edition) -> list[str]:
    lines = []
    for days in _holidays(facts):
        first, last = days[0], days[-1]
        span = _date(first.date) if first is last else f"{_date(first.date)}至{_date(last.date)}"
        source = "、".join(sorted({fact.notice or fact.basis or "" for fact in days}))
        lines.append(f"{first.reason}：{span}，共{len(days)}天（{source}）")
    for fact in facts:
        if fact.works and not fact.ordinary:
            lines.append(f"{fact.reason}：{_date(fact.date)}（{fact.notice}）")
    lines.append(f"全年工作日：{sum(fact.works for fact in facts)}天")
    year = facts[0].date.year
    doubtful = next((fact.date for fact in facts if fact.provisional), None)
    if not edition.covers(year):
        lines.append(f"全年暂定：{year}年的放假通知尚未纳入本版日历")
    elif doubtful:
        lines.append(f"自{_date(doubtful)}起（标“?”）暂定：{year + 1}年的放假通知尚未纳入本版日历")
    return lines


def _date(day: date) -> str:
    return f"{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"
