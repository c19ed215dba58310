"""待办办理: the page of one task, claiming it, and completing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.desk.drafts import discard_draft, draft_of
from engine.process.desk.handing import hand_back_task
from engine.process.desk.offers import Offer, offers
from engine.process.desk.similar import precedents
from engine.process.forms import fields_of
from engine.process.incidents import CaseFault
from engine.process.sheets.task import TaskSheet, task_form, task_sheet
from engine.process.tasks import claim_task, complete_task, unclaim_task
from engine.sharing.catalogue import ResourceSheet, resource_sheet
from engine.store.errors import Invalid, NotFound, Refused, Stale
from web import forms
from web.context import is_swap, me, origin, store
from web.errors import status_of
from web.lists import address_of, next_address, task_address
from web.looks import looked_at
from web.pages.task_verbs import VERBS
from web.uploads import Kept, keep_files

page = Blueprint("tasks", __name__)

#: Engine's verb → the last part of its address.
PLACES = {verb: place for place, verb in VERBS.items()}


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody sent with the form of a task."""

    answers: dict[str, Any]
    opinion: str
    kept: Kept


@page.get("/tasks/<int:task_id>")
def task(task_id: int) -> str:
    """The task with its form, and all of the case that helps to decide."""
    return _page(task_id)


@page.post("/tasks/<int:task_id>")
def complete(task_id: int) -> ResponseReturnValue:
    """Completes the task; a refused form comes back with all that was typed."""
    typed = _typed(task_id)
    try:
        if typed.kept.errors:
            raise Invalid(typed.kept.errors)
        complete_task(
            store(),
            task_id,
            actor=me(),
            answers=typed.answers,
            opinion=typed.opinion,
            attachments=typed.kept.all_ids,
            origin=origin(),
        )
    except Refused as refusal:
        return _again(task_id, typed, refusal)
    discard_draft(store(), task_id, actor=me(), origin=origin())
    flash("已办结，事项已转入下一环节。", "success")
    trail = request.form.get("desk.list", "")
    return redirect(next_address(trail) if "desk.next" in request.form else address_of(trail), 303)


@page.post("/tasks/<int:task_id>/hand-back")
def hand_back(task_id: int) -> ResponseReturnValue:
    """Hands a delegated task back to its owner, with what was typed and an opinion."""
    typed = _typed(task_id)
    try:
        if typed.kept.errors:
            raise Invalid(typed.kept.errors)
        hand_back_task(store(), task_id, actor=me(), opinion=typed.opinion, answers=typed.answers, origin=origin())
    except Refused as refusal:
        return _again(task_id, typed, refusal)
    discard_draft(store(), task_id, actor=me(), origin=origin())
    flash("已交回，您填写的内容已成为对方的草稿。", "success")
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
    return redirect(task_address(task_id, request.form.get("list", "")), 303)


@page.post("/tasks/<int:task_id>/unclaim")
def unclaim(task_id: int) -> ResponseReturnValue:
    """Puts the task back for the colleagues of the post."""
    unclaim_task(store(), task_id, actor=me(), origin=origin())
    flash("已放回岗位待办。", "success")
    return redirect("/inbox/posts", 303)


def _typed(task_id: int) -> Typed:
    """What was sent; files are kept at once. Raises NotFound."""
    with store().read() as session:
        form = task_form(session, task_id)
    raw = forms.read_posted(form, request.form)
    file_fields = [field["key"] for field in fields_of(form or {}) if field["type"] == "file"]
    kept = keep_files(file_fields)
    raw.update({key: kept.ids(key) for key in file_fields})
    return Typed(raw, request.form.get("opinion", ""), kept)


def _again(task_id: int, typed: Typed, refusal: Refused) -> ResponseReturnValue:
    """The form once more with all that was typed; raises the refusal where there is no form to come back to."""
    if isinstance(refusal, Invalid):
        return _page(task_id, typed=typed, errors=refusal.fields or {"": refusal.message}), 422
    if type(refusal) not in (CaseFault, Stale):
        raise refusal  # taken, done or ended
    # Not the person's fault: what was typed stays, to be sent again.
    return _page(task_id, typed=typed, errors={"": refusal.message}), status_of(refusal)


def _page(task_id: int, *, typed: Typed | None = None, errors: Mapping[str, str] | None = None) -> str:
    with store().read() as session:
        sheet = task_sheet(session, me(), task_id)
        fills_in = sheet.may_work and not sheet.task.held
        draft = draft_of(session, me(), task_id) if fills_in and typed is None else None
        given = offers(session, me(), task_id) if sheet.task.state != "cancelled" else []
        earlier = precedents(session, me(), instance_id=sheet.case.instance_id, subject_key=sheet.case.subject_key)
        resource = _resource(session, sheet)
    looked_at(sheet.case)
    answers = typed.answers if typed else {**sheet.first_values, **(draft.answers if draft else {})}
    return render_template(
        "tasks/page.html",
        sheet=sheet,
        case=sheet.case,
        form=forms.show(sheet.form, sheet.names, typed=answers, errors=errors),
        opinion=typed.opinion if typed else draft.opinion if draft else sheet.first_opinion,
        kept=typed.kept if typed else Kept(),
        draft=draft,
        fills_in=fills_in,
        verbs=_verbs(given),
        precedents=earlier,
        resource=resource,
    )


def _verbs(given: Sequence[Offer]) -> list[tuple[Offer, str]]:
    """The verbs that have a form of their own, each with the last part of its address."""
    return [(offer, PLACES[offer.verb]) for offer in given if offer.verb in PLACES]


def _resource(session: Any, sheet: TaskSheet) -> ResourceSheet | None:
    """The resource that the case is about, as the catalogue states it to this reader today."""
    about = sheet.names.get("resource")
    code = about.get("code") if isinstance(about, Mapping) else None
    if not code:
        return None
    try:
        return resource_sheet(session, me(), str(code), versions=False)
    except NotFound:
        return None
