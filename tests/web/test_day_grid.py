"""The month sheets of a deadline: the Spring Festival of 2026, and a clock that stood still."""

from __future__ import annotations

from datetime import date

from calendars.deadline import Pause, explain
from calendars.edition import Edition
from calendars.notices import shipped_notices
from engine.store.clock import shanghai
from web.day_grid import months

EDITION = Edition.of(shipped_notices())


def test_ten_working_days_over_the_spring_festival() -> None:
    february, march = months(explain(shanghai("2026-02-10 09:30"), 10, EDITION))
    assert (february.name, march.name) == ("2026年2月", "2026年3月")
    cells = {cell.day: cell for month in (february, march) for week in month.weeks for cell in week if cell}
    assert cells[date(2026, 2, 10)].kind == "start"
    assert [day.day for day in sorted(cells) if cells[day].kind in ("counted", "last")] == [11, 12, 13, 14, 24, 25, 26, 27, 28, 2]
    assert cells[date(2026, 2, 14)].mark == "第4日"
    assert cells[date(2026, 2, 17)].kind == "skipped" and "春节" in cells[date(2026, 2, 17)].why
    assert cells[date(2026, 3, 2)].kind == "last" and cells[date(2026, 3, 2)].mark == "第10日"
    assert len(february.weeks) == 3 and len(march.weeks) == 2, "weeks in which nothing was counted are left out"
    assert all(len(week) == 7 for month in (february, march) for week in month.weeks)


def test_the_days_of_a_pause_are_marked() -> None:
    pause = Pause(date(2026, 5, 6), date(2026, 5, 8))
    (month_before, may) = months(explain(shanghai("2026-04-28 10:00"), 10, EDITION, pauses=[pause]))
    assert month_before.name == "2026年4月"
    kinds = {cell.day.day: cell.kind for week in may.weeks for cell in week if cell}
    assert kinds[7] == kinds[8] == "paused"
    assert kinds[18] == "last"
