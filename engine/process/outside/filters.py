"""Filters that programs keep under a name: a query of tasks as the API reads it, in the same table and under the same rules as the inbox's.

The two do not meet: a query of the API means nothing to the inbox, and an address of the inbox nothing to the API. So each
lists, counts and deletes its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.desk.filters import OUTSIDE, add_filter, change_filter, drop_filter, found_by, sound_name
from engine.process.desk.tables import SavedFilter
from engine.process.outside.listing import AnySelect, Cut, Filter, Listed, conditions, count, fetch, ident, like, same
from engine.store.errors import Invalid, NotFound
from engine.store.store import Store, command

#: Octets of a filter as JSON: what people ask is far shorter.
SIZE_MAX = 20_000

FILTERS: Mapping[str, Filter] = {
    "filterId": ident(SavedFilter.id), "name": same(SavedFilter.name), "nameLike": like(SavedFilter.name), "owner": same(Account.login),
    "resourceType": lambda _task: None,
}  # fmt: skip
SORTS: Mapping[str, Any] = {"filterId": SavedFilter.id, "name": SavedFilter.name, "owner": Account.login}


def _columns(actor: Actor) -> AnySelect:
    return (
        select(SavedFilter.id, SavedFilter.name, SavedFilter.unit_id, SavedFilter.query, Account.login.label("owner"))
        .join(Account, Account.id == SavedFilter.account_id).where(SavedFilter.tab == OUTSIDE, found_by(actor))
    )  # fmt: skip


def filters(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """The actor's own filters, and those that colleagues share with a unit of theirs. One query."""
    return fetch(session, _columns(actor).where(*conditions(FILTERS, asked)), SORTS, SavedFilter.id, cut)


def count_filters(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return count(session, _columns(actor).where(*conditions(FILTERS, asked)).with_only_columns(SavedFilter.id, maintain_column_froms=True))


def one_filter(session: Session, actor: Actor, filter_id: int) -> Any:
    """One that the actor finds. Raises NotFound. One query."""
    row = session.execute(_columns(actor).where(SavedFilter.id == filter_id)).first()
    if row is None:
        raise NotFound("没有找到该筛选")
    return row


@command
def keep(store: Store, *, actor: Actor, name: str, query: Mapping[str, Any], properties: Mapping[str, Any], shared: bool) -> int:
    """Keeps a query that the API has judged, with what the client wants to show it by; returns its id.

    Raises Invalid for a name that is missing, too long or taken, for a filter too long, for too many.
    """
    name, kept = sound_name(name), _sound(query, properties)
    with store.work(actor) as work:
        return add_filter(work, actor, name=name, tab=OUTSIDE, query=kept, shared=shared)


@command
def change(
    store: Store, filter_id: int, *, actor: Actor, name: str, query: Mapping[str, Any], properties: Mapping[str, Any], shared: bool
) -> None:
    """Replaces a filter of one's own by another. Raises as `keep`, NotAllowed for a colleague's, NotFound."""
    name, kept = sound_name(name), _sound(query, properties)
    with store.work(actor) as work:
        change_filter(work, actor, filter_id, name=name, tab=OUTSIDE, query=kept, shared=shared)


def _sound(query: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"query": dict(query), "properties": dict(properties)}
    if len(orjson.dumps(kept)) > SIZE_MAX:
        raise Invalid({"query": f"筛选条件过长：连同显示属性不超过{SIZE_MAX}字节"})
    return kept


def drop(store: Store, filter_id: int, *, actor: Actor) -> None:
    """Deletes one. Raises NotAllowed for a colleague's, NotFound for what the actor does not find, or keeps in the inbox."""
    drop_filter(store, filter_id, actor=actor, tabs=(OUTSIDE,))
