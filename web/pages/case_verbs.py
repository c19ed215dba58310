"""What may be done with a case from its page: urge an open step, show the case to others, take the start back, move a deadline by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from calendars.deadline import end_of
from engine.process.clocks import day_in_words
from engine.process.desk.case_offers import case_offers
from engine.process.desk.colleagues import readers
from engine.process.desk.copies import copy_case
from engine.process.desk.urging import URGE_EFFECT, urge_task
from engine.process.sheets.case import CaseSheet, case_sheet
from engine.process.sheets.deadline import ClockView
from engine.process.sheets.seeing import find_instance
from engine.process.timekeeping.setting import let_count, set_due
from engine.process.withdrawing import withdraw_start
from engine.store.errors import Invalid
from web.context import me, origin, store
from web.looks import looking_at
from web.pages.task_verbs import people_options
from web.screen import moment
from web.verb_forms import Asked, Option, VerbForm, chosen_people, done, offered

page = Blueprint("case_verbs", __name__)

ROUTE = "/cases/<int:instance_id>/<any(copy, urge, withdraw, redate, recount):verb>"


@page.get(ROUTE)
def ask(instance_id: int, verb: str) -> ResponseReturnValue:
    """The form of a verb; back to the case where the reader cannot use it now."""
    return offered(_form(instance_id, verb), "现在不能对该办件进行这项操作，可能已有人办理。", f"/cases/{instance_id}")


@page.post(ROUTE)
def do(instance_id: int, verb: str) -> ResponseReturnValue:
    """Does it; a refusal comes back with what was typed."""
    return done(lambda: _ACTS[verb](instance_id), lambda: _form(instance_id, verb))


def _copy(instance_id: int) -> tuple[str, str]:
    copy_case(store(), instance_id, actor=me(), people=chosen_people(), note=request.form.get("note", ""), origin=origin())
    return "已抄送。", f"/cases/{instance_id}"


def _urge(instance_id: int) -> tuple[str, str]:
    chosen = chosen_people("task")
    if not chosen:
        raise Invalid({"task": "请选择要催办的环节"})
    urge_task(store(), chosen[0], actor=me(), note=request.form.get("note", ""), origin=origin())
    return "已催办，对方将收到通知。", f"/cases/{instance_id}"


def _withdraw(instance_id: int) -> tuple[str, str]:
    withdraw_start(store(), instance_id, actor=me(), reason=request.form.get("reason", ""), origin=origin())
    return "已撤回，修改后可以重新提交，也可以撤销申请。", "/inbox/mine"


def _redate(instance_id: int) -> tuple[str, str]:
    clock, reason = _clock(instance_id), request.form.get("reason", "")
    try:
        last_day = date.fromisoformat(request.form.get("day", ""))
        due = end_of(last_day)
    except (ValueError, OverflowError):
        raise Invalid({"day": "请选择截止日"}) from None
    try:
        set_due(store(), clock, actor=me(), due=due, reason=reason, origin=origin())
    except Invalid as refusal:
        raise Invalid({"day" if name == "duedate" else name: text for name, text in refusal.fields.items()}, refusal.message) from None
    return f"截止日已调整为{last_day.year}年{last_day.month}月{last_day.day}日。", f"/cases/{instance_id}"


def _recount(instance_id: int) -> tuple[str, str]:
    let_count(store(), _clock(instance_id), actor=me(), reason=request.form.get("reason", ""), origin=origin())
    return "已恢复按日历推算。", f"/cases/{instance_id}"


def _clock(instance_id: int) -> int:
    """The deadline that was chosen, one of this case. Raises Invalid."""
    chosen = chosen_people("clock")
    with store().read() as session:
        known = {clock.timer_id for clock in case_offers(session, me(), case_sheet(session, me(), instance_id)).redate}
    if not chosen or chosen[0] not in known:
        raise Invalid({"clock": "请选择时限"})
    return chosen[0]


_ACTS: dict[str, Callable[[int], tuple[str, str]]] = {
    "copy": _copy, "urge": _urge, "withdraw": _withdraw, "redate": _redate, "recount": _recount,
}  # fmt: skip


def _form(instance_id: int, verb: str) -> VerbForm | None:
    """The form of a verb; None where the reader cannot use it now. Raises NotFound, NotAllowed."""
    with looking_at(instance_id), store().read() as session:
        sheet = case_sheet(session, me(), instance_id)
        offered = case_offers(session, me(), sheet)
        if verb == "copy":
            return _copying(session, sheet) if offered.copy else None
        if verb == "urge":
            options = [Option(str(task.id), task.name, f"{task.unit_name} {task.post_label} {task.person}") for task in offered.urge]
            return _about(sheet, verb, "催办", URGE_EFFECT, Asked("task", "催办环节", options), text="催办内容") if options else None
        if verb in ("redate", "recount"):
            return _dating(sheet, verb, offered.redate)
        if offered.withdraw is None or offered.withdraw.task_id is not None:
            return None
        effect = "撤回后由您修改并重新提交，或者撤销申请；下一环节的待办取消，重新提交时时限重新计算。"
        return _about(sheet, verb, "撤回申请", effect, text="撤回原因", text_name="reason", grave=True)


def _copying(session: Any, sheet: CaseSheet) -> VerbForm:
    people = people_options(readers(session, me(), find_instance(session, sheet.instance_id)))
    effect = "抄送不影响办理，也不改变时限；只能抄送给有权查看该办件的人员。"
    return _about(sheet, "copy", "抄送", effect, Asked("people", "抄送给", people, many=True), text="说明")


def _dating(sheet: CaseSheet, verb: str, clocks: Sequence[ClockView]) -> VerbForm | None:
    """The form to move a deadline by hand, or to let it be counted again."""
    offered = [clock for clock in clocks if verb == "redate" or clock.by_hand]
    options = [Option(str(clock.timer_id), clock.activity, _stands(clock)) for clock in offered]
    if not options:
        return None
    if verb == "recount":
        effect = "截止日恢复为按工作日历推算的日期，提醒和升级随之变动；经办人会收到通知。"
        return _about(sheet, verb, "恢复按日历推算", effect, Asked("clock", "时限", options), text="理由", text_name="reason", text_required=True)
    effect = "提醒和升级随截止日一并变动，以后发布的放假安排不再改变它；法定时限可以提前，延长不得超过法定上限。经办人会收到通知。"
    return _about(sheet, verb, "调整时限", effect, Asked("clock", "时限", options), day="新的截止日（当日24时届满）", text="理由", text_name="reason",
                  text_required=True)


def _stands(clock: ClockView) -> str:
    """When a deadline ends now, and by what."""
    day = day_in_words(clock.last_day, clock.provisional) if clock.last_day else moment(clock.due_at)
    return f"现截止{day}" + ("，手工调整" if clock.by_hand else "") + (f"，依据{clock.article}" if clock.article else "")


def _about(sheet: CaseSheet, verb: str, title: str, effect: str, *asks: Asked, **more: Any) -> VerbForm:
    return VerbForm(
        title=title, about=f"{sheet.title}（{sheet.number}）", effect=effect, action=f"/cases/{sheet.instance_id}/{verb}",
        back=f"/cases/{sheet.instance_id}", submit=f"确定{title}", asks=asks, **more,
    )  # fmt: skip
