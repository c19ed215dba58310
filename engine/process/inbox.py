"""The inbox 待办: what waits for a person and for their posts, and what they have done. Finished frozen values.

A page costs one query whatever the size of the list: the top page per post is taken from a partial index and the pages are
merged (`WHERE post IN (…) ORDER BY … LIMIT` would sort a hundred thousand rows). No exact totals: counts are capped.

A filter goes through the list in its order until the page is full. One that matches rarely would go through all of it, so it
is given windows of so many lines of each post: one query finds where a window ends, another what matches before that. The
first is short, as most filters match often; what the last one did not fill is a shorter page that says so (`Page.partial`),
and its cursor goes on from there. The index of a post holds all that is filtered by; the rows themselves are only read for
the lines that are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.posts import POSTS
from engine.people.tables import Account, Unit
from engine.process.editions import calendar_of, edition_at
from engine.process.filtering import NOTHING, Asked, Shape, record, sieve, urgency
from engine.process.lights import Light, days_left, light_of, passed
from engine.process.paging import PAGE, PAGE_MAX, Page, make_page, read_cursor, write_cursor
from engine.process.tables import Task

#: The tabs that list tasks; those that list cases are on the floor above (`desk.followed`).
Tab = Literal["mine", "posts", "done"]
#: How many lines of a post one request looks at for a filter, window by window: a hundred thousand in all. Each line is passed
#: twice, once to find the end of its window. A window is a small part of a long list: else PostgreSQL reads and sorts the table.
WINDOWS = (2_000, 10_000, 20_000, 20_000, 20_000, 20_000, 10_000)
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
    sent_how: str | None = None
    sent_by: str | None = None
    """The name of who sent it back, on, or asked for a signature."""
    urges: int = 0
    in_stead_of: str | None = None
    """The name of who is on leave."""
    signing: str | None = None
    signatures: int = 0
    delegation: str | None = None
    held: bool = False
    """Completed by its assignee already, who can do no more: it waits for the last signature."""


def now_of(session: Session) -> datetime:
    """The instant at which the lists are read."""
    moment: datetime = session.info["store"].clock.now()
    return moment


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the statements of a page depend on: which list, for how many posts, what is asked, from where to where."""

    tab: Tab
    posts: int
    shape: Shape
    onward: bool = False
    """From behind (`moment`, `last`)."""
    bounded: bool = False
    """Up to (`edge_moment`, `edge`)."""

    def legs(self) -> list[AnySelect]:
        """The lists that are merged, each in the order of its index."""
        moment: Any = Task.completed_at if self.tab == "done" else Task.sort_at
        turned = self.tab == "done"
        place = tuple_(moment, Task.id)
        order = (moment.desc(), Task.id.desc()) if turned else (moment, Task.id)
        conditions: list[ColumnElement[bool]] = [] if turned else urgency(self.shape)
        if self.onward:
            behind = _place("moment", "last")
            conditions.append(place < behind if turned else place > behind)
        if self.bounded:
            edge = _place("edge_moment", "edge")
            # The moment alone once more: SQLite ends no walk through an index at a pair, and would go on to the end of the list.
            last: Any = bindparam("edge_moment", type_=Task.sort_at.type)
            conditions += [place >= edge, moment >= last] if turned else [place <= edge, moment <= last]
        return [leg.add_columns(moment.label("moment")).where(*conditions).order_by(*order) for leg in self._lists()]

    def _lists(self) -> list[AnySelect]:
        if self.tab == "done":
            return [select(Task.id).where(Task.state == "done", Task.completed_by == bindparam("account"))]
        return branches(None if self.tab == "mine" else self.posts)

    def sieve(self) -> list[ColumnElement[bool]]:
        """What is looked at line by line."""
        return record(self.shape) if self.tab == "done" else sieve(self.shape)


def _place(moment: str, last: str) -> Any:
    return tuple_(bindparam(moment, type_=Task.sort_at.type), bindparam(last, type_=Task.id.type))


def inbox(
    session: Session, actor: Actor, tab: Tab, asked: Asked = NOTHING, *,
    after: str | None = None, limit: int = PAGE, windows: Sequence[int] = WINDOWS,
) -> Page[InboxLine]:
    """One page of a tab of the actor's inbox, most urgent first (done: newest first). Raises Invalid for a bad cursor.

    With a filter, at most so many lines of each post are looked at (`windows`): the page may be short, even empty, and yet go on.
    """
    limit = max(1, min(limit, PAGE_MAX))
    posts, names = whose(actor)
    if tab == "posts" and posts == 0:
        return Page([], None)
    names |= asked.names(now_of(session))
    if after is not None:
        names["moment"], names["last"] = read_cursor(after)
    walk = _Walk(tab, posts if tab == "posts" else 0, asked.shape, after is not None)
    rows, edge = _search(session, walk, {**names, "most": limit + 1}, windows if walk.sieve() else ())
    page = lines_page(session, rows, limit, lambda row: write_cursor(row.completed_at if tab == "done" else row.sort_at, row.id))
    if edge is not None and page.next is None:
        return Page(page.lines, write_cursor(*edge), partial=True)
    return page


_Edge = tuple[datetime, int]


def _search(session: Session, walk: _Walk, names: dict[str, Any], windows: Sequence[int]) -> tuple[list[Any], _Edge | None]:
    """Up to `most` rows, and up to where the list was looked at for them; None: to its end. Without windows in one go."""
    rows: list[Any] = []
    edge: _Edge | None = None
    for window in windows or (None,):
        if edge is not None:
            walk, (names["moment"], names["last"]) = replace(walk, onward=True), edge
        edge = _edge(session, walk, {**names, "scan": window}) if window else None
        if edge is not None:
            names["edge_moment"], names["edge"] = edge
        found = session.execute(_first_lines(replace(walk, bounded=edge is not None)), names).all()
        rows += found
        names["most"] -= len(found)
        if edge is None or not names["most"]:
            break
    return rows, edge


def _edge(session: Session, walk: _Walk, names: dict[str, Any]) -> _Edge | None:
    """At which line (moment, id) a window of `scan` lines ends; None: behind the end. The post that reaches it first says it."""
    found = [(row.moment, row.id) for row in session.execute(_edges(walk), names)]
    if not found:
        return None
    return max(found) if walk.tab == "done" else min(found)


def whose(actor: Actor) -> tuple[int, dict[str, Any]]:
    """How many posts give the actor tasks, and the names of `branches` for them."""
    pairs = sorted(permissions.case_scope(actor).pairs)
    names: dict[str, Any] = {"account": actor.account_id}
    for place, (unit_id, post) in enumerate(pairs):
        names |= {f"unit_{place}": unit_id, f"post_{place}": post}
    return len(pairs), names


def branches(posts: int | None) -> list[AnySelect]:
    """The open tasks of each post that nobody has claimed; for None, those that `account` has."""
    tasks = select(Task.id).where(Task.state == "open")
    if posts is None:
        return [tasks.where(Task.assignee_id == bindparam("account"))]
    return [
        tasks.where(
            Task.assignee_id.is_(None), Task.unit_id == bindparam(f"unit_{place}"), Task.post == bindparam(f"post_{place}")
        )
        for place in range(posts)
    ]


# The inbox's statements are built once for each shape: for six posts that takes ten times as long as the answer.


@lru_cache(maxsize=256)
def _first_lines(walk: _Walk) -> AnySelect:
    """The first `most` tasks over all legs that pass the sieve."""
    tops = []
    for leg in walk.legs():
        top = leg.where(*walk.sieve()).limit(bindparam("most")).subquery()
        tops.append(select(top.c.id, top.c.moment))
    found = union_all(*tops).subquery()
    turned = walk.tab == "done"
    order = (found.c.moment.desc(), found.c.id.desc()) if turned else (found.c.moment, found.c.id)
    first = select(found.c.id, found.c.moment).order_by(*order).limit(bindparam("most")).subquery()
    last = (first.c.moment.desc(), first.c.id.desc()) if turned else (first.c.moment, first.c.id)
    return line_columns().join(first, first.c.id == Task.id).order_by(*last)


@lru_cache(maxsize=256)
def _edges(walk: _Walk) -> Any:
    """Of each leg that is longer, the line at which `scan` lines have been looked at; none of a shorter one."""
    ends = []
    for leg in walk.legs():
        end = leg.limit(1).offset(bindparam("scan")).subquery()
        ends.append(select(end.c.id, end.c.moment))
    return union_all(*ends)


def line_columns() -> AnySelect:
    """What an `InboxLine` is made of."""
    assignee, sender, absent = aliased(Account), aliased(Account), aliased(Account)
    return (
        select(
            Task.id, Task.instance_id, Task.number, Task.title, Task.process_key, Task.process_name, Task.name, Task.post,
            Task.state, Task.opened_at, Task.completed_at, Task.due_at, Task.due_day, Task.warn_at, Task.paused,
            Task.unit_id, Task.provisional, Task.late, Task.sort_at, Task.sent_how, Task.urges, Task.signing, Task.signatures,
            Task.delegation, Task.completed_by, Unit.name.label("unit_name"), assignee.name.label("assignee"), sender.name.label("sent_by"),
            absent.name.label("in_stead_of"),
        )
        .join(Unit, Unit.id == Task.unit_id)
        .outerjoin(assignee, assignee.id == Task.assignee_id)
        .outerjoin(sender, sender.id == Task.sent_by)
        .outerjoin(absent, absent.id == Task.for_id)
    )


def lines_page(session: Session, rows: Sequence[Any], limit: int, cursor: Any) -> Page[InboxLine]:
    """A page of the rows of `line_columns`."""
    return make_page(rows, limit, line_of(session), cursor)


def line_of(session: Session) -> Callable[[Any], InboxLine]:
    """Makes lines of rows of `line_columns`, as things stand now."""
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
            sent_how=row.sent_how, sent_by=row.sent_by, urges=row.urges, in_stead_of=row.in_stead_of, signing=row.signing,
            signatures=row.signatures, delegation=row.delegation, held=is_open and row.completed_by is not None,
        )

    return line
