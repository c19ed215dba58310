"""The `calendar` command from what is typed to what is printed."""

import json

import pytest

from calendars.command import due_as_json, instant, pause, year_as_json, year_as_text
from calendars.errors import CalendarEnds, CalendarError
from calendars.notices import shipped_notices
from tests.calendars.days import at, d


@pytest.mark.parametrize(
    "start",
    ["2026-02-10", "2026-02-10T09:30", "2026-02-10 09:30:15", "2026-02-10T09:30+08:00", "2026-02-10T01:30Z", " 2026-02-10 "],
)
def test_a_start_may_be_a_date_or_an_instant(start: str) -> None:
    found = due_as_json(start, "10")
    assert found["due"] == "2026-03-03T00:00:00+08:00"
    assert (found["last_day"], found["provisional"]) == ("2026-03-02", False)
    assert set(found) >= {"due", "last_day", "provisional", "counted", "skipped", "edition"}
    assert all(set(day) >= {"day", "why", "notice"} for day in found["skipped"])
    json.dumps(found)


def test_an_instant_elsewhere_is_a_day_in_shanghai() -> None:
    assert due_as_json("2026-02-09T16:30:00Z", 10)["received"] == "2026-02-10"
    assert instant("2026-02-10T09:30") == at("2026-02-10 09:30")


def test_s16_as_typed() -> None:
    assert due_as_json("2026-04-28", 10)["last_day"] == "2026-05-14"
    assert due_as_json("2026-04-28", 10, pauses=["2026-05-06..2026-05-08"])["last_day"] == "2026-05-18"
    assert due_as_json("2026-04-28", 10, restart_at="2026-05-08")["last_day"] == "2026-05-21"
    waiting = due_as_json("2026-04-28", 10, pauses=["2026-05-06.."])
    assert (waiting["due"], waiting["paused"], waiting["remaining"]) == (None, True, 7)
    assert pause("2026-05-06..").end_day is None


def test_as_of_a_past_day_the_answer_is_what_one_would_have_said_then() -> None:
    assert due_as_json("2020-01-20", 5, as_of="2020-01-26")["last_day"] == "2020-02-01"
    assert due_as_json("2020-01-20", 5, as_of="2020-01-27")["last_day"] == "2020-02-04"
    early = due_as_json("2026-02-10", 10, as_of="2025-11-03")
    assert early["provisional"] and early["edition"] == "e10-20241112"


def test_office_hours_and_the_notices_that_count_are_the_callers_choice() -> None:
    assert due_as_json("2026-02-10T18:00", 10, office_hours=True)["last_day"] == "2026-03-03"
    assert due_as_json("2026-02-10", 10, notices=shipped_notices()[:-1])["provisional"]
    assert due_as_json("2026-02-10", 10, notices=[])["edition"].startswith("e0-")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("2026-02-30", 10), "“2026-02-30”不是有效日期"),
        (("tomorrow", 10), "“tomorrow”不是有效时间"),
        (("2026-02-10T25:00", 10), "不是有效时间"),
        (("20260210", 10), "不是有效时间"),
        (("", 10), "不是有效时间"),
        (("2026-02-10", "ten"), "工作日数应为整数：“ten”"),
        (("2026-02-10", "-1"), "0至2000"),
        (("2026-02-10", 2001), "0至2000"),
        (("2026-02-10", 10, "soon"), "“soon”不是有效日期"),
        (("2026-02-10", 10, "1999-01-01"), "无法还原"),
        (("2026-02-10", 10, None, ["2026-02-11"]), "不是有效的暂停期间"),
        (("2026-02-10", 10, None, ["2026-02-11..x"]), "“x”不是有效日期"),
        (("2026-02-10", 10, None, ["2026-02-12..2026-02-11"]), "早于开始日"),
        (("2026-02-10", 10, None, [], "2026-02-09"), "早于起算时间"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence_that_quotes_it(
    arguments: tuple[object, ...], complaint: str
) -> None:
    with pytest.raises(CalendarError, match=complaint):
        due_as_json(*arguments)  # type: ignore[arg-type]


def test_a_question_past_the_data_is_an_error_and_one_within_it_provisional() -> None:
    assert due_as_json("2049-06-01", 10)["provisional"]
    with pytest.raises(CalendarEnds, match="止于2050-12-31"):
        due_as_json("2050-12-25", 30)
    for year in (2007, "2051"):
        with pytest.raises(CalendarEnds, match=f"没有{year}年"):
            year_as_json(year)


def test_a_year_as_json() -> None:
    shown = year_as_json("2026")
    assert (shown["year"], shown["edition"], shown["working_days"]) == (2026, "e11-20251104", 248)
    assert shown["provisional_from"] == "2026-12-25"
    assert [day["day"] for day in shown["make_up_days"]] == [
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    ]  # fmt: skip
    assert len(shown["days_off"]) == 33
    spring = shown["holidays"][1]
    assert (spring["festival"], spring["first"], spring["last"], spring["days"]) == (
        "春节", "2026-02-15", "2026-02-23", 9,
    )  # fmt: skip
    unpublished = year_as_json(2027)
    assert (unpublished["published"], unpublished["provisional_from"]) == (False, "2027-01-01")
    assert unpublished["notices"] == []
    json.dumps([shown, unpublished])


def test_a_year_as_text() -> None:
    text = year_as_text(2026)
    assert "春节放假：2月15日（周日）至2月23日（周一），共9天（国办发明电〔2025〕7号）" in text
    assert "调休上班：2月14日（周六）（国办发明电〔2025〕7号）" in text
    assert "自12月25日（周五）起（标“?”）暂定：2027年的放假通知尚未纳入本版日历" in text
    assert " 9   10   11   12   13   14班 15休" in text
    assert text.count("?") == 7 + 1, "the last seven days, and the line that explains the mark"
    assert "2027年工作日历（全年暂定）" in year_as_text(2027)
    assert "?" not in year_as_text(2025)


@pytest.mark.parametrize("year", [2008, 2021, 2026, 2050])
def test_the_months_of_a_year_stand_under_each_other(year: int) -> None:
    """On a terminal, where a Chinese character takes two columns: a day stands under its weekday's name."""

    def columns(text: str) -> str:
        return "".join(char + ("." if ord(char) > 0x2000 else "") for char in text)

    lines = [columns(line) for line in year_as_text(year).splitlines()]
    names = next(line for line in lines if line.startswith(" 一"))
    second_week = lines[lines.index(names) + 2]
    shown = [int(second_week[at - 1 : at + 1]) for at, char in enumerate(names) if char == "一"]
    first_mondays = [
        next(n for n in range(2, 9) if d(f"{year}-{month:02}-{n:02}").weekday() == 0)
        for month in (1, 2, 3)
    ]
    assert shown == first_mondays
