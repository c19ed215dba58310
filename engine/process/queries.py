"""Reads for lists: the board, cases, incidents. Finished frozen values; nothing loads lazily. (`inbox`: its own lists.)"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, case, func, literal, select, tuple_
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.inbox import InboxLine, line_columns, lines_page, now_of
from engine.process.newest import newest_cases
from engine.process.paging import PAGE, PAGE_MAX, Page, make_page, read_cursor, read_id_cursor, write_cursor
from engine.process.tables import Definition, Heartbeat, Incident, Instance, Task


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list."""

    instance_id: int
    number: str
    title: str
    process_key: str
    process_name: str
    state: str
    outcome_name: str | None
    unit_name: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class BoardLine:
    """Open tasks of one unit in one process: all, due soon, overdue."""

    unit_id: int
    unit_name: str
    process_key: str
    process_name: str
    open: int
    due_soon: int
    overdue: int


@dataclass(frozen=True, slots=True)
class IncidentLine:
    id: int
    instance_id: int
    number: str
    error: str
    detail: str
    opened_at: datetime
    failed_at: datetime
    attempts: int
    timer_id: int | None
    task_id: int | None


# -- the supervisor's lists -------------------------------------------------------------------


def board(session: Session, actor: Actor) -> list[BoardLine]:
    """Open, due soon and overdue tasks by unit and process. Raises NotAllowed unless the actor supervises."""
    permissions.require(actor, "supervise")
    now = now_of(session)
    late = case((Task.sort_at <= now, 1), else_=0)
    soon = case((and_(Task.sort_at > now, Task.warn_at <= now), 1), else_=0)
    grouped = (
        select(Task.unit_id, Task.process_key, func.count().label("open"), func.sum(soon).label("soon"),
               func.sum(late).label("late"))
        .where(Task.state == "open").group_by(Task.unit_id, Task.process_key).subquery()
    )
    rows = session.execute(
        select(grouped, Unit.name).join(Unit, Unit.id == grouped.c.unit_id)
        .order_by(grouped.c.late.desc(), grouped.c.soon.desc(), Unit.code, grouped.c.process_key)
    ).all()
    names = process_names(session)
    return [
        BoardLine(row.unit_id, row.name, row.process_key, names.get(row.process_key, row.process_key), row.open,
                  int(row.soon), int(row.late))
        for row in rows
    ]


def process_names(session: Session) -> dict[str, str]:
    """Process key → the name of its newest version."""
    rows = session.execute(select(Definition.key, Definition.name).order_by(Definition.key, Definition.version))
    return {key: name for key, name in rows}


def open_tasks(
    session: Session, actor: Actor, *, unit_id: int | None = None, process_key: str | None = None,
    light: Literal["yellow", "red"] | None = None, after: str | None = None, limit: int = PAGE,
) -> Page[InboxLine]:
    """The open tasks behind a number of the board, most urgent first. Raises NotAllowed unless the actor supervises."""
    permissions.require(actor, "supervise")
    limit, now = max(1, min(limit, PAGE_MAX)), now_of(session)
    query = line_columns().where(Task.state == "open")
    if unit_id is not None:
        query = query.where(Task.unit_id == unit_id)
    if process_key is not None:
        query = query.where(Task.process_key == process_key)
    if light == "red":
        query = query.where(Task.sort_at <= now)
    elif light == "yellow":
        query = query.where(Task.sort_at > now, Task.warn_at <= now)
    if after is not None:
        moment, last = read_cursor(after)
        query = query.where(tuple_(Task.sort_at, Task.id) > tuple_(literal(moment, Task.sort_at.type), literal(last)))
    rows = session.execute(query.order_by(Task.sort_at, Task.id).limit(limit + 1)).all()
    return lines_page(session, rows, limit, lambda row: write_cursor(row.sort_at, row.id))


def cases(
    session: Session, actor: Actor, *, state: str | None = None, process_key: str | None = None, subject_key: str | None = None,
    started_by_me: bool = False, text: str = "", after: str | None = None, limit: int = PAGE,
) -> Page[CaseLine]:
    """Cases that the actor may see, newest first. `text`: as `newest_cases` takes it."""
    limit = max(1, min(limit, PAGE_MAX))
    asked = {
        "state": state, "process_key": process_key, "subject_key": subject_key, "text": text.strip()[:100],
        "after": None if after is None else read_id_cursor(after),
    }
    rows = newest_cases(session, actor, asked, own=started_by_me, most=limit + 1)
    names = process_names(session)
    return make_page(
        rows, limit,
        lambda row: CaseLine(row.id, row.number, row.title, row.process_key, names.get(row.process_key, row.process_key),
                             row.state, row.outcome_name, row.unit_name, row.started_at, row.ended_at),
        lambda row: str(row.id),
    )


# -- notices and incidents --------------------------------------------------------------------


def incidents(session: Session, actor: Actor, *, limit: int = PAGE_MAX) -> list[IncidentLine]:
    """Open incidents, newest failure first. Raises NotAllowed unless the actor operates the system."""
    permissions.require(actor, "operate")
    rows = session.execute(
        select(Incident, Instance.number).join(Instance, Instance.id == Incident.instance_id)
        .where(Incident.resolved_at.is_(None)).order_by(Incident.failed_at.desc()).limit(limit)
    ).all()
    return [
        IncidentLine(i.id, i.instance_id, number, i.error, i.detail, i.opened_at, i.failed_at, i.attempts, i.timer_id, i.task_id)
        for i, number in rows
    ]


def heartbeats(session: Session) -> list[tuple[str, datetime]]:
    """When each worker last beat, the latest first."""
    rows = session.execute(select(Heartbeat.worker, Heartbeat.beat_at).order_by(Heartbeat.beat_at.desc()))
    return [(worker, beat_at) for worker, beat_at in rows]
