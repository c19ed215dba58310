"""试运行: a draft (or a deployed version) walked with the real engine on a virtual clock; nothing real is touched.

Every state of a run has an address of its own: a move leads to the next one, and undoing is a link to the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from calendars.deadline import shanghai_day
from engine.process.forms import FormDefinition, fields_of
from engine.process.package import Package
from engine.process.workshop.drafts import DraftSheet, draft_sheet
from engine.process.workshop.dry_run import runs
from engine.process.workshop.dry_run.cases import TaskShown
from engine.process.workshop.dry_run.effects import in_words
from engine.process.workshop.dry_run.registers import MADE_UP
from engine.process.workshop.dry_run.samples import sample_answers
from engine.process.workshop.dry_run.script import ScriptMove
from engine.process.workshop.dry_run.start import StartOffer, as_lines, first_data, fitting, start_offer
from engine.process.workshop.dry_run.walk import NotRehearsable, Rehearsal, rehearse
from engine.sharing import catalogue
from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid
from web import forms, screen
from web.context import me, origin, store
from web.uploads import Kept

page = Blueprint("dry_runs", __name__)

#: Resources that are tried, and shown, as the subject of a case.
TRIED, SHOWN = 60, 12


@dataclass(frozen=True, slots=True)
class Place:
    """What is rehearsed, and where its pages are."""

    origins: runs.Origins
    package: Package
    base: str
    """The address of its dry runs."""
    diagram: str
    """The address of its diagram."""
    draft: DraftSheet | None = None
    version: int | None = None
    key: str = ""
    name: str = ""


@page.app_template_filter("until_when")
def until_when(moment: datetime) -> str:
    """The end of a time: midnight is the 24:00 of the day before, as officials say it."""
    if moment.astimezone(SHANGHAI).time() == time():
        return f"{screen.day(moment - timedelta(seconds=1))} 24:00"
    return f"{screen.day(moment)} {screen.moment(moment)[-5:]}"


@page.app_template_filter("in_plain_words")
def in_plain_words(value: Any) -> str:
    """A value of a case's data for reading."""
    return in_words(value)


@page.get("/drafts/<int:draft_id>/dry-run")
def begin(draft_id: int) -> ResponseReturnValue:
    """Where a run of a draft begins."""
    return _begin(_draft(draft_id))


@page.post("/drafts/<int:draft_id>/dry-run")
def start(draft_id: int) -> ResponseReturnValue:
    """Makes the first move."""
    return _start(_draft(draft_id))


@page.get("/drafts/<int:draft_id>/dry-run/<int:move_id>")
def state(draft_id: int, move_id: int) -> ResponseReturnValue:
    """A run as it stands after a move."""
    return _state(_draft(draft_id), move_id)


@page.post("/drafts/<int:draft_id>/dry-run/<int:move_id>")
def move(draft_id: int, move_id: int) -> ResponseReturnValue:
    """Makes the next move."""
    return _move(_draft(draft_id), move_id)


@page.get("/diagrams/<key>/versions/<int:version>/dry-run")
def begin_version(key: str, version: int) -> ResponseReturnValue:
    """Where a run of a deployed version begins."""
    return _begin(_version(key, version))


@page.post("/diagrams/<key>/versions/<int:version>/dry-run")
def start_version(key: str, version: int) -> ResponseReturnValue:
    """Makes the first move."""
    return _start(_version(key, version))


@page.get("/diagrams/<key>/versions/<int:version>/dry-run/<int:move_id>")
def state_version(key: str, version: int, move_id: int) -> ResponseReturnValue:
    """A run as it stands after a move."""
    return _state(_version(key, version), move_id)


@page.post("/diagrams/<key>/versions/<int:version>/dry-run/<int:move_id>")
def move_version(key: str, version: int, move_id: int) -> ResponseReturnValue:
    """Makes the next move."""
    return _move(_version(key, version), move_id)


def _draft(draft_id: int) -> Place:
    with store().read() as session:
        sheet = draft_sheet(session, me(), draft_id)
    base = f"/drafts/{draft_id}"
    origins = runs.Origins(draft_id=draft_id)
    return Place(origins, sheet.package, f"{base}/dry-run", f"{base}/xml", draft=sheet, key=sheet.key, name=sheet.name)


def _version(key: str, version: int) -> Place:
    with store().read() as session:
        found = runs.version_of(session, me(), key, version)
    base = f"/diagrams/{key}/versions/{version}/dry-run"
    origins = runs.Origins(definition_id=found.id)
    return Place(origins, found.package, base, f"/diagrams/{found.id}.bpmn", version=version, key=key, name=found.name)


# -- the beginning ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """What has been chosen of the beginning so far."""

    process: str = ""
    unit: str = ""
    by: str = ""
    at: str = ""
    text: str = ""
    about: Mapping[str, str] = field(default_factory=dict)


def _chosen() -> Chosen:
    unit, _, by = _run("person").partition("|")
    about = {"resource_code": _run("resource")} if _run("resource") else {}
    if about and _run("grant"):
        about["grant"] = MADE_UP
    return Chosen(_run("process"), unit, by, _run("at"), _run("text").strip(), about)


def _begin(
    place: Place, *, typed: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None, alert: str = "", status: int = 200
) -> ResponseReturnValue:  # fmt: skip
    chosen = _chosen()
    try:
        offer = start_offer(
            store(), place.package, actor=me(), process=chosen.process, unit=chosen.unit, about=chosen.about
        )
    except NotRehearsable as refusal:
        return render_template("dry_runs/findings.html", place=place, problems=refusal.problems)
    asks_resource = bool(offer.asks & {"resource_code", "grant"})
    found = _resources(place, chosen, offer) if asks_resource and chosen.unit else []
    with store().read() as session:
        earlier = runs.runs_of(session, place.origins)
    ready = bool(chosen.unit) and not offer.asks
    names = {**(offer.subject.variables if offer.subject else {}), "applicant_unit": chosen.unit}
    if typed is None and _run("sample"):
        typed = sample_answers(offer.form or {}, names, shanghai_day(store().clock.now()))
    form = forms.show(offer.form, names, typed=typed, errors=errors) if ready and offer.by_person else None
    page = render_template(
        "dry_runs/begin.html", place=place, offer=offer, chosen=chosen, found=found, earlier=earlier, ready=ready, form=form,
        alert=alert, given=request.values.get("run.given", as_lines(offer.given)), errors=errors or {},
        now=_local(store().clock.now()), kept=Kept(), subject=offer.subject,
    )  # fmt: skip
    return page, status


def _resources(place: Place, chosen: Chosen, offer: StartOffer) -> list[catalogue.ResourceLine]:
    """Published resources that the case may be about, by their titles alone."""
    with store().read() as session:
        lines = [*catalogue.search(session, me(), text=chosen.text, provider=chosen.unit, limit=TRIED).lines]
        lines += catalogue.search(session, me(), text=chosen.text, limit=TRIED).lines
    by_code = {line.code: line for line in lines}
    fit = fitting(
        store(), place.package, actor=me(), process=offer.key, unit=chosen.unit, name="resource_code", values=by_code,
        about={"grant": MADE_UP} if "grant" in offer.asks else {},
    )  # fmt: skip
    return [by_code[code] for code in fit[:SHOWN]]


def _start(place: Place) -> ResponseReturnValue:
    chosen = _chosen()
    try:
        offer = start_offer(store(), place.package, actor=me(), process=chosen.process, unit=chosen.unit, about=chosen.about)
    except NotRehearsable:
        return _begin(place)
    raw, files = _answers(offer.form)
    try:
        given = {} if offer.by_person else first_data(_run("given"))
        first = ScriptMove(
            "start", at=chosen.at, by=chosen.by, unit=chosen.unit, about=chosen.about, answers=raw, files=files, given=given,
            process=offer.key if offer.key != place.key else "",
        )  # fmt: skip
        address, tried = runs.make_move(store(), place.origins, None, first, actor=me(), origin=origin())
    except Invalid as refusal:
        return _begin(place, typed=raw, errors=refusal.fields, alert="" if refusal.fields else refusal.message, status=422)
    if address is None and tried.stopped is not None:
        fields = tried.stopped.fields
        return _begin(place, typed=raw, errors=fields, alert="" if fields else tried.stopped.message, status=422)
    return redirect(f"{place.base}/{address}", 303)


# -- a run ------------------------------------------------------------------------------------


def _state(place: Place, move_id: int) -> ResponseReturnValue:
    with store().read() as session:
        script = runs.script_to(session, place.origins, move_id)
    try:
        rehearsal = rehearse(store(), place.package, [kept.move for kept in script], actor=me())
    except NotRehearsable as refusal:
        return render_template("dry_runs/findings.html", place=place, problems=refusal.problems)
    return _show(place, move_id, script, rehearsal)


def _move(place: Place, move_id: int) -> ResponseReturnValue:
    do = _run("do")
    try:
        if do == "complete":
            return _complete(place, move_id)
        if do == "until":
            made = ScriptMove("until", at=_run("at"))
        elif do == "message":
            made = ScriptMove("message", case=_whole("case"), message=_run("message"))
        elif do == "signal":
            made = ScriptMove("signal", signal=_run("signal"))
        elif do == "worker":
            made = ScriptMove("worker", case=_whole("case"), step=_run("step"), nth=_whole("nth"), error=_run("error").strip(),
                              given=first_data(_run("given")))  # fmt: skip
        else:
            made = ScriptMove("timer")
        address, tried = runs.make_move(store(), place.origins, move_id, made, actor=me(), origin=origin())
    except NotRehearsable:
        return _state(place, move_id)
    except Invalid as refusal:
        return _again(place, move_id, refusal.message if not refusal.fields else "；".join(refusal.fields.values()))
    if address is None:
        return _again(place, move_id, tried.stopped.message if tried.stopped else "")
    return redirect(f"{place.base}/{address}", 303)


def _complete(place: Place, move_id: int) -> ResponseReturnValue:
    case, step, nth = _whole("case"), _run("step"), _whole("nth")
    with store().read() as session:
        script = runs.script_to(session, place.origins, move_id)
    before = rehearse(store(), place.package, [kept.move for kept in script], actor=me())
    task = _task(before, f"{case}.{step}.{nth}")
    raw, files = _answers(task.form if task else None)
    opinion = request.form.get("opinion", "")
    made = ScriptMove(
        "complete", case=case, step=step, nth=nth, by=_run("person"), answers=raw, opinion=opinion, files=files
    )
    address, tried = runs.make_move(store(), place.origins, move_id, made, actor=me(), origin=origin())
    if address is not None:
        return redirect(f"{place.base}/{address}", 303)
    stopped = tried.stopped
    return _show(
        place, move_id, script, before, typed=raw, opinion=opinion, errors=stopped.fields if stopped else {},
        alert=stopped.message if stopped and not stopped.fields else "", chosen=f"{case}.{step}.{nth}", status=422,
    )  # fmt: skip


def _again(place: Place, move_id: int, alert: str) -> ResponseReturnValue:
    with store().read() as session:
        script = runs.script_to(session, place.origins, move_id)
    rehearsal = rehearse(store(), place.package, [kept.move for kept in script], actor=me())
    return _show(place, move_id, script, rehearsal, alert=alert, status=422)


def _show(
    place: Place, move_id: int, script: list[runs.KeptMove], rehearsal: Rehearsal, *, typed: Mapping[str, Any] | None = None,
    opinion: str = "", errors: Mapping[str, str] | None = None, alert: str = "", chosen: str = "", status: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    tasks = [task for case in rehearsal.cases for task in case.tasks]
    task = _task(rehearsal, chosen or request.args.get("task", "")) or (tasks[0] if tasks else None)
    asked = request.args.get("case", "")
    place_shown = int(asked) if asked.isdecimal() and len(asked) < 6 else task.case if task else 0
    shown = rehearsal.cases[min(place_shown, len(rehearsal.cases) - 1)] if rehearsal.cases else None
    if task and typed is None and _run("sample"):
        typed = sample_answers(task.form or {}, task.names, shanghai_day(rehearsal.now))
    form = forms.show(task.form, task.names, typed=typed, errors=errors) if task else None
    page = render_template(
        "dry_runs/page.html", place=place, move_id=move_id, script=script, run=rehearsal, tasks=tasks, task=task, form=form,
        opinion=opinion, alert=alert, case=shown, last=rehearsal.moves[-1] if rehearsal.moves else None, kept=Kept(),
        now=_local(rehearsal.now),
    )  # fmt: skip
    return page, status


def _task(rehearsal: Rehearsal, name: str) -> TaskShown | None:
    """The open task that is named `case.step.nth`."""
    tasks = (task for case in rehearsal.cases for task in case.tasks)
    return next((task for task in tasks if f"{task.case}.{task.step}.{task.nth}" == name), None)


def _answers(form: FormDefinition | None) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The answers of the posted form, and the names of the files that are pretended: only their names were sent."""
    raw = forms.read_posted(form, request.form)
    named = {"attachments": request.form.getlist("upload")}
    for item in fields_of(form or {}):
        if item["type"] == "file":
            named[item["key"]] = request.form.getlist(f"upload.{item['key']}")
            raw.pop(item["key"], None)
    files = {key: [name for name in names if name] for key, names in named.items()}
    return raw, {key: names for key, names in files.items() if names}


def _run(name: str) -> str:
    """What the page itself asks; with a dot, so that no field of a draft's form can have the same name."""
    return request.values.get(f"run.{name}", "")


def _whole(name: str) -> int:
    given = _run(name)
    return int(given) if given.isdecimal() and len(given) < 6 else 0


def _local(moment: datetime) -> str:
    """An instant as a datetime field holds it."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
