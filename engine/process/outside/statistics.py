"""How many cases stand where, for other programs: by version, by step of a version; and how long they took. Only what the actor may see counts.

Steps are counted from the rows that wait: tasks, external tasks, and the moments, messages and signals that a step waits for. A step that
waits for another case has no row of its own, and is not counted; what waits beside an activity is no step of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, func, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from engine.people.actor import Actor
from engine.people.permissions import may, require
from engine.process.event_tables import Subscription
from engine.process.incidents import MOST_ATTEMPTS
from engine.process.outside.listing import Filter, after, among, before, conditions, definition_number
from engine.process.outside.seen import seen
from engine.process.outside.upkeep import INCIDENT_TYPE
from engine.process.outside.versions import all_definitions
from engine.process.tables import OPEN_STATES, ExternalTask, Incident, Instance, Task, Timer


@dataclass(slots=True)
class Standing:
    """What goes on in a version, or at a step."""

    instances: int = 0
    failed: int = 0
    """Timers that have no try left."""
    incidents: dict[str, int] = field(default_factory=dict)
    """Kind → how many are open."""


def by_version(session: Session, actor: Actor, *, failed: bool, incidents: bool) -> list[tuple[Any, Standing]]:
    """Every version, the newest last, with its running cases. Two queries, and one each for failed jobs and incidents.

    Raises NotAllowed where incidents are asked for by somebody who does not operate.
    """
    found = {row.id: (row, Standing()) for row in all_definitions(session)}
    counts = select(Instance.definition_id, func.count()).where(*_running(actor)).group_by(Instance.definition_id)
    for definition_id, number in session.execute(counts):
        found[definition_id][1].instances = number
    for definition_id, number in session.execute(_failed(actor, Instance.definition_id)) if failed else ():
        found[definition_id][1].failed = number
    for definition_id, kind, number in session.execute(_incidents(actor, Instance.definition_id)) if incidents else ():
        found[definition_id][1].incidents[kind] = number
    return list(found.values())


def by_step(session: Session, actor: Actor, definition_id: int, *, failed: bool, incidents: bool) -> dict[str, Standing]:
    """Where the running cases of a version stand, by element. One query, and one each for failed jobs and incidents. Raises as `by_version`."""
    this = Instance.definition_id == definition_id
    waits = union_all(
        *(
            select(step.label("step"), func.count().label("number")).join(Instance, Instance.id == of.instance_id)
            .where(*_running(actor), this, *more).group_by(step)
            for of, step, more in (
                (Task, Task.step, (Task.state == "open", Task.main_id.is_(None))),
                (ExternalTask, ExternalTask.step, (ExternalTask.state == "waiting",)),
                (Subscription, Subscription.step, (Subscription.kind.in_(("message", "signal")), Subscription.activity.is_(None))),
                (Timer, Timer.element, (Timer.state.in_(("waiting", "paused")), Timer.kind == "machine", Timer.activity.is_(None))),
            )
        )
    )  # fmt: skip
    found: dict[str, Standing] = {}
    for step, number in session.execute(waits):
        found.setdefault(step, Standing()).instances += number
    for step, number in session.execute(_failed(actor, Timer.element).where(this)) if failed else ():
        found.setdefault(step, Standing()).failed = number
    if incidents:
        element = func.coalesce(Timer.element, ExternalTask.step, Task.step)
        joined = (
            _incidents(actor, element).where(this).outerjoin(Timer, Timer.id == Incident.timer_id)
            .outerjoin(ExternalTask, ExternalTask.id == Incident.external_id).outerjoin(Task, Task.id == Incident.task_id)
        )  # fmt: skip
        for name, kind, number in session.execute(joined):
            if name is not None:
                found.setdefault(name, Standing()).incidents[kind] = number
    return found


def _running(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Open cases that the actor may see; who operates the system counts all."""
    open_ = Instance.state.in_(OPEN_STATES)
    return (open_,) if may(actor, "operate") else (open_, seen(actor, Instance.id))


def _failed(actor: Actor, by: Any) -> Any:
    return (
        select(by, func.count()).select_from(Timer).join(Instance, Instance.id == Timer.instance_id)
        .where(*_running(actor), Timer.state == "waiting", Timer.attempts >= MOST_ATTEMPTS).group_by(by)
    )  # fmt: skip


def _incidents(actor: Actor, by: Any) -> Any:
    require(actor, "operate")
    kind = INCIDENT_TYPE.label("incident_type")
    return (
        select(by, kind, func.count()).select_from(Incident).join(Instance, Instance.id == Incident.instance_id)
        .where(*_running(actor), Incident.resolved_at.is_(None)).group_by(by, "incident_type")
    )  # fmt: skip


# -- the record -------------------------------------------------------------------------------


@dataclass(slots=True)
class Passed:
    """How often a step was come to."""

    instances: int = 0
    """That it is come to now."""
    finished: int = 0
    """That it was done, or withdrawn: that it is over."""
    canceled: int = 0


def passed_by_step(session: Session, actor: Actor, definition_id: int, spans: Mapping[str, datetime]) -> dict[str, Passed]:
    """How often the tasks and external tasks of a version's cases were come to, by step. One query.

    `spans`: startedAfter, startedBefore, finishedAfter, finishedBefore of the cases.
    """
    columns = {"started": Instance.started_at, "finished": Instance.ended_at}
    within = [
        columns[name.removesuffix("After")] >= at if name.endswith("After") else columns[name.removesuffix("Before")] <= at for name, at in spans.items()
    ]
    parts = [
        select(of.step.label("step"), of.state.label("state"), func.count().label("number"))
        .join(Instance, Instance.id == of.instance_id)
        .where(Instance.definition_id == definition_id, Instance.removed_at.is_(None), seen(actor, Instance.id), *within, *more).group_by(of.step, of.state)
        for of, more in ((Task, (Task.main_id.is_(None),)), (ExternalTask, ()))
    ]  # fmt: skip
    found: dict[str, Passed] = {}
    for step, state, number in session.execute(union_all(*parts)):
        line = found.setdefault(step, Passed())
        if state in ("open", "waiting"):
            line.instances += number
        else:
            line.finished += number
            line.canceled += number if state == "cancelled" else 0
    return found


# -- how long cases took ----------------------------------------------------------------------


class _Millis(FunctionElement[float]):
    """From one instant to another, in milliseconds, in the words of the database."""

    type = Float()
    inherit_cache = True
    name = "millis_between"


@compiles(_Millis, "postgresql")
def _millis_on_postgresql(element: _Millis, compiler: Any, **more: Any) -> str:
    since, until = (compiler.process(clause, **more) for clause in element.clauses)
    return f"(extract(epoch from ({until} - {since})) * 1000)"


@compiles(_Millis, "sqlite")
def _millis_on_sqlite(element: _Millis, compiler: Any, **more: Any) -> str:
    since, until = (compiler.process(clause, **more) for clause in element.clauses)
    return f"((julianday({until}) - julianday({since})) * 86400000.0)"


class _Month(FunctionElement[int]):
    """The month of an instant in Shanghai, 1 to 12, in the words of the database."""

    type = Integer()
    inherit_cache = True
    name = "month_in_shanghai"


@compiles(_Month, "postgresql")
def _month_on_postgresql(element: _Month, compiler: Any, **more: Any) -> str:
    return f"CAST(extract(month from ({compiler.process(element.clauses, **more)} AT TIME ZONE 'Asia/Shanghai')) AS INTEGER)"


@compiles(_Month, "sqlite")
def _month_on_sqlite(element: _Month, compiler: Any, **more: Any) -> str:
    return f"CAST(strftime('%m', {compiler.process(element.clauses, **more)}, '+8 hours') AS INTEGER)"


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the cases took that were started in a month or a quarter of any year; milliseconds."""

    period: int
    least: int
    most: int
    average: int


def durations(session: Session, actor: Actor, asked: Mapping[str, Any], *, quarters: bool) -> list[Durations]:
    """How long the cases took that have ended and that the actor may see, by the month (or quarter) in which they were started. One query.

    `asked`: processDefinitionIdIn, processDefinitionKeyIn, startedAfter, startedBefore.
    """
    month, took = _Month(Instance.started_at).label("month"), _Millis(Instance.started_at, Instance.ended_at)
    rows = session.execute(
        select(month, func.min(took), func.max(took), func.sum(took), func.count())
        .where(Instance.ended_at.is_not(None), Instance.removed_at.is_(None), seen(actor, Instance.id), *conditions(_ENDED, asked)).group_by("month")
    ).all()  # fmt: skip
    found: dict[int, list[Any]] = {}
    for number, least, most, total, count in rows:
        found.setdefault((number + 2) // 3 if quarters else number, []).append((least, most, total, count))
    return [
        Durations(period, round(min(part[0] for part in parts)), round(max(part[1] for part in parts)),
                  round(sum(part[2] for part in parts) / sum(part[3] for part in parts)))
        for period, parts in sorted(found.items())
    ]  # fmt: skip


_ENDED: Mapping[str, Filter] = {
    "processDefinitionIdIn": lambda values: Instance.definition_id.in_([definition_number(value) for value in values]),
    "processDefinitionKeyIn": among(Instance.process_key), "startedAfter": after(Instance.started_at), "startedBefore": before(Instance.started_at),
}  # fmt: skip
