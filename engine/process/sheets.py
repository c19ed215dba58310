"""Reads for one page: a task, a case, a deadline. Every one checks the actor's sight of the case in one place.

A case page costs eight queries, whatever the case has been through (its timeline is one of them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from calendars.deadline import Explanation
from engine.history import History
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.permissions import CaseFacts, Sight
from engine.people.posts import POSTS
from engine.people.tables import Account, Unit
from engine.process.clocks import explain, kept_day
from engine.process.definitions import Deployed, deployed
from engine.process.editions import calendar_of, edition_at, edition_named
from engine.process.forms import FormDefinition, answered, prefill
from engine.process.lights import Light, days_left, light_of, passed
from engine.process.tables import Attachment, Instance, Party, Task, Timer
from engine.process.telling import tell
from engine.store.errors import NotAllowed, NotFound


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known: a label of the form and the answer in words."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task on a page, open or done."""

    id: int
    step: str
    name: str
    unit_name: str
    post_label: str
    assignee: str | None
    state: str
    opened_at: datetime
    completed_at: datetime | None
    late: bool
    opinion: str | None
    facts: list[Fact]
    due_at: datetime | None
    due_day: date | None
    working_days_left: int | None
    light: Light
    provisional: bool
    article: str | None
    clock_id: int | None
    """The timer whose explanation belongs to the due date."""


@dataclass(frozen=True, slots=True)
class ClockView:
    """A deadline of the case, running, stopped, met or missed."""

    timer_id: int
    activity: str
    state: str
    started_at: datetime
    due_at: datetime | None
    last_day: date | None
    working_days: int | None
    working_days_left: int | None
    light: Light
    provisional: bool
    statutory: bool
    article: str | None
    fired_at: datetime | None
    explainable: bool


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One entry of the record 办理记录, told in Chinese."""

    seq: int
    at: datetime
    recorded_at: datetime
    actor: str | None
    act: str
    title: str
    details: list[str]
    article: str | None
    opinion: str | None


@dataclass(frozen=True, slots=True)
class Relative:
    """A parent or child case."""

    instance_id: int
    number: str
    title: str
    process_key: str
    state: str


@dataclass(frozen=True, slots=True)
class FileLine:
    id: int
    name: str
    size: int
    uploaded_by: str
    uploaded_at: datetime
    task_id: int | None


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """Everything that the page of a case shows. With `sight` WITHOUT_OPINIONS the opinions are left out."""

    instance_id: int
    definition_id: int
    process_key: str
    process_name: str
    version: int
    number: str
    title: str
    state: str
    outcome: str | None
    outcome_name: str | None
    unit_name: str | None
    starter: str | None
    started_at: datetime
    ended_at: datetime | None
    subject_key: str | None
    variables: Mapping[str, Any]
    facts: list[Fact]
    tasks: list[TaskView]
    clocks: list[ClockView]
    timeline: list[TimelineLine]
    files: list[FileLine]
    parent: Relative | None
    children: list[Relative]
    current_steps: list[str]
    passed_steps: list[str]
    sight: Sight
    must_log: bool
    """The look itself must go on record (an auditor's)."""

    @property
    def open_tasks(self) -> list[TaskView]:
        return [task for task in self.tasks if task.state == "open"]

    @property
    def done_tasks(self) -> list[TaskView]:
        return [task for task in self.tasks if task.state == "done"]


@dataclass(frozen=True, slots=True)
class TaskSheet:
    """The page on which a task is done: the task, its form, and the case that it belongs to."""

    task: TaskView
    case: CaseSheet
    form: FormDefinition | None
    first_values: dict[str, Any]
    opinion_policy: str
    may_work: bool
    may_claim: bool
    mine: bool
    names: Mapping[str, Any] = field(default_factory=dict)
    """The case's data, for the choices and conditions of the form."""


@dataclass(frozen=True, slots=True)
class DeadlineSheet:
    """A deadline with every counted and skipped day."""

    clock: ClockView
    instance_id: int
    number: str
    explanation: Explanation | None
    edition_title: str
    statutory_max: int | None
    kept_day: date | None
    """The last day that counts although the calendar gives an earlier one since."""


def case_facts(session: Session, instance: Instance) -> CaseFacts:
    """What the decision about seeing a case needs. Two queries."""
    parties = session.execute(select(Party.unit_id, Party.post).where(Party.instance_id == instance.id)).all()
    people = session.execute(
        select(Task.assignee_id, Task.completed_by).where(Task.instance_id == instance.id, Task.assignee_id.is_not(None))
    ).all()
    return CaseFacts(
        frozenset((unit_id, post) for unit_id, post in parties),
        frozenset(person for pair in people for person in pair if person is not None),
        instance.starter_id, instance.escalated,
    )


def require_sight(session: Session, actor: Actor, instance: Instance) -> tuple[Sight, CaseFacts]:
    """How much of the case the actor sees. Raises NotAllowed when nothing."""
    facts = case_facts(session, instance)
    seen = permissions.sight(actor, facts)
    if seen is Sight.NONE:
        raise NotAllowed("您无权查看该办件")
    return seen, facts


def find_instance(session: Session, instance_id: int) -> Instance:
    """An instance row for reading. Raises NotFound."""
    instance = session.get(Instance, instance_id)
    if instance is None:
        raise NotFound("没有找到该办件")
    return instance


def case_sheet(session: Session, actor: Actor, instance_id: int) -> CaseSheet:
    """The page of a case. Raises NotFound, NotAllowed."""
    instance = find_instance(session, instance_id)
    seen, facts = require_sight(session, actor, instance)
    return sheet_of(session, instance, seen, must_log=permissions.must_log_look(actor, facts))


def sheet_of(session: Session, instance: Instance, seen: Sight, *, must_log: bool = False) -> CaseSheet:
    """The page of a case for a reader whose sight of it has been decided."""
    definition = deployed(session, instance.definition_id)
    opinions = seen is Sight.FULL
    clocks = _clocks(session, instance)
    tasks = _tasks(session, definition, instance, clocks, opinions)
    timeline, passed = _timeline(session, definition, instance, opinions)
    unit = session.get(Unit, instance.unit_id) if instance.unit_id else None
    starter = session.get(Account, instance.starter_id) if instance.starter_id else None
    start_form = definition.diagram.properties.get("startForm")
    parent, children = _relatives(session, instance)
    return CaseSheet(
        instance_id=instance.id, definition_id=definition.id, process_key=definition.key, process_name=definition.name,
        version=definition.version, number=instance.number, title=instance.title, state=instance.state,
        outcome=instance.outcome, outcome_name=instance.outcome_name, unit_name=unit.name if unit else None,
        starter=starter.name if starter else None, started_at=instance.started_at, ended_at=instance.ended_at,
        subject_key=instance.subject_key, variables=instance.variables,
        facts=_facts(definition.forms.get(start_form) if start_form else None, instance.variables, instance.variables),
        tasks=tasks, clocks=[view for _, view in clocks], timeline=timeline, files=_files(session, instance),
        parent=parent, children=children, current_steps=[task.step for task in tasks if task.state == "open"],
        passed_steps=passed, sight=seen, must_log=must_log,
    )


def task_sheet(session: Session, actor: Actor, task_id: int) -> TaskSheet:
    """The page of a task. Raises NotFound, NotAllowed. A done task is shown too, without its form."""
    row = session.get(Task, task_id)
    if row is None:
        raise NotFound("没有找到该待办")
    sheet = case_sheet(session, actor, row.instance_id)
    definition = deployed(session, row.definition_id or sheet.definition_id)
    step = definition.diagram.steps[row.step]
    form = definition.forms.get(step.form) if step.form else None
    can_work = row.state == "open" and permissions.may_work(actor, row.unit_id, row.post, row.assignee_id)
    return TaskSheet(
        task=next(task for task in sheet.tasks if task.id == task_id), case=sheet, form=form,
        first_values=prefill(form, sheet.variables) if form else {}, opinion_policy=step.properties.get("opinion", "optional"),
        may_work=can_work, may_claim=can_work and row.assignee_id is None, mine=row.assignee_id == actor.account_id,
        names=sheet.variables,
    )


# Built once: every completion asks it.
_STEP = (
    select(Task.step, func.coalesce(Task.definition_id, Instance.definition_id).label("definition_id")).join(Instance, Instance.id == Task.instance_id)
    .where(Task.id == bindparam("task"))
)


def task_form(session: Session, task_id: int) -> FormDefinition | None:
    """The form of a task's step, to read what was posted; None for a step without one. Raises NotFound. One query."""
    row = session.execute(_STEP, {"task": task_id}).first()
    if row is None:
        raise NotFound("没有找到该待办")
    definition = deployed(session, row.definition_id)
    step = definition.diagram.steps[row.step]
    return definition.forms.get(step.form) if step.form else None


def deadline_sheet(session: Session, actor: Actor, timer_id: int) -> DeadlineSheet:
    """Why a deadline falls where it does. Raises NotFound, NotAllowed."""
    timer = session.get(Timer, timer_id)
    if timer is None:
        raise NotFound("没有找到该时限")
    instance = find_instance(session, timer.instance_id)
    require_sight(session, actor, instance)
    edition = edition_named(session, timer.edition, timer.calendar) or edition_at(session, _now(session), timer.calendar)
    explanation, kept = explain(timer, edition), kept_day(timer)
    earlier = explanation is not None and explanation.deadline.last_day is not None and kept is not None and explanation.deadline.last_day < kept
    return DeadlineSheet(
        _clock_view(timer, _now(session), edition_at(session, _now(session), timer.calendar)), instance.id, instance.number, explanation, edition.title,
        timer.rule.get("statutory_max"), kept if earlier else None,
    )


def diagram_xml(session: Session, definition_id: int) -> bytes:
    """The BPMN file of a version, as deployed. Raises NotFound."""
    return deployed(session, definition_id).diagram.xml


# -- parts ------------------------------------------------------------------------------------


def _now(session: Session) -> datetime:
    moment: datetime = session.info["store"].clock.now()
    return moment


def _facts(form: FormDefinition | None, values: Mapping[str, Any], names: Mapping[str, Any]) -> list[Fact]:
    return [Fact(label, text) for label, text in answered(form, values, names)] if form else []


def _tasks(
    session: Session, definition: Deployed, instance: Instance, clocks: list[tuple[Timer, ClockView]], opinions: bool
) -> list[TaskView]:
    assignee = aliased(Account)
    rows = session.execute(
        select(Task, Unit.name, assignee.name).join(Unit, Unit.id == Task.unit_id)
        .outerjoin(assignee, assignee.id == Task.assignee_id)
        .where(Task.instance_id == instance.id, Task.state != "cancelled").order_by(Task.id)
    ).all()
    now = _now(session)
    views = []
    for task, unit_name, person in rows:
        own = deployed(session, task.definition_id) if task.definition_id else definition
        step = own.diagram.steps.get(task.step)
        form = own.forms.get(step.form) if step and step.form else None
        is_open = task.state == "open"
        clock = next((view.timer_id for row, view in clocks if is_open and row.due_at == task.due_at and task.due_at), None)
        views.append(TaskView(
            id=task.id, step=task.step, name=task.name, unit_name=unit_name,
            post_label=POSTS[task.post].label if task.post in POSTS else task.post, assignee=person, state=task.state,
            opened_at=task.opened_at, completed_at=task.completed_at, late=task.late,
            opinion=task.opinion if opinions else None,
            facts=_facts(form, task.answers or {}, instance.variables) if opinions else [],
            due_at=task.due_at, due_day=task.due_day,
            working_days_left=days_left(now, task.due_day, edition_at(session, now, calendar_of(session, task.unit_id))) if is_open else None,
            light=light_of(now, due_at=task.due_at, warn_at=task.warn_at, paused=task.paused, open_=is_open, late=task.late),
            provisional=task.provisional and is_open and not passed(now, task.due_at), article=step.article if step else None, clock_id=clock,
        ))
    return views


def _clocks(session: Session, instance: Instance) -> list[tuple[Timer, ClockView]]:
    now = _now(session)
    rows = session.scalars(
        select(Timer).where(Timer.instance_id == instance.id, Timer.role == "deadline").order_by(Timer.id)
    ).all()
    return [(timer, _clock_view(timer, now, edition_at(session, now, timer.calendar))) for timer in rows]


def _clock_view(timer: Timer, now: datetime, edition: Any) -> ClockView:
    live = timer.state in ("waiting", "paused")
    return ClockView(
        timer_id=timer.id, activity=timer.activity_name, state=timer.state, started_at=timer.started_at, due_at=timer.due_at,
        last_day=timer.last_day, working_days=timer.rule.get("working_days"),
        working_days_left=days_left(now, timer.last_day, edition) if live else None,
        light=light_of(now, due_at=timer.due_at, warn_at=None, paused=timer.state == "paused", open_=live,
                       late=timer.fired_at is not None),
        # What was kept or missed is settled, whatever the calendar says later.
        provisional=timer.provisional and live and not passed(now, timer.due_at), statutory="statutory_max" in timer.rule, article=timer.rule.get("article"),
        fired_at=timer.fired_at, explainable="working_days" in timer.rule,
    )


def _timeline(
    session: Session, definition: Deployed, instance: Instance, opinions: bool
) -> tuple[list[TimelineLine], list[str]]:
    """The record as told, oldest first, and the elements that tokens have passed."""
    rows = session.scalars(select(History).where(History.instance_id == instance.id).order_by(History.seq)).all()
    passed: dict[str, None] = {}
    lines = []
    for row in rows:
        for step, how in row.data.get("passed", ()):
            if how != "entered":
                passed[step] = None
        title, details = tell(row.act, row.data, definition)
        said = row.data.get("opinion") or row.data.get("reason")
        lines.append(TimelineLine(
            seq=row.seq, at=row.at, recorded_at=row.recorded_at, actor=row.actor_name, act=row.act, title=title,
            details=details, article=row.article, opinion=said if opinions else None,
        ))
    return lines, list(passed)


def _files(session: Session, instance: Instance) -> list[FileLine]:
    rows = session.execute(
        select(Attachment, Account.name).join(Account, Account.id == Attachment.uploaded_by)
        .where(Attachment.instance_id == instance.id).order_by(Attachment.id)
    ).all()
    return [FileLine(a.id, a.name, a.size, person, a.uploaded_at, a.task_id) for a, person in rows]


def _relatives(session: Session, instance: Instance) -> tuple[Relative | None, list[Relative]]:
    columns = (Instance.id, Instance.number, Instance.title, Instance.process_key, Instance.state)
    rows = session.execute(
        select(*columns).where((Instance.parent_id == instance.id) | (Instance.id == instance.parent_id)).order_by(Instance.id)
    ).all()
    found = [Relative(*row) for row in rows]
    parent = next((one for one in found if one.instance_id == instance.parent_id), None)
    return parent, [one for one in found if one.instance_id != instance.parent_id]
