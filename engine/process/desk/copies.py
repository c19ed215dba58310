"""Copies 抄送: a case shown to people who need not act, with a receipt 阅办. A copy gives no right: only who may see the case already
gets one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.history import Entry
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.permissions import Sight
from engine.process.actions import ACTIONS, actions_of
from engine.process.case import lock_instance
from engine.process.definitions import deployed
from engine.process.desk.ground import names, noted, persons
from engine.process.desk.tables import Copy
from engine.process.history_of import append_entry
from engine.process.notices import notify_person
from engine.process.sheets.seeing import case_facts
from engine.process.tables import Instance, Task
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

REMARK_MAX = 500


@command
def copy_case(
    store: Store, instance_id: int, *, actor: Actor, people: Sequence[int], note: str = "", task_id: int | None = None,
    origin: Origin = Origin(),
) -> None:  # fmt: skip
    """Shows a case to people who may see it already 抄送, from a task of it or from the case as a whole, also when it has ended.

    Raises Invalid (fields `people`, `note`) naming who may not see it or has not read an earlier copy; NotAllowed unless the actor
    started it, worked on it or may work on that task, or where no step's diagram allows it; NotFound.
    """
    said = noted(note)
    with store.work(actor, origin) as work:
        instance = lock_instance(work, instance_id)
        facts, task = case_facts(work.session, instance), _task(work, instance, task_id)
        if not permissions.may_show(actor, facts, task=(task.unit_id, task.post) if task else None):
            raise NotAllowed("只有发起人和办理该办件的人员可以抄送")
        _require_copying(work, instance, actor, task)
        readers = persons(work, people, "people")
        unread = set(work.session.scalars(
            select(Copy.account_id).where(Copy.instance_id == instance.id, Copy.read_at.is_(None), Copy.account_id.in_([one.account_id for one in readers]))
        ))
        for reader in readers:
            if reader.account_id == actor.account_id:
                raise Invalid({"people": "不能抄送给自己"})
            if permissions.sight(reader, facts) is Sight.NONE:
                raise Invalid({"people": f"{reader.name}无权查看该办件，不能抄送"})
            if reader.account_id in unread:
                raise Invalid({"people": f"{reader.name}还有一份未阅的抄送"})
        for reader in readers:
            work.session.add(Copy(instance_id=instance.id, task_id=task_id, account_id=reader.account_id, sent_by=actor.account_id,
                                  note=said, sent_at=work.now))
            notify_person(work, reader.account_id, kind="copy", instance_id=instance.id, title=f"抄送：{instance.title}",
                          text=f"{actor.name}将{instance.number}《{instance.title}》抄送给您阅知。")
        data = {"people": names(readers), "note": said} | ({"name": task.name, "task": task.id} if task else {})
        append_entry(work, instance, Entry(act="copied", at=work.now, step=task.step if task else None,
                                           definition_id=instance.definition_id, data=data))


@command
def acknowledge_copy(store: Store, copy_id: int, *, actor: Actor, remark: str = "", origin: Origin = Origin()) -> None:
    """The receipt 阅办 for a copy, with a remark if wanted. Raises NotFound for another's copy, Stale where it was read before, Invalid."""
    said = noted(remark, field="remark", most=REMARK_MAX)
    with store.work(actor, origin) as work:
        found = work.session.get(Copy, copy_id)
        if found is None or found.account_id != actor.account_id:
            raise NotFound("没有找到该抄送")
        instance = lock_instance(work, found.instance_id)
        work.session.refresh(found, with_for_update=True)
        if found.read_at is not None:
            raise Stale("该抄送已阅")
        found.read_at, found.remark = work.now, said or None
        append_entry(work, instance, Entry(act="copy_read", at=work.now, definition_id=instance.definition_id, data={"note": said}))
        if said:
            notify_person(work, found.sent_by, kind="copy", instance_id=instance.id, title=f"抄送已阅：{instance.title}",
                          text=f"{actor.name}已阅{instance.number}：{said}")


def unread_copies(session: Session, actor: Actor) -> int:
    """How many copies the actor has not read. One query on a partial index."""
    return session.scalar(select(func.count()).where(Copy.account_id == actor.account_id, Copy.read_at.is_(None))) or 0


def _task(work: Work, instance: Instance, task_id: int | None) -> Task | None:
    if task_id is None:
        return None
    task = work.session.get(Task, task_id)
    if task is None or task.instance_id != instance.id:
        raise NotFound("没有找到该待办")
    return task


def _require_copying(work: Work, instance: Instance, actor: Actor, task: Task | None) -> None:
    """The diagram allows it at that step; without one, at some step that the actor had a hand in, or that they started from."""
    diagram = deployed(work.session, instance.definition_id).diagram
    if task is not None:
        steps = [task.step]
    else:
        mine = select(Task.step).where(Task.instance_id == instance.id)
        if instance.starter_id != actor.account_id:
            mine = mine.where((Task.assignee_id == actor.account_id) | (Task.completed_by == actor.account_id))
        steps = list(work.session.scalars(mine.distinct()))
    if not any("copy_to" in actions_of(diagram, step) for step in steps):
        raise NotAllowed(f"该环节的流程未设“{ACTIONS['copy_to']}”")
