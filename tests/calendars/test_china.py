"""workalendar's interface on our days: its own loops over our answers must find what our lookup finds."""

from datetime import date, datetime, timedelta

import pytest
from workalendar.core import Calendar
from workalendar.exceptions import UnsupportedDateType

from calendars.china import ChinaWorkingCalendar
from calendars.errors import CalendarEnds
from tests.calendars.days import d, every_day, newest


@pytest.fixture
def china() -> ChinaWorkingCalendar:
    return ChinaWorkingCalendar(newest())


def test_the_loops_of_the_base_class_agree_with_our_lookup(china: ChinaWorkingCalendar) -> None:
    for day in every_day(d("2025-12-20"), d("2026-03-10")):
        for delta in (-10, -1, 0, 1, 10):
            assert china.add_working_days(day, delta) == Calendar.add_working_days(china, day, delta)
        later = day + timedelta(days=25)
        for include_start in (False, True):
            assert china.get_working_days_delta(later, day, include_start) == (
                Calendar.get_working_days_delta(china, day, later, include_start)
            )
    assert china.get_working_days_delta(d("2026-02-10"), d("2026-02-10"), include_start=True) == 0


def test_it_knows_the_years_that_workalendars_own_china_lacks(china: ChinaWorkingCalendar) -> None:
    assert china.is_working_day(d("2026-02-14"))
    assert not china.is_working_day(d("2026-02-18"))
    assert china.add_working_days(d("2026-02-10"), 10) == d("2026-03-02")
    assert china.sub_working_days(d("2026-03-02"), 10) == d("2026-02-10")
    assert china.find_following_working_day(d("2026-02-28")) == d("2026-02-28"), "a make-up Saturday"
    assert china.find_following_working_day(d("2026-02-15")) == d("2026-02-24")


def test_holidays_are_named(china: ChinaWorkingCalendar) -> None:
    assert china.holidays(2026)[:4] == [
        (d("2026-01-01"), "元旦"),
        (d("2026-01-02"), "元旦"),
        (d("2026-01-03"), "元旦"),
        (d("2026-02-15"), "春节"),
    ]
    assert len(china.holidays(2026)) == 33
    assert china.get_holiday_label(d("2026-10-01")) == "国庆节"
    assert china.is_holiday(d("2026-10-07")) and not china.is_holiday(d("2026-10-10"))
    assert [label for _, label in china.holidays(2030)].count("春节") == 4
    assert "SUMMARY:端午节" in china.export_to_ical([2026, 2026])


def test_extra_days_go_before_the_edition(china: ChinaWorkingCalendar) -> None:
    snow, overtime = d("2026-03-03"), d("2026-03-07")
    assert not china.is_working_day(snow, extra_holidays=[snow])
    assert china.is_working_day(snow, extra_working_days=[snow], extra_holidays=[snow])
    assert china.is_working_day(overtime, extra_working_days=[overtime])
    assert china.add_working_days(d("2026-03-02"), 1, extra_holidays=[snow]) == d("2026-03-04")
    assert china.get_working_days_delta(d("2026-03-02"), d("2026-03-08"), extra_working_days=[overtime]) == 5


def test_datetimes_are_taken_as_workalendar_takes_them(china: ChinaWorkingCalendar) -> None:
    moment = datetime(2026, 2, 10, 9, 30)
    assert china.add_working_days(moment, 10) == d("2026-03-02")
    assert china.add_working_days(moment, 10, keep_datetime=True) == datetime(2026, 3, 2, 9, 30)
    assert china.is_working_day(moment)
    with pytest.raises(UnsupportedDateType):
        china.is_working_day("2026-02-10")  # type: ignore[arg-type]


def test_outside_the_data_it_raises_rather_than_errs(china: ChinaWorkingCalendar) -> None:
    with pytest.raises(CalendarEnds):
        china.is_working_day(date(2051, 1, 1))
    with pytest.raises(CalendarEnds):
        china.holidays(2007)
