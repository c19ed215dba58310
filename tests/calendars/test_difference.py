"""What a notice changes in the calendar, day by day."""

from __future__ import annotations

from calendars.difference import changes, years_touched
from calendars.edition import Edition
from calendars.notices import Notice, shipped_notices
from tests.calendars.days import d

ALL = shipped_notices()


def test_the_extension_of_2020_changes_three_days_of_the_spring_festival() -> None:
    place = next(n for n, notice in enumerate(ALL) if notice.doc == "国办发明电〔2020〕1号")
    before, after = Edition.of(ALL[:place]), Edition.of(ALL[: place + 1])
    found = [change for change in changes(before, after, 2020) if change.moves]
    # 2 February was a Sunday: off before and after, now because the notice says so.
    assert [(change.day, change.after.works) for change in found] == [(d("2020-01-31"), False), (d("2020-02-01"), False)]
    assert years_touched(before, after) == [2020]


def test_a_years_notice_settles_the_year_and_the_end_of_the_year_before() -> None:
    before, after = Edition.of(ALL[:-1]), Edition.of(ALL)
    assert [change.day.isoformat() for change in changes(before, after, 2025)][0] == "2025-12-25"
    assert all(change.before.provisional and not change.after.provisional for change in changes(before, after, 2025))
    assert len([change for change in changes(before, after, 2026) if change.moves]) > 10


def test_an_edition_differs_from_itself_in_nothing() -> None:
    assert changes(Edition.of(ALL), Edition.of(ALL), 2026) == []


def test_a_closure_of_the_city_is_a_change_of_one_day() -> None:
    snow = Notice("辽市政办发〔2026〕8号", 2026, d("2026-12-01"), d("2026-12-01"), add_off=(d("2026-12-02"), d("2026-12-03")))
    found = changes(Edition.of(ALL), Edition.of(ALL, local=[snow]), 2026)
    assert [(change.day, change.after.notice) for change in found if change.moves] == [(d("2026-12-02"), snow.doc), (d("2026-12-03"), snow.doc)]
