"""流程定义: the processes, their versions, drafts and proposals; the XML of a version, and the way back to an earlier one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.permissions import may, require
from engine.process.interpreter.model import DiagramError
from engine.process.rule_sets import shipped_rule_sets
from engine.process.workshop import drafts, proposal_sheets, proposals, versions
from engine.process.workshop.deleting import delete_version, reason_to_keep
from engine.store.errors import Invalid, NotFound
from web.context import me, origin, settings, store
from web.downloads import attachment
from web.given import day_given

page = Blueprint("diagrams", __name__)

STATES = {"in_force": "现行", "upcoming": "待生效", "past": "已被取代", "never": "未曾生效", "deleted": "已删除"}
#: Sentences shown at once; the comparison's page has them all.
FIRST = 5


@page.app_template_filter("rule_set")
def rule_set_name(key: str) -> str:
    """What a rule set is called; its key where it did not come as files."""
    return _rule_set_names(settings().diagrams).get(key, key)


@lru_cache(maxsize=4)
def _rule_set_names(folder: Path) -> dict[str, str]:
    return {files.key: files.name for files in shipped_rule_sets(folder)}


@page.get("/diagrams")
def processes() -> str:
    """Every process, with what is in force, what is coming and what is being worked on."""
    with store().read() as session:
        found = versions.processes(session, me(), store().clock.now())
        open_drafts = drafts.open_drafts(session, me())
    return render_template(
        "diagrams/list.html", found=found, drafts=open_drafts, may_edit=may(me(), "edit_diagrams"), now=store().clock.now()
    )


@page.get("/diagrams/<key>")
def process(key: str) -> str:
    """One process."""
    with store().read() as session:
        sheet = versions.process_sheet(session, me(), key, store().clock.now())
        return render_template(
            "diagrams/page.html",
            sheet=sheet,
            states=STATES,
            proposal_states=proposals.STATES,
            drafts=drafts.open_drafts(session, me(), key),
            asked=proposal_sheets.waiting(session, me(), key),
            decided=proposal_sheets.decided(session, me(), key),
            may_edit=may(me(), "edit_diagrams"),
            now=store().clock.now(),
        )


@page.get("/diagrams/<key>/versions/<int:version>")
def one(key: str, version: int) -> str:
    """One version, to look at."""
    with store().read() as session:
        sheet = versions.version_sheet(session, me(), key, version, store().clock.now())
    return render_template("diagrams/version.html", sheet=sheet, states=STATES, may_edit=may(me(), "edit_diagrams"))


@page.get("/diagrams/<key>/versions/<int:version>/xml")
def xml(key: str, version: int) -> Response:
    """The diagram of a version as a file."""
    with store().read() as session:
        sheet = versions.version_sheet(session, me(), key, version, store().clock.now())
    return attachment(sheet.deployed.diagram.xml, f"{key}-v{version}.bpmn", "application/xml")


@page.get("/diagrams/<key>/versions/<int:version>/documents/<kind>")
def document(key: str, version: int, kind: str) -> Response:
    """The template of one of its letters."""
    with store().read() as session:
        sheet = versions.version_sheet(session, me(), key, version, store().clock.now())
    found = sheet.deployed.documents.get(kind)
    if found is None:
        raise NotFound("该版本没有这份公文模板")
    return attachment(found, f"{kind}.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")


@page.get("/diagrams/<key>/versions/<int:version>/changes")
def changes(key: str, version: int) -> str:
    """What a version changed in the one before it; fetched when the reader unfolds it."""
    with store().read() as session:
        try:
            found = versions.changes(session, me(), key, version)
        except DiagramError as error:
            raise Invalid(message="；".join(problem.message for problem in error.problems)) from None
    return render_template("diagrams/_changes.html", found=found, first=FIRST)


@page.get("/diagrams/<key>/versions/<int:version>/roll-back")
def roll_back_form(key: str, version: int) -> str:
    """Asks for the reason and the date of a return to an earlier version."""
    return _roll_back_page(key, version, {})


@page.post("/diagrams/<key>/versions/<int:version>/roll-back")
def roll_back(key: str, version: int) -> ResponseReturnValue:
    """Proposes that an earlier version comes back."""
    with store().read() as session:
        sheet = versions.version_sheet(session, me(), key, version, store().clock.now())
    try:
        proposal_id = proposals.propose_rollback(
            store(), sheet.line.id, actor=me(), reason=request.form.get("reason", ""),
            effective_at=day_given("effective"), origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        return _roll_back_page(key, version, refusal.fields or {"reason": refusal.message}), 422
    flash("已提交发布申请，待审批人审批。", "success")
    return redirect(f"/proposals/{proposal_id}", 303)


def _roll_back_page(key: str, version: int, wrong: dict[str, str]) -> str:
    require(me(), "edit_diagrams")
    with store().read() as session:
        sheet = versions.process_sheet(session, me(), key, store().clock.now())
    line = next((line for line in sheet.versions if line.version == version), None)
    if line is None or line.state == "deleted":
        raise NotFound("没有找到该流程版本")
    upcoming = [other for other in sheet.versions if other.state == "upcoming"]
    return render_template(
        "diagrams/roll_back.html", sheet=sheet, line=line, upcoming=upcoming, wrong=wrong, typed=request.form
    )


@page.get("/diagrams/<key>/versions/<int:version>/delete")
def delete_form(key: str, version: int) -> str:
    """Asks for the reason why a version is deleted; says why it stays where it must."""
    return _delete_page(key, version, {})


@page.post("/diagrams/<key>/versions/<int:version>/delete")
def delete(key: str, version: int) -> ResponseReturnValue:
    """Deletes a version that no case ever followed."""
    require(me(), "edit_diagrams")
    with store().read() as session:
        sheet = versions.version_sheet(session, me(), key, version, store().clock.now())
    try:
        delete_version(store(), sheet.line.id, actor=me(), reason=request.form.get("reason", ""), origin=origin())
    except Invalid as refusal:
        return _delete_page(key, version, refusal.fields), 422
    flash(f"第{version}版已删除，记录保留在版本列表中。", "success")
    return redirect(f"/diagrams/{key}", 303)


def _delete_page(key: str, version: int, wrong: dict[str, str]) -> str:
    require(me(), "edit_diagrams")
    with store().read() as session:
        sheet = versions.version_sheet(session, me(), key, version, store().clock.now())
        why = reason_to_keep(session, sheet.line.id)
    return render_template("diagrams/delete.html", line=sheet.line, why=why, wrong=wrong, typed=request.form)
