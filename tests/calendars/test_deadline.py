"""Deadlines as the officials' scenarios tell them, with real dates."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from calendars.deadline import (
    SHANGHAI,
    OfficeHours,
    Pause,
    Rule,
    after,
    before,
    calendar_date,
    due,
    explain,
    receipt_day,
    working_days_left,
)
from calendars.errors import CalendarEnds, CalendarError
from tests.calendars.days import at, d, every_day, known_on, newest, utc

S01 = at("2026-02-10 09:30")
"""A submission on the Tuesday before the Spring Festival of 2026; the reply is due in ten working days."""
S16 = at("2026-04-28 10:00")
"""Received before the May holiday; the material is asked for on 6 May and complete on the 8th."""
ASKED, COMPLETE = d("2026-05-06"), d("2026-05-08")


# -- S01 to S10 -----------------------------------------------------------------------------------


def test_s01_ten_working_days_over_the_spring_festival() -> None:
    found = due(S01, 10, newest())
    assert found.last_day == d("2026-03-02")
    assert found.due == utc("2026-03-03 00:00"), "the day ends at 24:00 in Shanghai"
    assert found.due.tzinfo is UTC
    assert (found.provisional, found.edition, found.paused) == (False, "e11-20251104", False)


def test_s01_counts_both_make_up_saturdays_and_skips_the_holiday() -> None:
    told = explain(S01, 10, newest())
    assert [f"{day.day.month}/{day.day.day}" for day in told.counted] == [
        "2/11", "2/12", "2/13", "2/14", "2/24", "2/25", "2/26", "2/27", "2/28", "3/2",
    ]  # fmt: skip
    assert [day.ordinal for day in told.counted] == list(range(1, 11))
    assert {day.day.isoformat(): day.why for day in told.skipped} == {
        **{day.isoformat(): "春节放假" for day in every_day(d("2026-02-15"), d("2026-02-23"))},
        "2026-03-01": "周日",
    }
    assert {day.notice for day in told.skipped if day.why == "春节放假"} == {"国办发明电〔2025〕7号"}
    make_up = [day for day in told.counted if day.why == "调休上班"]
    assert [day.day for day in make_up] == [d("2026-02-14"), d("2026-02-28")]
    assert all(day.notice == "国办发明电〔2025〕7号" for day in make_up)


def test_s01_reminder_two_working_days_before_and_escalation_three_after() -> None:
    deadline = due(S01, 10, newest())
    assert before(deadline, 2, newest()).due == utc("2026-02-27 00:00")
    assert after(deadline, 3, newest()).due == utc("2026-03-05 00:00")
    assert before(deadline, 2, newest()).last_day == d("2026-02-27")
    assert after(deadline, 0, newest()) == deadline, "at the deadline itself"
    assert before(deadline, 0, newest()).due == utc("2026-03-02 00:00"), "the start of the last day"


@pytest.mark.parametrize(
    ("scenario", "start", "days", "last_day"),
    [
        ("S02: on a make-up Saturday", "2026-02-14 10:00", 10, "2026-03-06"),
        ("S03: inside the holiday", "2026-02-18 10:00", 10, "2026-03-06"),
        ("S06: over New Year", "2025-12-31 10:00", 2, "2026-01-05"),
        ("S08: across a make-up Saturday", "2026-02-27 10:00", 2, "2026-03-02"),
        ("S13: supply", "2026-03-02 15:00", 10, "2026-03-16"),
        ("S13: supply under the national regulation", "2026-03-02 15:00", 20, "2026-03-30"),
        ("S23: acceptance", "2026-09-24 09:00", 2, "2026-09-29"),
        ("S23: evidence", "2026-09-29 09:00", 5, "2026-10-12"),
        ("S23: whole review", "2026-09-24 09:00", 20, "2026-10-29"),
        ("S30: negotiation", "2026-08-03 09:00", 10, "2026-08-17"),
        ("S30: coordination", "2026-08-17 09:00", 10, "2026-08-31"),
        ("S34: rectification", "2026-10-12 09:00", 15, "2026-11-02"),
        ("S41: the old limit", "2026-11-23 10:00", 10, "2026-12-07"),
        ("S41: the new limit", "2026-11-23 14:00", 5, "2026-11-30"),
        ("the day itself", "2026-02-18 10:00", 0, "2026-02-18"),
    ],
)
def test_a_limit_ends_on_its_last_day(scenario: str, start: str, days: int, last_day: str) -> None:
    found = due(at(start), days, newest())
    assert (found.last_day, found.provisional) == (d(last_day), False)


def test_the_day_of_receipt_is_the_shanghai_date_wherever_the_clock_stands() -> None:
    late = datetime(2026, 2, 9, 16, 30, tzinfo=UTC)
    assert receipt_day(late, newest()) == d("2026-02-10"), "half past midnight in Shanghai"
    newyork = late.astimezone(timezone(timedelta(hours=-5)))
    assert due(newyork, 10, newest()) == due(S01, 10, newest())


# -- S10: provisional -------------------------------------------------------------------------------


def test_s10_a_deadline_beyond_the_last_notice_is_provisional() -> None:
    found = due(at("2026-12-18 09:00"), 10, newest())
    assert (found.last_day, found.provisional) == (d("2027-01-04"), True)
    told = explain(at("2026-12-18 09:00"), 10, newest())
    new_year = next(day for day in told.skipped if day.day == d("2027-01-01"))
    assert (new_year.why, new_year.notice, new_year.provisional) == ("元旦放假（依法定节日推算）", None, True)
    assert new_year.basis is not None
    assert [f"{day.day:%m-%d}" for day in told.counted if day.provisional] == [
        "12-25", "12-28", "12-29", "12-30", "12-31", "01-04",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "days", "provisional"),
    [
        ("2026-12-18 09:00", 4, False),  # last day 24 December
        ("2026-12-18 09:00", 5, True),  # last day 25 December
        ("2026-12-24 09:00", 0, False),
        ("2026-12-31 09:00", 0, False),  # the very day of receipt: no other day was looked at
        ("2026-12-31 09:00", 1, True),
    ],
)
def test_a_deadline_is_provisional_exactly_when_an_unsettled_day_was_looked_at(
    start: str, days: int, provisional: bool
) -> None:
    assert due(at(start), days, newest()).provisional is provisional


def test_reminders_and_escalations_carry_the_doubt_of_the_days_they_look_at() -> None:
    settled = due(at("2026-12-10 09:00"), 10, newest())
    assert (settled.last_day, settled.provisional) == (d("2026-12-24"), False)
    assert not before(settled, 2, newest()).provisional
    assert after(settled, 3, newest()).provisional
    doubtful = due(at("2026-12-10 09:00"), 11, newest())
    assert before(doubtful, 5, newest()).provisional


def test_office_hours_lean_on_the_days_up_to_the_receipt() -> None:
    hours = OfficeHours()
    assert due(at("2026-12-24 18:00"), 0, newest(), office_hours=hours).provisional
    assert not due(at("2026-12-24 16:00"), 0, newest(), office_hours=hours).provisional


# -- amendments -------------------------------------------------------------------------------------


def test_the_amendment_of_2019_moved_open_deadlines() -> None:
    start = at("2019-04-22 10:00")
    assert due(start, 8, known_on("2019-03-21")).last_day == d("2019-05-03")
    assert due(start, 8, known_on("2019-03-22")).last_day == d("2019-05-05")
    assert due(start, 5, known_on("2019-03-21")).last_day == d("2019-04-29")
    assert due(start, 5, known_on("2019-03-22")).last_day == d("2019-04-28"), "earlier: the Sunday was worked"


def test_the_amendment_of_2020_01_27_moved_open_deadlines() -> None:
    start = at("2020-01-20 10:00")
    eve, published = known_on("2020-01-26"), known_on("2020-01-27")
    assert due(start, 5, eve).last_day == d("2020-02-01"), "a make-up Saturday, then"
    assert due(start, 5, published).last_day == d("2020-02-04")
    moved = explain(start, 5, published)
    assert [day.notice for day in moved.skipped if day.day == d("2020-02-01")] == ["国办发明电〔2020〕1号"]


# -- S16: pauses and restarts -----------------------------------------------------------------------


def test_s16_all_three_policies() -> None:
    paused = due(S16, 10, newest(), pauses=[Pause(ASKED, COMPLETE)])
    restarted = due(S16, 10, newest(), restart_at=at("2026-05-08 15:00"))
    untouched = due(S16, 10, newest())
    assert untouched.last_day == d("2026-05-14")
    assert paused.last_day == d("2026-05-18")
    assert restarted.last_day == d("2026-05-21")


def test_s16_while_the_material_is_awaited_there_is_no_date() -> None:
    waiting = due(S16, 10, newest(), pauses=[Pause(ASKED)])
    assert (waiting.due, waiting.last_day, waiting.paused) == (None, None, True)
    assert waiting.remaining == 7, "three of ten are used"
    assert before(waiting, 2, newest()) == waiting == after(waiting, 3, newest())
    assert working_days_left(at("2026-05-07 10:00"), waiting, newest()) == 7


def test_s16_the_paused_days_are_named_and_the_rest_counted() -> None:
    told = explain(S16, 10, newest(), pauses=[Pause(ASKED, COMPLETE)])
    assert [(day.day, day.why) for day in told.skipped if day.paused] == [
        (d("2026-05-07"), "暂停计时"),
        (d("2026-05-08"), "暂停计时"),
    ]
    assert [f"{day.day:%m-%d}" for day in told.counted][:4] == ["04-29", "04-30", "05-06", "05-09"]
    assert told.pauses == (Pause(ASKED, COMPLETE),)
    waiting = explain(S16, 10, newest(), pauses=[Pause(ASKED)])
    assert [day.ordinal for day in waiting.counted] == [1, 2, 3]


@pytest.mark.parametrize(
    ("pauses", "last_day"),
    [
        ([("05-06", "05-08"), ("05-07", "05-09")], "2026-05-19"),  # overlapping: one pause to the 9th
        ([("05-08", "05-09"), ("05-06", "05-08")], "2026-05-19"),  # touching, given backwards
        ([("05-06", "05-11"), ("05-07", "05-08")], "2026-05-20"),  # one inside the other
        ([("05-06", "05-06")], "2026-05-14"),  # asked and answered on one day
        ([("05-01", "05-05")], "2026-05-14"),  # nothing but days off
        ([("04-20", "04-28")], "2026-05-14"),  # over before the count began
        ([("04-20", "04-29")], "2026-05-15"),  # reaching into it
        ([("05-14", "05-20")], "2026-05-14"),  # asked on the last day: it has been counted
        ([("05-15", None)], "2026-05-14"),  # asked too late
        ([("05-13", "05-15")], "2026-05-18"),
    ],
)
def test_pauses_take_out_the_days_after_their_start(
    pauses: list[tuple[str, str | None]], last_day: str
) -> None:
    given = [Pause(d(f"2026-{a}"), d(f"2026-{b}") if b else None) for a, b in pauses]
    assert due(S16, 10, newest(), pauses=given).last_day == d(last_day)
    assert len(explain(S16, 10, newest(), pauses=given).counted) == 10


def test_an_open_pause_swallows_later_ones() -> None:
    given = [Pause(ASKED), Pause(d("2026-05-07"), COMPLETE)]
    assert due(S16, 10, newest(), pauses=given).remaining == 7


def test_a_restart_counts_in_full_and_keeps_only_later_pauses() -> None:
    again = at("2026-05-08 15:00")
    given = [Pause(ASKED, COMPLETE), Pause(d("2026-05-12"), d("2026-05-13"))]
    assert due(S16, 10, newest(), restart_at=again, pauses=given).last_day == d("2026-05-22")
    assert explain(S16, 10, newest(), restart_at=again).received == COMPLETE


# -- office hours -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrives", "received"),
    [
        ("2026-02-10 17:00:00", "2026-02-10"),
        ("2026-02-10 17:00:01", "2026-02-11"),
        ("2026-02-10 06:00:00", "2026-02-10"),
        ("2026-02-13 17:30:00", "2026-02-14"),  # the make-up Saturday
        ("2026-02-14 17:30:00", "2026-02-24"),  # and after it the holiday
        ("2026-02-18 10:00:00", "2026-02-24"),
    ],
)
def test_with_office_hours_what_comes_late_is_received_on_the_next_working_day(
    arrives: str, received: str
) -> None:
    assert receipt_day(at(arrives), newest(), OfficeHours()) == d(received)
    assert receipt_day(at(arrives), newest()) == d(arrives[:10])


def test_office_hours_move_the_deadline_with_the_receipt() -> None:
    rule = Rule(10, OfficeHours(closes=time(12)))
    assert rule.due(S01, newest()).last_day == d("2026-03-02")
    assert rule.due(at("2026-02-10 13:00"), newest()).last_day == d("2026-03-03")
    assert rule.due(S16, newest(), restart_at=at("2026-05-08 15:00")).last_day == d("2026-05-22")


# -- dates fixed by law -----------------------------------------------------------------------------


def test_s37_a_report_date_is_not_rolled_and_names_the_last_working_day() -> None:
    report = calendar_date(d("2026-10-31"), newest())
    assert report.due == utc("2026-11-01 00:00")
    assert report.last_working_day == d("2026-10-30")
    assert before(report, 15, newest()).due == utc("2026-10-12 00:00"), "the task opens"
    assert after(report, 1, newest()).last_day == d("2026-11-02")
    assert calendar_date(d("2026-10-30"), newest()).last_working_day == d("2026-10-30")


def test_a_report_date_is_certain_even_where_the_days_before_it_are_not() -> None:
    year_end = calendar_date(d("2026-12-31"), newest())
    assert not year_end.provisional
    assert before(year_end, 1, newest()).provisional
    christmas_eve = calendar_date(d("2026-12-25"), newest())
    assert not before(christmas_eve, 1, newest()).provisional


# -- what is left -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-02-10 09:30", 10),
        ("2026-02-14 12:00", 6),
        ("2026-02-20 12:00", 6),
        ("2026-02-27 00:00", 2),
        ("2026-03-02 23:59", 0),
        ("2026-03-03 00:00", -1),
        ("2026-03-05 00:00", -3),
    ],
)
def test_working_days_left(now: str, left: int) -> None:
    assert working_days_left(at(now), due(S01, 10, newest()), newest()) == left


def test_a_friday_deadline_is_overdue_on_saturday() -> None:
    friday = due(S01, 9 + 5, newest())
    assert friday.last_day == d("2026-03-06")
    assert working_days_left(at("2026-03-07 10:00"), friday, newest()) == -1
    assert working_days_left(at("2026-03-09 10:00"), friday, newest()) == -1
    assert working_days_left(at("2026-03-10 10:00"), friday, newest()) == -2


# -- as JSON ----------------------------------------------------------------------------------------


def test_the_explanation_as_json() -> None:
    value = explain(S01, 10, newest()).as_json()
    assert value["due"] == "2026-03-03T00:00:00+08:00"
    assert value["last_day"] == "2026-03-02"
    assert value["provisional"] is False
    assert value["counted"][0] == "2026-02-11" and len(value["counted"]) == 10
    assert value["skipped"][0]["day"] == "2026-02-15"
    assert value["skipped"][0]["why"] == "春节放假"
    assert value["skipped"][0]["notice"] == "国办发明电〔2025〕7号"
    assert value["edition"] == "e11-20251104"
    assert value["counted_days"][3] == {
        "n": 4,
        "day": "2026-02-14",
        "why": "调休上班",
        "notice": "国办发明电〔2025〕7号",
        "provisional": False,
    }
    waiting = explain(S16, 10, newest(), pauses=[Pause(ASKED)]).as_json()
    assert (waiting["due"], waiting["last_day"], waiting["paused"]) == (None, None, True)
    assert waiting["pauses"] == [{"from": "2026-05-06", "to": None}]


# -- refusals ---------------------------------------------------------------------------------------


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 2, 10, 9, 30)
    for question in (
        lambda: due(naive, 10, newest()),
        lambda: due(S01, 10, newest(), restart_at=naive),
        lambda: explain(naive, 10, newest()),
        lambda: receipt_day(naive, newest()),
        lambda: working_days_left(naive, due(S01, 10, newest()), newest()),
        lambda: due(date(2026, 2, 10), 10, newest()),  # type: ignore[arg-type]
    ):
        with pytest.raises(CalendarError, match="缺少时区"):
            question()


@pytest.mark.parametrize("n", [-1, 2001, True, 1.0, "10", None])
def test_a_count_that_no_rule_could_mean_is_refused(n: int) -> None:
    deadline = due(S01, 10, newest())
    for question in (
        lambda: due(S01, n, newest()),
        lambda: Rule(n),
        lambda: before(deadline, n, newest()),
        lambda: after(deadline, n, newest()),
    ):
        with pytest.raises(CalendarError, match="工作日数应为0至2000的整数"):
            question()


def test_impossible_pauses_and_restarts_are_refused() -> None:
    with pytest.raises(CalendarError, match="早于开始日"):
        Pause(COMPLETE, ASKED)
    with pytest.raises(CalendarError, match="早于起算时间"):
        due(S16, 10, newest(), restart_at=at("2026-04-27 10:00"))


def test_a_deadline_beyond_the_data_is_an_error() -> None:
    far = at("2050-12-20 10:00")
    assert due(far, 5, newest()).provisional
    for question in (
        lambda: due(far, 20, newest()),
        lambda: due(at("2051-01-05 10:00"), 0, newest()),
        lambda: due(far, 5, newest(), pauses=[Pause(d("2050-12-22"), d("2051-02-01"))]),
        lambda: calendar_date(d("2051-01-31"), newest()),
    ):
        with pytest.raises(CalendarEnds):
            question()


def test_a_deadline_at_the_very_end_still_has_its_exclusive_end() -> None:
    assert calendar_date(d("2050-12-31"), newest()).due == datetime(2051, 1, 1, tzinfo=SHANGHAI)
