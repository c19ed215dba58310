"""Timers and incidents as other programs know them: jobs. What an operator may do to them, and what nobody may.

A job is a timer that waits. It may be tried again after a failure; it may not be fired before its time. Its date is counted from
the diagram's rule and the calendar; who supervises may set another (`timekeeping.setting`), within what the law allows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.permissions import may, powers, require
from engine.process import incidents
from engine.process.advance import advance
from engine.process.case import Case, lock_instance
from engine.process.incidents import MOST_ATTEMPTS, CaseFault
from engine.process.moves import SetDue
from engine.process.outside import listing
from engine.process.outside.listing import AnySelect, Condition, Cut, Filter, Listed, Rows
from engine.process.outside.seen import seen
from engine.process.redating import bring_up_to_date
from engine.process.tables import Definition, ExternalTask, Incident, Instance, Task, Timer
from engine.process.timers import fire_in
from engine.store.errors import Invalid, NotAllowed, NotFound, Refused
from engine.store.store import Origin, Store, command

JOB_SORTS: Mapping[str, Any] = {
    "jobId": Timer.id, "executionId": Timer.token, "processInstanceId": Timer.instance_id, "processDefinitionId": Instance.definition_id,
    "processDefinitionKey": Instance.process_key, "jobRetries": -Timer.attempts, "jobDueDate": Timer.due_at,
}  # fmt: skip
INCIDENT_SORTS: Mapping[str, Any] = {
    "incidentId": Incident.id, "incidentTimestamp": Incident.opened_at, "processInstanceId": Incident.instance_id,
    "processDefinitionId": Instance.definition_id, "incidentMessage": Incident.error,
}  # fmt: skip


# -- jobs -----------------------------------------------------------------------------------------


def _job_filters(now: datetime) -> Mapping[str, Filter]:
    suspended = Instance.state == "suspended"
    failed = exists().where(Incident.timer_id == Timer.id, Incident.resolved_at.is_(None))
    return {
        "jobId": listing.ident(Timer.id), "jobIds": listing.idents(Timer.id), "processInstanceId": listing.ident(Timer.instance_id),
        "processInstanceIds": listing.idents(Timer.instance_id), "executionId": listing.same(Timer.token),
        "processDefinitionId": listing.definition(Instance.definition_id), "processDefinitionKey": listing.same(Instance.process_key),
        "activityId": listing.same(Timer.element), "withRetriesLeft": listing.when(Timer.attempts < MOST_ATTEMPTS),
        "noRetriesLeft": listing.when(Timer.attempts >= MOST_ATTEMPTS), "executable": listing.when(Timer.wake_at <= now),
        "timers": listing.when(Timer.id > 0), "messages": listing.when(Timer.id < 0), "withException": listing.when(failed),
        "failedActivityId": lambda step: and_(failed, Timer.element == step),
        "active": listing.when(~suspended), "suspended": listing.when(suspended), "dueDatesAfter": listing.after(Timer.due_at),
        "dueDatesBefore": listing.before(Timer.due_at), "role": listing.same(Timer.role),
    }  # fmt: skip


def _visible(actor: Actor, instance_id: Any) -> ColumnElement[bool] | None:
    """Operators see what is to be kept running, without its content; everybody else what belongs to the cases they see."""
    return None if may(actor, "operate") else seen(actor, instance_id)


_ERROR = (
    select(Incident.error).where(Incident.timer_id == Timer.id, Incident.resolved_at.is_(None)).limit(1).correlate(Timer).scalar_subquery()
)
_JOBS = Rows(
    Timer.id, (Timer, Instance.process_key, Instance.definition_id, Instance.state.label("case_state"), Definition.version, _ERROR.label("error")),
    ((Instance, Instance.id == Timer.instance_id), (Definition, Definition.id == Instance.definition_id)),
)  # fmt: skip


def _jobs(session: Session, actor: Actor, asked: Mapping[str, Any]) -> list[Condition]:
    visible = _visible(actor, Timer.instance_id)
    filters = _job_filters(session.info["store"].clock.now())
    return [Timer.state.in_(("waiting", "paused")), *([visible] if visible is not None else []), *listing.conditions(filters, asked)]


def jobs(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Timers that wait or stand still, of cases that the actor may see. One query."""
    return _JOBS.page(session, _jobs(session, actor, asked), JOB_SORTS, cut)


def count_jobs(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many there are. One query."""
    return _JOBS.number(session, _jobs(session, actor, asked))


def job(session: Session, actor: Actor, timer_id: int) -> Any:
    """One of them. Raises NotFound."""
    row = session.execute(_JOBS.columns().where(*_jobs(session, actor, {}), Timer.id == timer_id)).first()
    if row is None:
        raise NotFound("没有找到该定时，或已触发")
    return row


def trace_of(session: Session, actor: Actor, timer_id: int) -> str:
    """What the last failure said; empty where there was none. Raises NotFound, NotAllowed."""
    require(actor, "operate")
    job(session, actor, timer_id)
    found = select(Incident.detail).where(Incident.timer_id == timer_id, Incident.resolved_at.is_(None))
    return session.scalar(found.order_by(Incident.id.desc()).limit(1)) or ""


@command
def set_job_retries(store: Store, timer_ids: Collection[int], retries: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """How often timers may still fail; 0: they wait for the operator. All or none. Raises NotFound, NotAllowed, Invalid."""
    require(actor, "operate")
    if not 0 <= retries <= MOST_ATTEMPTS:
        raise Invalid({"retries": f"retries 应当在 0 到 {MOST_ATTEMPTS} 之间"})
    with store.work(actor, origin) as work:
        for timer_id in sorted(set(timer_ids)):
            timer = work.session.get(Timer, timer_id, with_for_update=True)
            if timer is None or timer.state != "waiting":
                raise NotFound("没有找到该定时，或已触发")
            timer.attempts = MOST_ATTEMPTS - retries
            timer.wake_at = timer.due_at if retries else None


@command
def execute_job(store: Store, timer_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Fires a timer that is due, now and not when the worker comes to it or a failed try is over.

    Raises NotFound, NotAllowed, Invalid before it is due; CaseFault where it fails: that is counted like any other try.
    """
    require(actor, "operate")
    try:
        with store.work(actor, origin) as work:
            timer = work.session.get(Timer, timer_id, with_for_update=True)
            if timer is None or timer.state not in ("waiting", "paused"):
                raise NotFound("没有找到该定时，或已触发")
            if timer.state == "paused" or timer.due_at is None or timer.due_at > work.now:
                raise Invalid({"id": "未到期的定时不能提前触发：日期由流程的时限规则和日历推算"})
            timer.wake_at = work.now
            work.session.flush()
            fire_in(work, timer_id)
    except (Refused, OperationalError):
        raise
    except Exception as error:
        incidents.report(store, error, timer_id=timer_id)
        raise CaseFault from error


@command
def recount_job(store: Store, timer_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Counts the clocks of a timer's case again by the calendar as it is known now; a date set by hand is taken back, with a reason.

    For operators; taking back is for who supervises. Raises NotFound, NotAllowed, and as `timekeeping.setting.let_count`.
    """
    if not powers(actor) & {"operate", "supervise"}:
        raise NotAllowed
    with store.work(actor, origin) as work:
        instance_id = work.session.scalar(select(Timer.instance_id).where(Timer.id == timer_id, Timer.state.in_(("waiting", "paused"))))
        if instance_id is None:
            raise NotFound("没有找到该定时，或已触发")
        instance = lock_instance(work, instance_id)
        by_hand = "set" in work.session.get_one(Timer, timer_id).rule
        require(actor, "supervise" if by_hand else "operate")
        if by_hand:
            advance(work, instance, SetDue(timer_id, None, reason))
            return
        case = Case(work, instance)
        bring_up_to_date(case)
        if case.entries:
            case.save()


# -- incidents ------------------------------------------------------------------------------------

_AT_TIMER = select(Timer.element).where(Timer.id == Incident.timer_id).correlate(Incident).scalar_subquery()
_AT_EXTERNAL = select(ExternalTask.step).where(ExternalTask.id == Incident.external_id).correlate(Incident).scalar_subquery()
_AT_TASK = select(Task.step).where(Task.id == Incident.task_id).correlate(Incident).scalar_subquery()


_TYPES: Mapping[str, ColumnElement[bool]] = {
    "failedJob": Incident.timer_id.is_not(None), "failedExternalTask": Incident.external_id.is_not(None),
    "failedTask": Incident.task_id.is_not(None) & Incident.timer_id.is_(None), "failedSignal": Incident.delivery_id.is_not(None),
    "failedMessage": and_(*(column.is_(None) for column in (Incident.timer_id, Incident.external_id, Incident.task_id, Incident.delivery_id))),
}  # fmt: skip
#: What failed: a timer, what a worker outside does, a person's completion, a signal or message that a case could not take.
INCIDENT_TYPES = tuple(_TYPES)


#: The same of an incident, as a column.
INCIDENT_TYPE = case(*((condition, kind) for kind, condition in _TYPES.items()))


def of_type(kind: str) -> ColumnElement[bool]:
    """Whether an incident is of one of `INCIDENT_TYPES`."""
    return _TYPES[kind]


def _at(step: str) -> ColumnElement[bool]:
    return or_(_AT_TIMER == step, _AT_EXTERNAL == step, _AT_TASK == step)


_INCIDENT_FILTERS: Mapping[str, Filter] = {
    # Each is a cause of its own.
    "incidentId": listing.ident(Incident.id), "causeIncidentId": listing.ident(Incident.id), "rootCauseIncidentId": listing.ident(Incident.id),
    "executionId": listing.ident(Incident.instance_id), "activityId": _at, "failedActivityId": _at, "processInstanceId": listing.ident(Incident.instance_id),
    "processInstanceIdIn": listing.idents(Incident.instance_id), "processDefinitionId": listing.definition(Instance.definition_id),
    "processDefinitionKeyIn": listing.among(Instance.process_key), "incidentMessage": listing.same(Incident.error),
    "incidentMessageLike": listing.like(Incident.error), "incidentTimestampAfter": listing.after(Incident.opened_at),
    "incidentTimestampBefore": listing.before(Incident.opened_at), "configuration": lambda text: or_(
        Incident.timer_id == listing.number(text), Incident.external_id == listing.number(text), Incident.task_id == listing.number(text)
    ), "incidentType": of_type,
}  # fmt: skip


def _incidents(actor: Actor, asked: Mapping[str, Any]) -> AnySelect:
    return _all_incidents(actor).where(Incident.resolved_at.is_(None), *listing.conditions(_INCIDENT_FILTERS, asked))


def _all_incidents(actor: Actor) -> AnySelect:
    require(actor, "operate")
    return (
        select(Incident, Instance.process_key, Instance.definition_id, Definition.version, _AT_TIMER.label("timer_step"),
               _AT_EXTERNAL.label("external_step"), _AT_TASK.label("task_step"))
        .join(Instance, Instance.id == Incident.instance_id).join(Definition, Definition.id == Instance.definition_id)
    )  # fmt: skip


def open_incidents(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """What failed and waits. One query. Raises NotAllowed."""
    return listing.fetch(session, _incidents(actor, asked), INCIDENT_SORTS, Incident.id, cut)


def count_incidents(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many there are. One query. Raises NotAllowed."""
    return listing.count(session, _incidents(actor, asked).with_only_columns(Incident.id))


def open_incident(session: Session, actor: Actor, incident_id: int) -> Any:
    """One of them. Raises NotFound, NotAllowed."""
    row = session.execute(_incidents(actor, {}).where(Incident.id == incident_id)).first()
    if row is None:
        raise NotFound("没有找到该异常，或已处理")
    return row


_PAST_FILTERS: Mapping[str, Filter] = {
    **{name: condition for name, condition in _INCIDENT_FILTERS.items() if not name.startswith("incidentTimestamp")},
    "processDefinitionKey": listing.same(Instance.process_key), "createTimeAfter": listing.after(Incident.opened_at),
    "createTimeBefore": listing.before(Incident.opened_at), "endTimeAfter": listing.after(Incident.resolved_at),
    "endTimeBefore": listing.before(Incident.resolved_at), "open": listing.when(Incident.resolved_at.is_(None)),
    "resolved": listing.when(Incident.resolved_at.is_not(None)), "deleted": listing.when(false()),
}  # fmt: skip
PAST_INCIDENT_SORTS: Mapping[str, Any] = {
    **{name: column for name, column in INCIDENT_SORTS.items() if name != "incidentTimestamp"}, "createTime": Incident.opened_at,
    "endTime": func.coalesce(Incident.resolved_at, Incident.opened_at), "processDefinitionKey": Instance.process_key,
}  # fmt: skip


def past_incidents(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """What has failed, resolved or not. One query. Raises NotAllowed."""
    query = _all_incidents(actor).where(*listing.conditions(_PAST_FILTERS, asked))
    return listing.fetch(session, query, PAST_INCIDENT_SORTS, Incident.id, cut)


def count_past_incidents(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How much that is. One query. Raises NotAllowed."""
    return listing.count(session, _all_incidents(actor).where(*listing.conditions(_PAST_FILTERS, asked)).with_only_columns(Incident.id))
