"""Many tasks at once: claiming them, and completing those of one step with one form 批量办结.

Each task is its own command in its own transaction, with its own check of rights: what goes through for one is kept whatever
becomes of the others, and the report says of each what became of it. Only steps whose form says `"bulk": true` are completed so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.belonging import delegated, held, may_work, needed_post, opinion_policy
from engine.process.definitions import deployed
from engine.process.forms import FormDefinition
from engine.process.incidents import CaseFault
from engine.process.step_forms import bulk_at, form_at
from engine.process.tables import Instance, Task
from engine.process.tasks import claim_task, complete_task
from engine.store.errors import Invalid, Refused
from engine.store.store import Origin, Store

BULK_MAX = 100


@dataclass(frozen=True, slots=True)
class BulkLine:
    """What became of one task."""

    task_id: int
    number: str
    """Number, title and step are empty for a task that does not concern the actor."""
    title: str
    step_name: str
    done: bool
    message: str = ""
    """Why it did not go through."""


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What became of all; `errors` are the sentences at the fields of the form, of the first task that was refused for them."""

    lines: list[BulkLine]
    errors: Mapping[str, str]
    again: list[int]
    """The tasks that can be sent again: their answers were wrong, or a step behind them failed."""

    @property
    def done(self) -> list[BulkLine]:
        return [line for line in self.lines if line.done]

    @property
    def failed(self) -> list[BulkLine]:
        return [line for line in self.lines if not line.done]


@dataclass(frozen=True, slots=True)
class BulkSheet:
    """The form that is shown once for all of `lines`, and the tasks that it cannot be for."""

    step_name: str
    process_name: str
    form: FormDefinition
    opinion_policy: str
    names: Mapping[str, Any]
    """The data in which all the cases agree: what the form's conditions and choices may lean on."""
    lines: list[BulkLine]
    left_out: list[BulkLine]


def claim_tasks(store: Store, task_ids: Sequence[int], *, actor: Actor, origin: Origin = Origin()) -> BulkReport:
    """Claims tasks one by one. Raises Invalid for none or for more than BULK_MAX."""
    ids = _distinct(task_ids)

    def claim(task_id: int) -> None:
        claim_task(store, task_id, actor=actor, origin=origin)

    return _each(_labels(store, actor, ids), claim)


def complete_tasks(
    store: Store, task_ids: Sequence[int], *, actor: Actor, answers: Mapping[str, Any], opinion: str = "", origin: Origin = Origin(),
) -> BulkReport:  # fmt: skip
    """Completes tasks of one step with the same answers, one by one. Raises Invalid as `bulk_sheet` does."""
    with store.read() as session:
        sheet = bulk_sheet(session, actor, task_ids)

    def complete(task_id: int) -> None:
        complete_task(store, task_id, actor=actor, answers=answers, opinion=opinion, origin=origin)

    report = _each(sheet.lines, complete)
    return BulkReport([*report.lines, *sheet.left_out], report.errors, report.again)


def bulk_sheet(session: Session, actor: Actor, task_ids: Sequence[int]) -> BulkSheet:
    """The one form for many tasks. One query.

    Raises Invalid for none, for more than BULK_MAX, where what the actor may work on is not of one step of one version, and where
    that step's form is not for many. What is taken, closed, suspended or not theirs is only left out, with the reason.
    """
    ids = _distinct(task_ids)
    rows = session.execute(
        select(Task, Instance).join(Instance, Instance.id == Task.instance_id).where(Task.id.in_(ids))
    ).all()
    found = {task.id: (task, instance) for task, instance in rows}
    fit: list[tuple[Task, Instance]] = []
    left_out: list[BulkLine] = []
    for task_id in ids:
        task, instance = found.get(task_id, (None, None))
        why = _unfit(actor, task, instance)
        if why is not None:
            left_out.append(_line(actor, task, task_id, why))
        elif task is not None and instance is not None:
            fit.append((task, instance))
    if not fit:
        raise Invalid(message="所选待办均不能办理：" + "；".join(dict.fromkeys(line.message for line in left_out)))
    steps = {(instance.definition_id, task.step) for task, instance in fit}
    if len(steps) > 1:
        raise Invalid(message="所选待办不是同一流程版本的同一环节，不能用一张表单批量办结，请只选同一环节的待办")
    ((definition_id, step_id),) = steps
    definition, first = deployed(session, definition_id), fit[0][0]
    form = form_at(definition, step_id)
    if form is None or not bulk_at(definition, step_id):
        raise Invalid(message=f"“{first.name}”须逐件办理，其表单不允许批量办结")
    cases = [instance.variables for _, instance in fit]
    common = {name: value for name, value in cases[0].items() if all(name in other and other[name] == value for other in cases[1:])}
    return BulkSheet(
        first.name, first.process_name, form, opinion_policy(definition.diagram.steps[step_id], first), common,
        [_line(actor, task, task.id, None) for task, _ in fit], left_out,
    )


def _distinct(task_ids: Sequence[int]) -> list[int]:
    ids = list(dict.fromkeys(task_ids))
    if not ids:
        raise Invalid(message="请先选择待办")
    if len(ids) > BULK_MAX:
        raise Invalid(message=f"一次最多处理{BULK_MAX}件，现选{len(ids)}件")
    return ids


def _unfit(actor: Actor, task: Task | None, instance: Instance | None) -> str | None:
    """Why a task cannot be among the many; None where it can."""
    if task is None or instance is None:
        return "没有找到该待办"
    if not _concerns(actor, task):
        return "该待办不属于您的岗位，不能办理"
    if task.state != "open":
        return "该待办已办结或已撤销，无需重复办理"
    if not may_work(actor, task):
        return "该待办已被同事签收"
    if instance.state != "running":
        return "该办件已结束或已暂停，不能继续办理"
    if task.main_id is not None or task.signatures or held(task) or delegated(task):
        return "该待办涉及加签或委派，须逐件办理"
    return None


def _concerns(actor: Actor, task: Task) -> bool:
    return may_work(actor, task) or permissions.may_claim_from(actor, task.unit_id, needed_post(task))


def _line(actor: Actor, task: Task | None, task_id: int, why: str | None) -> BulkLine:
    if task is None or not _concerns(actor, task):
        return BulkLine(task_id, "", "", "", False, why or "")
    return BulkLine(task_id, task.number, task.title, task.name, False, why or "")


def _labels(store: Store, actor: Actor, ids: Sequence[int]) -> list[BulkLine]:
    with store.read() as session:
        tasks = {task.id: task for task in session.scalars(select(Task).where(Task.id.in_(ids)))}
    return [_line(actor, tasks.get(task_id), task_id, None) for task_id in ids]


def _each(lines: Sequence[BulkLine], act: Callable[[int], None]) -> BulkReport:
    """Runs a command for each line; a refusal of one stops none of the others."""
    found: list[BulkLine] = []
    errors: dict[str, str] = {}
    again = []
    for line in lines:
        done, message = True, ""
        try:
            act(line.task_id)
        except Refused as refusal:
            done, message = False, refusal.message
            if isinstance(refusal, Invalid) and refusal.fields:
                message = "；".join(refusal.fields.values())
                errors = errors or dict(refusal.fields)
            if isinstance(refusal, Invalid | CaseFault):
                again.append(line.task_id)
        found.append(BulkLine(line.task_id, line.number, line.title, line.step_name, done, message))
    return BulkReport(found, errors, again)
