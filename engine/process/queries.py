"""Reads for lists: the inbox, the board, cases, notices, incidents. Finished frozen values; nothing loads lazily.

The inbox costs two queries whatever its size: the top page per post is taken from a partial index and the pages are merged
(`WHERE post IN (…) ORDER BY … LIMIT` would sort a hundred thousand rows). No exact totals: counts are capped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, case, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.posts import POSTS
from engine.people.tables import Account, Unit
from engine.process.editions import calendar_of, edition_at
from engine.process.lights import Light, days_left, light_of, passed
from engine.process.newest import newest_cases
from engine.process.paging import PAGE, PAGE_MAX, Page, make_page, read_cursor, read_id_cursor, write_cursor
from engine.process.tables import Definition, Heartbeat, Incident, Instance, Notice, Task

Tab = Literal["mine", "posts", "done", "started"]
TABS: tuple[Tab, ...] = ("mine", "posts", "done", "started")
#: A query of whatever columns.
AnySelect = Select[*tuple[Any, ...]]
#: Counts stop here; the page shows one less with a plus sign.
COUNT_CAP = 100


@dataclass(frozen=True, slots=True)
class InboxLine:
    """One task in a list."""

    task_id: int
    instance_id: int
    number: str
    case_title: str
    process_key: str
    process_name: str
    step_name: str
    unit_name: str
    post_label: str
    assignee: str | None
    state: str
    opened_at: datetime
    completed_at: datetime | None
    due_at: datetime | None
    due_day: date | None
    working_days_left: int | None
    light: Light
    provisional: bool
    late: bool


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
class NoticeLine:
    id: int
    instance_id: int | None
    title: str
    text: str
    created_at: datetime
    read: bool


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


def _now(session: Session) -> datetime:
    moment: datetime = session.info["store"].clock.now()
    return moment


# -- the inbox --------------------------------------------------------------------------------


def inbox(session: Session, actor: Actor, tab: Tab, *, after: str | None = None, limit: int = PAGE) -> Page[InboxLine]:
    """One page of a tab of the actor's inbox, most urgent first (done: newest first). Raises Invalid for a bad cursor."""
    limit = max(1, min(limit, PAGE_MAX))
    if tab == "done":
        return _done(session, actor, after, limit)
    if tab == "started":
        raise ValueError("the tab “started” lists cases: see `cases`")
    held, names = _whose(actor)
    posts = None if tab == "mine" else held
    if posts == 0:
        return Page([], None)
    names["most"] = limit + 1
    if after is not None:
        names["moment"], names["last"] = read_cursor(after)
    rows = session.execute(_first_lines(posts, after is not None), names).all()
    return _inbox_page(session, rows, limit, lambda row: write_cursor(row.sort_at, row.id))


def _whose(actor: Actor) -> tuple[int, dict[str, Any]]:
    """How many posts give the actor tasks, and the names of `_branches` for them."""
    pairs = sorted(permissions.case_scope(actor).pairs)
    names: dict[str, Any] = {"account": actor.account_id}
    for place, (unit_id, post) in enumerate(pairs):
        names |= {f"unit_{place}": unit_id, f"post_{place}": post}
    return len(pairs), names


# The inbox's statements are built once for each number of posts: for six posts that takes ten times as long as the answer.


def _branches(posts: int | None) -> list[AnySelect]:
    """The open tasks of each post that nobody has claimed; for None, those that `account` has."""
    tasks = select(Task.id, Task.sort_at).where(Task.state == "open")
    if posts is None:
        return [tasks.where(Task.assignee_id == bindparam("account"))]
    return [
        tasks.where(
            Task.assignee_id.is_(None), Task.unit_id == bindparam(f"unit_{place}"), Task.post == bindparam(f"post_{place}")
        )
        for place in range(posts)
    ]


@lru_cache(maxsize=64)
def _first_lines(posts: int | None, onward: bool) -> AnySelect:
    """The first `most` tasks over all branches, each branch read in index order; `onward` behind (`moment`, `last`)."""
    tops = []
    for branch in _branches(posts):
        if onward:
            behind = tuple_(bindparam("moment", type_=Task.sort_at.type), bindparam("last", type_=Task.id.type))
            branch = branch.where(tuple_(Task.sort_at, Task.id) > behind)
        top = branch.order_by(Task.sort_at, Task.id).limit(bindparam("most")).subquery()
        tops.append(select(top.c.id, top.c.sort_at))
    found = union_all(*tops).subquery()
    first = select(found.c.id).order_by(found.c.sort_at, found.c.id).limit(bindparam("most")).subquery()
    return _line_columns().join(first, first.c.id == Task.id).order_by(Task.sort_at, Task.id)


def _line_columns() -> AnySelect:
    assignee = aliased(Account)
    return (
        select(
            Task.id, Task.instance_id, Task.number, Task.title, Task.process_key, Task.process_name, Task.name, Task.post,
            Task.state, Task.opened_at, Task.completed_at, Task.due_at, Task.due_day, Task.warn_at, Task.paused,
            Task.unit_id, Task.provisional, Task.late, Task.sort_at, Unit.name.label("unit_name"), assignee.name.label("assignee"),
        )
        .join(Unit, Unit.id == Task.unit_id)
        .outerjoin(assignee, assignee.id == Task.assignee_id)
    )


def _done(session: Session, actor: Actor, after: str | None, limit: int) -> Page[InboxLine]:
    query = _line_columns().where(Task.state == "done", Task.completed_by == actor.account_id)
    if after is not None:
        moment, last = read_cursor(after)
        query = query.where(tuple_(Task.completed_at, Task.id) < tuple_(literal(moment, Task.sort_at.type), literal(last)))
    rows = session.execute(query.order_by(Task.completed_at.desc(), Task.id.desc()).limit(limit + 1)).all()
    return _inbox_page(session, rows, limit, lambda row: write_cursor(row.completed_at, row.id))


def _inbox_page(session: Session, rows: Sequence[Any], limit: int, cursor: Any) -> Page[InboxLine]:
    now = _now(session)

    def line(row: Any) -> InboxLine:
        is_open = row.state == "open"
        edition = edition_at(session, now, calendar_of(session, row.unit_id))
        return InboxLine(
            task_id=row.id, instance_id=row.instance_id, number=row.number, case_title=row.title, process_key=row.process_key,
            process_name=row.process_name, step_name=row.name, unit_name=row.unit_name,
            post_label=POSTS[row.post].label if row.post in POSTS else row.post, assignee=row.assignee, state=row.state,
            opened_at=row.opened_at, completed_at=row.completed_at, due_at=row.due_at, due_day=row.due_day,
            working_days_left=days_left(now, row.due_day, edition) if is_open else None,
            light=light_of(now, due_at=row.due_at, warn_at=row.warn_at, paused=row.paused, open_=is_open, late=row.late),
            provisional=row.provisional and is_open and not passed(now, row.due_at), late=row.late,
        )

    return make_page(rows, limit, line, cursor)


def inbox_counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many lines the tabs “mine” and “posts” have, and unread notices; each at most COUNT_CAP. One query."""
    posts, names = _whose(actor)
    return {"posts": 0, **session.execute(_counts(posts), names).one()._asdict()}


@lru_cache(maxsize=64)
def _counts(posts: int) -> AnySelect:
    def capped(query: AnySelect) -> Any:
        return select(func.count()).select_from(query.limit(COUNT_CAP).subquery()).scalar_subquery()

    unread = select(literal(1)).where(Notice.account_id == bindparam("account"), Notice.read_at.is_(None))
    parts = {"mine": capped(_branches(None)[0]), "notices": capped(unread)}
    if posts:
        pooled = [select(branch.limit(COUNT_CAP).subquery().c.id) for branch in _branches(posts)]
        parts["posts"] = capped(select(union_all(*pooled).subquery().c.id))
    return select(*(column.label(name) for name, column in parts.items()))


# -- the supervisor's lists -------------------------------------------------------------------


def board(session: Session, actor: Actor) -> list[BoardLine]:
    """Open, due soon and overdue tasks by unit and process. Raises NotAllowed unless the actor supervises."""
    permissions.require(actor, "supervise")
    now = _now(session)
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
    limit, now = max(1, min(limit, PAGE_MAX)), _now(session)
    query = _line_columns().where(Task.state == "open")
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
    return _inbox_page(session, rows, limit, lambda row: write_cursor(row.sort_at, row.id))


def cases(
    session: Session, actor: Actor, *, state: str | None = None, process_key: str | None = None, subject_key: str | None = None,
    started_by_me: bool = False, text: str = "", after: str | None = None, limit: int = PAGE,
) -> Page[CaseLine]:
    """Cases that the actor may see, newest first. `text` is looked for in number and title."""
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


def notices(session: Session, actor: Actor, *, after: str | None = None, limit: int = PAGE) -> Page[NoticeLine]:
    """The actor's notices, newest first."""
    limit = max(1, min(limit, PAGE_MAX))
    query = select(Notice).where(Notice.account_id == actor.account_id)
    if after is not None:
        query = query.where(Notice.id < read_id_cursor(after))
    rows = session.scalars(query.order_by(Notice.id.desc()).limit(limit + 1)).all()
    return make_page(
        rows, limit,
        lambda row: NoticeLine(row.id, row.instance_id, row.title, row.text, row.created_at, row.read_at is not None),
        lambda row: str(row.id),
    )


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
