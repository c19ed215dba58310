"""What a page that stays open asks for every few seconds: the counts, and what has come since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.desk.counts import inbox_counts
from engine.process.tables import Notice

#: New notices that are told by name; of more only the newest.
TOLD = 3


@dataclass(frozen=True, slots=True)
class Live:
    """The state of a person's desk in a few numbers."""

    counts: dict[str, int]
    """mine · posts · copies · notices (unread); each at most COUNT_CAP."""
    newest: int
    """The number of the newest notice, 0 without any: what to ask with next time."""
    fresh: list[tuple[int, str]]
    """Unread notices after the one that was asked with, oldest first: number and title."""

    def as_json(self) -> dict[str, Any]:
        fresh = [{"id": number, "title": title} for number, title in self.fresh]
        return {"counts": self.counts, "newest": self.newest, "fresh": fresh}


def live(session: Session, actor: Actor, since: int | None) -> Live:
    """The desk now. Two queries, three where something has come since the notice `since` (None: nothing is told)."""
    newest = session.scalar(select(func.max(Notice.id)).where(Notice.account_id == actor.account_id))
    fresh: list[tuple[int, str]] = []
    if since is not None and (newest or 0) > since:
        rows = session.execute(
            select(Notice.id, Notice.title)
            .where(Notice.account_id == actor.account_id, Notice.id > since, Notice.read_at.is_(None))
            .order_by(Notice.id.desc()).limit(TOLD)
        ).all()  # fmt: skip
        fresh = [(number, title) for number, title in reversed(rows)]
    return Live(inbox_counts(session, actor), newest or 0, fresh)
