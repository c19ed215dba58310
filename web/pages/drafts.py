"""草稿: the modeler, with its saves, checks and exports; the draft's letters."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.permissions import may, require
from engine.process.check import as_json
from engine.process.definitions import base_of, deployed, known_processes, known_rule_sets
from engine.process.package import Package
from engine.process.rule_sets import shipped_rule_sets
from engine.process.workshop import drafts
from engine.process.workshop.contents import DOCUMENT_BYTES
from engine.process.workshop.checking import checked, held_posts, warm
from engine.process.workshop.copies import copy_draft
from engine.process.workshop.vocabulary import vocabulary
from engine.store.errors import Invalid, NotFound
from web.context import me, origin, settings, store
from web.downloads import attachment
from web.given import number_given
from web.pages.diagrams import rule_set_name
from web.json_calls import long_text, read_json, whole_number

page = Blueprint("drafts", __name__)

#: A diagram of the largest size, with its quotes and Chinese escaped as JSON may.
BODY_MAX = 12 * 1024 * 1024


@page.get("/drafts/new")
def new() -> str:
    """A new process, a copy of a version under another key (`copy`), or what a rule set ships."""
    return _new_page(request.args.get("copy", ""), {})


def _new_page(copy: str, wrong: dict[str, str]) -> str:
    require(me(), "edit_diagrams")
    with store().read() as session:
        copied = deployed(session, _number(copy)) if copy else None
        used = known_rule_sets(session)
    shipped = shipped_rule_sets(settings().diagrams)
    names = {key: rule_set_name(key) for key in {*used, *(files.key for files in shipped)}}
    return render_template(
        "drafts/new.html", copied=copied, shipped=shipped, rule_sets=sorted(names.items()), chosen=settings().rule_set,
        wrong=wrong, typed=request.form,
    )  # fmt: skip


@page.post("/drafts")
def start() -> ResponseReturnValue:
    """Begins a draft: of a version (`definition`), of it under another key, of a rule set's `files`, or of a new process."""
    asked = {name: request.form.get(name, "").strip() for name in ("definition", "key", "name", "rule_set", "files")}
    try:
        draft_id = _start_from_files(asked["files"]) if asked["files"] else drafts.start_draft(
            store(), actor=me(), definition_id=_number(asked["definition"]) if asked["definition"] else None,
            key=asked["key"] or ("?" if "new" in request.form else None), name=asked["name"] or None,
            rule_set=asked["rule_set"] or None, origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        if "new" not in request.form:
            raise
        return _new_page(asked["definition"], refusal.fields or {"other": refusal.message}), 422
    return redirect(f"/drafts/{draft_id}", 303)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound("没有找到该流程版本")
    return int(text)


def _start_from_files(named: str) -> int:
    """A draft of `rule set/process`, one of those that ship; nothing else of the disk can be named."""
    rule_set, _, key = named.partition("/")
    found = next((files for files in shipped_rule_sets(settings().diagrams) if files.key == rule_set), None)
    if found is None or key not in dict(found.processes):
        raise NotFound("规则集中没有该流程")
    return drafts.start_from_files(store(), settings().diagrams / rule_set / key, rule_set, actor=me(), origin=origin())


@page.get("/drafts/<int:draft_id>")
def draft(draft_id: int) -> str:
    """The modeler. Who may only approve, and a draft that has ended, get it to look at."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    editable = sheet.state == drafts.OPEN and may(me(), "edit_diagrams")
    if editable:
        warm()
    return render_template("drafts/page.html", draft=sheet, editable=editable)


@page.get("/drafts/<int:draft_id>/xml")
def xml(draft_id: int) -> Response:
    """The diagram as it was last saved, with its revision in a header."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    return Response(sheet.package.xml, mimetype="application/xml", headers={"X-Revision": str(sheet.revision)})


@page.get("/drafts/<int:draft_id>/export")
def export(draft_id: int) -> Response:
    """The diagram as a file."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    return attachment(sheet.package.xml, f"{sheet.key}-draft{sheet.id}.bpmn", "application/xml")


@page.put("/drafts/<int:draft_id>/xml")
def save(draft_id: int) -> ResponseReturnValue:
    """Keeps the diagram over the revision that the editor has seen; 409 says who saved in between."""
    sent = read_json(BODY_MAX)
    try:
        revision = drafts.save_draft(
            store(), draft_id, actor=me(), revision=whole_number(sent, "revision"), xml=long_text(sent, "xml").encode(),
            origin=origin(),
        )  # fmt: skip
    except drafts.DraftConflict as conflict:
        return conflict_answer(conflict)
    return jsonify(revision=revision)


def conflict_answer(conflict: drafts.DraftConflict) -> ResponseReturnValue:
    """What a page's script is told when somebody else saved: who, when and which revision."""
    return jsonify(
        message=conflict.message, revision=conflict.revision, updated_by=conflict.updated_by,
        updated_at=conflict.updated_at.isoformat(),
    ), 409  # fmt: skip


@page.post("/drafts/<int:draft_id>/check")
def check(draft_id: int) -> ResponseReturnValue:
    """The findings of the diagram as it stands in the editor, with the draft's forms and letters; nothing is saved."""
    text = long_text(read_json(BODY_MAX), "xml").encode()
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
        known, held = known_processes(session), held_posts(session)
        base = base_of(session, sheet.key, sheet.rule_set)
    package = Package(sheet.rule_set, text, sheet.package.forms, sheet.package.documents)
    return jsonify(problems=as_json(checked(package, known, base=base, held=held)))


@page.get("/drafts/<int:draft_id>/vocabulary")
def offered(draft_id: int) -> Response:
    """What the properties panel offers to choose from."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
        return jsonify(vocabulary(session, sheet.package))


@page.post("/drafts/<int:draft_id>/copies")
def copy(draft_id: int) -> ResponseReturnValue:
    """Keeps the diagram of an editor whom somebody else has overtaken, as a draft of its own."""
    text = long_text(read_json(BODY_MAX), "xml").encode()
    return jsonify(id=copy_draft(store(), draft_id, actor=me(), xml=text, origin=origin())), 201


@page.post("/drafts/<int:draft_id>/discard")
def discard(draft_id: int) -> ResponseReturnValue:
    """Gives the draft up, as it was when the reader looked at it."""
    drafts.discard_draft(store(), draft_id, actor=me(), revision=number_given("revision"), origin=origin())
    flash("草稿已放弃。", "success")
    return redirect("/diagrams", 303)


# -- letters ----------------------------------------------------------------------------------


@page.get("/drafts/<int:draft_id>/documents")
def documents(draft_id: int) -> str:
    """The templates of the letters that the process issues."""
    return _documents_page(draft_id, {})


def _documents_page(draft_id: int, wrong: dict[str, str]) -> str:
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    editable = sheet.state == drafts.OPEN and may(me(), "edit_diagrams")
    return render_template("drafts/documents.html", draft=sheet, editable=editable, wrong=wrong, typed=request.form)


@page.get("/drafts/<int:draft_id>/documents/<kind>")
def template(draft_id: int, kind: str) -> Response:
    """One template as a file."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    found = sheet.package.documents.get(kind)
    if found is None:
        raise NotFound("草稿中没有该公文模板")
    return attachment(found, f"{kind}.docx", DOCX)


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@page.post("/drafts/<int:draft_id>/documents")
def upload(draft_id: int) -> ResponseReturnValue:
    """Adds a template, or puts another in the place of one."""
    kind, sent = request.form.get("kind", "").strip(), request.files.get("file")
    content = sent.stream.read(DOCUMENT_BYTES + 1) if sent else b""
    try:
        if not content:
            raise Invalid({"file": "请选择.docx文件"})
        _change_documents(draft_id, {kind: content})
    except Invalid as refusal:
        return _documents_page(draft_id, refusal.fields or {"file": refusal.message}), 422
    flash(f"公文模板“{kind}”已保存。", "success")
    return redirect(f"/drafts/{draft_id}/documents", 303)


@page.post("/drafts/<int:draft_id>/documents/<kind>/remove")
def remove(draft_id: int, kind: str) -> ResponseReturnValue:
    """Takes a template away."""
    _change_documents(draft_id, {kind: None})
    flash(f"公文模板“{kind}”已移除。", "success")
    return redirect(f"/drafts/{draft_id}/documents", 303)


def _change_documents(draft_id: int, changed: dict[str, bytes | None]) -> None:
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    kept: dict[str, Any] = {**sheet.package.documents, **changed}
    documents = {kind: content for kind, content in kept.items() if content is not None}
    # Over the revision just read: a letter is replaced as a whole, so there is nothing of a colleague's to overwrite.
    drafts.save_draft(store(), draft_id, actor=me(), revision=sheet.revision, documents=documents, origin=origin())
