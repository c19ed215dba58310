"""What other programs lay onto an open task: answers set ahead of its completion, and notes of their own (local variables).

Whoever may work on the task may do both. Neither is data of the case, and neither stands in the history: nothing has been done
yet. An answer is judged as far as one can before the form is complete; a note may be any JSON value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.belonging import form_of
from engine.process.definitions import deployed
from engine.process.forms import fields_of, judged
from engine.process.interpreter.expressions import ExpressionError
from engine.process.step_forms import names_at
from engine.process.tables import Instance, Task
from engine.process.tasks import lock_task, require_open
from engine.store.errors import Invalid
from engine.store.store import Origin, Store, command

#: Octets of all notes of a task together, as JSON.
MOST = 16 * 1024
NAME_MAX = 100
#: Letters of a name in a refusal.
_TOLD = 60


def notes_of(session: Session, task_id: int) -> Mapping[str, Any]:
    """The notes of a task, whoever may see it. One query."""
    return session.scalar(select(Task.notes).where(Task.id == task_id)) or {}


def set_ahead(session: Session, task_id: int) -> Mapping[str, Any]:
    """The answers that were set ahead on a task, whoever may see it. One query."""
    kept = session.scalar(select(Task.prepared).where(Task.id == task_id))
    return kept["values"] if kept else {}


def seen_by_task(session: Session, task_id: int) -> dict[str, Any]:
    """The case's data as its task sees them: under what was set ahead, and under the notes. One query. Raises NoResultFound."""
    row = session.execute(
        select(Instance.variables, Task.prepared, Task.notes).join(Task, Task.instance_id == Instance.id).where(Task.id == task_id)
    ).one()
    return {**row.variables, **(row.prepared["values"] if row.prepared else {}), **(row.notes or {})}


@command
def note(
    store: Store, task_id: int, *, actor: Actor, values: Mapping[str, Any], deletions: Collection[str] = (), origin: Origin = Origin(),
) -> None:  # fmt: skip
    """Sets and removes notes; removing one that is not there changes nothing.

    Raises Invalid for a name that cannot be one or for too much; NotAllowed, TaskTaken, TaskClosed, NotRunning, NotFound.
    """
    errors = {name[:_TOLD]: wrong for name in values if (wrong := _wrong_name(name))}
    if errors:
        raise Invalid(errors)
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        kept = {name: value for name, value in {**(task.notes or {}), **values}.items() if name not in deletions or name in values}
        if len(orjson.dumps(kept)) > MOST:
            raise Invalid(message=f"一个待办的本地变量合计不能超过{MOST // 1024}KB")
        task.notes = kept or None


@command
def prepare(
    store: Store, task_id: int, *, actor: Actor, values: Mapping[str, Any], deletions: Collection[str] = (), origin: Origin = Origin(),
) -> None:  # fmt: skip
    """Sets answers ahead of the completion, and takes some back; all or none.

    Raises Invalid naming what is no answer of the step's form, or not one that its field takes; whether all are there is asked when
    it is completed. Raises NotAllowed, TaskTaken, TaskClosed, NotRunning, NotFound.
    """
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        fields = {field["key"]: field for field in fields_of(form_of(deployed(work.session, instance.definition_id), task) or {})}
        names, errors = names_at(instance.variables, task.local), {}
        kept = dict(task.prepared["values"]) if task.prepared else {}
        for name in [*values, *deletions]:
            if name not in fields:
                errors[name[:_TOLD]] = f"“{name[:_TOLD]}”不是该环节可以填写的内容；程序的数据请存为本地变量（localVariables）"
        for name in deletions:
            kept.pop(name, None)
        for name in values.keys() & fields.keys():
            kept[name], problem = _answer(fields[name], values[name], names)
            if problem is not None:
                errors[name] = problem
        if errors:
            raise Invalid(errors)
        task.prepared = {"values": kept, "by": actor.login, "name": actor.name, "at": work.now.isoformat()} if kept else None


def _answer(field: Mapping[str, Any], raw: Any, names: Mapping[str, Any]) -> tuple[Any, str | None]:
    if field["type"] == "file":
        return None, f"“{field['label']}”是附件，不能预填，请在办结时上传"
    try:
        return judged(field, raw, names, missed=False)
    except ExpressionError:
        return None, f"“{field['label']}”的选项现在无法确定，不能预填"


def _wrong_name(name: str) -> str | None:
    if not 0 < len(name) <= NAME_MAX or not name.isprintable() or name.startswith("_") or "/" in name:
        return f"本地变量名应为1至{NAME_MAX}个可见字符，不以下划线开头，不含斜线"
    return None
