"""What a worker outside does with a task that it has fetched: finish it, fail, report a BPMN error, keep it longer, give it back.

Only who fetched it last may: a slow worker whose lock has run out and whose task another has taken since is refused, and
nothing of its result is used. As long as nobody else has taken the task, a late result is still welcome: the work is done.

A worker that did not get the answer may ask again with the same key (`once`): it is answered as before, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import undefer

from engine.history import Entry
from engine.people import permissions
from engine.people.actor import Actor
from engine.process import incidents
from engine.process.advance import advance
from engine.process.definitions import deployed
from engine.process.history_of import append_entry
from engine.process.moves import Finish
from engine.process.outside.fetching import LOCK_MAX, POWER, lock_checked
from engine.process.outside.once import Done, Once, only_once
from engine.process.tables import ExternalTask, Instance
from engine.store.errors import Invalid, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

RETRIES_MAX = 1000
_ERROR_MAX = 666
_DETAILS_MAX = 20_000


class NotYours(Stale):
    """该外部任务不由您的程序锁定，可能已被其他程序领取。"""


# Both rows are locked: after waiting for a lock PostgreSQL reads only locked rows anew.
_LOCKED = (
    select(Instance, ExternalTask).join(ExternalTask, ExternalTask.instance_id == Instance.id)
    .where(ExternalTask.id == bindparam("external")).options(undefer(Instance.saved)).with_for_update()
)


def _lock(work: Work, external_id: int, worker: str | None) -> tuple[ExternalTask, Instance]:
    """A waiting task with its case, both locked. Raises NotFound when it is done or gone, NotYours for another worker."""
    found = work.session.execute(_LOCKED, {"external": external_id}).first()
    if found is None or found[1].state != "waiting":
        raise NotFound("没有找到该外部任务，或已办结")
    instance, row = found
    if worker is not None and row.worker != worker:
        raise NotYours
    return row, instance


@command
def complete_external(
    store: Store, external_id: int, *, actor: Actor, worker: str, given: Mapping[str, Any], local: Mapping[str, Any] | None = None,
    once: Once | None = None, origin: Origin = Origin(),
) -> Done:  # fmt: skip
    """The worker has done the step: the case takes what the diagram names of `given` and goes on.

    `local` are values that other engines would keep with the step only; they count as given here. What is overdue fires
    first. Raises NotFound, NotYours, NotRunning, NotAllowed, KeyReused; Invalid where a result is missing that the diagram takes
    (nothing changed); CaseFault when the steps behind it fail: that waits for the operator, and the task is not given out again.
    """
    permissions.require(actor, POWER)
    with incidents.reporting(store, external_id=external_id), store.work(actor, origin) as work:

        def act() -> dict[str, Any]:
            row, instance = _lock(work, external_id, worker)
            advance(work, instance, Finish(row, {**given, **(local or {})}, said={"worker": worker}))
            return {}

        return only_once(work, actor, once, act)


@command
def throw_error(
    store: Store, external_id: int, *, actor: Actor, worker: str, code: str, message: str = "", given: Mapping[str, Any] | None = None,
    once: Once | None = None, origin: Origin = Origin(),
) -> Done:  # fmt: skip
    """The step cannot be done for a reason that the diagram foresees: its error boundary event takes over, with what it names of `given`.

    Raises as `complete_external`; Invalid where no event catches the code: then nothing changed.
    """
    permissions.require(actor, POWER)
    if not code.strip():
        raise Invalid({"errorCode": "请写明错误代码"})
    with incidents.reporting(store, external_id=external_id), store.work(actor, origin) as work:

        def act() -> dict[str, Any]:
            row, instance = _lock(work, external_id, worker)
            said = {"worker": worker, "error": code, "message": message[:_ERROR_MAX]}
            advance(work, instance, Finish(row, given or {}, error=code, said=said))
            return {}

        return only_once(work, actor, once, act)


@command
def fail_external(
    store: Store, external_id: int, *, actor: Actor, worker: str, message: str, details: str = "", retries: int = 0,
    again_after: timedelta = timedelta(0), once: Once | None = None, origin: Origin = Origin(),
) -> Done:  # fmt: skip
    """The worker could not do it now. It may be fetched again after `again_after`, `retries` times more; at 0 the operator is told.

    Raises NotFound, NotYours, NotAllowed, KeyReused, Invalid.
    """
    permissions.require(actor, POWER)
    _retries_checked(retries)
    if not timedelta(0) <= again_after <= LOCK_MAX:
        raise Invalid({"retryTimeout": f"retryTimeout 应当不小于 0，且不超过 {LOCK_MAX // timedelta(milliseconds=1)} 毫秒"})
    with store.work(actor, origin) as work:

        def act() -> dict[str, Any]:
            row, instance = _lock(work, external_id, worker)
            row.error, row.details = message[:_ERROR_MAX] or None, details[:_DETAILS_MAX] or None
            row.locked_until = work.now + again_after
            said = {"worker": worker, "external": row.id, "topic": row.topic, "reason": message[:_ERROR_MAX], "retries": retries}
            _set(work, row, retries, message or "外部程序办理失败", details)
            _record(work, instance, row, "external_failed", said)
            return {}

        return only_once(work, actor, once, act)


def _set(work: Work, row: ExternalTask, retries: int, message: str, details: str) -> None:
    row.retries = retries
    if retries == 0:
        incidents.keep(work, row.instance_id, message, details, external_id=row.id)
    else:
        incidents.resolve(work, external_id=row.id)


def _record(work: Work, instance: Instance, row: ExternalTask, act: str, said: dict[str, Any]) -> None:
    step = deployed(work.session, instance.definition_id).diagram.steps.get(row.step)
    append_entry(work, instance, Entry(act=act, at=work.now, step=row.step, article=step.article if step else None,
                                       definition_id=instance.definition_id, data={"name": step.name if step else row.topic, **said}))


def _retries_checked(retries: int) -> None:
    if not 0 <= retries <= RETRIES_MAX:
        raise Invalid({"retries": f"retries 应当在 0 到 {RETRIES_MAX} 之间"})


@command
def extend_lock(store: Store, external_id: int, *, actor: Actor, worker: str, lock: timedelta, origin: Origin = Origin()) -> None:
    """The worker needs longer: its lock holds for `lock` from now. Raises NotFound, NotAllowed, Invalid; NotYours for one that has run out."""
    permissions.require(actor, POWER)
    lock_checked(lock)
    with store.work(actor, origin) as work:
        row, _ = _lock(work, external_id, worker)
        if row.locked_until is None or row.locked_until <= work.now:
            raise NotYours("锁定已到期，请重新领取")
        row.locked_until = work.now + lock


@command
def lock_one(store: Store, external_id: int, *, actor: Actor, worker: str, lock: timedelta, origin: Origin = Origin()) -> None:
    """Locks one task for the worker, which has it already or finds it free. Raises NotFound, NotAllowed, Invalid; NotYours while another has it."""
    permissions.require(actor, POWER)
    lock_checked(lock)
    with store.work(actor, origin) as work:
        row, _ = _lock(work, external_id, None)
        if row.worker not in (None, worker) and row.locked_until is not None and row.locked_until > work.now:
            raise NotYours
        row.worker, row.locked_until = worker, work.now + lock


@command
def unlock(store: Store, external_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Gives the task back, so that any worker may fetch it at once. Raises NotFound, NotAllowed."""
    _require_either(actor)
    with store.work(actor, origin) as work:
        row, _ = _lock(work, external_id, None)
        row.worker = row.locked_until = None


@command
def set_retries(store: Store, external_ids: Collection[int], retries: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """How often each may still be tried; more than 0 resolves its incident, 0 opens one. All or none.

    Raises NotFound, NotAllowed, Invalid.
    """
    _require_either(actor)
    _retries_checked(retries)
    with store.work(actor, origin) as work:
        for external_id in sorted(set(external_ids)):
            row, instance = _lock(work, external_id, None)
            _set(work, row, retries, "运维人员停止了重试", "")
            _record(work, instance, row, "external_retries", {"topic": row.topic, "retries": retries})


@command
def set_priority(store: Store, external_id: int, priority: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Which waiting task workers get first: the higher. Raises NotFound, NotAllowed."""
    _require_either(actor)
    if abs(priority) >= 2**31:
        raise Invalid({"priority": "priority 超出范围"})
    with store.work(actor, origin) as work:
        row, _ = _lock(work, external_id, None)
        row.priority = priority


def _require_either(actor: Actor) -> None:
    if not permissions.may(actor, POWER):
        permissions.require(actor, "operate")
