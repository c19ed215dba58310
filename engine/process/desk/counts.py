"""What waits for a person, as figures: the marks on the tabs of the inbox and on the bell. Capped, in one query."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.desk.tables import Copy
from engine.process.inbox import AnySelect, branches, whose
from engine.process.tables import Notice

#: Counts stop here; the page shows one less with a plus sign.
COUNT_CAP = 100


def inbox_counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many lines the tabs “mine” and “posts” have, unread copies and unread notices; each at most COUNT_CAP. One query."""
    posts, names = whose(actor)
    return {"posts": 0, **session.execute(_counts(posts), names).one()._asdict()}


@lru_cache(maxsize=64)
def _counts(posts: int) -> AnySelect:
    def capped(query: AnySelect) -> Any:
        return select(func.count()).select_from(query.limit(COUNT_CAP).subquery()).scalar_subquery()

    copies = select(literal(1)).where(Copy.account_id == bindparam("account"), Copy.read_at.is_(None))
    notices = select(literal(1)).where(Notice.account_id == bindparam("account"), Notice.read_at.is_(None))
    parts = {"mine": capped(branches(None)[0]), "copies": capped(copies), "notices": capped(notices)}
    if posts:
        pooled = [select(branch.limit(COUNT_CAP).subquery().c.id) for branch in branches(posts)]
        parts["posts"] = capped(select(union_all(*pooled).subquery().c.id))
    return select(*(column.label(name) for name, column in parts.items()))
