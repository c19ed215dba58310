"""What cases wait for, as other programs list it: names of messages and signals, and where; nothing of what a case contains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.people.actor import Actor
from engine.people.permissions import may
from engine.process.event_tables import Subscription
from engine.process.outside import listing
from engine.process.outside.listing import AnySelect, Cut, Filter, Listed
from engine.process.outside.seen import seen
from engine.process.subscriptions import fill_in
from engine.process.tables import Instance
from engine.store.store import Store

FILTERS: Mapping[str, Filter] = {
    "eventSubscriptionId": listing.ident(Subscription.id), "eventName": listing.same(Subscription.name), "eventType": listing.same(Subscription.kind),
    "executionId": listing.ident(Subscription.instance_id), "processInstanceId": listing.ident(Subscription.instance_id),
    "activityId": listing.same(Subscription.step),
}  # fmt: skip
SORTS: Mapping[str, Any] = {"created": Subscription.created_at}
_FEW = frozenset({"eventSubscriptionId", "executionId", "processInstanceId"})


def _query(actor: Actor, asked: Mapping[str, Any]) -> AnySelect:
    found = select(Subscription).join(Instance, Instance.id == Subscription.instance_id).where(
        Instance.state == "running", Subscription.kind.in_(("message", "signal")), *listing.conditions(FILTERS, asked))  # fmt: skip
    # Operators see what is to be kept running, without its content; everybody else what belongs to the cases they see.
    return found if may(actor, "operate") else found.where(seen(actor, Subscription.instance_id, few=bool(_FEW & asked.keys())))


def awaited_events(store: Store, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """What running cases wait for that the actor may see, or operates. One query beside that of old cases."""
    fill_in(store)
    with store.read() as session:
        return listing.fetch(session, _query(actor, asked), SORTS, Subscription.id, cut)


def count_awaited_events(store: Store, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many there are. One query beside that of old cases."""
    fill_in(store)
    with store.read() as session:
        return listing.count(session, _query(actor, asked).with_only_columns(Subscription.id))
