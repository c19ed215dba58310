"""Workers outside fetch external tasks: each goes to one worker at a time, for as long as its lock holds.

A lock is a time, not a connection: a worker that was lost loses the task when its lock has run out, and nobody has to notice.
Any number of workers may fetch at once; none waits for another, and none is given what another has (SKIP LOCKED on PostgreSQL,
one writer at a time on SQLite).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.definitions import deployed
from engine.process.interpreter.model import Step
from engine.process.outside.keys import business_key
from engine.process.tables import ExternalTask, Instance
from engine.store.errors import Invalid
from engine.store.store import Origin, Store, command

#: Whoever works for the engine from outside holds this power.
POWER = "work_outside"
#: Tasks given at once, and the topics of one request.
FETCH_MAX = 100
TOPICS_MAX = 50
LOCK_MAX = timedelta(days=1)
NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A topic that a worker asks for."""

    topic: str
    lock: timedelta
    """For how long the task is to be this worker's."""
    names: Collection[str] | None = None
    """Which of the variables it wants; None for all that it is given."""
    processes: Collection[str] | None = None
    """Keys; None for any process."""
    definitions: Collection[int] | None = None
    """Versions; None for any."""
    business_key: str | None = None
    """Of cases with this business key, or number, only."""
    holding: Mapping[str, str] = field(default_factory=dict)
    """Only tasks whose worker is given these texts."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An external task with what its worker needs."""

    id: int
    topic: str
    step: str
    name: str
    token: str
    instance_id: int
    business_key: str
    """The key of who started the case, else its number."""
    process_key: str
    definition_id: int
    version: int
    worker: str | None
    locked_until: datetime | None
    retries: int | None
    error: str | None
    details: str | None
    priority: int
    created_at: datetime
    state: str
    suspended: bool
    given: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@command
def fetch_and_lock(
    store: Store, *, actor: Actor, worker: str, most: int, topics: Sequence[Asked], by_priority: bool = True,
    newest_first: bool = False, origin: Origin = Origin(),
) -> list[Fetched]:
    """Gives the worker up to `most` tasks that wait for one of the topics, and locks them for it.

    A task is to be had when no lock on it holds, tries are left and its case runs. Nothing is written to the history: a lock
    says who tries, not what happened. Raises NotAllowed, Invalid.
    """
    require(actor, POWER)
    _checked(worker, most, topics)
    if not topics:
        return []
    with store.read() as session:  # a worker that waits asks twice a second: where nothing is free it must not hold up who writes
        if session.execute(_free(store.clock.now(), topics).with_only_columns(ExternalTask.id).limit(1)).first() is None:
            return []
    with store.work(actor, origin) as work:
        now = work.now
        free = _free(now, topics)
        age = ExternalTask.id.desc() if newest_first else ExternalTask.id
        order = (ExternalTask.priority.desc(), age) if by_priority else (age,)
        rows = work.session.execute(free.order_by(*order).limit(most).with_for_update(of=ExternalTask, skip_locked=True)).all()
        found = []
        for row, instance in rows:
            asked = next((asked for asked in topics if _is_wanted(asked, row, instance)), None)
            if asked is None:
                continue  # the number 7 and the text "7" look alike to the database
            row.worker, row.locked_until = worker, now + asked.lock
            found.append(fetched(work.session, row, instance, asked.names))
        return found


def _free(now: datetime, topics: Sequence[Asked]) -> Select[ExternalTask, Instance]:
    """What is to be had at `now`."""
    return select(ExternalTask, Instance).join(Instance, Instance.id == ExternalTask.instance_id).where(
        ExternalTask.state == "waiting", ExternalTask.topic.in_([asked.topic for asked in topics]),
        or_(ExternalTask.locked_until.is_(None), ExternalTask.locked_until <= now),
        or_(ExternalTask.retries.is_(None), ExternalTask.retries > 0), Instance.state == "running", or_(*map(_wanted, topics)),
    )  # fmt: skip


def _checked(worker: str, most: int, topics: Sequence[Asked]) -> None:
    if not worker.strip() or len(worker) > NAME_MAX:
        raise Invalid({"workerId": f"workerId 不能为空，且不超过{NAME_MAX}字"})
    if not 0 < most <= FETCH_MAX:
        raise Invalid({"maxTasks": f"maxTasks 应当在 1 到 {FETCH_MAX} 之间"})
    if len(topics) > TOPICS_MAX:
        raise Invalid({"topics": f"一次最多 {TOPICS_MAX} 个主题"})
    for asked in topics:
        lock_checked(asked.lock)


def lock_checked(lock: timedelta) -> None:
    """Raises Invalid for a lock of no time or of a very long one."""
    if not timedelta(0) < lock <= LOCK_MAX:
        raise Invalid({"lockDuration": f"lockDuration 应当大于 0，且不超过 {LOCK_MAX // timedelta(milliseconds=1)} 毫秒"})


def _wanted(asked: Asked) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [ExternalTask.topic == asked.topic]
    if asked.processes is not None:
        wanted.append(ExternalTask.process_key.in_(asked.processes))
    if asked.definitions is not None:
        wanted.append(Instance.definition_id.in_(asked.definitions))
    if asked.business_key is not None:
        wanted.append(or_(Instance.number == asked.business_key, Instance.business_key == asked.business_key))
    wanted += [ExternalTask.given[name].as_string() == value for name, value in asked.holding.items()]
    return and_(*wanted)


def _is_wanted(asked: Asked, row: ExternalTask, instance: Instance) -> bool:
    return (
        row.topic == asked.topic
        and (asked.processes is None or row.process_key in asked.processes)
        and (asked.definitions is None or instance.definition_id in asked.definitions)
        and asked.business_key in (None, instance.number, instance.business_key)
        and all(name in row.given and row.given[name] == value for name, value in asked.holding.items())
    )


def fetched(session: Session, row: ExternalTask, instance: Instance, names: Collection[str] | None = None) -> Fetched:
    """A row as its worker sees it; the version's diagram comes from memory."""
    definition = deployed(session, instance.definition_id)
    step: Step | None = definition.diagram.steps.get(row.step)
    return Fetched(
        id=row.id, topic=row.topic, step=row.step, name=step.name if step else row.topic, token=row.token,
        instance_id=row.instance_id, business_key=business_key(instance), process_key=row.process_key, definition_id=definition.id,
        version=definition.version, worker=row.worker, locked_until=row.locked_until, retries=row.retries, error=row.error,
        details=row.details, priority=row.priority, created_at=row.created_at, state=row.state,
        suspended=instance.state == "suspended",
        given={name: value for name, value in row.given.items() if names is None or name in names},
        properties=dict(step.properties) if step else {},
    )  # fmt: skip
