"""One past case replayed against a draft: what was recorded is done again, at the times at which it was done.

Each recorded completion looks for the task of the same step and answers it as it was answered; where the draft waits
elsewhere first, the answer is held until it comes to that. Timers of the draft fire when they are due. What then
differs is put into findings by `parting`. A case's content stays hidden: findings name steps, dates and fields only.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.process.clocks import BadRule
from engine.process.definitions import Deployed
from engine.process.forms import answers_of, fields_of, opinion_needed, validate
from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.model import Diagram, InterpreterError, RunawayLoop, Step
from engine.process.projection import BadAssignment
from engine.process.step_forms import form_at, form_for, names_at
from engine.process.tables import OPEN_STATES, Task
from engine.process.workshop.back_testing.pairing import Pairing, form_keys, pair
from engine.process.workshop.back_testing.record import Done, Move, Record
from engine.process.workshop.back_testing.surroundings import Surroundings
from engine.process.workshop.back_testing.trial import OnRecord, Stop, TooManyTimers, Trial
from engine.store.errors import Refused

#: What a draft may do wrong while it runs; anything else is a fault of ours.
DRAFT_FAULTS = (InterpreterError, ExpressionError, BadAssignment, BadRule, Refused, TooManyTimers)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that would have gone differently."""

    kind: str
    """route · field · lost_step · gained_step · deadline_missed · deadline_met · deadline_moved · failed"""
    step: str
    """Element of the draft; of the version that the case ran on where the draft has none."""
    name: str
    at: datetime
    text: str
    """In Chinese, without anything that was answered."""
    before: str | None = None
    """ISO day (or instant) on record, where a date moves; None where there was none."""
    after: str | None = None
    parts: bool = False
    """The case parts here: what came after on record says nothing any more."""


@dataclass(slots=True)
class Held:
    """A recorded completion for which no task of the draft waits (yet)."""

    move: Move
    step: str
    """Element of the draft."""


class Plan:
    """A draft that past cases are replayed against, paired with each version that they ran on."""

    def __init__(self, diagram: Diagram, forms: Mapping[str, Any]) -> None:
        self.diagram, self.forms = diagram, forms
        self._pairings: dict[int, Pairing] = {}

    def pairing(self, ran: Deployed) -> Pairing:
        if ran.id not in self._pairings:
            self._pairings[ran.id] = pair(ran, self.diagram)
        return self._pairings[ran.id]

    def form_of(self, step: Step) -> Mapping[str, Any] | None:
        if step.kind == "start":
            return self.forms.get(self.diagram.properties.get("startForm", ""))
        return form_for(step, self.forms)


@dataclass(slots=True)
class Replay:
    """How a replay went: the trial as it stands at the end, and what was noticed on the way."""

    record: Record
    plan: Plan
    pairings: Mapping[int, Pairing]
    trial: Trial
    findings: list[Finding] = field(default_factory=list)
    matched: dict[int, Stop] = field(default_factory=dict)
    """Recorded task (its id) → the trial's."""
    held: list[Held] = field(default_factory=list)
    gone: list[Move] = field(default_factory=list)
    """Completions of steps that the draft does not have."""
    stopped_at: datetime | None = None
    """The draft failed here."""


def replay(record: Record, plan: Plan, pairings: Mapping[int, Pairing], around: Surroundings, until: datetime) -> Replay:
    """Replays a case up to `until` (for one that still runs). `pairings` holds every version in its record."""
    own = pairings[record.definition_id]
    variables = _first_data(record, own, plan)
    trial = Trial(plan.diagram, record.instance_id, variables, _known(record, pairings), around)
    run = Replay(record, plan, pairings, trial)
    at, latest = until, None
    try:
        for move in record.moves:
            at, latest = move.at, move
            _take(run, move)
            _try_held(run)
        if record.state in OPEN_STATES:
            at, latest = until, None
            trial.pass_until(until, until)
            _try_held(run)
    except DRAFT_FAULTS as error:
        run.stopped_at = at
        run.findings.append(_failure(error, run, latest, at))
    return run


# -- what a case starts with, and what its operations brought -----------------------------------


def _first_data(record: Record, own: Pairing, plan: Plan) -> dict[str, Any]:
    """The data at the start: everything that nothing on its way has brought, and the recorded answers of the start form."""
    started = next((move for move in record.moves if move.act == "started"), None)
    answers = started.data.get("answers", {}) if started else {}
    sent = {name for move in record.moves for name in move.data.get("payload", {})}
    asked = form_keys(own.ran.forms.get(own.ran.diagram.properties.get("startForm", "")))
    first = {
        name: value for name, value in record.variables.items()
        if name not in own.brought and name not in sent and not (name in asked and name in answers)
    }  # fmt: skip
    for move in reversed(record.moves):
        first |= {name: before for name, (before, _) in move.corrections.items() if name in first}
    form = plan.forms.get(plan.diagram.properties.get("startForm", "")) or {}
    return {**dict.fromkeys(form_keys(form)), **first, **answers}


def _known(record: Record, pairings: Mapping[int, Pairing]) -> OnRecord:
    """What service tasks give in the trial, each time that they run."""
    endings: dict[str, deque[str | None]] = {}
    results: dict[str, deque[Any]] = {}
    for number, move in enumerate(record.moves):
        ran = pairings[move.definition_id]
        steps = ran.ran.diagram.steps
        for element, how in move.passed:
            step, code = steps.get(element), None
            if element in ran.errors and how == "fired" and step is not None:
                step, code = steps.get(step.attached_to or ""), ran.errors[element] or "recorded"
            if step is not None and step.operation and step.id in ran.to_draft and how in ("completed", "fired"):
                endings.setdefault(ran.to_draft[step.id], deque()).append(code)
                out = step.properties.get("out", "")
                if code is None and out in record.variables:
                    results.setdefault(ran.to_draft[step.id], deque()).append(_result(record, number, out))
    return OnRecord(results, endings, Counter(child.process_key for child in record.children.values()))


def _result(record: Record, number: int, out: str) -> Any:
    """What a variable held after the move of that number: what a later one replaced or corrected, else what it holds at the end."""
    for move in record.moves[number + 1 :]:
        for name, value in move.data.get("replaced", ()):
            if name == out:
                return value
        if out in move.corrections:
            return move.corrections[out][0]
    return record.variables[out]


# -- one recorded move ----------------------------------------------------------------------------


def _take(run: Replay, move: Move) -> None:
    trial, opened = run.trial, move.opened
    if move.act == "started":
        _check_start(run, move)
        trial.begin(move.at, move.known_at, opened)
        return
    # A child's end does not let fire what is due at the same instant; whatever a person does finds it done.
    trial.pass_until(move.at, move.known_at, inclusive=move.act != "child_ended")
    if move.act in ("completed", "child_ended", "external_completed", "external_error"):
        ran = run.pairings[move.definition_id]
        step = _step_of(move)
        if step not in ran.to_draft:
            run.gone.append(move)
        else:
            held = Held(move, ran.to_draft[step])
            if not _answer(run, held):
                run.held.append(held)
    elif move.act in ("returned", "start_withdrawn"):
        _go_back(run, move)
    elif move.act == "suspended":
        trial.suspend(move.at, move.known_at)
    elif move.act == "resumed":
        trial.resume(move.at, move.known_at)
    elif move.act == "corrected":
        trial.variables.update({name: value for name, (_, value) in move.corrections.items()})
    elif move.act == "message":
        payload = move.data.get("payload", {})
        trial.deliver(str(move.data.get("message")), payload, move.at, move.known_at, opened)
    elif move.act == "signal":
        trial.hear(str(move.data.get("signal")), move.data.get("payload", {}), move.at, move.known_at, opened)


def _go_back(run: Replay, move: Move) -> None:
    """Returns in the trial what was returned on record; where the draft cannot soundly go there, the case parts."""
    ran, trial = run.pairings[move.definition_id], run.trial
    steps = ran.ran.diagram.steps
    to = str(move.data.get("to") or move.step)
    if steps[to].kind == "start" and trial.ended_at is None:
        trial.hold_start(move.at, move.known_at, move.opened)
        return
    step, target = ran.to_draft.get(move.step or ""), ran.to_draft.get(to)
    stop = next((stop for stop in trial.open_stops() if stop.step.id == step), None)
    if stop is not None and target is not None and trial.machine.could_go_back(stop.token, [target]):
        trial.go_back(stop, target, move.at, move.known_at, move.opened)
        return
    name, to_name = str(move.data.get("name")), str(move.data.get("to_name"))
    text = f"记录中由“{name}”退回“{to_name}”，按草稿不能这样退回"
    run.findings.append(Finding("route", step or move.step or "", name, move.at, text, parts=True))


def _step_of(move: Move) -> str:
    """The element that a recorded move completed: its task's, or the call activity that waited for the child."""
    if move.act != "child_ended":
        return move.step or ""
    return next((element for element, how in move.passed if how == "completed"), "")


def _try_held(run: Replay) -> None:
    """Answers what has come to wait since, in the order of the record."""
    again = bool(run.held) and run.trial.ended_at is None
    while again:
        again = False
        for held in list(run.held):
            if _answer(run, held):
                run.held.remove(held)
                again = True


def _answer(run: Replay, held: Held) -> bool:
    """Does in the trial what was done on record; False where nothing waits for it."""
    waiting = [stop for stop in run.trial.open_stops() if stop.step.id == held.step]
    if not waiting:
        return False
    if held.move.act == "child_ended":
        return _return(run, held, waiting)
    if held.move.act.startswith("external"):
        return _work(run, held, waiting)
    task_id = held.move.data.get("task")
    done = run.record.tasks.get(task_id) if isinstance(task_id, int) else None
    if waiting[0].step.multi and done is not None:
        waiting = [stop for stop in waiting if stop.row is not None and stop.row.unit_id == done.unit_id]
        own = [stop for stop in waiting if stop.row is not None and _item(stop.row) == _item(done)]
        waiting = own or waiting
        if not waiting:
            return False
    stop = waiting[0]
    data = _check_answers(run, stop, held.move)
    if isinstance(task_id, int):
        run.matched[task_id] = stop
    # Held answers are given as soon as the draft comes to ask for them, never before they were given.
    run.trial.complete(stop, data, max(held.move.at, run.trial.at), held.move.known_at, held.move.opened)
    return True


def _work(run: Replay, held: Held, waiting: list[Stop]) -> bool:
    """A worker outside gave a result or an error: it gives the same to the draft."""
    stop = next((stop for stop in waiting if stop.step.topic), None)
    if stop is None:
        return False
    at = max(held.move.at, run.trial.at)
    if held.move.act == "external_error":
        run.trial.fail(stop, str(held.move.data.get("error")), held.move.data.get("values") or {}, at, held.move.known_at, held.move.opened)
    else:
        run.trial.complete(stop, held.move.data.get("values") or {}, at, held.move.known_at, held.move.opened)
    return True


def _item(task: Task | Done) -> dict[str, Any]:
    """What one of several was asked about: the unit or person that it stands for, wherever in the list."""
    return {name: value for name, value in (task.local or {}).items() if name != "loopCounter"}


def _return(run: Replay, held: Held, waiting: list[Stop]) -> bool:
    child = run.record.children.get(held.move.data.get("child", 0))
    waiting = [stop for stop in waiting if stop.row is None and (child is None or stop.step.called == child.process_key)]
    if not waiting:
        return False
    variables = child.variables if child else {}
    stop = max(waiting, key=lambda stop: _likeness(run.trial, stop, variables)) if len(waiting) > 1 else waiting[0]
    outcome = held.move.data.get("child_outcome")
    data = run.trial.returned(stop, outcome, variables)
    run.trial.complete(stop, data, max(held.move.at, run.trial.at), held.move.known_at, held.move.opened)
    return True


def _likeness(trial: Trial, stop: Stop, variables: Mapping[str, Any]) -> int:
    """How much of what a call gives stands in a child's data: tells several calls of one process apart."""
    waiting = next(token for token in trial.machine.waiting() if token.token == stop.token)
    given = {
        name.removeprefix("in."): text for name, text in stop.step.properties.items() if name.startswith("in.")
    }  # fmt: skip
    return sum(name in variables and variables[name] == trial.evaluate(text, waiting) for name, text in given.items())


# -- answers under the draft's forms --------------------------------------------------------------


def _check_start(run: Replay, move: Move) -> None:
    form = run.plan.forms.get(run.plan.diagram.properties.get("startForm", ""))
    if form is None or "answers" not in move.data:
        return
    answers, names = move.data["answers"], run.trial.variables
    ran = run.pairings[move.definition_id].ran
    wrong = _wrong(form, answers, names, ran.forms.get(ran.diagram.properties.get("startForm", "")))
    start = next((step for step in run.plan.diagram.steps.values() if step.kind == "start" and step.parent is None), None)
    _tell_fields(run, start, "发起", form, answers, wrong, move.at)


def _check_answers(run: Replay, stop: Stop, move: Move) -> dict[str, Any]:
    """The data that the recorded answers become under the draft's form; what the form would not take is told."""
    step = stop.step
    form = run.plan.form_of(step)
    given = dict(move.data.get("answers") or {})
    if form is None:
        return given
    names = names_at(run.trial.variables, stop.row.local if stop.row is not None else None)
    ran = run.pairings[move.definition_id].ran
    before = ran.diagram.steps.get(move.step or "")
    old_form = form_at(ran, before.id) if before is not None else None
    wrong = _wrong(form, given, names, old_form)
    _tell_fields(run, step, step.name, form, given, wrong, move.at)
    if not str(move.data.get("opinion") or "").strip():
        policy = step.properties.get("opinion", "optional")
        was = before.properties.get("opinion", "optional") if before is not None else "optional"
        needed = opinion_needed(form, policy, given, names) and not opinion_needed(old_form, was, given, names)
        if needed:
            text = f"“{step.name}”按草稿须填写意见，记录中没有"
            run.findings.append(Finding("field", step.id, step.name, move.at, text))
    return answers_of(form, given)


def _wrong(
    form: Mapping[str, Any], answers: Mapping[str, Any], names: Mapping[str, Any], old_form: Mapping[str, Any] | None
) -> set[str]:
    """Fields that the draft's form asks for or takes otherwise than the form that was answered.

    Fields that the draft no longer has are no fault of the answers.
    """
    keys = form_keys(form)
    try:
        found = set(validate(form, {key: value for key, value in answers.items() if key in keys}, names).errors)
        if found and old_form is not None:
            # What the very form that was answered would not take today (a choice that has gone) is not the draft's doing.
            known = form_keys(old_form)
            old = validate(old_form, {key: value for key, value in answers.items() if key in known}, names).errors
            found -= set(old)
    except ExpressionError:
        return set()  # its choices come from what the case does not have: the check judges the form itself
    return found


def _tell_fields(
    run: Replay, step: Step | None, name: str, form: Mapping[str, Any], answers: Mapping[str, Any], wrong: set[str],
    at: datetime,
) -> None:  # fmt: skip
    for asked in fields_of(form):
        if asked["key"] not in wrong:
            continue
        missing = answers.get(asked["key"]) in (None, "", [], False)
        what = "按草稿必须填写，记录中没有" if missing else "在记录中的填写不符合草稿的表单"
        text = f"“{name}”的“{asked['label']}”{what}"
        run.findings.append(Finding("field", step.id if step else "", name, at, text))


def _failure(error: Exception, run: Replay, move: Move | None, at: datetime) -> Finding:
    """A draft that cannot go on. Its reasons name elements and expressions; the values that they were given stay hidden."""
    text = str(error)
    if isinstance(error, TooManyTimers | RunawayLoop):
        text = "流程反复循环，从不停下"
    elif isinstance(error, BadRule):
        text = text.partition("，实际为")[0]
    elif isinstance(error, BadAssignment):
        before, unknown, _ = text.partition("的承办单位“")
        text = before + "的承办单位不存在" if unknown else text
    elif "无法计算" in text:
        text = text.partition("无法计算")[0] + "无法计算"
    step, name = "", run.plan.diagram.name
    if move is not None and move.data.get("name"):
        name = str(move.data["name"])
        step = run.pairings[move.definition_id].to_draft.get(move.step or "", move.step or "")
    return Finding("failed", step, name, at, f"按草稿无法继续：{text[:300]}", parts=True)
