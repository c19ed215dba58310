"""保管与销毁: cases whose time has come, the lists that two people decide about, and what is left of each case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.permissions import may, require
from engine.process.removing import commands, sheets
from engine.process.removing.times import set_removal_time
from engine.store.errors import Invalid
from web.context import is_swap, me, origin, store
from web.downloads import spreadsheet
from web.given import day_given

page = Blueprint("removals", __name__)

#: Cases read at once for the file.
EXPORT_PAGE = 500
#: What is kept beyond it is kept for ever.
YEAR_MAX = 9000


@page.get("/removals")
def search() -> str:
    """What may go, the form that proposes it, and all removals; only the next lines where htmx asks for them."""
    return _list_page({}) if not is_swap() else _more_removals()


def _more_removals() -> str:
    with store().read() as session:
        found = sheets.removals(session, me(), after=request.args.get("after"))
    return render_template("removals/_rows.html", found=found)


def _list_page(wrong: Mapping[str, str]) -> str:
    with store().read() as session:
        found = sheets.removals(session, me(), after=request.args.get("after"))
        due = sheets.due_by_process(session, me())
    return render_template(
        "removals/list.html", found=found, due=due, total=sum(line.count for line in due), most=commands.MOST, wrong=wrong, typed=request.form,
        may_propose=may(me(), "propose_removals"),
    )  # fmt: skip


@page.get("/removals/due")
def due() -> str:
    """The cases whose time has come and that are in no list yet, of a process or of all."""
    return _due_page({})


def _due_page(wrong: Mapping[str, str]) -> str:
    process = request.values.get("process") or None
    with store().read() as session:
        found = sheets.due_cases(session, me(), process, after=request.args.get("after"))
        by_process = [] if is_swap() else sheets.due_by_process(session, me())
    template = "removals/_due.html" if is_swap() else "removals/due.html"
    return render_template(
        template, found=found, process=process, processes=[(line.key, line.name) for line in by_process], may_keep=may(me(), "propose_removals"), wrong=wrong,
    )  # fmt: skip


@page.post("/removals/keep")
def keep() -> ResponseReturnValue:
    """Keeps the chosen cases up to the end of a day, or for ever where none is given."""
    require(me(), "propose_removals")
    given = [text for text in request.form.getlist("id") if text.isascii() and text.isdigit() and len(text) < 19]
    try:
        if not given:
            raise Invalid({"id": "请选择要继续保管的办件"})
        until = day_given("until")
        if until is not None and until.year > YEAR_MAX:
            raise Invalid({"until": "请填写正确的日期，不填为永久保管"})
        at = until + timedelta(days=1) if until else None
        changed = set_removal_time(store(), [int(text) for text in given], actor=me(), at=at, origin=origin())
    except Invalid as refusal:
        return _due_page({"keep": "；".join(refusal.fields.values()) or refusal.message}), 422
    flash(f"{changed}件办件继续保管，不列入本次销毁。", "success")
    return redirect("/removals/due", 303)


@page.post("/removals")
def propose() -> ResponseReturnValue:
    """Proposes a list for the second person; with what is wrong the page comes back as it was filled in."""
    try:
        made = commands.propose_removal(
            store(), actor=me(), process_key=request.form.get("process") or None, reason=request.form.get("reason", ""), origin=origin()
        )
    except Invalid as refusal:
        return _list_page(refusal.fields or {"reason": refusal.message}), 422
    return redirect(f"/removals/{made}", 303)


@page.get("/removals/<int:removal_id>")
def one(removal_id: int) -> str:
    """One removal: the list with each case, what was decided, how far it is."""
    return _page(removal_id, {})


def _page(removal_id: int, wrong: Mapping[str, str]) -> str:
    state = request.args.get("state") or None
    with store().read() as session:
        sheet = sheets.removal_sheet(session, me(), removal_id)
        found = sheets.items(session, me(), removal_id, state=state)
    return render_template(
        "removals/page.html", sheet=sheet, found=found, state=state, states=list(sheets.ITEM_STATES.items()), wrong=wrong, typed=request.form
    )


@page.get("/removals/<int:removal_id>/progress")
def progress(removal_id: int) -> str:
    """How far it is: asked again and again by the page while the worker is at it."""
    with store().read() as session:
        return render_template("removals/_progress.html", sheet=sheets.removal_sheet(session, me(), removal_id))


@page.get("/removals/<int:removal_id>/items")
def items(removal_id: int) -> str:
    """The next lines of its list."""
    state = request.args.get("state") or None
    with store().read() as session:
        found = sheets.items(session, me(), removal_id, state=state, after=request.args.get("after"))
    return render_template("removals/_items.html", found=found, removal_id=removal_id, state=state)


@page.post("/removals/<int:removal_id>/approve")
def approve(removal_id: int) -> ResponseReturnValue:
    """The second person approves."""
    return _decide(removal_id, "approve")


@page.post("/removals/<int:removal_id>/refuse")
def refuse(removal_id: int) -> ResponseReturnValue:
    """The second person refuses."""
    return _decide(removal_id, "refuse")


def _decide(removal_id: int, how: str) -> ResponseReturnValue:
    act = commands.approve_removal if how == "approve" else commands.refuse_removal
    try:
        act(store(), removal_id, actor=me(), decision=request.form.get("decision", ""), origin=origin())
    except Invalid as refusal:
        return _page(removal_id, refusal.fields), 422
    return redirect(f"/removals/{removal_id}", 303)


@page.post("/removals/<int:removal_id>/withdraw")
def withdraw(removal_id: int) -> ResponseReturnValue:
    """Takes it back before it was decided."""
    commands.withdraw_removal(store(), removal_id, actor=me(), origin=origin())
    return redirect(f"/removals/{removal_id}", 303)


@page.post("/removals/<int:removal_id>/stop")
def stop(removal_id: int) -> ResponseReturnValue:
    """Stops it while the worker is at it; what is removed is gone."""
    commands.stop_removal(store(), removal_id, actor=me(), origin=origin())
    return redirect(f"/removals/{removal_id}", 303)


@page.get("/removals/<int:removal_id>/list.csv")
def export(removal_id: int) -> ResponseReturnValue:
    """The whole list as a table for a spreadsheet: to be checked before, and the destruction list after."""
    with store().read() as session:
        sheets.removal_sheet(session, me(), removal_id)  # refuses before the first line is sent
    return spreadsheet(f"removal-{removal_id}", _table(removal_id))


def _table(removal_id: int) -> Iterator[tuple[str, ...]]:
    yield "办件编号", "事项", "版本", "发起单位", "收到时间", "办结时间", "结果", "保管期满", "状态", "保留的原因", "销毁的办理记录条数", "处理时间"
    after: str | None = None
    with store().read() as session:
        while True:
            found = sheets.items(session, me(), removal_id, after=after, limit=EXPORT_PAGE)
            for line in found.lines:
                moments = [moment.isoformat(timespec="seconds") if moment else "" for moment in (line.started_at, line.ended_at, line.removal_at, line.dealt_at)]
                yield (
                    line.number, line.process_name, str(line.version), line.unit_name or "", *moments[:2], line.outcome, moments[2], line.state_name,
                    line.reason or "", "" if line.entries is None else str(line.entries), moments[3],
                )  # fmt: skip
            after = found.next
            if after is None:
                return
