"""The arithmetic against a plain walk from day to day, over random editions, starts and pauses."""

from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calendars.china import ChinaWorkingCalendar
from calendars.deadline import SHANGHAI, OfficeHours, Pause, after, before, due, explain, working_days_left
from calendars.edition import Edition
from tests.calendars.days import known_on, newest

#: Far enough from both ends that 2,000 working days and every pause stay inside the data.
days = st.dates(date(2016, 1, 1), date(2034, 12, 31))
counts = st.integers(0, 400)
#: The calendar as known on any day, from before the first notice to after the last.
editions = st.dates(date(2016, 6, 1), date(2026, 11, 23)).map(lambda day: known_on(day.isoformat()))
hours = st.none() | st.times().map(OfficeHours)


@st.composite
def pauses_near(draw: st.DrawFn, start: date) -> list[Pause]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        first = start + timedelta(days=draw(st.integers(-20, 60)))
        found.append(Pause(first, first + timedelta(days=draw(st.integers(0, 30)))))
    return found


def instant(day: date, clock: time = time(9, 30)) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)


def walk(edition: Edition, start: date, n: int, pauses: list[Pause]) -> date:
    """The rule as a person would apply it with a wall calendar and a pencil."""
    day = start
    while n:
        day += timedelta(days=1)
        stopped = any(p.start_day < day <= p.end_day for p in pauses if p.end_day)
        n -= edition.day(day).works and not stopped
    return day


@given(editions, days, st.data())
def test_a_deadline_is_where_a_walk_from_day_to_day_ends(
    edition: Edition, start: date, data: st.DataObject
) -> None:
    n, pauses = data.draw(st.integers(0, 60)), data.draw(pauses_near(start))
    assert due(instant(start), n, edition, pauses=pauses).last_day == walk(edition, start, n, pauses)


@given(editions, days, st.data())
def test_an_explanation_tells_every_day_of_its_deadline_once(
    edition: Edition, start: date, data: st.DataObject
) -> None:
    n, pauses = data.draw(st.integers(0, 60)), data.draw(pauses_near(start))
    told = explain(instant(start), n, edition, pauses=pauses)
    assert told.deadline == due(instant(start), n, edition, pauses=pauses)
    assert [day.ordinal for day in told.counted] == list(range(1, n + 1))
    assert [day.day for day in told.days] == [
        start + timedelta(days=k + 1) for k in range((told.deadline.last_day - start).days)
    ]
    assert all(edition.works(day.day) for day in told.counted)
    assert all(day.paused or not edition.works(day.day) for day in told.skipped)
    assert told.deadline.provisional == any(day.provisional for day in told.days if not day.paused)


@given(editions, days, counts)
def test_the_nth_day_is_n_days_away_and_works(edition: Edition, day: date, n: int) -> None:
    later, earlier = edition.nth_working_day_after(day, n), edition.nth_working_day_before(day, n)
    assert edition.working_days_between(day, later) == n
    assert edition.working_days_between(earlier, day) == n - edition.works(earlier) * (n > 0) + edition.works(day) * (n > 0)
    if n:
        assert edition.works(later) and edition.works(earlier)
        assert earlier < day < later
        assert edition.nth_working_day_after(earlier, n) == edition.working_day_from(day)
        assert edition.nth_working_day_before(later, n) == edition.working_day_until(day)


@given(editions, days, days, days)
def test_counts_add_up_and_turn_around(edition: Edition, a: date, b: date, c: date) -> None:
    between = edition.working_days_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(a, b) == -between(b, a)


@given(editions, days, days, counts, counts)
def test_later_starts_and_longer_limits_never_end_earlier(
    edition: Edition, a: date, b: date, n: int, m: int
) -> None:
    (first, second), (less, more) = sorted((a, b)), sorted((n, m))
    shortest = due(instant(first), less, edition).due
    assert shortest <= due(instant(second), less, edition).due
    assert shortest <= due(instant(first), more, edition).due


@given(days, st.integers(2, 60), st.integers(0, 70), st.integers(0, 40), hours)
def test_a_pause_gives_back_exactly_the_working_days_it_took(
    start: date, n: int, begins: int, lasts: int, office: OfficeHours | None
) -> None:
    edition = newest()
    plain = due(instant(start), n, edition, office_hours=office)
    pause = Pause(start + timedelta(days=begins), start + timedelta(days=begins + lasts))
    paused = due(instant(start), n, edition, pauses=[pause], office_hours=office)
    if pause.start_day >= plain.last_day:
        assert paused == plain
        return
    received = explain(instant(start), n, edition, office_hours=office).received
    taken = edition.working_days_between(max(pause.start_day, received), max(pause.end_day, received))
    assert paused.last_day == due(instant(start), n + taken, edition, office_hours=office).last_day


@given(days, st.integers(1, 60), st.integers(0, 90))
def test_what_is_left_in_a_pause_is_what_is_counted_after_it(start: date, n: int, begins: int) -> None:
    edition, asked = newest(), start + timedelta(days=begins)
    waiting = due(instant(start), n, edition, pauses=[Pause(asked)])
    if not waiting.paused:
        assert waiting == due(instant(start), n, edition) and waiting.last_day <= asked
        return
    answered = asked + timedelta(days=9)
    closed = due(instant(start), n, edition, pauses=[Pause(asked, answered)])
    assert edition.working_days_between(answered, closed.last_day) == waiting.remaining


@given(editions, days, st.integers(0, 60), st.integers(0, 15), st.times())
def test_reminder_deadline_and_escalation_come_in_this_order(
    edition: Edition, start: date, n: int, offset: int, clock: time
) -> None:
    deadline = due(instant(start, clock), n, edition)
    reminder, escalation = before(deadline, offset, edition), after(deadline, offset, edition)
    assert reminder.due < deadline.due <= escalation.due
    assert working_days_left(deadline.due, deadline, edition) < 0
    assert working_days_left(deadline.due - timedelta(seconds=1), deadline, edition) == 0
    if offset and edition.works(deadline.last_day):
        assert working_days_left(reminder.due, deadline, edition) == offset
    if offset:
        assert working_days_left(escalation.due, deadline, edition) == -offset


@given(editions, days, st.integers(-60, 60), days)
def test_workalendars_interface_agrees(edition: Edition, day: date, delta: int, other: date) -> None:
    calendar = ChinaWorkingCalendar(edition)
    there = calendar.add_working_days(day, delta)
    assert calendar.is_working_day(day) == edition.works(day)
    assert there == (
        edition.nth_working_day_after(day, delta) if delta >= 0 else edition.nth_working_day_before(day, -delta)
    )
    assert calendar.get_working_days_delta(day, other) == abs(edition.working_days_between(day, other))
