"""The notices of a person, as their page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.notifying.dispatch import path_of
from engine.process.notifying.kinds import kind_of
from engine.process.paging import PAGE, PAGE_MAX, Page, make_page, read_id_cursor
from engine.process.tables import Notice


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice in the list."""

    id: int
    kind: str
    kind_name: str
    path: str
    """What it is about: a task, a case, or the list itself where it is about neither."""
    title: str
    text: str
    created_at: datetime
    read: bool


def notices(
    session: Session, actor: Actor, *, kind: str | None = None, unread: bool = False, after: str | None = None, limit: int = PAGE,
) -> Page[NoticeLine]:  # fmt: skip
    """The actor's notices, newest first; of one kind, or unread ones only. One query. Raises Invalid for a bad cursor."""
    limit = max(1, min(limit, PAGE_MAX))
    query = select(Notice).where(Notice.account_id == actor.account_id)
    if kind:
        query = query.where(Notice.kind == kind)
    if unread:
        query = query.where(Notice.read_at.is_(None))
    if after is not None:
        query = query.where(Notice.id < read_id_cursor(after))
    rows = session.scalars(query.order_by(Notice.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, _line, lambda row: str(row.id))


def _line(row: Notice) -> NoticeLine:
    path = path_of(row.task_id, row.instance_id)
    return NoticeLine(row.id, row.kind, kind_of(row.kind).name, path, row.title, row.text, row.created_at, row.read_at is not None)
