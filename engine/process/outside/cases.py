"""Cases as other programs ask for them: process instances, running or of the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from engine.people.actor import Actor
from engine.people.tables import Account, Unit
from engine.process.event_tables import Subscription
from engine.process.outside import variables
from engine.process.outside.keys import keyed
from engine.process.outside.listing import (
    Condition, Cut, Filter, Listed, Rows, after, among, any_of, before, conditions, definition, ident, idents, like, not_among, nothing,
    number, same, when,
)  # fmt: skip
from engine.process.outside.seen import seen, sees_many
from engine.process.outside.upkeep import of_type
from engine.process.tables import Definition, ExternalTask, Incident, Instance, Task, Timer
from engine.store.errors import NotFound

_child, _version = aliased(Instance), aliased(Definition)
_SELECTIVE = frozenset({"processInstanceId", "processInstanceIds", "businessKey", "businessKeyIn", "superProcessInstance", "subProcessInstance"})


def _at_step(steps: list[str]) -> ColumnElement[bool]:
    return exists().where(Task.instance_id == Instance.id, Task.state == "open", Task.step.in_(steps))


def _parent_of(text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = Instance.id == select(_child.parent_id).where(_child.id == number(text)).scalar_subquery()
    return found


def _named(by: Callable[[Any], Filter]) -> Filter:
    """Versions are few: they are looked through once, and not joined to every case."""

    def condition(value: Any) -> Condition:
        named = by(_version.name)(value)
        assert named is not None
        return Instance.definition_id.in_(select(_version.id).where(named))

    return condition


_failing = Instance.id.in_(select(Incident.instance_id).where(Incident.resolved_at.is_(None)))


def _failed(of: Filter) -> Filter:
    """Cases with an open incident that passes a filter of incidents."""

    def condition(value: Any) -> ColumnElement[bool]:
        passes = of(value)
        return _failing if passes is None else exists().where(Incident.instance_id == Instance.id, Incident.resolved_at.is_(None), passes)

    return condition


_COMMON: Mapping[str, Filter] = {
    "processInstanceIds": idents(Instance.id), "businessKey": keyed(same), "businessKeyLike": keyed(like),
    "processDefinitionId": definition(Instance.definition_id), "processDefinitionKey": same(Instance.process_key),
    "processDefinitionKeyIn": among(Instance.process_key), "processDefinitionKeyNotIn": not_among(Instance.process_key),
    "active": when(Instance.state == "running"), "suspended": when(Instance.state == "suspended"),
    "rootProcessInstances": when(Instance.parent_id.is_(None)), "variables": variables.holds, "incidentType": _failed(of_type),
    "incidentMessage": _failed(same(Incident.error)), "incidentMessageLike": _failed(like(Incident.error)),
}  # fmt: skip

FILTERS: Mapping[str, Filter] = {
    **_COMMON,
    "processInstanceIdNotIn": lambda values: Instance.id.not_in([number(value) for value in values]),
    "deploymentId": ident(Instance.definition_id), "superProcessInstance": ident(Instance.parent_id), "subProcessInstance": _parent_of,
    "withIncident": when(_failing), "incidentId": _failed(ident(Incident.id)), "leafProcessInstances": when(~exists().where(_child.parent_id == Instance.id)), "activityIdIn": _at_step,
}  # fmt: skip


def _at(step: str) -> ColumnElement[bool]:
    """The case waits at a step: with a task, with a worker outside, for a moment, a message or a signal."""
    return or_(
        exists().where(Subscription.instance_id == Instance.id, Subscription.step == step),
        exists().where(Task.instance_id == Instance.id, Task.state == "open", Task.step == step),
        exists().where(ExternalTask.instance_id == Instance.id, ExternalTask.state == "waiting", ExternalTask.step == step),
        exists().where(Timer.instance_id == Instance.id, Timer.state.in_(("waiting", "paused")), Timer.kind == "machine",
                       Timer.activity.is_(None), Timer.element == step),
    )  # fmt: skip


def _awaits(kind: str) -> Filter:
    """The case runs and waits for a message or a signal of that name."""
    return lambda name: (Instance.state == "running") & exists().where(
        Subscription.instance_id == Instance.id, Subscription.kind == kind, Subscription.name == name
    )  # fmt: skip


#: An execution is a running case; of the filters, those that ask for it.
EXECUTION_FILTERS: Mapping[str, Filter] = {
    **{name: FILTERS[name] for name in ("businessKey", "processDefinitionId", "processDefinitionKey", "active", "suspended",
                                        "incidentId", "incidentType", "incidentMessage", "incidentMessageLike")},
    "processInstanceId": ident(Instance.id), "activityId": _at, "processVariables": variables.holds,
    "messageEventSubscriptionName": _awaits("message"), "signalEventSubscriptionName": _awaits("signal"),
}  # fmt: skip

SORTS: Mapping[str, Any] = {
    "instanceId": Instance.id, "definitionId": Instance.definition_id, "definitionKey": Instance.process_key, "businessKey": Instance.number,
}  # fmt: skip

_starter = aliased(Account)

PAST_FILTERS: Mapping[str, Filter] = {
    **_COMMON,
    "processInstanceId": ident(Instance.id), "processInstanceBusinessKey": keyed(same),
    "processInstanceBusinessKeyIn": keyed(among), "processInstanceBusinessKeyLike": keyed(like),
    "processDefinitionName": _named(same), "processDefinitionNameLike": _named(like), "startedBefore": before(Instance.started_at),
    "startedAfter": after(Instance.started_at), "finishedBefore": before(Instance.ended_at), "finishedAfter": after(Instance.ended_at),
    "startedBy": same(_starter.login), "finished": when(Instance.ended_at.is_not(None)), "unfinished": when(Instance.ended_at.is_(None)),
    "completed": when(Instance.state == "completed"), "externallyTerminated": when(Instance.state == "terminated"),
    "superProcessInstanceId": ident(Instance.parent_id), "subProcessInstanceId": _parent_of, "withIncidents": when(_failing), "withRootIncidents": when(_failing),
    "incidentStatus": lambda status: exists().where(
        Incident.instance_id == Instance.id, Incident.resolved_at.is_(None) if status == "open" else Incident.resolved_at.is_not(None)
    ), "internallyTerminated": nothing, "activeActivityIdIn": _at_step,
}  # fmt: skip

PAST_SORTS: Mapping[str, Any] = {
    "instanceId": Instance.id, "definitionId": Instance.definition_id, "businessKey": Instance.number, "startTime": Instance.started_at,
    "endTime": func.coalesce(Instance.ended_at, Instance.started_at), "definitionKey": Instance.process_key, "definitionName": Definition.name,
}  # fmt: skip


ROWS = Rows(Instance.id, (
    Instance.id, Instance.number, Instance.business_key, Instance.title, Instance.state, Instance.process_key, Instance.definition_id, Instance.parent_id,
    Instance.started_at, Instance.ended_at, Instance.removal_at, Instance.outcome, Instance.outcome_name, Instance.revision, Definition.version,
    Definition.name.label("process_name"), Unit.code.label("unit_code"), _starter.login.label("starter"),
), (
    (Definition, Definition.id == Instance.definition_id), (Unit, Unit.id == Instance.unit_id), (_starter, _starter.id == Instance.starter_id),
))  # fmt: skip


def _asked(
    session: Session, actor: Actor, asked: Mapping[str, Any], filters: Mapping[str, Filter], *, counted: bool = False
) -> list[Condition]:
    asked = dict(asked)
    either = any_of(filters, asked.pop("orQueries", []))
    few = bool(_SELECTIVE & asked.keys()) or (not counted and sees_many(session, actor))
    return [seen(actor, Instance.id, few=few), *conditions(filters, asked), *([] if either is None else [either])]


def _open(
    session: Session, actor: Actor, asked: Mapping[str, Any], filters: Mapping[str, Filter] = FILTERS, *, counted: bool = False
) -> list[Condition]:
    # Each of the states says that the case has not ended, and has an index of its own.
    going = [] if asked.get("active") or asked.get("suspended") else [Instance.ended_at.is_(None)]
    return [*going, *_asked(session, actor, asked, filters, counted=counted)]


def _past(session: Session, actor: Actor, asked: Mapping[str, Any], *, counted: bool = False) -> list[Condition]:
    return [Instance.removed_at.is_(None), *_asked(session, actor, asked, PAST_FILTERS, counted=counted)]


def open_cases(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Running and suspended cases that the actor may see. One query."""
    return ROWS.page(session, _open(session, actor, asked), SORTS, cut)


def count_open(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return ROWS.number(session, _open(session, actor, asked, counted=True))


def executions(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Executions of cases that the actor may see: the running cases themselves. One query."""
    return ROWS.page(session, _open(session, actor, asked, EXECUTION_FILTERS), SORTS, cut)


def count_executions(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return ROWS.number(session, _open(session, actor, asked, EXECUTION_FILTERS, counted=True))


def past_cases(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Cases in whatever state that the actor may see. One query."""
    return ROWS.page(session, _past(session, actor, asked), PAST_SORTS, cut)


def count_past(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return ROWS.number(session, _past(session, actor, asked, counted=True))


def one_case(session: Session, instance_id: int) -> Any:
    """One case in whatever state, whoever may see it: the caller asks. Raises NotFound. One query."""
    row = session.execute(ROWS.columns().where(Instance.id == instance_id, Instance.removed_at.is_(None))).first()
    if row is None:
        raise NotFound(f"No matching process instance with id {instance_id}")
    return row


@dataclass(frozen=True, slots=True)
class Data:
    """The data of a case, with the version whose forms give them their meaning."""

    variables: Mapping[str, Any]
    definition_id: int
    revision: int


def data_of(session: Session, instance_id: int) -> Data:
    """The data of a case. Raises NotFound. One query."""
    row = session.execute(select(Instance.variables, Instance.definition_id, Instance.revision).where(Instance.id == instance_id)).first()
    if row is None:
        raise NotFound(f"No matching process instance with id {instance_id}")
    return Data(*row)
