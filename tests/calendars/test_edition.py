"""What an edition says about every day, and about the calendar as it was known on past days."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from calendars import edition as edition_module
from calendars.edition import FIRST_DAY, LAST_DAY, Edition, edition_for
from calendars.errors import CalendarEnds, CalendarError, NoticeError
from calendars.notices import Notice, notice_from_json, shipped_notices
from tests.calendars.days import d, every_day, known_on, newest

NOTICES_FILE = Path(edition_module.__file__).with_name("data") / "holiday_notices.json"


def test_every_day_of_2018_to_2026_is_what_the_notices_say() -> None:
    off: dict[str, str] = {}
    work: dict[str, str] = {}
    for notice in json.loads(NOTICES_FILE.read_text(encoding="utf-8"))["notices"]:
        for day in notice["cancel_off"]:
            del off[day]
        for day in notice["cancel_work"]:
            del work[day]
        off |= dict.fromkeys(notice["add_off"], notice["doc"])
        work |= dict.fromkeys(notice["add_work"], notice["doc"])
    assert len(off) > 200 and len(work) > 50

    for day in every_day(d("2018-01-01"), d("2026-12-31")):
        fact, text = newest().day(day), day.isoformat()
        if text in off:
            assert (fact.works, fact.notice) == (False, off[text]), day
            assert fact.reason.endswith("节放假") or fact.festival in {"元旦"}, fact
        elif text in work:
            assert (fact.works, fact.notice, fact.reason) == (True, work[text], "调休上班"), day
        elif day.weekday() >= 5:
            assert (fact.works, fact.notice) == (False, None), day
            assert fact.reason == ("周六" if day.weekday() == 5 else "周日")
        else:
            assert (fact.works, fact.notice, fact.reason) == (True, None, "工作日"), day


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2026-02-18", "春节放假"),
        ("2026-02-15", "春节放假"),
        ("2026-02-14", "调休上班"),
        ("2026-03-01", "周日"),
        ("2026-03-02", "工作日"),
        ("2018-12-31", "元旦放假"),
        ("2022-12-31", "元旦放假"),
        ("2020-01-31", "春节放假"),
        ("2019-05-04", "劳动节放假"),
        ("2025-10-08", "国庆节、中秋节放假"),
        ("2023-09-29", "中秋节、国庆节放假"),
        ("2027-10-01", "国庆节放假（依法定节日推算）"),
    ],
)
def test_a_day_gives_its_reason_in_the_officials_words(day: str, reason: str) -> None:
    assert newest().day(d(day)).reason == reason


# -- as known on a past day -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eve", "published", "changed"),
    [
        (
            "2019-03-21",
            "2019-03-22",
            {
                "2019-04-28": True, "2019-05-02": False, "2019-05-03": False,
                "2019-05-04": False, "2019-05-05": True,
            },
        ),
        ("2020-01-26", "2020-01-27", {"2020-01-31": False, "2020-02-01": False, "2020-02-02": False}),
    ],
)  # fmt: skip
def test_an_amendment_changes_only_its_own_days_and_only_once_published(
    eve: str, published: str, changed: dict[str, bool]
) -> None:
    before, after = known_on(eve), known_on(published)
    assert after.number == before.number + 1
    moved = {
        day.isoformat(): after.works(day)
        for day in every_day(FIRST_DAY, LAST_DAY)
        if before.works(day) != after.works(day)
    }
    # 2019-05-04 was a Saturday and 2020-02-02 a Sunday: off before and after, now with a notice.
    assert moved == {day: works for day, works in changed.items() if day not in {"2019-05-04", "2020-02-02"}}
    for day in changed:
        assert after.day(d(day)).notice == after.notices[-1].doc


def test_a_notice_counts_from_the_day_of_its_publication_not_of_its_signature() -> None:
    assert not known_on("2018-12-05").covers(2019), "signed on 4 December, published on the 6th"
    assert known_on("2018-12-06").covers(2019)
    assert known_on("2018-12-05").works(d("2018-12-31"))
    assert not known_on("2018-12-06").works(d("2018-12-31"))


def test_an_edition_is_the_same_whatever_the_order_in_which_notices_are_given() -> None:
    assert Edition.of(reversed(shipped_notices())) == newest()


def test_editions_are_named_by_number_and_last_publication() -> None:
    assert newest().id == "e11-20251104"
    assert newest().number == 11
    assert newest().title == "第11版（2025-11-04，国办发明电〔2025〕7号）"
    assert known_on("2019-03-21").id == "e2-20181206"
    assert known_on("2019-03-22").id == "e3-20190322"
    assert known_on("2026-11-23") == newest() and hash(known_on("2026-11-23")) == hash(newest())
    assert known_on("2019-03-21") != known_on("2019-03-22")


def test_an_edition_is_built_once_for_the_same_notices() -> None:
    assert edition_for(shipped_notices()) is edition_for(tuple(shipped_notices()))


# -- provisional --------------------------------------------------------------------------------


def test_a_year_without_a_notice_is_provisional_throughout() -> None:
    assert all(newest().provisional(day) for day in every_day(d("2027-01-01"), LAST_DAY))
    assert all(newest().provisional(day) for day in every_day(FIRST_DAY, d("2017-12-31")))


def test_the_last_seven_days_of_a_year_wait_for_the_next_years_notice() -> None:
    doubtful = [day for day in every_day(d("2018-01-01"), d("2026-12-31")) if newest().provisional(day)]
    assert doubtful == list(every_day(d("2026-12-25"), d("2026-12-31")))
    assert known_on("2022-12-07").provisional(d("2022-12-31"))
    assert not known_on("2022-12-08").provisional(d("2022-12-31"))


@pytest.mark.parametrize("notice", [n for n in shipped_notices() if not n.amends], ids=lambda n: n.doc)
def test_no_yearly_notice_ever_moved_a_day_that_was_not_provisional(notice: Notice) -> None:
    """The rule against history: between one yearly notice and the next, only provisional days changed."""
    eve, published = (known_on((notice.published - timedelta(days=n)).isoformat()) for n in (1, 0))
    for day in every_day(d("2018-01-01"), d("2026-12-31")):
        if eve.works(day) != published.works(day):
            assert eve.provisional(day), day


def test_an_amendment_or_a_local_order_alone_does_not_make_a_year_published() -> None:
    local = Edition.of(shipped_notices(), local=[closure("2027-01-06")])
    assert local.provisional(d("2027-03-01"))


# -- years without a notice ---------------------------------------------------------------------


def computed_days(edition: Edition, year: int) -> list[str]:
    return [f"{f.date:%m-%d}" for f in edition.year(year) if f.festival]


def test_a_year_without_a_notice_has_the_festivals_of_the_decree_in_force() -> None:
    assert computed_days(newest(), 2027) == [
        "01-01", "02-05", "02-06", "02-07", "02-08", "04-05", "05-01", "05-02", "06-09", "09-15",
        "10-01", "10-02", "10-03",
    ]  # fmt: skip
    eve = newest().day(d("2027-02-05"))
    assert (eve.works, eve.reason, eve.notice) == (False, "春节放假（依法定节日推算）", None)
    assert eve.basis == "《全国年节及纪念日放假办法》（国务院令第795号）第二条"


def test_each_revision_of_the_decree_holds_for_its_own_years() -> None:
    none_yet = Edition.of([])
    spring_2013 = [day for day in computed_days(none_yet, 2013) if day.startswith("02")]
    spring_2014 = [day for day in computed_days(none_yet, 2014) if day.startswith(("01-3", "02"))]
    assert spring_2013 == ["02-09", "02-10", "02-11"], "2007: the eve and two days of the new year"
    assert spring_2014 == ["01-31", "02-01", "02-02"], "2013: three days of the new year, not the eve"
    assert "05-02" not in computed_days(none_yet, 2024)
    assert "05-02" in computed_days(none_yet, 2025), "2024: 2 May and the eve"


def test_the_decree_too_is_known_only_once_published() -> None:
    assert known_on("2024-11-11").works(d("2025-01-28")), "the eve of 2025 before order 795"
    assert not known_on("2024-11-12").works(d("2025-01-28"))


def test_festivals_that_fall_together_are_both_named() -> None:
    assert Edition.of([]).day(d("2009-10-03")).festival == "中秋节、国庆节"


# -- local orders -------------------------------------------------------------------------------


def closure(day: str, doc: str = "辽市政办发〔2026〕3号") -> Notice:
    return notice_from_json(
        {"doc": doc, "for_year": d(day).year, "signed": "2026-01-05", "published": "2026-01-05", "add_off": [day]}
    )


def test_a_local_closure_lies_over_the_national_notices_and_says_so() -> None:
    snow = Edition.of(shipped_notices(), local=[closure("2026-02-28"), closure("2026-03-03", "辽市政办发〔2026〕4号")])
    fact = snow.day(d("2026-02-28"))
    assert (fact.works, fact.reason, fact.notice) == (False, "本地安排停止办公", "辽市政办发〔2026〕3号")
    assert not snow.works(d("2026-03-03"))
    assert newest().works(d("2026-02-28")), "the national edition stands as it was"
    assert snow.id.startswith("e11-20260105-") and snow.id != newest().id


def test_a_local_order_may_open_a_day_and_take_its_own_order_back() -> None:
    opened = notice_from_json({**closure("2026-03-03").as_json(), "doc": "加班", "add_off": [], "add_work": ["2026-03-07"]})
    undone = notice_from_json({**closure("2026-03-03").as_json(), "doc": "恢复", "add_off": [], "cancel_off": ["2026-03-03"]})
    edition = Edition.of(shipped_notices(), local=[closure("2026-03-03"), opened, undone])
    assert edition.day(d("2026-03-07")).reason == "本地安排上班"
    assert edition.works(d("2026-03-03"))
    with pytest.raises(NoticeError, match="从未安排过"):
        Edition.of(shipped_notices(), local=[undone])


# -- the ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(2007, 12, 31), date(2051, 1, 1)])
def test_a_day_outside_the_data_is_an_error_not_a_guess(day: date) -> None:
    for question in (newest().works, newest().day, newest().provisional, newest().working_day_from):
        with pytest.raises(CalendarEnds, match=f"{day}超出日历数据的范围（2008-01-01至2050-12-31）"):
            question(day)
    with pytest.raises(CalendarEnds):
        newest().year(day.year)


def test_arithmetic_that_would_leave_the_data_is_an_error() -> None:
    assert newest().nth_working_day_after(d("2050-12-29"), 1) == d("2050-12-30")
    with pytest.raises(CalendarEnds, match="从2050-12-29起的第3个工作日超出日历数据"):
        newest().nth_working_day_after(d("2050-12-29"), 3)
    with pytest.raises(CalendarEnds, match="2008-01-03之前的第2个工作日早于日历数据"):
        newest().nth_working_day_before(d("2008-01-03"), 2)
    with pytest.raises(CalendarError, match="不能为负"):
        newest().nth_working_day_after(d("2026-01-05"), -1)


def test_the_calendar_as_known_before_the_first_decree_cannot_be_rebuilt() -> None:
    with pytest.raises(CalendarEnds, match="无法还原2007-12-31所知的日历"):
        known_on("2007-12-31")
