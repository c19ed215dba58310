"""From a rule to a moment: deadlines, reminders and escalations in working days, and why they fall where they do.

The rules, which no caller should restate:

* The day of receipt is not counted (Civil Code of China, article 201). It is the Shanghai date on which the submission
  arrived; with office hours, what comes after closing time or on a day off is received on the next working day.
* The nth working day after it is the last day, and ends at 24:00 Shanghai time. So `due` is an exclusive end: 00:00 of the
  day after the last day.
* A pause from day S to day E takes out the days after S, up to and including E. A restart counts anew from its own day.
* A reminder falls at 00:00 of the nth working day *before the last day* (last day 2026-03-02, two before: 2026-02-27);
  an escalation at 00:00 of the nth working day *after* it (three after: 2026-03-05).
* A deadline is provisional while a notice still to come could move it: when a day that was looked at to find it is provisional.

Instants go in aware, come out in UTC. Shanghai has kept +08:00 all year since 1992, so a fixed offset is exact
for every year of the calendar, and needs no time zone data on the machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from calendars.edition import Edition
from calendars.errors import CalendarError

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
MOST_WORKING_DAYS = 2000
"""About eight years: more is a slip of the pen, not a limit that a rule could mean."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """The policy that a submission after hours, or on a day off, is received on the next working day."""

    closes: time = time(17, 0)
    """Shanghai time; a submission at this very minute and second is still in time."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stopped clock: the days after `start_day`, up to and including `end_day`, are not counted."""

    start_day: date
    end_day: date | None = None
    """None while the pause lasts."""

    def __post_init__(self) -> None:
        if self.end_day is not None and self.end_day < self.start_day:
            raise CalendarError(f"暂停的结束日{self.end_day}早于开始日{self.start_day}")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that a rule gives, with what stands behind it."""

    due: datetime | None
    """UTC. Of a deadline: the exclusive end, 00:00 Shanghai of the day after `last_day`. Of a reminder or escalation: when it
    falls. None while the clock is stopped."""
    last_day: date | None
    """The last day in time; of a reminder or escalation, the day on which it falls. None while the clock is stopped."""
    provisional: bool
    """True while a notice still to come may move it (暂定)."""
    edition: str
    """The id of the edition that it was computed with."""
    paused: bool = False
    remaining: int | None = None
    """While paused: the working days that are left when the clock runs again."""
    last_working_day: date | None = None
    """Of a calendar date: the last working day up to it, which reminders name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit in working days. Raises CalendarError outside 0 to 2000."""

    working_days: int
    office_hours: OfficeHours | None = None

    def __post_init__(self) -> None:
        _check_count(self.working_days)

    def due(
        self,
        start: datetime,
        edition: Edition,
        *,
        pauses: Sequence[Pause] = (),
        restart_at: datetime | None = None,
    ) -> Deadline:
        """The deadline under this rule; see `due`."""
        return due(
            start,
            self.working_days,
            edition,
            pauses=pauses,
            restart_at=restart_at,
            office_hours=self.office_hours,
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """One day that was looked at to find a deadline: counted with its number, or skipped with the reason."""

    day: date
    ordinal: int | None
    """Its number among the counted days, from 1; None when it was skipped."""
    why: str
    notice: str | None
    provisional: bool
    paused: bool = False
    basis: str | None = None
    """The decree and article, for a festival that is computed."""

    def as_json(self) -> dict[str, Any]:
        value = {
            "day": self.day.isoformat(),
            "why": self.why,
            "notice": self.notice,
            "provisional": self.provisional,
        }
        if self.ordinal is not None:
            return {"n": self.ordinal, **value}
        return {**value, "paused": self.paused, "basis": self.basis}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A deadline with every day that was counted or skipped on the way to it."""

    start: datetime
    received: date
    """The day of receipt, which is not counted (after a restart: the day of the restart)."""
    working_days: int
    days: tuple[Looked, ...]
    """Every day after the day of receipt, up to the last day, in order."""
    pauses: tuple[Pause, ...]
    """As they took effect: merged, in order."""
    restart_at: datetime | None
    deadline: Deadline
    edition_title: str

    @property
    def counted(self) -> tuple[Looked, ...]:
        return tuple(day for day in self.days if day.ordinal is not None)

    @property
    def skipped(self) -> tuple[Looked, ...]:
        return tuple(day for day in self.days if day.ordinal is None)

    def as_json(self) -> dict[str, Any]:
        """The shape of `sharing-bpm calendar due`. Instants carry Shanghai's offset."""
        found = self.deadline
        return {
            "due": _shown(found.due),
            "last_day": found.last_day.isoformat() if found.last_day else None,
            "provisional": found.provisional,
            "counted": [day.day.isoformat() for day in self.counted],
            "skipped": [day.as_json() for day in self.skipped],
            "edition": found.edition,
            "edition_title": self.edition_title,
            "start": _shown(self.start),
            "received": self.received.isoformat(),
            "restart_at": _shown(self.restart_at),
            "working_days": self.working_days,
            "paused": found.paused,
            "remaining": found.remaining,
            "pauses": [
                {
                    "from": pause.start_day.isoformat(),
                    "to": pause.end_day.isoformat() if pause.end_day else None,
                }
                for pause in self.pauses
            ],
            "counted_days": [day.as_json() for day in self.counted],
        }


def shanghai_day(instant: datetime) -> date:
    """The date in Shanghai at an aware instant. Raises CalendarError for a naive one."""
    return _aware(instant).astimezone(SHANGHAI).date()


def start_of(day: date) -> datetime:
    """00:00 Shanghai of a day, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """24:00 Shanghai of a day, in UTC: the exclusive end."""
    return start_of(day + timedelta(days=1))


def receipt_day(
    instant: datetime, edition: Edition, office_hours: OfficeHours | None = None
) -> date:
    """The day on which something that arrives at `instant` counts as received.

    Without office hours, the Shanghai date. With them, what comes after closing time or on a day off is received on
    the next working day. Raises CalendarError for a naive instant.
    """
    local = _aware(instant).astimezone(SHANGHAI)
    day = local.date()
    if office_hours is None:
        return day
    if local.time() > office_hours.closes:
        return edition.nth_working_day_after(day, 1)
    return edition.working_day_from(day)


def due(
    start: datetime,
    working_days: int,
    edition: Edition,
    *,
    pauses: Sequence[Pause] = (),
    restart_at: datetime | None = None,
    office_hours: OfficeHours | None = None,
) -> Deadline:
    """The deadline `working_days` working days after what arrived at `start`.

    Pauses may overlap and come in any order. A pause that begins after time has run out changes nothing. While one is
    open, there is no date: `due` is None, `paused` is true and `remaining` tells what is left. With `restart_at`, the
    full number is counted anew from the day of the restart.

    Raises CalendarError for naive instants, a count outside 0 to 2000 or a restart before the start; CalendarEnds
    where the edition stops before the answer.
    """
    count = _count(start, working_days, edition, pauses, restart_at, office_hours)
    return _deadline(count, edition)


def before(deadline: Deadline, n: int, edition: Edition) -> Deadline:
    """A reminder: 00:00 Shanghai of the nth working day before the deadline's last day (of that day itself for n = 0).

    It may lie before the start when the limit is short; whoever sets the timer decides what to do then. For a paused
    deadline there is no such moment: it comes back paused.
    """
    _check_count(n)
    if deadline.last_day is None:
        return deadline
    day = edition.nth_working_day_before(deadline.last_day, n)
    # The last day itself was not looked at to find this moment: a report date is fixed, whatever day it is.
    doubtful = n > 0 and _doubtful(edition, day, deadline.last_day - timedelta(days=1))
    return Deadline(start_of(day), day, deadline.provisional or doubtful, edition.id)


def after(deadline: Deadline, n: int, edition: Edition) -> Deadline:
    """An escalation: 00:00 Shanghai of the nth working day after the deadline's last day (for n = 0, the deadline itself).

    For a paused deadline there is no such moment: it comes back paused.
    """
    _check_count(n)
    if deadline.last_day is None or n == 0:
        return deadline
    day = edition.nth_working_day_after(deadline.last_day, n)
    doubtful = edition.doubtful_between(deadline.last_day, day)
    return Deadline(start_of(day), day, deadline.provisional or doubtful, edition.id)


def calendar_date(day: date, edition: Edition) -> Deadline:
    """A deadline on a date fixed by law: the end of that day, whatever day of the week it is.

    It is never rolled to a working day and never provisional; `last_working_day` is the last chance at the office.
    """
    return Deadline(
        end_of(day), day, False, edition.id, last_working_day=edition.working_day_until(day)
    )


def working_days_left(now: datetime, deadline: Deadline, edition: Edition) -> int:
    """Working days from tomorrow to the last day: 0 on the last day, negative once time has run out.

    Overdue is at least -1, also on the weekend right after the last day. While paused: what will be left.
    """
    if deadline.last_day is None:
        return deadline.remaining or 0
    today = shanghai_day(now)
    left = edition.working_days_between(today, deadline.last_day)
    return left if today <= deadline.last_day else min(left, -1)


def explain(
    start: datetime,
    working_days: int,
    edition: Edition,
    *,
    pauses: Sequence[Pause] = (),
    restart_at: datetime | None = None,
    office_hours: OfficeHours | None = None,
) -> Explanation:
    """The same deadline as `due`, with every day on the way: numbered, or skipped and why."""
    count = _count(start, working_days, edition, pauses, restart_at, office_hours)
    return Explanation(
        start=start,
        received=count.received,
        working_days=working_days,
        days=tuple(_look(count, edition)),
        pauses=count.pauses,
        restart_at=restart_at,
        deadline=_deadline(count, edition),
        edition_title=edition.title,
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """How the count went: over which stretches of days it ran, and where it stopped."""

    received: date
    asked: date
    """The Shanghai date of the instant; before `received` when office hours moved it."""
    runs: tuple[tuple[date, date], ...]
    """The clock ran on the days after the first, up to and including the second date of each."""
    pauses: tuple[Pause, ...]
    last_day: date | None
    remaining: int


def _count(
    start: datetime,
    working_days: int,
    edition: Edition,
    pauses: Sequence[Pause],
    restart_at: datetime | None,
    office_hours: OfficeHours | None,
) -> _Count:
    _check_count(working_days)
    _aware(start)
    if restart_at is not None and _aware(restart_at) < start:
        raise CalendarError("重新计算的时间早于起算时间")
    begins = start if restart_at is None else restart_at
    received = receipt_day(begins, edition, office_hours)
    asked = shanghai_day(begins)
    runs: list[tuple[date, date]] = []
    stops: list[Pause] = []
    left, day = working_days, received
    for stop in _merged(pauses, received):
        until = max(stop.start_day, day)
        available = edition.working_days_between(day, until)
        if available >= left:
            break
        runs.append((day, until))
        stops.append(stop)
        left -= available
        if stop.end_day is None:
            return _Count(received, asked, tuple(runs), tuple(stops), None, left)
        day = stop.end_day
    last_day = edition.nth_working_day_after(day, left)
    runs.append((day, last_day))
    return _Count(received, asked, tuple(runs), tuple(stops), last_day, 0)


def _merged(pauses: Sequence[Pause], received: date) -> list[Pause]:
    """The pauses that reach past the day of receipt, overlapping and touching ones as one, in order."""
    merged: list[Pause] = []
    for pause in sorted(pauses, key=lambda p: p.start_day):
        if pause.end_day is not None and pause.end_day <= max(received, pause.start_day):
            continue
        if not merged or (merged[-1].end_day or date.max) < pause.start_day:
            merged.append(pause)
        elif merged[-1].end_day is not None:
            ends = None if pause.end_day is None else max(merged[-1].end_day, pause.end_day)
            merged[-1] = replace(merged[-1], end_day=ends)
    return merged


def _deadline(count: _Count, edition: Edition) -> Deadline:
    doubtful = any(edition.doubtful_between(first, last) for first, last in count.runs)
    if count.received > count.asked:
        # Office hours looked for the next working day: the days on the way there decide as well.
        doubtful |= _doubtful(edition, count.asked, count.received)
    if count.last_day is None:
        return Deadline(None, None, doubtful, edition.id, paused=True, remaining=count.remaining)
    return Deadline(end_of(count.last_day), count.last_day, doubtful, edition.id)


def _doubtful(edition: Edition, first: date, last: date) -> bool:
    """Whether any day from `first` to `last`, both included, is provisional."""
    return edition.provisional(first) or edition.doubtful_between(first, last)


def _look(count: _Count, edition: Edition) -> Iterator[Looked]:
    runs, ordinal = list(count.runs), 0
    day, stop = count.received, runs[-1][1]
    while day < stop:
        day += timedelta(days=1)
        fact = edition.day(day)
        while day > runs[0][1]:
            runs.pop(0)
        paused = day <= runs[0][0]
        counts = fact.works and not paused
        ordinal += counts
        yield Looked(
            day=day,
            ordinal=ordinal if counts else None,
            why="暂停计时" if paused and fact.works else fact.reason,
            notice=fact.notice,
            provisional=fact.provisional,
            paused=paused,
            basis=fact.basis,
        )


def _aware(instant: datetime) -> datetime:
    if not isinstance(instant, datetime) or instant.utcoffset() is None:
        raise CalendarError("时间缺少时区，无法确定是哪一天")
    return instant


def _check_count(n: int) -> None:
    if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n <= MOST_WORKING_DAYS:
        raise CalendarError(f"工作日数应为0至{MOST_WORKING_DAYS}的整数：{n!r}")


def _shown(instant: datetime | None) -> str | None:
    return instant.astimezone(SHANGHAI).isoformat() if instant else None
