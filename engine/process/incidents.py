"""Incidents 异常: a step that failed by our fault or the diagram's, kept for the operator with its reason and its retries.

The instance stays as it was before the step (the transaction was rolled back); the other instances go on.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import OperationalError

from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process import events
from engine.process.event_tables import Signal, SignalDelivery
from engine.process.events import Event
from engine.process.tables import ExternalTask, Incident, Instance, Task, Timer
from engine.store.errors import NotFound, Refused
from engine.store.store import Origin, Store, Work, command

log = logging.getLogger(__name__)

#: Tries of a timer or signal before it waits for the operator.
MOST_ATTEMPTS = 6
_DETAIL_MAX = 8000


class CaseFault(Refused):
    """该办件在后续环节出现异常，本次办理未生效，所填内容请勿关闭页面；已通知运维人员处理。"""


def backoff(attempts: int) -> timedelta:
    """How long to wait after the nth failed try: 1, 4, 16, 60, 60 … minutes."""
    return timedelta(minutes=min(4 ** (attempts - 1), 60))


@command
def report(
    store: Store, error: BaseException, *, timer_id: int | None = None, task_id: int | None = None, external_id: int | None = None,
    delivery_id: int | None = None,
) -> None:  # fmt: skip
    """Keeps what failed. A timer, and a signal on its way, are tried again later (`backoff`), until they wait for the operator.

    An external task waits for the operator at once: its worker has done the work, and is not to do it again and again.
    """
    with store.work(None, Origin("", "incident")) as work:
        of: Select[Any] = select(Timer.instance_id).where(Timer.id == timer_id)
        if external_id is not None:
            of = select(ExternalTask.instance_id).where(ExternalTask.id == external_id)
        elif delivery_id is not None:
            # What was to start a case has none of its own: the one that threw the signal.
            of = select(func.coalesce(SignalDelivery.instance_id, Signal.instance_id)).join(
                Signal, Signal.id == SignalDelivery.signal_id).where(SignalDelivery.id == delivery_id)  # fmt: skip
        elif timer_id is None:
            of = select(Task.instance_id).where(Task.id == task_id)
        instance_id = work.session.scalar(of)
        if delivery_id is not None:
            _try_to_deliver_later(work, delivery_id, error)
            if instance_id is None:
                return  # somebody outside threw it, and it was to start a case: there is none to which an incident could belong
        assert instance_id is not None, "what failed belongs to a case"
        detail = "".join(traceback.format_exception(error))
        keep(work, instance_id, f"{type(error).__name__}: {error}", detail, timer_id=timer_id, task_id=task_id, external_id=external_id,
             delivery_id=delivery_id)
        if timer_id is not None:
            _try_later(work, timer_id, work.now)
        if external_id is not None:
            row = work.session.get_one(ExternalTask, external_id)
            row.retries, row.locked_until = 0, None


@command
def keep_of_case(store: Store, instance_id: int, error: BaseException) -> None:
    """Keeps what failed in a case where nothing of it will try again by itself: a message that it could not take."""
    with store.work(None, Origin("", "incident")) as work:
        keep(work, instance_id, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def keep(
    work: Work, instance_id: int, error: str, detail: str, *, timer_id: int | None = None, task_id: int | None = None,
    external_id: int | None = None, delivery_id: int | None = None,
) -> None:  # fmt: skip
    """Opens an incident, or adds a failure to the one that is open for the same thing."""
    same = select(Incident).where(
        Incident.instance_id == instance_id, Incident.timer_id.is_not_distinct_from(timer_id),
        Incident.task_id.is_not_distinct_from(task_id), Incident.external_id.is_not_distinct_from(external_id),
        Incident.delivery_id.is_not_distinct_from(delivery_id), Incident.resolved_at.is_(None),
    )  # fmt: skip
    incident, new = work.session.scalars(same).first(), False
    if incident is None:
        incident = Incident(instance_id=instance_id, timer_id=timer_id, task_id=task_id, external_id=external_id,
                            delivery_id=delivery_id, error="", detail="", opened_at=work.now, failed_at=work.now, attempts=0)
        work.session.add(incident)
        new = True
    incident.attempts += 1
    incident.failed_at = work.now
    incident.error = error[:500]
    incident.detail = detail[-_DETAIL_MAX:]
    if new:
        work.session.flush()
        about = {"id": str(incident.id), "attempts": 1}
        instance = work.session.get_one(Instance, instance_id)
        events.tell(work, [Event(f"incident-{incident.id}", "incident.opened", work.now, instance, {"incident": about})])


def _try_later(work: Work, timer_id: int, now: datetime) -> None:
    timer = work.session.get(Timer, timer_id)
    if timer is None or timer.state != "waiting":
        return
    timer.attempts += 1
    timer.wake_at = now + backoff(timer.attempts) if timer.attempts < MOST_ATTEMPTS else None


def _try_to_deliver_later(work: Work, delivery_id: int, error: BaseException) -> None:
    delivery = work.session.get(SignalDelivery, delivery_id)
    if delivery is None:
        return
    delivery.attempts += 1
    delivery.wake_at = work.now + backoff(delivery.attempts) if delivery.attempts < MOST_ATTEMPTS else None
    if delivery.process_key is not None:
        facts = {"process": delivery.process_key, "signal": delivery.signal_id, "attempts": delivery.attempts}
        log.error("a process could not be started by a signal", exc_info=error, extra={"facts": facts})


@contextmanager
def reporting(store: Store, *, task_id: int | None = None, external_id: int | None = None) -> Iterator[None]:
    """Turns what fails inside into an incident and a CaseFault; refusals and a database that is away pass through.

    It encloses the whole transaction of the command: the incident needs one of its own, after that one is undone.
    """
    try:
        yield
    except (Refused, OperationalError):
        raise
    except Exception as error:
        report(store, error, task_id=task_id, external_id=external_id)
        raise CaseFault from error


def resolve(
    work: Work, *, timer_id: int | None = None, task_id: int | None = None, external_id: int | None = None, delivery_id: int | None = None
) -> None:
    """Marks the incident of a timer, task, external task or signal as resolved, in the transaction in which it went well."""
    which = Incident.timer_id == timer_id if timer_id is not None else Incident.task_id == task_id
    if external_id is not None:
        which = Incident.external_id == external_id
    if delivery_id is not None:
        which = Incident.delivery_id == delivery_id
    work.session.execute(update(Incident).where(which, Incident.resolved_at.is_(None)).values(resolved_at=work.now))


def close_all(work: Work, instance_id: int) -> None:
    """Marks the incidents of a case that ends as resolved: nothing of it will be tried again."""
    work.session.execute(update(Incident).where(Incident.instance_id == instance_id, Incident.resolved_at.is_(None)).values(resolved_at=work.now))


@command
def retry_incident(store: Store, incident_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Lets the worker try the failed timer, external task or signal again at once. Raises NotFound, NotAllowed.

    An incident of a person's completion is closed: the person completes again from the page, which was not lost.
    """
    require(actor, "operate")
    with store.work(actor, origin) as work:
        incident = work.session.get(Incident, incident_id)
        if incident is None or incident.resolved_at is not None:
            raise NotFound("没有找到该异常，或已处理")
        external = work.session.get(ExternalTask, incident.external_id) if incident.external_id else None
        if external is not None and external.state == "waiting":
            external.retries, external.locked_until = 1, None
        delivery = work.session.get(SignalDelivery, incident.delivery_id) if incident.delivery_id else None
        if delivery is not None:
            delivery.attempts, delivery.wake_at = 1, work.now
            return
        timer = work.session.get(Timer, incident.timer_id) if incident.timer_id else None
        if timer is None or timer.state != "waiting":
            incident.resolved_at = work.now
            return
        timer.attempts, timer.wake_at = 1, work.now  # counted anew, but still known as one that had failed
        if incident.task_id is not None:
            task = work.session.get(Task, incident.task_id)
            incident.resolved_at = work.now if task is None or task.state != "open" else None
