"""Our days against three strangers' data: chinesecalendar, holidays and lunardate.

They are oracles of the tests only. Where they differ from us, the difference is listed with its reason; a new one fails.
"""

from datetime import date

import chinese_calendar
import holidays
import pytest
from chinese_calendar.constants import holidays as their_days_off
from chinese_calendar.constants import workdays as their_make_up_days
from lunardate import LunarDate

from calendars.edition import Edition
from calendars.statutory import festivals, known_decrees, lunar_table
from tests.calendars.days import d, every_day, newest

COVERED = range(2018, 2027)
ALL_YEARS = range(2008, 2051)

#: Plain weekends that chinesecalendar calls holidays because they adjoin one. The notices of 2019 and 2024 name only the
#: festival itself ("与周末连休"), so for us they are 周六 and 周日; the offices are closed either way.
ADJOINING_WEEKENDS = {
    "2019-04-06", "2019-04-07", "2019-06-08", "2019-06-09", "2019-09-14", "2019-09-15",
    "2023-12-30", "2023-12-31",
}  # fmt: skip


def days_off(edition: Edition, year: int) -> set[date]:
    return {f.date for f in edition.year(year) if not f.works and not f.ordinary}


def make_up_days(edition: Edition, year: int) -> set[date]:
    return {f.date for f in edition.year(year) if f.works and not f.ordinary}


@pytest.fixture(scope="module")
def china() -> holidays.HolidayBase:
    return holidays.country_holidays("CN", years=ALL_YEARS, language="zh_CN")


def test_every_day_of_2018_to_2026_agrees_with_chinesecalendar_and_holidays(
    china: holidays.HolidayBase,
) -> None:
    for day in every_day(d("2018-01-01"), d("2026-12-31")):
        works = newest().works(day)
        assert chinese_calendar.is_workday(day) == works, day
        assert china.is_working_day(day) == works, day


def test_the_special_days_agree_with_chinesecalendar_but_for_weekends_that_adjoin() -> None:
    for year in COVERED:
        theirs = {day for day in their_days_off if day.year == year}
        extra = {day.isoformat() for day in theirs ^ days_off(newest(), year)}
        assert extra == {text for text in ADJOINING_WEEKENDS if text.startswith(str(year))}
        assert {day for day in their_make_up_days if day.year == year} == make_up_days(newest(), year)


def test_the_special_days_agree_with_holidays_but_for_weekends_it_leaves_unnamed(
    china: holidays.HolidayBase,
) -> None:
    for year in COVERED:
        theirs = {day for day in china if day.year == year}
        ours = days_off(newest(), year)
        assert theirs <= ours
        assert all(day.weekday() >= 5 for day in ours - theirs)
        assert {day for day in china.weekend_workdays if day.year == year} == make_up_days(newest(), year)


def test_the_decree_of_every_year_agrees_with_holidays(china: holidays.HolidayBase) -> None:
    """holidays also names substitutes (补假) for years to come: a guess, as the decree leaves the day to the notice."""
    for year in ALL_YEARS:
        ours = set(festivals(year, known_decrees(None)))
        theirs = {
            day
            for day, name in china.items()
            if day.year == year and "补假" not in name and "调休" not in name and "70周年" not in name
        }
        if year in COVERED:
            # There its table names the bridge days as well; that every festival is off must hold all the same.
            assert ours <= theirs | {day for day in ours if day.weekday() >= 5}
            assert not any(newest().works(day) for day in ours)
        else:
            assert theirs == ours, year


def test_neither_oracle_knows_that_it_does_not_know(china: holidays.HolidayBase) -> None:
    """Why they are oracles and no more: what is unpublished is certain to one, and an exception to the other."""
    assert china.is_working_day(d("2027-02-09")) is False, "a substitute nobody has announced"
    assert newest().works(d("2027-02-09")) and newest().provisional(d("2027-02-09"))
    assert chinese_calendar.is_workday(d("2026-12-31")), "certain, though the 2027 notice may say otherwise"
    assert newest().provisional(d("2026-12-31"))
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(d("2027-01-01"))


def test_the_lunar_table_agrees_with_an_independent_lunar_calendar() -> None:
    for year, named in lunar_table().items():
        spring = LunarDate(year, 1, 1).to_solar_date()
        assert named["春节"] == spring
        assert named["除夕"].toordinal() == spring.toordinal() - 1
        assert named["端午"] == LunarDate(year, 5, 5).to_solar_date()
        assert named["中秋"] == LunarDate(year, 8, 15).to_solar_date()
        assert named["清明"] in {date(year, 4, 4), date(year, 4, 5)}
    assert list(lunar_table()) == list(ALL_YEARS)
