"""批量办理: many tasks of the inbox at once, claimed or completed, with a report of what went through and what did not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.desk.bulk import BulkReport, BulkSheet, bulk_sheet, claim_tasks, complete_tasks
from engine.store.errors import Invalid
from web import forms
from web.context import me, origin, store

page = Blueprint("bulk", __name__)


@page.post("/inbox/claim")
def claim() -> str:
    """Claims the chosen tasks."""
    report = claim_tasks(store(), _ids(), actor=me(), origin=origin())
    return render_template("inbox/report.html", act="签收", report=report, trail=_trail(), sheet=None, form=None)


@page.get("/inbox/bulk")
def form() -> str:
    """The one form for the chosen tasks."""
    sheet = _sheet(_ids())
    return render_template("inbox/bulk.html", sheet=sheet, form=forms.show(sheet.form, sheet.names), opinion="", trail=_trail())


@page.post("/inbox/bulk")
def complete() -> ResponseReturnValue:
    """Completes the chosen tasks; for those that did not go through and can be sent again, all that was typed stays."""
    sheet = _sheet(_ids())
    raw, opinion = forms.read_posted(sheet.form, request.form), request.form.get("opinion", "")
    report = complete_tasks(
        store(), [line.task_id for line in (*sheet.lines, *sheet.left_out)], actor=me(), answers=raw, opinion=opinion, origin=origin()
    )
    again = _again(report, raw)
    status = 422 if again and not report.done else 200
    return render_template("inbox/report.html", act="办结", report=report, trail=_trail(), opinion=opinion, **again), status


def _again(report: BulkReport, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The form for the tasks that can be sent again; nothing where there is none."""
    if not report.again:
        return {"sheet": None, "form": None}
    sheet = _sheet(report.again)
    return {"sheet": sheet, "form": forms.show(sheet.form, sheet.names, typed=raw, errors=report.errors)}


def _sheet(ids: list[int]) -> BulkSheet:
    with store().read() as session:
        return bulk_sheet(session, me(), ids)


def _ids() -> list[int]:
    """The chosen tasks. Raises Invalid for what is no number: nothing is passed over in silence."""
    texts = request.values.getlist("id")
    if not all(text.isascii() and text.isdigit() and len(text) < 16 for text in texts):
        raise Invalid(message="所选待办的编号有误，请返回列表重新选择")
    return [int(text) for text in texts]


def _trail() -> str:
    return request.values.get("list", "mine")
