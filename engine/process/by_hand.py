"""A timer's date set by hand 调整时限, and taken back to what the calendar gives: the road's part.

The law stays above the hand: a limit with a statutory maximum may be tightened, and lengthened to the day that the maximum gives
by the calendar, never beyond; a day that an article names is never put off. Reminders and escalations lean on their deadline and move with it. The date stands when a calendar
is published; a clock that stands still afterwards has as many working days left as it had.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from calendars.deadline import end_of, shanghai_day, start_of
from calendars.edition import LAST_DAY
from calendars.errors import CalendarError
from engine.process.belonging import held_up_by
from engine.process.case import Case
from engine.process.clocks import day_in_words, due_of, latest_by_law, remind_again, rule_as_counted, rule_as_set
from engine.process.moves import SetDue
from engine.process.projection import date_tasks, edition_for, recount
from engine.process.tables import Timer
from engine.process.turning_back import tell
from engine.store.errors import Invalid, Refused, Stale


def enter(case: Case, move: SetDue) -> dict[str, Any]:
    """Opens the history entry. Raises Stale where the timer has fired or was withdrawn meanwhile."""
    timer = next((timer for timer in case.timers if timer.id == move.timer_id and timer.state in ("waiting", "paused")), None)
    if timer is None:
        raise Stale("该定时已触发或已撤销，不能再调整")
    act = "due_counted" if move.due is None else "due_set"
    said = case.record(act, step=timer.element, article=timer.rule.get("article"), activity=timer.activity_name, role=timer.role, reason=move.reason)
    said["from"] = timer.due_at.isoformat() if timer.due_at else None
    return said


def set_due(case: Case, move: SetDue, said: dict[str, Any]) -> None:
    """Gives the timer its date, moves what leans on it and dates the tasks again.

    Raises Refused while its clock stands, Invalid for a date that it cannot have.
    """
    timer = next(timer for timer in case.timers if timer.id == move.timer_id)
    if timer.state == "paused" or timer.due_at is None:
        raise Refused("该时限正在暂停计时，恢复计时后再调整")
    if move.due is None and "set" not in timer.rule:
        raise Refused("该时限没有手工调整过")
    home, was = timer.activity or timer.token, timer.due_at
    own = [other for other in case.timers if (other.activity or other.token) == home]
    deadline = next((other for other in own if other.role == "deadline"), None)
    if move.due is not None:
        _check(case, timer, deadline, move.due)
    actor = case.work.actor
    timer.rule = rule_as_counted(timer) if move.due is None else rule_as_set(timer, move.due, by=actor.account_id if actor else None, when=case.at)
    try:
        due = due_of(timer, deadline, edition_for(case, timer))
        if move.due is None and (due.at is None or due.at <= case.work.now):
            raise Refused(f"按日历推算，该时限已于{day_in_words(due.last_day, due.provisional)}届满，不能恢复按日历推算")
        if timer.role == "deadline" and due.at is not None and due.at > was:
            remind_again(own, timer, case.at)
        recount(case, {home}, said)
    except CalendarError as error:
        raise Invalid({"duedate": str(error)}) from error
    said["to"], said["provisional"] = timer.due_at.isoformat() if timer.due_at else None, timer.provisional
    waiting = {token.token: token for token in case.machine.waiting()}
    date_tasks(case, waiting, {home})
    if timer.role == "deadline" and timer.due_at != was:
        for task in [task for token, task in case.tasks.items() if home in (token, *waiting[token].path)]:
            for late in held_up_by(task, case.signatures.get(task.id, ())):
                tell(case, late, f"时限调整：{late.name}", f"“{late.name}”所在“{timer.activity_name}”的截止日调整为{day_in_words(timer.last_day, timer.provisional)}，理由：{move.reason}")


def _check(case: Case, timer: Timer, deadline: Timer | None, due: datetime) -> None:
    """Raises Invalid (field `duedate`) for a date that the timer cannot have."""
    rule = timer.rule
    if due <= case.work.now:
        raise Invalid({"duedate": "日期应当在当前时间之后"})
    if due >= end_of(LAST_DAY):
        raise Invalid({"duedate": f"日期超出工作日历的范围（止于{LAST_DAY}）"})
    if timer.role == "deadline" and "seconds" not in rule and due != start_of(shanghai_day(due)):
        raise Invalid({"duedate": "时限在某日24时届满，请给出次日零时（北京时间）"})
    if deadline is not None and deadline.due_at is not None:
        if "before" in rule and due >= deadline.due_at:
            raise Invalid({"duedate": "提醒应当早于所提醒的截止时间"})
        if "after" in rule and due < deadline.due_at:
            raise Invalid({"duedate": "升级不能早于截止时间"})
    latest = latest_by_law(timer, edition_for(case, timer))
    if latest is not None and due > end_of(latest):
        by, day = f"{rule['article']}规定" if rule.get("article") else "法定", day_in_words(latest, False)
        most = f"{by}的期限最长为{rule['statutory_max']}个工作日，按日历最晚到{day}，不能再延长" if "statutory_max" in rule else f"{by}的截止日为{day}，只能提前"
        raise Invalid({"duedate": most})
