"""The page on which a task is done: the case, and the form of the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.belonging import SIGNATURE_FORM, form_of, may_work, opinion_policy
from engine.process.definitions import deployed
from engine.process.forms import FormDefinition, prefill
from engine.process.sheets.case import CaseSheet, TaskView, case_sheet
from engine.process.step_forms import form_at, names_at
from engine.process.tables import Instance, Task
from engine.store.errors import NotFound


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
    """The case's data, and what only this task knows, for the choices and conditions of the form."""


def task_sheet(session: Session, actor: Actor, task_id: int) -> TaskSheet:
    """The page of a task. Raises NotFound, NotAllowed. A done task is shown too, without its form."""
    row = session.get(Task, task_id)
    if row is None:
        raise NotFound("没有找到该待办")
    sheet = case_sheet(session, actor, row.instance_id)
    definition = deployed(session, row.definition_id or sheet.definition_id)
    step = definition.diagram.steps[row.step]
    form, names = form_of(definition, row), names_at(sheet.variables, row.local)
    can_work = row.state == "open" and may_work(actor, row)
    return TaskSheet(
        task=next(task for task in sheet.tasks if task.id == task_id), case=sheet, form=form,
        # What was answered before it was given back, or is held until the last signature, is there again.
        first_values={**(prefill(form, names) if form else {}), **(row.answers or {})}, opinion_policy=opinion_policy(step, row),
        may_work=can_work, may_claim=can_work and row.assignee_id is None, mine=row.assignee_id == actor.account_id,
        names=names,
    )


# Built once: every completion asks it.
_STEP = (
    select(Task.step, Task.main_id, func.coalesce(Task.definition_id, Instance.definition_id).label("definition_id")).join(Instance, Instance.id == Task.instance_id)
    .where(Task.id == bindparam("task"))
)


def task_form(session: Session, task_id: int) -> FormDefinition | None:
    """The form of a task's step, to read what was posted; None for a step without one. Raises NotFound. One query."""
    row = session.execute(_STEP, {"task": task_id}).first()
    if row is None:
        raise NotFound("没有找到该待办")
    if row.main_id is not None:
        return SIGNATURE_FORM
    return form_at(deployed(session, row.definition_id), row.step)
