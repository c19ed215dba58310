"""办件: the list of cases, one case with all that happened in it, and its diagram."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from calendars.deadline import shanghai_day
from engine.people.permissions import Sight, powers
from engine.people.signature_images import signed_people
from engine.process import queries
from engine.process.desk.case_offers import case_offers, copies_of
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.sheets.case import case_sheet, diagram_xml
from engine.sharing import documents, supervision
from engine.sharing.grants import grants_of_case
from web.context import is_swap, me, origin, store
from web.looks import looked_at, looking_at
from web.screen import CASE_STATES
from web.starting import offered, startable

page = Blueprint("cases", __name__)


@page.get("/cases")
def search() -> str:
    """The cases that the reader may see."""
    asked = {name: request.args.get(name, "") for name in ("text", "state", "process")}
    with store().read() as session:
        found = queries.cases(
            session,
            me(),
            text=asked["text"],
            state=asked["state"] or None,
            process_key=asked["process"] or None,
            after=request.args.get("after"),
        )
        names = {} if is_swap() else queries.process_names(session)
    template = "cases/_rows.html" if is_swap() else "cases/list.html"
    return render_template(template, found=found, asked=asked, names=names, states=list(CASE_STATES.items()))


@page.get("/cases/<int:instance_id>")
def case(instance_id: int) -> str:
    """One case."""
    actor, now = me(), store().clock.now()
    with looking_at(instance_id), store().read() as session:
        sheet = case_sheet(session, actor, instance_id)
        issued = documents.documents_of(session, actor, instance_id)
        given, copies = case_offers(session, actor, sheet), copies_of(session, instance_id)
        grants = grants_of_case(session, instance_id, today=shanghai_day(now))
        renewals = offered(session, "own_grant") if grants else []
        supervisions = supervision.search(session, actor, source_id=instance_id).lines
        starts = offered(session, "supervision") if sheet.process_key == "supervision" else []
        # What the case has made possible, such as asking for what is no longer withheld.
        about = {"resource_code": sheet.subject_key}
        opened = startable(session, about, sheet.process_key) if sheet.ended_at and sheet.subject_key else []
    looked_at(sheet)
    return render_template(
        "cases/page.html",
        case=sheet,
        documents=issued,
        grants=grants,
        renewals=renewals,
        supervisions=supervisions,
        starts=starts,
        opened=opened,
        offered=given,
        copies=copies,
        may_supervise="supervise" in powers(actor),
    )


@page.get("/cases/<int:instance_id>/print")
def on_paper(instance_id: int) -> str:
    """The whole file 办件单, to be printed: what the reader may see of it, with the signatures of those who worked on it."""
    with looking_at(instance_id), store().read() as session:
        sheet = case_sheet(session, me(), instance_id)
        issued = documents.documents_of(session, me(), instance_id)
        people = {task.completed_by for task in sheet.done_tasks if task.completed_by is not None}
        signed = signed_people(session, people) if sheet.sight is Sight.FULL else frozenset[int]()
    looked_at(sheet)
    return render_template("cases/print.html", case=sheet, documents=issued, signed=signed, printed_at=store().clock.now())


@page.post("/cases/<int:instance_id>/<any(suspend, resume, terminate):act>")
def supervise(instance_id: int, act: str) -> ResponseReturnValue:
    """The office stops a case, lets it go on, or ends it, with a reason."""
    command = {"suspend": suspend_instance, "resume": resume_instance, "terminate": terminate_instance}[act]
    command(store(), instance_id, actor=me(), reason=request.form.get("reason", ""), origin=origin())
    flash({"suspend": "已暂停办理。", "resume": "已恢复办理。", "terminate": "已终止办件。"}[act], "success")
    return redirect(f"/cases/{instance_id}", 303)


@page.get("/diagrams/<int:definition_id>.bpmn")
def diagram(definition_id: int) -> Response:
    """A deployed diagram, for the viewer. It holds no case and never changes."""
    with store().read() as session:
        xml = diagram_xml(session, definition_id)
    return Response(xml, mimetype="application/xml", headers={"Cache-Control": "private, max-age=86400, immutable"})
