"""Urging 催办: who waits for a task reminds whoever has it. The task shows it; no limit changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import History
from engine.people import permissions
from engine.people.actor import Actor
from engine.process.belonging import held, held_up_by
from engine.process.desk.ground import about, enter, noted, require_verb
from engine.process.notices import notify_post
from engine.process.sheets.seeing import require_sight
from engine.process.signing import outstanding
from engine.process.tables import Instance, Task
from engine.process.tasks import lock_task
from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid, NotAllowed, NotRunning, Stale, TaskClosed
from engine.store.store import Origin, Store, command

#: One person urges one task at most once in this time. A rule of good manners, not of law: no diagram sets it.
URGE_EVERY = timedelta(hours=4)
_HOURS = f"{URGE_EVERY // timedelta(hours=1)}小时内"
#: What urging does to the clocks, and how often it may be done.
URGE_EFFECT = f"催办不改变时限；同一人对同一待办{_HOURS}只能催办一次。"


@command
def urge_task(store: Store, task_id: int, *, actor: Actor, note: str = "", origin: Origin = Origin()) -> None:
    """Urges a task 催办: tells the assignee, or else the post; where only signatures are missing, those who have not signed.

    Raises NotAllowed unless the actor started the case, completed a step of it or supervises; Stale when the actor urged it less
    than `URGE_EVERY` ago; Invalid for one's own task and for a note that is too long; NotFound, TaskClosed, NotRunning.
    """
    said = noted(note, most=200)
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_sight(work.session, actor, instance)
        if not may_urge(work.session, actor, instance):
            raise NotAllowed("只有发起人、已办理过该办件的人员和督办人员可以催办")
        if task.state != "open":
            raise TaskClosed
        if instance.state != "running":
            raise NotRunning
        require_verb(work, instance, task, "urge")
        if task.assignee_id == actor.account_id and not held(task):
            raise Invalid(message="该待办由您办理，无需催办")
        since = urged_since(work.session, actor, task, work.now - URGE_EVERY)
        if since is not None:
            raise Stale(f"您已于{since.astimezone(SHANGHAI):%m月%d日%H:%M}催办过该待办，{_HOURS}不能重复催办")
        task.urges += 1
        task.urged_at = work.now
        enter(work, instance, task, "urged", {"note": said})
        text = f"{actor.name}催办{about(task)}，请尽快办理。" + (f"附言：{said}" if said else "")
        for late in held_up_by(task, outstanding(work, task)):
            notify_post(work, late.unit_id, late.post, assignee_id=late.assignee_id, kind="urge", instance_id=instance.id,
                        task_id=late.id, title=f"催办：{task.name}", text=text)


def may_urge(session: Session, actor: Actor, instance: Instance) -> bool:
    """Whether the actor waits for this case: started it, completed a step of it, or supervises. One query at most."""
    own = instance.starter_id == actor.account_id
    if not own and not permissions.may(actor, "supervise"):
        done = select(Task.id).where(Task.instance_id == instance.id, Task.completed_by == actor.account_id, Task.state == "done")
        own = session.scalar(done.limit(1)) is not None
    return permissions.may_urge(actor, involved=own)


def urged_since(session: Session, actor: Actor, task: Task, since: datetime) -> datetime | None:
    """When the actor last urged the task after that moment; None where they did not. No query where nobody did."""
    if task.urged_at is None or task.urged_at <= since:
        return None
    rows = session.execute(
        select(History.at, History.data).where(
            History.instance_id == task.instance_id, History.act == "urged", History.actor_id == actor.account_id, History.at > since
        ).order_by(History.seq.desc())
    )
    return next((at for at, data in rows if data.get("task") == task.id), None)
