"""发布申请: what waits for a second person, and how it was decided; the page on which a draft is proposed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.permissions import may
from engine.process.definitions import NotDeployable, base_of, known_processes
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.package import Package
from engine.process.workshop import drafts, proposal_sheets, proposals, versions
from engine.process.workshop.back_testing import sheets as back_test_sheets
from engine.process.workshop.checking import checked, held_posts
from engine.process.workshop.comparing.compare import Comparison, compare
from engine.store.errors import Invalid, NotFound
from web.context import is_swap, me, origin, store
from web.given import day_given, number_given

page = Blueprint("proposals", __name__)

#: Back-tests that are shown with a proposal.
TRIED = 3


@page.get("/proposals")
def search() -> str:
    """What waits first, then what was decided; only the next lines where htmx asks for them."""
    with store().read() as session:
        done = proposal_sheets.decided(session, me(), after=request.args.get("after"))
        if is_swap():
            return render_template("proposals/_decided.html", found=done, states=proposals.STATES)
        asked = proposal_sheets.waiting(session, me())
    return render_template("proposals/list.html", asked=asked, found=done, states=proposals.STATES)


@page.get("/proposals/<int:proposal_id>")
def proposal(proposal_id: int) -> str:
    """One proposal: what it changes, what was tried with it, and the decision."""
    return _page(proposal_id, {})


def _page(proposal_id: int, wrong: dict[str, str], problems: list[Problem] | None = None) -> str:
    with store().read() as session:
        sheet = proposal_sheets.proposal_sheet(session, me(), proposal_id)
        base = drafts.version_package(session, sheet.base_id)
        tried = _tried(session, sheet.line.draft_id)
    comparison = compared(base, sheet.package)
    return render_template(
        "proposals/page.html", sheet=sheet, line=sheet.line, states=proposals.STATES, comparison=comparison, tried=tried, kinds=back_test_sheets.KINDS, test_states=back_test_sheets.STATES,
        wrong=wrong, typed=request.form, problems=problems or [],
    )  # fmt: skip


def _tried(session: Any, draft_id: int | None) -> list[back_test_sheets.BackTestSheet]:
    """The newest back-tests of the draft, for who decides; none for a return to an earlier version."""
    return back_test_sheets.back_tests_of(session, me(), draft_id)[:TRIED] if draft_id is not None else []


def compared(base: Package | None, package: Package) -> Comparison | None:
    """What a package changes; None for a new process, and where it is not yet a diagram that can be compared."""
    if base is None:
        return None
    try:
        return compare(base, package)
    except DiagramError:
        return None


@page.get("/proposals/<int:proposal_id>/xml")
def xml(proposal_id: int) -> Response:
    """The proposed diagram, for the viewer."""
    with store().read() as session:
        found = proposal_sheets.proposal_xml(session, me(), proposal_id)
    return Response(found, mimetype="application/xml")


@page.post("/proposals/<int:proposal_id>/approve")
def approve(proposal_id: int) -> ResponseReturnValue:
    """Agrees; the version is deployed."""
    base = number_given("base") if request.form.get("base") else None
    try:
        proposals.approve(
            store(), proposal_id, actor=me(), note=request.form.get("note", ""), seen_base_id=base, origin=origin()
        )
    except NotDeployable as refusal:
        return _page(proposal_id, {"note": "复核未通过，未发布任何内容"}, refusal.problems), 422
    except Invalid as refusal:
        return _page(proposal_id, refusal.fields or {"note": refusal.message}), 422
    with store().read() as session:
        line = proposal_sheets.proposal_sheet(session, me(), proposal_id).line
    late = line.effective_at is not None and line.in_force_at != line.effective_at
    flash(f"已批准并发布为第{line.version}版。" + ("约定的生效日期已过，自现在起生效。" if late else ""), "success")
    return redirect(f"/proposals/{proposal_id}", 303)


@page.post("/proposals/<int:proposal_id>/refuse")
def refuse(proposal_id: int) -> ResponseReturnValue:
    """Does not agree."""
    try:
        proposals.refuse(store(), proposal_id, actor=me(), reason=request.form.get("note", ""), origin=origin())
    except Invalid as refusal:
        return _page(proposal_id, refusal.fields), 422
    flash("已不予批准，并告知申请人。", "success")
    return redirect(f"/proposals/{proposal_id}", 303)


@page.post("/proposals/<int:proposal_id>/withdraw")
def withdraw(proposal_id: int) -> ResponseReturnValue:
    """Takes one's own proposal back."""
    proposals.withdraw(store(), proposal_id, actor=me(), origin=origin())
    flash("已撤回。", "success")
    return redirect(f"/proposals/{proposal_id}", 303)


# -- asking for a draft's deployment ----------------------------------------------------------


@page.get("/drafts/<int:draft_id>/propose")
def propose_form(draft_id: int) -> str:
    """Asks for the reason and the date, with what the draft changes at a glance."""
    return _propose_page(draft_id, {})


def _propose_page(draft_id: int, wrong: dict[str, str], problems: list[Problem] | None = None) -> str:
    now = store().clock.now()
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
        asked = proposal_sheets.waiting(session, me(), sheet.key)
        base_id = drafts.newest_id(session, sheet.key)
        base = drafts.version_package(session, base_id)
        try:
            process = versions.process_sheet(session, me(), sheet.key, now)
        except NotFound:
            process = None  # nothing of it is deployed yet
        tried = _tried(session, draft_id)
    return render_template(
        "proposals/propose.html", draft=sheet, asked=asked[0] if asked else None, process=process, tried=tried, kinds=back_test_sheets.KINDS, test_states=back_test_sheets.STATES,
        upcoming=[line for line in process.versions if line.state == "upcoming"] if process else [], base_id=base_id,
        comparison=compared(base, sheet.package), problems=problems or [], wrong=wrong, typed=request.form,
        editable=sheet.state == drafts.OPEN and may(me(), "edit_diagrams"),
    )  # fmt: skip


@page.get("/drafts/<int:draft_id>/propose/check")
def check(draft_id: int) -> str:
    """The findings of the draft as it was saved; fetched by the page, because a check may take a moment."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
        known, held = known_processes(session), held_posts(session)
        base = base_of(session, sheet.key, sheet.rule_set)
    problems = checked(sheet.package, known, base=base, held=held)
    return render_template("proposals/_problems.html", problems=problems, checked=True)


@page.post("/drafts/<int:draft_id>/propose")
def propose(draft_id: int) -> ResponseReturnValue:
    """Proposes the draft as the reader saw it."""
    try:
        proposal_id = proposals.propose(
            store(), draft_id, actor=me(), revision=number_given("revision"), reason=request.form.get("reason", ""),
            effective_at=day_given("effective"), origin=origin(),
        )  # fmt: skip
    except NotDeployable as refusal:
        return _propose_page(draft_id, {}, refusal.problems), 422
    except Invalid as refusal:
        return _propose_page(draft_id, refusal.fields or {"reason": refusal.message}), 422
    flash("已提交发布申请，待审批人审批。", "success")
    return redirect(f"/proposals/{proposal_id}", 303)
