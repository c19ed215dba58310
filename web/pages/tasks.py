"""待办办理: the page of one task, claiming it, and completing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.forms import fields_of
from engine.process.incidents import CaseFault
from engine.process.sheets.task import task_form, task_sheet
from engine.process.tasks import claim_task, complete_task, unclaim_task
from engine.store.errors import Invalid, Refused, Stale
from web import forms
from web.context import is_swap, me, origin, store
from web.errors import status_of
from web.looks import looked_at
from web.uploads import Kept, keep_files

page = Blueprint("tasks", __name__)


@page.get("/tasks/<int:task_id>")
def task(task_id: int) -> str:
    """The task with its form, and all of the case that helps to decide."""
    return _page(task_id)


@page.post("/tasks/<int:task_id>")
def complete(task_id: int) -> ResponseReturnValue:
    """Completes the task; a refused form comes back with all that was typed."""
    with store().read() as session:
        form = task_form(session, task_id)
    raw = forms.read_posted(form, request.form)
    file_fields = [field["key"] for field in fields_of(form or {}) if field["type"] == "file"]
    kept = keep_files(file_fields)
    raw.update({key: kept.ids(key) for key in file_fields})
    opinion = request.form.get("opinion", "")
    try:
        if kept.errors:
            raise Invalid(kept.errors)
        complete_task(
            store(),
            task_id,
            actor=me(),
            answers=raw,
            opinion=opinion,
            attachments=kept.all_ids,
            origin=origin(),
        )
    except Invalid as refusal:
        return _page(task_id, typed=raw, errors=refusal.fields, opinion=opinion, kept=kept), 422
    except (CaseFault, Stale) as refusal:
        if type(refusal) not in (CaseFault, Stale):
            raise  # taken, done or ended: there is no form to come back to
        # Not the person's fault: what was typed stays, to be sent again.
        return _page(task_id, typed=raw, errors={"": refusal.message}, opinion=opinion, kept=kept), status_of(refusal)
    flash("已办结，事项已转入下一环节。", "success")
    return redirect("/inbox", 303)


@page.post("/tasks/<int:task_id>/claim")
def claim(task_id: int) -> ResponseReturnValue:
    """Claims the task: its row in the inbox changes, or its page opens."""
    try:
        claim_task(store(), task_id, actor=me(), origin=origin())
    except Refused as refusal:
        if is_swap():
            return render_template("inbox/_refused.html", message=refusal.message), status_of(refusal)
        raise
    if is_swap():
        return render_template("inbox/_claimed.html", task_id=task_id, title=request.form.get("title", ""))
    return redirect(f"/tasks/{task_id}", 303)


@page.post("/tasks/<int:task_id>/unclaim")
def unclaim(task_id: int) -> ResponseReturnValue:
    """Puts the task back for the colleagues of the post."""
    unclaim_task(store(), task_id, actor=me(), origin=origin())
    flash("已放回岗位待办。", "success")
    return redirect("/inbox/posts", 303)


def _page(
    task_id: int,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    opinion: str = "",
    kept: Kept | None = None,
) -> str:
    with store().read() as session:
        sheet = task_sheet(session, me(), task_id)
    looked_at(sheet.case)
    return render_template(
        "tasks/page.html",
        sheet=sheet,
        case=sheet.case,
        form=forms.show(sheet.form, sheet.names, typed=typed, errors=errors),
        opinion=opinion,
        kept=kept or Kept(),
    )
