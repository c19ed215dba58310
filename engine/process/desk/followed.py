"""Cases that somebody follows without having to act: those that they started, and those that were copied to them 抄送.

Each line says where its case lies now: the most urgent of its open tasks, found for the whole page by one query. What is asked
of light and deadline is asked of an open task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Account, Unit
from engine.process.desk.tables import Copy
from engine.process.filtering import NOTHING, Asked, Shape, of_case
from engine.process.inbox import AnySelect, InboxLine, line_columns, line_of, now_of
from engine.process.paging import PAGE, PAGE_MAX, Page, make_page, read_id_cursor
from engine.process.tables import Definition, Instance, Task


@dataclass(frozen=True, slots=True)
class FollowedLine:
    """One case."""

    instance_id: int
    number: str
    title: str
    process_name: str
    state: str
    outcome_name: str | None
    unit_name: str | None
    started_at: datetime
    ended_at: datetime | None
    task: InboxLine | None
    """The most urgent of its open tasks."""
    others: int
    """How many more are open."""


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One copy of a case."""

    id: int
    sender: str
    note: str
    sent_at: datetime
    read_at: datetime | None
    remark: str | None
    case: FollowedLine


def started(session: Session, actor: Actor, asked: Asked = NOTHING, *, after: str | None = None, limit: int = PAGE) -> Page[FollowedLine]:
    """The cases that the actor has started, newest first. Two queries. Raises Invalid for a bad cursor."""
    limit = max(1, min(limit, PAGE_MAX))
    rows = _rows(session, _started(asked.shape, after is not None), actor, asked, after, limit)
    cases = _cases(session, rows[:limit])
    return make_page(rows, limit, lambda row: cases[row.instance_id], lambda row: str(row.id))


def copies(session: Session, actor: Actor, asked: Asked = NOTHING, *, after: str | None = None, limit: int = PAGE) -> Page[CopyLine]:
    """What was copied to the actor, newest first. Two queries. Raises Invalid for a bad cursor.

    A copy gives no right: who holds no post any more by which cases are seen finds none.
    """
    limit, scope = max(1, min(limit, PAGE_MAX)), permissions.case_scope(actor)
    if scope.account_id == permissions.NOBODY and not scope.all and not scope.escalated:
        return Page([], None)
    rows = _rows(session, _copies(asked.shape, after is not None), actor, asked, after, limit)
    cases = _cases(session, rows[:limit])
    return make_page(
        rows, limit,
        lambda row: CopyLine(row.id, row.sender, row.note, row.sent_at, row.read_at, row.remark, cases[row.instance_id]),
        lambda row: str(row.id),
    )


def _rows(session: Session, query: AnySelect, actor: Actor, asked: Asked, after: str | None, limit: int) -> Sequence[Any]:
    names = {**asked.names(now_of(session)), "account": actor.account_id, "most": limit + 1}
    if after is not None:
        names["last"] = read_id_cursor(after)
    return session.execute(query, names).all()


_CASE = (Instance.id.label("instance_id"), Instance.number, Instance.title, Instance.state, Instance.outcome_name, Instance.started_at,
         Instance.ended_at, Definition.name.label("process_name"), Unit.name.label("unit_name"))


@lru_cache(maxsize=128)
def _started(shape: Shape, onward: bool) -> AnySelect:
    query = select(Instance.id, *_CASE).where(Instance.starter_id == bindparam("account"), *of_case(shape, lies_at=True))
    if onward:
        query = query.where(Instance.id < bindparam("last"))
    return _joined(query).order_by(Instance.id.desc()).limit(bindparam("most"))


@lru_cache(maxsize=128)
def _copies(shape: Shape, onward: bool) -> AnySelect:
    sender = aliased(Account)
    query = (
        select(Copy.id, Copy.note, Copy.sent_at, Copy.read_at, Copy.remark, sender.name.label("sender"), *_CASE)
        .join(Instance, Instance.id == Copy.instance_id).join(sender, sender.id == Copy.sent_by)
        .where(Copy.account_id == bindparam("account"), *of_case(shape, lies_at=False))
    )
    if shape.unread:
        query = query.where(Copy.read_at.is_(None))
    if onward:
        query = query.where(Copy.id < bindparam("last"))
    return _joined(query).order_by(Copy.id.desc()).limit(bindparam("most"))


def _joined(query: AnySelect) -> AnySelect:
    return query.join(Definition, Definition.id == Instance.definition_id).outerjoin(Unit, Unit.id == Instance.unit_id)


_WHERE = (
    line_columns().where(Task.state == "open", Task.instance_id.in_(bindparam("cases", expanding=True))).order_by(Task.sort_at, Task.id)
)


def _cases(session: Session, rows: Sequence[Any]) -> dict[int, FollowedLine]:
    """The cases of a page's rows, by id. One query; none where no case is open."""
    open_tasks: dict[int, list[InboxLine]] = {}
    wanted = sorted({row.instance_id for row in rows if row.ended_at is None})
    if wanted:
        line = line_of(session)
        for task in session.execute(_WHERE, {"cases": wanted}):
            open_tasks.setdefault(task.instance_id, []).append(line(task))
    found = {}
    for row in rows:
        tasks = open_tasks.get(row.instance_id, [])
        found[row.instance_id] = FollowedLine(
            row.instance_id, row.number, row.title, row.process_name, row.state, row.outcome_name, row.unit_name, row.started_at,
            row.ended_at, tasks[0] if tasks else None, max(0, len(tasks) - 1),
        )
    return found
