"""Correcting 更正: what was entered wrongly into a case is put right by those who supervise, with a reason that stays on record.

Not for deciding anew: nothing moves by it. A gateway that was passed is not asked again, deadlines stand, and what was sent out
stays as it is; a step that is to be done again is returned instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import select

from engine.people import permissions
from engine.people.actor import Actor
from engine.process import corrigible
from engine.process.advance import advance
from engine.process.answering import checked_reason
from engine.process.case import lock_instance
from engine.process.definitions import deployed
from engine.process.moves import Correct
from engine.process.notices import notify_post
from engine.process.tables import OPEN_STATES, Instance, Task
from engine.store.errors import Invalid, NotRunning, Stale
from engine.store.store import Origin, Store, Work, command

#: Whoever stops, resumes and ends the cases of others also puts their data right: these powers see every case that they act on.
POWER = "supervise"


@command
def correct_data(
    store: Store, instance_id: int, *, actor: Actor, values: Mapping[str, Any], deletions: Collection[str] = (), reason: str,
    seen: int | None = None, origin: Origin = Origin(),
) -> list[str]:  # fmt: skip
    """Corrects data of a running or suspended case; returns the names that have changed, none where all stood so already.

    `deletions` are left empty where a form asks for them, else taken out. `seen` is the revision of the case that a program has
    read. Who has an open task of the case is told.

    Raises Invalid with a sentence for each name that cannot be corrected so, and without a reason; NotAllowed without the power
    to supervise, NotRunning, NotFound, Stale where the case is not at `seen` any more.
    """
    said = checked_reason(reason, "请填写更正理由")
    permissions.require(actor, POWER)
    if not values and not deletions:
        raise Invalid(message="没有需要更正的内容")
    with store.work(actor, origin) as work:
        instance = lock_instance(work, instance_id)
        if instance.state not in OPEN_STATES:
            raise NotRunning
        if seen is not None and instance.revision != seen:
            raise Stale("该办件在您读取之后已发生变化（If-Match 不符），未作任何改动，请重新读取。")
        definition = deployed(work.session, instance.definition_id)
        new, gone, told = corrigible.corrected(definition, instance, values, deletions)
        if not told:
            return []
        changed = [fact["name"] for fact in told]
        data = {name: value for name, value in {**instance.variables, **new}.items() if name not in gone}
        title = corrigible.retitled(work.session, definition, instance, changed, data)
        advance(work, instance, Correct(new, gone, title, {"changes": told, "reason": said}))
        _tell(work, instance, [fact["label"] for fact in told], actor)
        return changed


def _tell(work: Work, instance: Instance, labels: Iterable[str], actor: Actor) -> None:
    """Tells those who have an open task of the case: what they go by may have changed."""
    text = f"{instance.number}《{instance.title}》的{'、'.join(f'“{label}”' for label in labels)}已更正，请核对后办理。"
    told: set[tuple[int, str, int | None]] = set()
    for task in work.session.scalars(select(Task).where(Task.instance_id == instance.id, Task.state == "open").order_by(Task.id)):
        whose = (0, "", task.assignee_id) if task.assignee_id is not None else (task.unit_id, task.post, None)
        if whose not in told and task.assignee_id != actor.account_id:
            told.add(whose)
            notify_post(work, task.unit_id, task.post, assignee_id=task.assignee_id, instance_id=instance.id, task_id=task.id,
                        title=f"更正数据：{task.name}", text=text)
