"""表单: the form editor of a draft, with its preview and test entry."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from jinja2.utils import htmlsafe_json_dumps

from engine.people.permissions import may
from engine.process.definitions import base_of
from engine.process.form_check import ATTRIBUTES, NAMES, WITH_OPTIONS
from engine.process.interpreter.expressions import WORDS
from engine.process.package import Package
from engine.process.workshop import drafts, form_edit, form_text
from engine.process.workshop.copies import copy_draft
from engine.process.workshop.drafts import DraftSheet
from engine.store.errors import Invalid
from web.context import me, origin, store
from web.form_preview import preview
from web.given import number_given
from web.json_calls import long_text, read_json, whole_number

page = Blueprint("draft_forms", __name__)

#: A form of the largest size, escaped as JSON may.
BODY_MAX = 4 * 1024 * 1024
#: Answers of a test entry, and the length of one.
ANSWERS_MAX, ANSWER_MAX = 2000, 20_000


# -- the list -----------------------------------------------------------------------------------


@page.get("/drafts/<int:draft_id>/forms")
def forms(draft_id: int) -> str:
    """The forms of a draft, with the steps that use them and what is wrong."""
    return _list(draft_id)


@page.post("/drafts/<int:draft_id>/forms")
def add(draft_id: int) -> ResponseReturnValue:
    """Adds a form, blank or as a copy of another, and opens it."""
    asked = {field: request.form.get(field, "").strip() for field in ("name", "title", "copy_of")}
    sheet, _ = _read(draft_id)
    try:
        _save(sheet, forms=form_edit.added(sheet.package, asked["name"], asked["title"], asked["copy_of"] or None))
    except Invalid as refusal:
        return _list(draft_id, refusal.fields or {"name": refusal.message}), 422
    return redirect(f"/drafts/{draft_id}/forms/{asked['name']}", 303)


@page.post("/drafts/<int:draft_id>/forms/<name>/rename")
def rename(draft_id: int, name: str) -> ResponseReturnValue:
    """Gives a form another name, in the diagram too: every step that named it names it so."""
    new = request.form.get("new_name", "").strip()
    sheet, _ = _read(draft_id)
    try:
        xml, kept = form_edit.renamed(sheet.package, name, new)
        _save(sheet, xml=xml, forms=kept)
    except Invalid as refusal:
        return _list(draft_id, {f"rename-{name}": refusal.fields.get("name") or refusal.message}), 422
    flash(f"表单“{name}”已改名为“{new}”，流程图中的引用已同步修改。", "success")
    return redirect(f"/drafts/{draft_id}/forms", 303)


@page.post("/drafts/<int:draft_id>/forms/<name>/delete")
def delete(draft_id: int, name: str) -> ResponseReturnValue:
    """Takes a form away that no step uses, as it was when the reader looked at it."""
    revision = number_given("revision")
    sheet, _ = _read(draft_id)
    _save(sheet, revision=revision, forms=form_edit.without(sheet.package, name))
    flash(f"表单“{name}”已删除。", "success")
    return redirect(f"/drafts/{draft_id}/forms", 303)


def _list(draft_id: int, wrong: dict[str, str] | None = None) -> str:
    sheet, base = _read(draft_id)
    lines = form_edit.lines(sheet.package, base)
    missing = {name: users for name, users in form_edit.uses(sheet.package.xml).items() if name not in sheet.package.forms}
    return render_template(
        "draft_forms/list.html", draft=sheet, lines=lines, missing=missing, editable=_editable(sheet), wrong=wrong or {},
        typed=request.form,
    )  # fmt: skip


# -- the editor ---------------------------------------------------------------------------------


@page.get("/drafts/<int:draft_id>/forms/<name>")
def editor(draft_id: int, name: str) -> str:
    """The editor of one form. Who may only approve, and a draft that has ended, get it to look at and to try."""
    sheet, base = _read(draft_id)
    form = form_edit.form_of(sheet.package, name)
    kept = form_edit.protected(base, sheet.package.xml).get(name, {})
    state = {
        "address": f"/drafts/{draft_id}/forms/{name}", "token": generate_csrf(), "name": name, "form": form,
        "revision": sheet.revision, "digest": form_edit.digest(form), "editable": _editable(sheet),
        "attributes": ATTRIBUTES, "labels": NAMES, "with_options": sorted(WITH_OPTIONS),
        "names": form_edit.case_names(sheet.package, base), "words": dict(WORDS),
        "readers": form_edit.readers(sheet.package.xml),
        "protected": {key: reason.article for key, reason in kept.items()},
    }  # fmt: skip
    return render_template(
        "draft_forms/page.html", draft=sheet, name=name, title=form.get("title"), uses=form_edit.uses(sheet.package.xml).get(name, []),
        # Not Flask's own: it would put the members of the form into another order.
        state=htmlsafe_json_dumps(state, dumps=json.dumps, ensure_ascii=False),
    )  # fmt: skip


@page.put("/drafts/<int:draft_id>/forms/<name>")
def save(draft_id: int, name: str) -> ResponseReturnValue:
    """Keeps a form over the revision that the editor has seen.

    409 says who saved in between, and by `digest` whether this very form is another now: where it is not, the editor
    saves again over the new revision, and nothing of anybody's is lost.
    """
    sent = read_json(BODY_MAX)
    form, revision = sent.get("form"), whole_number(sent, "revision")
    sheet, _ = _read(draft_id)
    try:
        revision = _save(sheet, revision=revision, forms=form_edit.with_form(sheet.package, name, form))
    except drafts.DraftConflict as conflict:
        now, _ = _read(draft_id)
        return jsonify(
            message=conflict.message, revision=conflict.revision, updated_by=conflict.updated_by,
            updated_at=conflict.updated_at.isoformat(),
            digest=form_edit.digest(now.package.forms[name]) if name in now.package.forms else None,
        ), 409  # fmt: skip
    return jsonify(revision=revision, digest=form_edit.digest(form))


@page.post("/drafts/<int:draft_id>/forms/<name>/copies")
def copy(draft_id: int, name: str) -> ResponseReturnValue:
    """Keeps the form of an editor whom somebody else has overtaken, in a draft of its own."""
    form = read_json(BODY_MAX).get("form")
    sheet, _ = _read(draft_id)
    form_edit.form_of(sheet.package, name)
    return jsonify(id=copy_draft(store(), draft_id, actor=me(), forms={name: form}, origin=origin())), 201


@page.post("/drafts/<int:draft_id>/forms/<name>/preview")
def try_out(draft_id: int, name: str) -> ResponseReturnValue:
    """The form as officers would see it, and all that is wrong with it; with `test`, what becomes of the answers."""
    sent = read_json(BODY_MAX)
    form, test = sent.get("form"), sent.get("test") is True
    answers, case = _answers(sent.get("answers")), _case(sent.get("case"))
    sheet, base = _read(draft_id)
    form_edit.form_of(sheet.package, name)
    # The names of the other forms' fields come from the draft, those of this one from the editor.
    kept = form_edit.protected(base, sheet.package.xml).get(name, {})
    known = form_edit.case_names(Package(sheet.rule_set, sheet.package.xml, {**sheet.package.forms, name: form}), base)
    faults = form_edit.findings(form, known, kept)
    shown = preview(form, faults, case, answers, test=test)
    return jsonify(
        html=render_template("draft_forms/_preview.html", preview=shown, form=shown.form),
        findings=[asdict(fault) for fault in faults], errors=len(shown.form.errors),
    )  # fmt: skip


@page.post("/drafts/<int:draft_id>/forms/<name>/read")
def read(draft_id: int, name: str) -> ResponseReturnValue:
    """The form that an expert has written as JSON; 422 says in which line it cannot be read."""
    text = long_text(read_json(BODY_MAX), "text")
    sheet, _ = _read(draft_id)
    form_edit.form_of(sheet.package, name)
    try:
        form = form_text.from_json(text)
    except form_text.Unreadable as fault:
        return jsonify(message=fault.message, line=fault.line, column=fault.column), 422
    return Response(json.dumps({"form": form}, ensure_ascii=False), mimetype="application/json")


# -- what they share ----------------------------------------------------------------------------


def _read(draft_id: int) -> tuple[DraftSheet, Package | None]:
    """The draft, and the version that it follows: what the law fixes there must stay."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
        return sheet, base_of(session, sheet.key, sheet.rule_set)


def _save(sheet: DraftSheet, *, revision: int | None = None, **changed: Any) -> int:
    return drafts.save_draft(store(), sheet.id, actor=me(), revision=revision or sheet.revision, origin=origin(), **changed)


def _editable(sheet: DraftSheet) -> bool:
    return sheet.state == drafts.OPEN and may(me(), "edit_diagrams")


def _answers(sent: Any) -> list[list[str]] | None:
    """Pairs of field key and answer; None where nothing was typed yet. Raises Invalid for anything else."""
    if sent is None:
        return None
    if not isinstance(sent, list) or len(sent) > ANSWERS_MAX:
        raise Invalid(message="试填的内容无法识别")
    for pair in sent:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) and len(part) <= ANSWER_MAX for part in pair):
            raise Invalid(message="试填的内容无法识别")
    return sent


def _case(sent: Any) -> dict[str, str]:
    if sent is None:
        return {}
    if not isinstance(sent, dict) or len(sent) > ANSWERS_MAX:
        raise Invalid(message="办件数据无法识别")
    if not all(isinstance(text, str) and len(text) <= ANSWER_MAX for text in sent.values()):
        raise Invalid(message="办件数据无法识别")
    return sent
