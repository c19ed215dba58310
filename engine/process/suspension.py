"""Suspending a case 暂停办理 and taking it up again: every clock of it stands still in between, and nothing can be done to it.

The working days that were left are left exactly: the days of the suspension are a pause like any other, in the explanation of
each deadline too. What is fixed by date (a report's day) is not moved by it and fires when the case goes on.
"""

from __future__ import annotations

from typing import Any

from calendars.deadline import shanghai_day
from engine.process.case import Case
from engine.process.projection import Docket, date_tasks, recount

#: Who stopped a clock, in a timer's pauses: tasks are named by their tokens, which look different.
MARK = "suspended"


def suspend(case: Case, said: dict[str, Any]) -> None:
    """Stops all clocks of a case; what stands already goes on standing."""
    case.instance.state = "suspended"
    stand_still(case, said)


def resume(case: Case, said: dict[str, Any]) -> None:
    """Lets the clocks run again that the suspension had stopped."""
    case.instance.state = "running"
    take_up(case, said)


def stand_still(case: Docket, said: dict[str, Any]) -> None:
    """The clocks' part of a suspension, also for a case that is only tried."""
    today = shanghai_day(case.at).isoformat()
    for timer in case.timers:
        if timer.state == "waiting":
            timer.pauses = [*timer.pauses, [today, None, MARK]]
    _count(case, said, "paused")


def take_up(case: Docket, said: dict[str, Any]) -> None:
    """The clocks' part of going on."""
    today = shanghai_day(case.at).isoformat()
    for timer in case.timers:
        timer.pauses = [[start, today if end is None and by == MARK else end, by] for start, end, by in timer.pauses]
    _count(case, said, "resumed")


def _count(case: Docket, said: dict[str, Any], what: str) -> None:
    homes = {timer.activity or timer.token for timer in case.timers if timer.state in ("waiting", "paused")}
    said["clocks"] = [{"what": what, "activity": timer.activity_name} for timer in case.timers if timer.role == "deadline" and timer.state != "fired"]
    recount(case, homes, said)
    date_tasks(case, {token.token: token for token in case.machine.waiting()}, homes)
