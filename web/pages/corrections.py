"""更正数据: who supervises puts an answer of a case right. First which one, then into what, and why."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.correcting import correct_data
from engine.process.sheets.correction import CorrectionSheet, CorrigibleLine, correction_sheet
from engine.store.errors import Invalid
from web import forms
from web.context import me, origin, store
from web.looks import looking_at
from web.verb_forms import TEXT_MAX

page = Blueprint("corrections", __name__)


@page.get("/cases/<int:instance_id>/correct")
def ask(instance_id: int) -> ResponseReturnValue:
    """The answers of the case; of one that was chosen, its field and a reason."""
    return _page(instance_id, request.args.get("name", ""))


@page.post("/cases/<int:instance_id>/correct")
def do(instance_id: int) -> ResponseReturnValue:
    """Corrects one answer; a refused form comes back with what was typed."""
    name, reason = request.form.get("correction.name", ""), request.form.get("correction.reason", "")
    line = _sheet(instance_id).line(name)
    if line is None:
        flash("该项内容现在不能更正，请重新选择。", "warning")
        return redirect(f"/cases/{instance_id}/correct", 303)
    typed = forms.read_posted(_form(line), request.form).get(name)
    empty = "correction.empty" in request.form
    try:
        changed = correct_data(
            store(), instance_id, actor=me(), values={} if empty else {name: typed}, deletions=(name,) if empty else (), reason=reason,
            origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        return _page(instance_id, name, typed={name: typed}, reason=reason, errors=refusal.fields or {"": refusal.message})
    if not changed:
        flash(f"“{line.label}”与原值相同，未作改动。", "warning")
        return redirect(f"/cases/{instance_id}/correct", 303)
    flash(f"已更正“{line.label}”，现有待办的承办人员将收到通知。", "success")
    return redirect(f"/cases/{instance_id}", 303)


def _sheet(instance_id: int) -> CorrectionSheet:
    with looking_at(instance_id), store().read() as session:
        return correction_sheet(session, me(), instance_id)


def _form(line: CorrigibleLine) -> dict[str, Any]:
    return {"title": line.label, "fields": [dict(line.field)]}


def _page(
    instance_id: int, name: str, *, typed: dict[str, Any] | None = None, reason: str = "", errors: dict[str, str] | None = None,
) -> ResponseReturnValue:  # fmt: skip
    sheet = _sheet(instance_id)
    line = sheet.line(name)
    if not sheet.open or (name and line is None):
        flash("办件已结束，不能更正。" if not sheet.open else "该项内容不能在此更正。", "warning")
        return redirect(f"/cases/{instance_id}", 302)
    if line is None:
        return render_template("cases/correct.html", case=sheet)
    form = forms.show(_form(line), sheet.names, typed=typed if typed is not None else {name: line.value}, errors=errors)
    page_text = render_template("cases/correct_one.html", case=sheet, line=line, form=form, reason=reason, text_max=TEXT_MAX)
    return page_text, 422 if errors else 200
