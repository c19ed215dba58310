"""The page of a case: eight queries, whatever the case has been through (its timeline is one of them)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from engine.history import History
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.permissions import Sight
from engine.people.posts import POSTS
from engine.people.tables import Account, Unit
from engine.process.belonging import form_of
from engine.process.definitions import Deployed, deployed
from engine.process.editions import calendar_of, edition_at
from engine.process.forms import FormDefinition, answered
from engine.process.lights import Light, days_left, light_of, passed
from engine.process.sheets.deadline import ClockView, clocks_of
from engine.process.sheets.seeing import find_instance, now_of, require_sight
from engine.process.step_forms import names_at
from engine.process.tables import Attachment, Instance, Task, Timer
from engine.process.telling import tell, words_of


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known: a label of the form and the answer in words."""

    label: str
    value: str

    @property
    def long(self) -> bool:
        """Whether it needs a line of its own."""
        return len(self.value) > 24 or len(self.label) > 12


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
    assignee_id: int | None = None
    completed_by: int | None = None
    """Who did it; of an open task: who has completed it, while signatures are outstanding."""
    stands_in_for: str | None = None
    """In whose stead the assignee has it, or has done it."""
    owner: str | None = None
    """Who delegated it."""
    owner_id: int | None = None
    delegation: str | None = None
    """pending · resolved"""
    sent_how: str | None = None
    """How it came here, where the process itself did not send it: see `Task.sent_how`."""
    sent_by: str | None = None
    sent_note: str | None = None
    main_id: int | None = None
    """Of an added signature: the step's task that it belongs to."""
    signing: str | None = None
    signatures: int = 0
    """How many signatures it still waits for."""
    urges: int = 0
    urged_at: datetime | None = None

    @property
    def person(self) -> str:
        """Who has it or did it, and in whose stead; empty for a task of the post."""
        if not self.assignee:
            return ""
        return f"{self.assignee}（代{self.stands_in_for}）" if self.stands_in_for else self.assignee

    @property
    def held(self) -> bool:
        """Whether it was completed and waits for the last signature."""
        return self.state == "open" and self.completed_by is not None


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
    media_type: str

    @property
    def shows(self) -> str:
        """How a browser can show it without running anything in it: image · page; empty for what can only be downloaded."""
        return SHOWN.get(self.media_type, "")


#: Media type, as stored → how a browser shows it.
SHOWN = {"image/png": "image", "image/jpeg": "image", "application/pdf": "page", "text/plain": "page"}


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """Everything that the page of a case shows. With `sight` WITHOUT_OPINIONS the opinions are left out."""

    instance_id: int
    definition_id: int
    process_key: str
    process_name: str
    version: int
    number: str
    business_key: str | None
    """The key by which the program that started it knows it."""
    title: str
    state: str
    outcome: str | None
    outcome_name: str | None
    unit_name: str | None
    starter: str | None
    started_at: datetime
    ended_at: datetime | None
    removal_at: datetime | None
    """From when on its record may be removed 保管期满; None: never, or it has not ended."""
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

    def signatures_of(self, task_id: int) -> list[TaskView]:
        """The signatures that were added to a task, given or outstanding."""
        return [task for task in self.tasks if task.main_id == task_id]

    @property
    def done_tasks(self) -> list[TaskView]:
        return [task for task in self.tasks if task.state == "done"]


def case_sheet(session: Session, actor: Actor, instance_id: int) -> CaseSheet:
    """The page of a case. Raises NotFound, NotAllowed."""
    instance = find_instance(session, instance_id)
    seen, facts = require_sight(session, actor, instance)
    return sheet_of(session, instance, seen, must_log=permissions.must_log_look(actor, facts))


def sheet_of(session: Session, instance: Instance, seen: Sight, *, must_log: bool = False) -> CaseSheet:
    """The page of a case for a reader whose sight of it has been decided."""
    definition = deployed(session, instance.definition_id)
    opinions = seen is Sight.FULL
    clocks = clocks_of(session, instance)
    tasks = _tasks(session, definition, instance, clocks, opinions)
    timeline, passed = _timeline(session, definition, instance, opinions)
    unit = session.get(Unit, instance.unit_id) if instance.unit_id else None
    starter = session.get(Account, instance.starter_id) if instance.starter_id else None
    start_form = definition.diagram.properties.get("startForm")
    parent, children = _relatives(session, instance)
    return CaseSheet(
        instance_id=instance.id, definition_id=definition.id, process_key=definition.key, process_name=definition.name,
        version=definition.version, number=instance.number, business_key=instance.business_key, title=instance.title, state=instance.state,
        outcome=instance.outcome, outcome_name=instance.outcome_name, unit_name=unit.name if unit else None,
        starter=starter.name if starter else None, started_at=instance.started_at, ended_at=instance.ended_at, removal_at=instance.removal_at,
        subject_key=instance.subject_key, variables=instance.variables,
        facts=_facts(definition.forms.get(start_form) if start_form else None, instance.variables, instance.variables),
        tasks=tasks, clocks=[view for _, view in clocks], timeline=timeline, files=_files(session, instance),
        parent=parent, children=children, current_steps=[task.step for task in tasks if task.state == "open"],
        passed_steps=passed, sight=seen, must_log=must_log,
    )


def diagram_xml(session: Session, definition_id: int) -> bytes:
    """The BPMN file of a version, as deployed. Raises NotFound."""
    return deployed(session, definition_id).diagram.xml


# -- parts ------------------------------------------------------------------------------------


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
    now = now_of(session)
    names = _names(session, [task for task, *_ in rows])
    views = []
    for task, unit_name, person in rows:
        own = deployed(session, task.definition_id) if task.definition_id else definition
        step = own.diagram.steps.get(task.step)
        is_open = task.state == "open"
        clock = next((view.timer_id for row, view in clocks if is_open and row.due_at == task.due_at and task.due_at), None)
        views.append(TaskView(
            id=task.id, step=task.step, name=task.name, unit_name=unit_name,
            post_label=POSTS[task.post].label if task.post in POSTS else task.post, assignee=person, state=task.state,
            opened_at=task.opened_at, completed_at=task.completed_at, late=task.late,
            opinion=task.opinion if opinions else None,
            facts=_facts(form_of(own, task), task.answers or {}, names_at(instance.variables, task.local)) if opinions else [],
            due_at=task.due_at, due_day=task.due_day,
            working_days_left=days_left(now, task.due_day, edition_at(session, now, calendar_of(session, task.unit_id))) if is_open else None,
            light=light_of(now, due_at=task.due_at, warn_at=task.warn_at, paused=task.paused, open_=is_open, late=task.late),
            provisional=task.provisional and is_open and not passed(now, task.due_at), article=step.article if step else None, clock_id=clock,
            assignee_id=task.assignee_id, completed_by=task.completed_by, stands_in_for=names.get(task.for_id), owner=names.get(task.owner_id),
            owner_id=task.owner_id, delegation=task.delegation, sent_how=task.sent_how, sent_by=names.get(task.sent_by),
            sent_note=task.sent_note if opinions else None, main_id=task.main_id, signing=task.signing, signatures=task.signatures,
            urges=task.urges, urged_at=task.urged_at,
        ))  # fmt: skip
    return views


def _names(session: Session, tasks: Iterable[Task]) -> dict[int | None, str]:
    """The names of those who handed tasks on. One query, none where nobody did."""
    wanted = {one for task in tasks for one in (task.for_id, task.owner_id, task.sent_by) if one is not None}
    if not wanted:
        return {}
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted)))
    return {account_id: name for account_id, name in rows}


def _timeline(
    session: Session, definition: Deployed, instance: Instance, opinions: bool
) -> tuple[list[TimelineLine], list[str]]:
    """The record as told, oldest first, and the elements that tokens have passed."""
    rows = session.scalars(select(History).where(History.instance_id == instance.id).order_by(History.seq)).all()
    passed: dict[tuple[str, Any], list[str]] = {}
    lines = []
    for row in rows:
        if row.act == "withdrawn":
            passed.pop(("completed", row.data.get("task")), None)  # it stands as if that had never been done
        elif row.act == "start_withdrawn":
            passed.clear()
        key = ("completed", row.data["task"]) if row.act == "completed" and "task" in row.data else (row.act, row.seq)
        passed[key] = [step for step, how in row.data.get("passed", ()) if how != "entered"]
        title, details = tell(row.act, row.data, definition)
        said = words_of(row.act, row.data)
        lines.append(TimelineLine(
            seq=row.seq, at=row.at, recorded_at=row.recorded_at, actor=row.actor_name, act=row.act, title=title,
            details=details, article=row.article, opinion=said if opinions else None,
        ))
    return lines, list(dict.fromkeys(step for steps in passed.values() for step in steps))


def _files(session: Session, instance: Instance) -> list[FileLine]:
    rows = session.execute(
        select(Attachment, Account.name).join(Account, Account.id == Attachment.uploaded_by)
        .where(Attachment.instance_id == instance.id).order_by(Attachment.id)
    ).all()
    return [FileLine(a.id, a.name, a.size, person, a.uploaded_at, a.task_id, a.media_type) for a, person in rows]


def _relatives(session: Session, instance: Instance) -> tuple[Relative | None, list[Relative]]:
    columns = (Instance.id, Instance.number, Instance.title, Instance.process_key, Instance.state)
    rows = session.execute(
        select(*columns).where((Instance.parent_id == instance.id) | (Instance.id == instance.parent_id)).order_by(Instance.id)
    ).all()
    found = [Relative(*row) for row in rows]
    parent = next((one for one in found if one.instance_id == instance.parent_id), None)
    return parent, [one for one in found if one.instance_id != instance.parent_id]
