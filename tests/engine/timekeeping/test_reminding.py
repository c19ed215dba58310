"""From November on the keepers of the calendar hear once a week that next year's notice is missing, until it stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.process.notifying.reading import notices
from engine.process.timekeeping.reminding import remind_of_missing_notice
from tests.engine.process.office import Office
from tests.engine.timekeeping.acts import national, publish


def reminded(office: Office, *moments: str) -> list[int]:
    """How many people heard of it when the worker came by at these moments."""
    told = []
    for moment in moments:
        office.clock.to(moment)
        told.append(remind_of_missing_notice(office.store))
    return told


def test_nobody_is_reminded_before_november(office: Office) -> None:
    assert reminded(office, "2026-02-10 09:00", "2026-10-31 23:59", "2026-11-01 00:00") == [0, 0, 1]
    with office.store.read() as session:
        [line] = notices(session, office["petra"]).lines
        assert line.title == "请录入2027年放假安排" and "跨年的截止日均为暂定" in line.text
        assert notices(session, office["anna"]).lines == notices(session, office["paul"]).lines == []


def test_once_in_a_week_of_the_calendar_over_the_year_s_last_days_too(office: Office) -> None:
    # The 28th of December 2026 begins the last week of the year; 1 January belongs to it, and asks for 2027 no longer.
    assert reminded(office, "2026-11-02 09:00", "2026-11-08 23:59", "2026-11-09 00:00", "2026-11-15 09:00") == [1, 0, 1, 0]
    assert reminded(office, "2026-12-28 09:00", "2026-12-31 09:00", "2027-01-01 09:00") == [1, 0, 0]


def test_it_stops_when_the_notice_stands(office: Office) -> None:
    assert reminded(office, "2026-12-21 09:00") == [1]
    publish(office, national(office))
    assert reminded(office, "2026-12-28 09:00") == [0]


def test_two_workers_in_the_same_minute_remind_once(office: Office) -> None:
    office.clock.to("2026-11-02 09:00")
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda _: remind_of_missing_notice(office.store), range(2)))
    assert sorted(told) == [0, 1]
    with office.store.read() as session:
        assert len(notices(session, office["petra"]).lines) == 1


@pytest.mark.parametrize(("moment", "told"), [("2049-11-02 09:00", 1), ("2050-11-02 09:00", 0)])
def test_no_notice_is_missed_for_a_year_of_which_nothing_is_known(office: Office, moment: str, told: int) -> None:
    assert reminded(office, moment) == [told]
