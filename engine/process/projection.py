"""After every move: compare what waits in the interpreter with the rows, and make the rows say the same.

New tasks and timers become rows with their deadlines counted; what no longer waits is closed; clocks that a pausing task
(补正) stops or lets run again are counted anew. What changed goes into the history entry of the move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from calendars.deadline import shanghai_day
from calendars.edition import Edition
from engine.process.clocks import STOPPED, due_of, resolve, whole_days
from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import Diagram, Step, Waiting
from engine.process.tables import FAR, Task, Timer
from engine.store.errors import NotFound

_FAR = datetime.fromisoformat(FAR)
#: The task of the starter of a case that came back to its start.
REVISION = "修改后重新提交"


class BadAssignment(ValueError):
    """A task's unit or post leads to nobody; the message names the step."""


class Docket(Protocol):
    """What dating the rows needs of a case: a real one (`Case`), or one that is only tried and never stored."""

    at: datetime
    tasks: dict[str, Task]
    """Open tasks by token: the steps' own."""
    signatures: dict[int, list[Task]]
    """Signatures that were added to an open task and are still outstanding, by its id."""
    timers: list[Timer]

    @property
    def machine(self) -> Machine: ...

    @property
    def diagram(self) -> Diagram: ...

    @property
    def edition(self) -> Edition: ...

    def edition_in(self, calendar: str) -> Edition:
        """The edition of another calendar than the city's."""
        ...

    @property
    def labels(self) -> Mapping[str, Any]:
        """What every task says of its case: the columns of `Task` that are copied from it."""
        ...

    def evaluate(self, text: str, waiting: Waiting | None = None) -> Any: ...

    def process_property(self, name: str) -> str | None: ...

    def unit_id(self, code: str) -> int:
        """Raises NotFound."""
        ...

    def at_start(self) -> tuple[int, str]:
        """Unit id and post that a case held at its start waits for: its starter's."""
        ...

    def keep(self, row: Task | Timer) -> None:
        """A new row belongs to the case from now on."""
        ...

    def assign(self, wanted: Sequence[tuple[Task, Any]]) -> Mapping[str, Mapping[str, str]]:
        """Gives new tasks to the people whose logins the diagram gives; by token, what the history says. Raises BadAssignment."""
        ...

    def admit(self, tasks: list[Task]) -> None:
        """Whoever got a task takes part in the case."""
        ...

    def take_recounts(self) -> set[str]:
        """The activities whose clocks an operation changed since this was last asked."""
        ...


@dataclass(slots=True)
class Changes:
    """What the road must do next for other instances, and what the history entry says."""

    calls: list[Waiting] = field(default_factory=list)
    """Call activities that wait for a child, whether it runs already or is still to be started."""
    left: bool = False
    """Whether an activity with rows was left."""
    opened: list[Task] = field(default_factory=list)
    """The tasks that are new."""
    alive: frozenset[str] = frozenset()
    """Every token that still waits or encloses one that does."""
    said: dict[str, Any] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of tasks that the diagram gives to a person, by token: what the history says of it."""
    closed: list[Task] = field(default_factory=list)
    """The open tasks that nobody waits for any more."""


def project(case: Docket) -> Changes:
    """Brings tasks and timers in line with the interpreter. Rows are written when the case is saved, all at once."""
    waiting = {token.token: token for token in case.machine.waiting()}
    alive = set(waiting)
    for token in waiting.values():
        alive.update(token.path)
        if token.activity:
            alive.add(token.activity)
    changes = Changes(alive=frozenset(alive))
    for decided in case.machine.take_decided():
        changes.said.setdefault("countersigned", []).append(asdict(decided))
    touched = _close(case, waiting, changes)
    touched |= _open_timers(case, waiting, changes)
    opened = changes.opened = _open_tasks(case, waiting, changes)
    touched |= {timer.activity or timer.token for timer in case.timers if timer.due_at is None and timer.state == "waiting"}
    touched |= pause(case, waiting, opened, changes.said)
    touched |= case.take_recounts()
    recount(case, touched, changes.said)
    date_tasks(case, waiting, touched, opened)
    for task in opened:
        changes.said.setdefault("opened", []).append(
            {"step": task.step, "name": task.name, "unit": task.unit_id, "post": task.post,
             "due": task.due_at.isoformat() if task.due_at else None, "provisional": task.provisional, **changes.people.get(task.token, {})}
        )
    changes.calls = [token for token in waiting.values() if token.kind == "call"]
    return changes


# -- what no longer waits ---------------------------------------------------------------------


def _close(case: Docket, waiting: dict[str, Waiting], changes: Changes) -> set[str]:
    """Closes rows whose token is gone; returns the activities whose clocks run again."""
    resumed: set[str] = set()
    for token in [token for token in case.tasks if token not in waiting]:
        task = case.tasks.pop(token)
        changes.left = True
        for signature in case.signatures.pop(task.id, ()):
            signature.state = "cancelled"
        task.signatures = 0
        if task.state == "open":
            task.state, task.completed_by = "cancelled", None
            changes.closed.append(task)
            changes.said.setdefault("cancelled", []).append({"step": task.step, "name": task.name, "task": task.id})
        resumed |= resume(case, token, changes.said)
    for timer in list(case.timers):
        gone = timer.token not in waiting if timer.state != "fired" else (timer.activity or timer.token) not in changes.alive
        if gone:
            changes.left = True
            case.timers.remove(timer)
            timer.state, timer.wake_at = "past" if timer.state == "fired" else "cancelled", None
    return resumed


# -- what waits now ---------------------------------------------------------------------------


def _open_timers(case: Docket, waiting: dict[str, Waiting], changes: Changes) -> set[str]:
    """Rows for the diagram's timers that begin to wait; returns the activities whose clocks must be counted."""
    known = {timer.token for timer in case.timers if timer.kind == "machine"}
    touched: set[str] = set()
    for token in waiting.values():
        if token.kind != "timer" or token.token in known:
            continue
        timer = open_timer(case, token, case.at)
        touched.add(timer.activity or timer.token)
    return touched


def open_timer(case: Docket, token: Waiting, since: datetime) -> Timer:
    """A row for a timer of the diagram that waits; its clock began at `since`."""
    rule = case.diagram.timers[token.step]
    host = case.diagram.steps.get(rule.attached_to or token.step)
    timer = Timer(
        instance_id=case.labels["instance_id"], kind="machine", role=rule.role, token=token.token, activity=token.activity,
        element=rule.element, activity_name=host.name if host else rule.name,
        rule=resolve(rule, lambda text: case.evaluate(text, token)),
        started_at=since, pauses=[], state="waiting", attempts=0, provisional=False,
    )
    case.timers.append(timer)
    case.keep(timer)
    return timer


def _open_tasks(case: Docket, waiting: dict[str, Waiting], changes: Changes) -> list[Task]:
    opened: list[Task] = []
    for token in waiting.values():
        if token.kind != "task" or token.token in case.tasks:
            continue
        step = case.diagram.steps[token.step]
        unit_id, post = assignment(case, step, token)
        task = Task(
            **case.labels, token=token.token, step=step.id, name=name_of(step), unit_id=unit_id, post=post, state="open",
            opened_at=case.at, sort_at=_FAR, provisional=False, paused=False, late=False, local=dict(token.local) or None,
        )
        case.tasks[token.token] = task
        case.keep(task)
        opened.append(task)
        for role, rule in limit_rules(case, step, token).items():
            open_limit(case, step, token, role, rule, case.at)
    texts = [(task, case.diagram.steps[task.step].properties.get("assignee")) for task in opened]
    wanted = [(task, case.evaluate(text, waiting[task.token])) for task, text in texts if text]
    if wanted:
        changes.people = case.assign(wanted)
    if opened:
        case.admit(opened)
    return opened


def name_of(step: Step) -> str:
    """What the task of a step is called."""
    return REVISION if step.kind == "start" else step.name


def assignment(case: Docket, step: Step, token: Waiting) -> tuple[int, str]:
    """Unit id and post of a task, from the diagram. Raises BadAssignment when that leads to nobody."""
    if step.kind == "start":
        return case.at_start()
    if not step.unit or not step.post:
        raise BadAssignment(f"环节“{step.name}”（{step.id}）没有承办单位或岗位")
    code = case.evaluate(step.unit, token)
    try:
        return case.unit_id(str(code or "")), step.post
    except NotFound:
        raise BadAssignment(f"环节“{step.name}”（{step.id}）的承办单位“{code}”不存在") from None


def limit_rules(case: Docket, step: Step, token: Waiting) -> dict[str, dict[str, Any]]:
    """The short form of the common frame: deadline, reminder before it and escalation after it, from one number.

    Role → rule as a row stores it; empty for a step without a limit.
    """
    if step.limit is None:
        return {}
    basis: dict[str, Any] = {"on_pause": step.properties.get("onPause", "pause")}
    for name, value in (("article", step.article), ("statutory_max", step.properties.get("statutoryMax"))):
        if value is not None:
            basis[name] = int(value) if name == "statutory_max" else value
    if step.properties.get("officeHours") == "true":
        basis["office_hours"] = True
    rules = {"deadline": {**basis, "working_days": whole_days(case.evaluate(step.limit, token), step.id)}}
    for role, name, relation in (("reminder", "limitReminder", "before"), ("escalation", "limitEscalation", "after")):
        text = case.process_property(name)
        if text is not None:
            rules[role] = {**basis, relation: whole_days(text, step.id)}
    return rules


def open_limit(case: Docket, step: Step, token: Waiting, role: str, rule: dict[str, Any], since: datetime) -> Timer:
    """A row of the common frame of a task; its clock began at `since`."""
    timer = Timer(
        instance_id=case.labels["instance_id"], kind="limit", role=role, token=token.token, activity=token.token, element=step.id,
        activity_name=step.name, rule=rule, started_at=since, pauses=[], state="waiting", attempts=0, provisional=False,
    )
    case.timers.append(timer)
    case.keep(timer)
    return timer


# -- clocks -----------------------------------------------------------------------------------


def pause(case: Docket, waiting: Mapping[str, Waiting], opened: Iterable[Task], said: dict[str, Any]) -> set[str]:
    """A newly opened task with clock="pause" stops the clocks of the activity around it."""
    stopped: set[str] = set()
    for task in opened:
        if case.diagram.steps[task.step].properties.get("clock") != "pause":
            continue
        around = waiting[task.token].path[-1:]
        for timer in case.timers:
            if timer.state != "waiting" or timer.rule["on_pause"] == "none" or not _within(timer, waiting, around, task.token):
                continue
            timer.pauses = [*timer.pauses, [shanghai_day(case.at).isoformat(), None, task.token]]
            stopped.add(timer.activity or timer.token)
            if timer.role == "deadline":
                said.setdefault("clocks", []).append({"what": "paused", "activity": timer.activity_name, "by": task.name})
    return stopped


def _within(timer: Timer, waiting: Mapping[str, Waiting], around: tuple[str, ...], pausing: str) -> bool:
    """Whether a clock belongs to the activity around a pausing task: the activity's own, or of a task inside it."""
    if timer.token == pausing or timer.activity == pausing:
        return False
    if timer.activity in around:
        return True
    host = waiting.get(timer.activity or timer.token)
    return host is not None and host.path[-1:] == around


def resume(case: Docket, pausing: str, said: dict[str, Any]) -> set[str]:
    """Lets the clocks run again that the task `pausing` had stopped."""
    resumed: set[str] = set()
    today = shanghai_day(case.at).isoformat()
    for timer in case.timers:
        if not any(pause[1] is None and pause[2] == pausing for pause in timer.pauses):
            continue
        timer.pauses = [[start, today if end is None and by == pausing else end, by] for start, end, by in timer.pauses]
        if timer.rule["on_pause"] == "restart":
            timer.restart_at, timer.pauses = case.at, []
        resumed.add(timer.activity or timer.token)
        if timer.role == "deadline":
            said.setdefault("clocks", []).append({"what": "resumed", "activity": timer.activity_name})
    return resumed


def edition_for(case: Docket, timer: Timer) -> Edition:
    """The edition by which a timer of the case is counted: the city's, or that of the calendar that its unit is bound to."""
    return case.edition if timer.calendar is None else case.edition_in(timer.calendar)


def calendar_for(case: Docket, timer: Timer, bindings: Mapping[int, str]) -> str | None:
    """The calendar of the unit whose activity it is; the city's (None) where no unit is bound to another, or no lane names one."""
    if not bindings:
        return None
    if timer.token in case.tasks:
        return bindings.get(case.tasks[timer.token].unit_id)
    rule = case.diagram.timers.get(timer.element)
    host = case.diagram.steps.get(rule.attached_to or timer.element) if rule else None
    if host is None or not host.unit:
        return None
    with suppress(ExpressionError, NotFound):
        return bindings.get(case.unit_id(str(case.machine.evaluate(host.unit, timer.token) or "")))
    return None


def recount(case: Docket, activities: set[str], said: dict[str, Any]) -> None:
    """Counts the open clocks of these activities again; deadlines first, as reminders and escalations lean on them."""
    if not activities:
        return
    deadlines = {timer.activity or timer.token: timer for timer in case.timers if timer.role == "deadline"}
    rank = {"deadline": 0}
    for timer in sorted(case.timers, key=lambda timer: rank.get(timer.role, 1)):
        home = timer.activity or timer.token
        if home not in activities or timer.state not in ("waiting", "paused"):
            continue
        stands = any(pause[1] is None for pause in timer.pauses)
        due = STOPPED if stands else due_of(timer, deadlines.get(home), edition_for(case, timer))
        before = timer.due_at
        timer.due_at, timer.last_day, timer.provisional, timer.edition = due.at, due.last_day, due.provisional, due.edition
        timer.state = "paused" if stands else "waiting"
        timer.wake_at = due.at
        if timer.role == "deadline" and before != due.at:
            said.setdefault("deadlines", []).append(
                {"activity": timer.activity_name, "from": before.isoformat() if before else None,
                 "to": due.at.isoformat() if due.at else None, "provisional": due.provisional, "edition": due.edition}
            )
    # A reminder whose moment lies before its clock began reminds of nothing.
    for timer in [t for t in case.timers if t.kind == "limit" and t.role == "reminder" and t.state == "waiting"]:
        if timer.due_at is not None and timer.due_at <= timer.started_at:
            timer.state, timer.wake_at = "cancelled", None
            case.timers.remove(timer)


def date_tasks(case: Docket, waiting: Mapping[str, Waiting], touched: set[str], opened: Sequence[Task] = ()) -> None:
    """Writes deadline and warning onto the tasks: the earliest deadline of the task and of the activities around it."""
    clocks: dict[str, list[Timer]] = {}
    for timer in case.timers:
        if timer.role in ("deadline", "reminder"):
            clocks.setdefault(timer.activity or timer.token, []).append(timer)
    fresh = {task.token for task in opened}
    for token, task in case.tasks.items():
        homes = [token, *reversed(waiting[token].path)]
        if token in fresh or touched.intersection(homes):
            date_task(task, [timer for home in homes for timer in clocks.get(home, [])])
            for signature in case.signatures.get(task.id, ()):
                date_as(signature, task)


def date_task(task: Task, clocks: Iterable[Timer]) -> None:
    """Sets the due columns of one task from its clocks (its own and those around it)."""
    clocks = list(clocks)
    deadlines = [timer for timer in clocks if timer.role == "deadline"]
    running = [timer for timer in deadlines if timer.due_at is not None]
    first = min(running, key=lambda timer: timer.due_at or _FAR, default=None)
    task.due_at = first.due_at if first else None
    task.due_day = first.last_day if first else None
    task.provisional = bool(first and first.provisional)
    task.paused = first is None and bool(deadlines)
    task.sort_at = task.due_at or _FAR
    warnings = [t.due_at for t in clocks if t.role == "reminder" and t.due_at and first and t.activity == first.activity]
    task.warn_at = min(warnings, default=None)


def date_as(signature: Task, task: Task) -> None:
    """A signature is due when the task is that it was added to."""
    for column in ("due_at", "due_day", "provisional", "paused", "sort_at", "warn_at"):
        setattr(signature, column, getattr(task, column))
