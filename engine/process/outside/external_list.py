"""External tasks as operators and workers list them. Ids, topic and state; what a worker is given is not shown here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.permissions import may, require
from engine.process.outside import listing
from engine.process.outside.fetching import POWER
from engine.process.outside.listing import Condition, Cut, Filter, Listed, Rows
from engine.process.tables import ExternalTask, Instance
from engine.store.errors import NotFound

#: Names of sorts. A lock that was never taken sorts where the database puts what is empty.
SORTS: Mapping[str, Any] = {
    "id": ExternalTask.id, "lockExpirationTime": ExternalTask.locked_until, "processInstanceId": ExternalTask.instance_id,
    "processDefinitionId": Instance.definition_id, "processDefinitionKey": ExternalTask.process_key,
    "taskPriority": ExternalTask.priority, "createTime": ExternalTask.created_at,
}  # fmt: skip


def filters(now: datetime) -> Mapping[str, Filter]:
    """What a list may be asked for; locks are judged as of `now`."""
    locked = ExternalTask.locked_until > now
    free = or_(ExternalTask.locked_until.is_(None), ExternalTask.locked_until <= now)
    left = or_(ExternalTask.retries.is_(None), ExternalTask.retries > 0)
    suspended = Instance.state == "suspended"
    return {
        "externalTaskId": listing.ident(ExternalTask.id), "externalTaskIdIn": listing.idents(ExternalTask.id),
        "topicName": listing.same(ExternalTask.topic), "workerId": lambda worker: and_(ExternalTask.worker == worker, locked),
        "locked": listing.when(locked), "notLocked": listing.when(free), "withRetriesLeft": listing.when(left),
        "noRetriesLeft": listing.when(ExternalTask.retries == 0), "lockExpirationAfter": listing.after(ExternalTask.locked_until),
        "lockExpirationBefore": listing.before(ExternalTask.locked_until), "activityId": listing.same(ExternalTask.step),
        "activityIdIn": listing.among(ExternalTask.step), "executionId": listing.same(ExternalTask.token),
        "processInstanceId": listing.ident(ExternalTask.instance_id), "processInstanceIdIn": listing.idents(ExternalTask.instance_id),
        "processDefinitionId": listing.definition(Instance.definition_id), "processDefinitionKey": listing.same(ExternalTask.process_key),
        "active": listing.when(~suspended), "suspended": listing.when(suspended),
        "priorityHigherThanOrEquals": lambda value: ExternalTask.priority >= value,
        "priorityLowerThanOrEquals": lambda value: ExternalTask.priority <= value,
    }  # fmt: skip


_ROWS = Rows(ExternalTask.id, (ExternalTask, Instance), ((Instance, Instance.id == ExternalTask.instance_id),))


def _asked(session: Session, actor: Actor, asked: Mapping[str, Any]) -> list[Condition]:
    if not may(actor, POWER):
        require(actor, "operate")
    return [ExternalTask.state == "waiting", *listing.conditions(filters(session.info["store"].clock.now()), asked)]


def external_tasks(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Waiting external tasks, as (task, case) rows. One query. Raises NotAllowed."""
    return _ROWS.page(session, _asked(session, actor, asked), SORTS, cut)


def count_external_tasks(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many there are. One query."""
    return _ROWS.number(session, _asked(session, actor, asked))


def external_task(session: Session, actor: Actor, external_id: int) -> Any:
    """One waiting external task with its case. Raises NotFound, NotAllowed."""
    row = session.execute(_ROWS.columns().where(*_asked(session, actor, {}), ExternalTask.id == external_id)).first()
    if row is None:
        raise NotFound("没有找到该外部任务，或已办结")
    return row


def topics(session: Session, actor: Actor, *, locked: bool | None, free: bool | None, left: bool | None) -> list[str]:
    """The topics that tasks wait for. One query."""
    asked = {name: value for name, value in (("locked", locked), ("notLocked", free), ("withRetriesLeft", left)) if value}
    query = select(ExternalTask.topic).where(*_asked(session, actor, asked)).distinct().order_by(ExternalTask.topic)
    return list(session.scalars(query.limit(listing.MOST)))
