"""The inbox 待办: what waits for a person and for their posts, and what they have done. Finished frozen values.

The inbox costs two queries whatever its size: the top page per post is taken from a partial index and the pages are merged
(`WHERE post IN (…) ORDER BY … LIMIT` would sort a hundred thousand rows). No exact totals: counts are capped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Select, bindparam, literal, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.posts import POSTS
from engine.people.tables import Account, Unit
from engine.process.editions import calendar_of, edition_at
from engine.process.lights import Light, days_left, light_of, passed
from engine.process.paging import PAGE, PAGE_MAX, Page, make_page, read_cursor, write_cursor
from engine.process.tables import Task

Tab = Literal["mine", "posts", "done", "started"]
TABS: tuple[Tab, ...] = ("mine", "posts", "done", "started")
#: A query of whatever columns.
AnySelect = Select[*tuple[Any, ...]]


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


def now_of(session: Session) -> datetime:
    """The instant at which the lists are read."""
    moment: datetime = session.info["store"].clock.now()
    return moment


def inbox(session: Session, actor: Actor, tab: Tab, *, after: str | None = None, limit: int = PAGE) -> Page[InboxLine]:
    """One page of a tab of the actor's inbox, most urgent first (done: newest first). Raises Invalid for a bad cursor."""
    limit = max(1, min(limit, PAGE_MAX))
    if tab == "done":
        return _done(session, actor, after, limit)
    if tab == "started":
        raise ValueError("the tab “started” lists cases: see `cases`")
    held, names = whose(actor)
    posts = None if tab == "mine" else held
    if posts == 0:
        return Page([], None)
    names["most"] = limit + 1
    if after is not None:
        names["moment"], names["last"] = read_cursor(after)
    rows = session.execute(_first_lines(posts, after is not None), names).all()
    return lines_page(session, rows, limit, lambda row: write_cursor(row.sort_at, row.id))


def whose(actor: Actor) -> tuple[int, dict[str, Any]]:
    """How many posts give the actor tasks, and the names of `branches` for them."""
    pairs = sorted(permissions.case_scope(actor).pairs)
    names: dict[str, Any] = {"account": actor.account_id}
    for place, (unit_id, post) in enumerate(pairs):
        names |= {f"unit_{place}": unit_id, f"post_{place}": post}
    return len(pairs), names


# The inbox's statements are built once for each number of posts: for six posts that takes ten times as long as the answer.


def branches(posts: int | None) -> list[AnySelect]:
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
    for branch in branches(posts):
        if onward:
            behind = tuple_(bindparam("moment", type_=Task.sort_at.type), bindparam("last", type_=Task.id.type))
            branch = branch.where(tuple_(Task.sort_at, Task.id) > behind)
        top = branch.order_by(Task.sort_at, Task.id).limit(bindparam("most")).subquery()
        tops.append(select(top.c.id, top.c.sort_at))
    found = union_all(*tops).subquery()
    first = select(found.c.id).order_by(found.c.sort_at, found.c.id).limit(bindparam("most")).subquery()
    return line_columns().join(first, first.c.id == Task.id).order_by(Task.sort_at, Task.id)


def line_columns() -> AnySelect:
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
    query = line_columns().where(Task.state == "done", Task.completed_by == actor.account_id)
    if after is not None:
        moment, last = read_cursor(after)
        query = query.where(tuple_(Task.completed_at, Task.id) < tuple_(literal(moment, Task.sort_at.type), literal(last)))
    rows = session.execute(query.order_by(Task.completed_at.desc(), Task.id.desc()).limit(limit + 1)).all()
    return lines_page(session, rows, limit, lambda row: write_cursor(row.completed_at, row.id))


def lines_page(session: Session, rows: Sequence[Any], limit: int, cursor: Any) -> Page[InboxLine]:
    now = now_of(session)

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
