"""From the rule of a timer row to its due moment: the seam between the kernel's rows and the calendar's arithmetic.

A rule is stored on the row with its numbers evaluated, so that a deadline can be counted again at any time (after a
pause, or under a new calendar edition) without the diagram and without the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from calendars import deadline as calendar
from calendars.edition import Edition
from engine.process.interpreter.model import TimerRule
from engine.process.tables import Timer

#: The office-hours policy of a rule that asks for it; the hour is the calendar's default.
OFFICE_HOURS = calendar.OfficeHours()


class BadRule(ValueError):
    """A timer's numbers cannot be used; the message names the element."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a timer is due. All None while its clock stands still."""

    at: datetime | None
    last_day: date | None
    provisional: bool
    edition: str | None


STOPPED = Due(None, None, False, None)


def resolve(rule: TimerRule, evaluate: Any) -> dict[str, Any]:
    """The rule as stored on a timer row: expressions evaluated once, when the clock starts.

    `evaluate(text)` gives an expression's value. Raises BadRule when a number of days is no whole number from 0 up or
    a date is no ISO date.
    """
    stored: dict[str, Any] = {"on_pause": rule.on_pause}
    if rule.office_hours:
        stored["office_hours"] = True
    for name in ("statutory_max", "article"):
        if getattr(rule, name) is not None:
            stored[name] = getattr(rule, name)
    for name, text in (("working_days", rule.working_days), ("before", rule.before_deadline), ("after", rule.after_deadline)):
        if text is not None:
            stored[name] = whole_days(evaluate(text), rule.element)
    if rule.count_from is not None:
        stored["count_from"] = _iso_day(evaluate(rule.count_from), rule.element)
    if rule.calendar_date is not None:
        stored["calendar_date"] = _iso_day(evaluate(rule.calendar_date), rule.element)
    if rule.duration is not None:
        stored["seconds"] = seconds_of(rule.duration, rule.element)
    return stored


def whole_days(value: Any, element: str) -> int:
    """A count of working days from an expression's value. Raises BadRule naming the element."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip().isdigit():
        raise BadRule(f"{element}：工作日数应为非负整数，实际为“{value}”")
    return int(value)


def due_of(timer: Timer, deadline: Timer | None, edition: Edition) -> Due:
    """When `timer` is due under `edition`. `deadline` is the deadline of the same activity, for relative rules."""
    rule, by_hand = timer.rule, set_by_hand(timer)
    if by_hand is not None:
        return _as_set(timer, by_hand, edition, pauses_of(timer.pauses))
    if "before" in rule or "after" in rule:
        if deadline is None:
            raise BadRule(f"{timer.element}：所在环节没有时限，无法据此推算提醒或升级时间")
        moment = _absolute(deadline, edition)
        moment = calendar.before(moment, rule["before"], edition) if "before" in rule else calendar.after(moment, rule["after"], edition)
        return _due(moment)
    if "seconds" in rule:
        return Due(timer.started_at + timedelta(seconds=rule["seconds"]), None, False, None)
    return _due(_absolute(timer, edition))


def due_running_from(timer: Timer, at: datetime, edition: Edition) -> Due:
    """When a working-day clock is due if it runs (again) from `at` on: what `due_of` says once its open pause has ended."""
    stands = any(end is None for _, end, *_ in timer.pauses)
    restart = stands and timer.rule["on_pause"] == "restart"
    today = calendar.shanghai_day(at).isoformat()
    pauses = [] if restart else pauses_of([start, end or today] for start, end, *_ in timer.pauses)
    by_hand = None if restart else set_by_hand(timer)
    if by_hand is not None:
        return _as_set(timer, by_hand, edition, pauses)
    return _due(_not_before_kept(timer, calendar.due(
        timer.started_at, timer.rule["working_days"], edition, pauses=pauses,
        restart_at=at if restart else timer.restart_at, office_hours=_hours(timer.rule),
    )))  # fmt: skip


# -- dates set by hand ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ByHand:
    """A date that somebody gave a timer by hand 手工调整. It stands whatever the calendar says, until it is taken back."""

    at: datetime
    """The instant (UTC) that was set."""
    by: int | None
    """Account id of who set it."""
    when: datetime
    extended: int
    """The working days that had been added to the rule by then: what is added later is added to this date as well."""
    kept_day: str | None
    """The `kept_day` of the counted date, which holds again when the hand-set one is taken back."""


def set_by_hand(timer: Timer) -> ByHand | None:
    """What was set by hand; None for most timers, and where the clock has begun anew since (a pause with `restart`)."""
    kept = timer.rule.get("set")
    if kept is None:
        return None
    found = ByHand(datetime.fromisoformat(kept["at"]), kept["by"], datetime.fromisoformat(kept["when"]), kept["extended"], kept["kept_day"])
    return None if timer.restart_at is not None and timer.restart_at > found.when else found


def rule_as_set(timer: Timer, at: datetime, *, by: int | None, when: datetime) -> dict[str, Any]:
    """The rule of a timer that is given a date by hand."""
    rule = rule_as_counted(timer)
    kept = rule.pop("kept_day", None)
    return {**rule, "set": {"at": at.isoformat(), "by": by, "when": when.isoformat(), "extended": rule.get("extended", 0), "kept_day": kept}}


def rule_as_counted(timer: Timer) -> dict[str, Any]:
    """The rule of a timer without what was set by hand."""
    rule = {**timer.rule}
    if "set" in rule:
        kept = rule.pop("set")["kept_day"]
        rule.pop("kept_day", None)
        rule |= {"kept_day": kept} if kept else {}
    return rule


def bound_by_law(rule: Mapping[str, Any]) -> bool:
    """Whether the law says how long a limit may be at most: a number of working days, or the very day."""
    return ("statutory_max" in rule and "working_days" in rule) or ("calendar_date" in rule and "article" in rule)


def latest_by_law(timer: Timer, edition: Edition) -> date | None:
    """The last day to which a limit may be lengthened by hand; None where the law says nothing of it.

    The day that an article names; or what the statutory maximum gives by the calendar, with the clock's pauses and the working days
    that a step has added, and never before the day that people were told they have. The clock must be running.
    """
    rule = timer.rule
    if not bound_by_law(rule):
        return None
    if "calendar_date" in rule:
        return date.fromisoformat(rule["calendar_date"])
    kept = rule_as_counted(timer).get("kept_day")
    days = [_counted(timer, count, edition).last_day for count in (rule["statutory_max"] + rule.get("extended", 0), rule["working_days"])]
    return max(day for day in (*days, date.fromisoformat(kept) if kept else None) if day is not None)


def _as_set(timer: Timer, by_hand: ByHand, edition: Edition, pauses: list[calendar.Pause]) -> Due:
    """The date as set; later by the working days on which the clock has stood since, and by those that a step has added."""
    rule = timer.rule
    relative = "before" in rule or "after" in rule
    day = calendar.shanghai_day(by_hand.at if relative else by_hand.at - timedelta(microseconds=1))
    if "seconds" in rule:
        return Due(by_hand.at, None, False, None)
    moment = calendar.Deadline(by_hand.at, day, False, edition.id)
    if "calendar_date" not in rule:  # a fixed date does not wait for a clock that stands
        left = edition.working_days_between(calendar.shanghai_day(by_hand.when), day)
        more = max(0, rule.get("extended", 0) - by_hand.extended)
        moved = calendar.due(by_hand.when, left + more, edition, pauses=pauses)
        if more or moved.last_day != calendar.due(by_hand.when, left, edition).last_day:
            moment = moved if not relative or moved.last_day is None else replace(moved, due=calendar.start_of(moved.last_day))
    return _due(_not_before_kept(timer, moment))


def day_in_words(day: date | None, provisional: bool) -> str:
    """A last day as notices and letters name it: 2027年1月4日, or 2027年1月4日（暂定） while a notice may still move it."""
    return f"{day.year}年{day.month}月{day.day}日{'（暂定）' if provisional else ''}" if day else ""


@dataclass(frozen=True, slots=True)
class Lengthened:
    """What adding working days to a running deadline did."""

    activity: str
    """Token of the activity whose clocks must be counted again."""
    name: str
    before: date | None
    after: date | None
    provisional: bool
    """Whether a notice may still move the new day."""

    def told(self, days: int) -> dict[str, Any]:
        """As the operation that asked for it returns it."""
        return {"days": days, "due_day": self.after.isoformat() if self.after else None, "due_text": day_in_words(self.after, self.provisional),
                "old_day": self.before.isoformat() if self.before else None}


def lengthen(own: Iterable[Timer], days: int, at: datetime, edition_in: Callable[[str | None], Edition]) -> Lengthened | None:
    """Adds working days to the running deadline among the timers of an activity; None where no working-day deadline runs.

    The clock stays one clock, of one calendar. A reminder that has fired already will remind again.
    """
    own = list(own)
    clock = next((timer for timer in own if timer.role == "deadline" and timer.state in ("waiting", "paused")), None)
    if clock is None or "working_days" not in clock.rule:
        return None
    edition = edition_in(clock.calendar)
    before = due_running_from(clock, at, edition).last_day
    # What was added stands apart as well: under another version the days of the rule change, and those added stay.
    more = {"working_days": clock.rule["working_days"] + days, "extended": clock.rule.get("extended", 0) + days}
    clock.rule = {**clock.rule, **more}
    remind_again(own, clock, at)
    after = due_running_from(clock, at, edition)
    return Lengthened(clock.activity or clock.token, clock.activity_name, before, after.last_day, after.provisional)


def remind_again(own: Iterable[Timer], clock: Timer, at: datetime) -> None:
    """Of a deadline that got later: a reminder of its activity that has fired already will remind again."""
    for timer in own:
        if timer.role == "reminder" and timer.state == "fired" and timer.activity == clock.activity:
            # The interpreter's own event is spent: from now on the row leans on the deadline's token, as a limit's reminder does.
            timer.kind, timer.token, timer.state = "limit", clock.token, "waiting"
            timer.started_at, timer.fired_at, timer.due_at = at, None, None
            timer.rule = rule_as_counted(timer)  # a day that was set by hand for it has been


def pauses_of(stored: Iterable[Any]) -> list[calendar.Pause]:
    """The calendar's pauses from the rows of `Timer.pauses`."""
    return [
        calendar.Pause(date.fromisoformat(start), date.fromisoformat(end) if end else None) for start, end, *_ in stored
    ]


def explain(timer: Timer, edition: Edition) -> calendar.Explanation | None:
    """Every counted and skipped day of a working-day deadline; None for a timer that counts no working days."""
    days = timer.rule.get("working_days")
    if days is None:
        return None
    return calendar.explain(
        _start(timer), days, edition, pauses=pauses_of(timer.pauses), restart_at=timer.restart_at,
        office_hours=_hours(timer.rule),
    )


def _absolute(timer: Timer, edition: Edition) -> calendar.Deadline:
    by_hand = set_by_hand(timer)
    if by_hand is not None:
        found = _as_set(timer, by_hand, edition, pauses_of(timer.pauses))
        return calendar.Deadline(found.at, found.last_day, found.provisional, edition.id)
    if "calendar_date" in timer.rule:
        return calendar.calendar_date(date.fromisoformat(timer.rule["calendar_date"]), edition)
    return _not_before_kept(timer, _counted(timer, timer.rule["working_days"], edition))


def _counted(timer: Timer, days: int, edition: Edition) -> calendar.Deadline:
    """So many working days on the timer's clock."""
    return calendar.due(
        _start(timer), days, edition, pauses=pauses_of(timer.pauses), restart_at=timer.restart_at, office_hours=_hours(timer.rule),
    )  # fmt: skip


def _not_before_kept(timer: Timer, moment: calendar.Deadline) -> calendar.Deadline:
    """A deadline that a publication did not take away stays, whatever the calendar gives since."""
    kept = kept_day(timer)
    if kept is not None and moment.last_day is not None and moment.last_day < kept:
        return replace(moment, due=calendar.end_of(kept), last_day=kept)
    return moment


def kept_day(timer: Timer) -> date | None:
    """The last day that a publication did not take away, although the calendar gives an earlier one since; None for most."""
    day = timer.rule.get("kept_day")
    return date.fromisoformat(day) if day else None


def _start(timer: Timer) -> datetime:
    """From when working days are counted: the day that the rule names, or the moment when the clock started."""
    day = timer.rule.get("count_from")
    return datetime.combine(date.fromisoformat(day), time(), calendar.SHANGHAI) if day else timer.started_at


def acts_at(timer: Timer) -> datetime:
    """The instant as of which a due timer acts: its due time, but never before its clock began to run at all.

    A limit counted from a day long past may be over when the case comes in.
    """
    assert timer.due_at is not None
    return max(timer.due_at, timer.started_at)


def _due(moment: calendar.Deadline) -> Due:
    return Due(moment.due, moment.last_day, moment.provisional, moment.edition)


def _hours(rule: Mapping[str, Any]) -> calendar.OfficeHours | None:
    return OFFICE_HOURS if rule.get("office_hours") else None


def _iso_day(value: Any, element: str) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise BadRule(f"{element}：日期应为“年-月-日”，实际为“{value}”") from None


_UNITS = {"W": 604800, "D": 86400, "H": 3600, "M": 60, "S": 1}


def seconds_of(text: str, element: str) -> int:
    """Seconds of an ISO 8601 duration made of weeks, days, hours, minutes and whole seconds (`P1DT2H`).

    Months and years have no fixed length and are refused with BadRule.
    """
    body = text.strip().strip("\"'")
    day_part, _, time_part = body.removeprefix("P").partition("T")
    total = 0
    try:
        if not body.startswith("P") or body.rstrip("T") == "P":
            raise ValueError
        for part, allowed in ((day_part, "WD"), (time_part, "HMS")):
            number = ""
            for sign in part:
                if sign.isdigit():
                    number += sign
                elif sign in allowed:
                    total += int(number) * _UNITS[sign]
                    number = ""
                else:
                    raise ValueError
            if number:
                raise ValueError
    except ValueError:
        raise BadRule(f"{element}：无法识别时长“{text}”") from None
    return total
