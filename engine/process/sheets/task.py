"""The page on which a task is done: the case, and the form of the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, undefer

from engine.people.actor import Actor
from engine.process import belonging
from engine.process.definitions import deployed
from engine.process.forms import FormDefinition, prefill
from engine.process.interpreter.model import Step
from engine.process.prepared import Prepared, prepared_of
from engine.process.sheets.case import CaseSheet, TaskView, case_sheet
from engine.process.sheets.seeing import find_instance, hold, require_sight
from engine.process.step_forms import names_at
from engine.process.tables import Instance, Task
from engine.store.errors import NotFound, TaskClosed


@dataclass(frozen=True, slots=True)
class TaskSheet:
    """The page on which a task is done: the task, its form, and the case that it belongs to."""

    task: TaskView
    case: CaseSheet
    form: FormDefinition | None
    first_values: dict[str, Any]
    first_opinion: str
    opinion_policy: str
    may_work: bool
    may_claim: bool
    mine: bool
    names: Mapping[str, Any] = field(default_factory=dict)
    """The case's data, and what only this task knows, for the choices and conditions of the form."""
    main: TaskView | None = None
    """Of an added signature: the step's task."""
    signatures: list[TaskView] = field(default_factory=list)
    """The signatures that were added to it, given or outstanding."""
    revision: bool = False
    """Whether it is the start form once more, to be corrected and submitted again."""
    prepared: Prepared | None = None
    """What another program has filled in ahead; it is among the first values."""

    @property
    def delegated_to_reader(self) -> bool:
        """Whether the reader works on it for its owner, and hands it back instead of completing it."""
        return self.may_work and self.mine and self.task.delegation == "pending"


def task_sheet(session: Session, actor: Actor, task_id: int) -> TaskSheet:
    """The page of a task. Raises NotFound, NotAllowed. A done task is shown too, without its form."""
    row = session.get(Task, task_id, options=[undefer(Task.prepared)])
    if row is None:
        raise NotFound("没有找到该待办")
    hold(session, row)
    sheet = case_sheet(session, actor, row.instance_id)
    definition = deployed(session, row.definition_id or sheet.definition_id)
    form, names = belonging.form_of(definition, row), names_at(sheet.variables, row.local)
    step = definition.diagram.steps.get(row.step)
    ahead = prepared_of(row, form) if row.state == "open" else None
    can_work = row.state == "open" and belonging.may_work(actor, row)
    views = {task.id: task for task in sheet.tasks}
    if task_id not in views:
        raise TaskClosed("该待办已撤销，请在办件中查看最新环节")
    return TaskSheet(
        task=views[task_id], case=sheet, form=form,
        # What was answered before it was given back, or is held until the last signature, is there again; then what was set ahead.
        first_values={**(prefill(form, names) if form else {}), **(row.answers or {}), **(ahead.values if ahead else {})},
        prepared=ahead, first_opinion=row.opinion or "",
        opinion_policy=belonging.opinion_policy(step, row) if step else "optional",
        may_work=can_work, may_claim=can_work and row.assignee_id is None, mine=row.assignee_id == actor.account_id,
        names=names, main=views.get(row.main_id) if row.main_id else None, signatures=sheet.signatures_of(task_id),
        revision=_revises(step),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TaskHead:
    """What a task is called, for a small form about it."""

    task_id: int
    instance_id: int
    name: str
    number: str
    title: str
    revision: bool
    """Whether it is the start form once more, given back to the starter, who may also give the case up."""


def task_head(session: Session, actor: Actor, task_id: int) -> TaskHead:
    """The names of a task of a case that the actor may see. Raises NotFound, NotAllowed."""
    row = session.get(Task, task_id)
    if row is None:
        raise NotFound("没有找到该待办")
    instance = find_instance(session, row.instance_id)
    require_sight(session, actor, instance)
    step = deployed(session, row.definition_id or instance.definition_id).diagram.steps.get(row.step)
    mine = row.state == "open" and instance.state == "running" and belonging.may_work(actor, row)
    return TaskHead(row.id, row.instance_id, row.name, row.number, row.title, mine and _revises(step) and instance.starter_id == actor.account_id)


def _revises(step: Step | None) -> bool:
    return step is not None and step.kind == "start"


# Built once: every completion asks it.
_TASK = (
    select(Task, func.coalesce(Task.definition_id, Instance.definition_id)).join(Instance, Instance.id == Task.instance_id)
    .where(Task.id == bindparam("task"))
)  # fmt: skip


def task_form(session: Session, task_id: int) -> FormDefinition | None:
    """The form of a task, to read what was posted; None for a step without one. Raises NotFound. One query."""
    row = session.execute(_TASK, {"task": task_id}).first()
    if row is None:
        raise NotFound("没有找到该待办")
    task, definition_id = row
    return belonging.form_of(deployed(session, definition_id), task)
