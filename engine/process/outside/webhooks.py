"""Webhooks: which events go where, entered by an operator; every matching event becomes a letter of the outbox.

The letter is written in the transaction in which the event happens, so it exists exactly if that was committed. It says what,
when and where by ids, number, process, step and dates; of a restricted case by ids only. Each process remembers the webhooks
for some seconds: a transaction that nobody listens to costs nothing.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.outbox import OutboxLetter, Posting, post_all
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.people.units import unit_by_id
from engine.process import events
from engine.process.definitions import deployed
from engine.process.events import KINDS, Event
from engine.process.outside.addresses import wrong_with
from engine.process.outside.tables import Webhook
from engine.process.restricted import is_restricted
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, Work, command

CHANNEL = "webhook"
SECRET_PREFIX = "whsec_"
NAME_MAX = 100
#: Webhooks of one installation: each makes a letter of every event that it asks for.
MOST = 50
#: After this time every process knows of a webhook that was entered or changed elsewhere.
KNOWN_WITHIN = timedelta(seconds=5)
#: The version of the body; it rises when a receiver would have to be changed.
VERSION = 1
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook's events go, and the secret that they are signed with (`whsec_` and base64)."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as a page shows it."""

    id: int
    name: str
    url: str
    kinds: tuple[str, ...]
    """Empty for all."""
    processes: tuple[str, ...]
    """Keys; empty for all."""
    active: bool
    created_at: datetime

    def wants(self, event: Event) -> bool:
        return (not self.kinds or event.kind in self.kinds) and (not self.processes or event.instance.process_key in self.processes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook."""

    id: int
    event: str
    kind: str
    number: str
    state: str
    """waiting · sent · dead · given_up"""
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    next_at: datetime
    error: str | None


# -- telling ------------------------------------------------------------------------------------


def _hooks(work: Work) -> list[Hook]:
    """The active webhooks, as this process knows them."""
    store: Store = work.session.info["store"]
    known: tuple[datetime, list[Hook]] | None = store.cache.get("webhooks")
    if known is None or not known[0] <= work.now < known[0] + KNOWN_WITHIN:
        rows = work.session.scalars(select(Webhook).where(Webhook.active).order_by(Webhook.id))
        known = store.cache["webhooks"] = (work.now, [_hook(row) for row in rows])
    return known[1]


def post_events(work: Work, happened: Sequence[Event]) -> None:
    """Writes a letter for every event that a webhook asks for: one statement, none where nobody does."""
    postings = [
        Posting(CHANNEL, str(hook.id), body_of(work.session, event), f"webhook:{hook.id}:{event.id}")
        for hook in _hooks(work) for event in happened if hook.wants(event)
    ]  # fmt: skip
    if postings:
        post_all(work, postings)


events.LISTENERS.append(post_events)


def body_of(session: Session, event: Event) -> dict[str, Any]:
    """What a receiver is told: ids, number, process, step and dates; of a restricted case ids only."""
    instance = event.instance
    definition = deployed(session, instance.definition_id)
    case: dict[str, Any] = {"id": str(instance.id), "process": instance.process_key, "definition": f"{definition.key}:{definition.version}:{definition.id}"}
    told: dict[str, Any] = {"id": event.id, "version": VERSION, "kind": event.kind, "at": event.at.isoformat(), "case": case}
    if is_restricted(session, instance):
        told["restricted"] = True
        return told | {name: {"id": about["id"]} for name, about in event.about.items() if about.get("id")}
    case |= {"number": instance.number, "businessKey": instance.business_key, "processName": definition.name, "state": instance.state}
    for name, about in event.about.items():
        facts = dict(about)
        if facts.get("unit") is not None:
            unit = unit_by_id(session, facts["unit"])
            facts["unit"] = unit.code if unit else None
        told[name] = facts
    return told


# -- commands -----------------------------------------------------------------------------------


@command
def add_webhook(
    store: Store, *, actor: Actor, name: str, url: str, kinds: Collection[str] = (), processes: Collection[str] = (),
    hosts: frozenset[str] = frozenset(), origin: Origin = Origin(),
) -> tuple[int, str]:  # fmt: skip
    """Enters a webhook; returns its id and its secret, which is shown this once. `hosts` are those that the settings allow.

    Raises NotAllowed, Invalid by field.
    """
    require(actor, "operate")
    words = _checked(name, url, kinds, hosts)
    secret = _secret()
    with store.work(actor, origin) as work:
        if len(work.session.scalars(select(Webhook.id).limit(MOST)).all()) >= MOST:
            raise Invalid(message=f"最多{MOST}个事件推送，请先删除不再使用的")
        row = Webhook(name=words, url=url, secret=secret, kinds=sorted(kinds), processes=sorted(processes), active=True,
                      created_by=actor.account_id, created_at=work.now)
        work.session.add(row)
        work.session.flush()
        _record(work, "webhook_added", row)
    store.cache.pop("webhooks", None)
    return row.id, secret


@command
def change_webhook(
    store: Store, webhook_id: int, *, actor: Actor, name: str, url: str, kinds: Collection[str] = (), processes: Collection[str] = (),
    active: bool, hosts: frozenset[str] = frozenset(), origin: Origin = Origin(),
) -> None:  # fmt: skip
    """Changes what a webhook is sent and where, or stops it. Letters on their way go to the new address. Raises as `add_webhook`."""
    require(actor, "operate")
    words = _checked(name, url, kinds, hosts)
    with store.work(actor, origin) as work:
        row = _found(work, webhook_id)
        row.name, row.url, row.kinds, row.processes, row.active = words, url, sorted(kinds), sorted(processes), active
        _record(work, "webhook_changed", row)
    store.cache.pop("webhooks", None)


@command
def renew_secret(store: Store, webhook_id: int, *, actor: Actor, origin: Origin = Origin()) -> str:
    """A new secret from now on, shown this once; the old one signs nothing any more. Raises NotAllowed, NotFound."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        row = _found(work, webhook_id)
        row.secret = _secret()
        _record(work, "webhook_secret_renewed", row)
        return row.secret


@command
def remove_webhook(store: Store, webhook_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Removes a webhook; what is on its way to it is given up. Raises NotAllowed, NotFound."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        row = _found(work, webhook_id)
        _record(work, "webhook_removed", row)
        left = (OutboxLetter.channel == CHANNEL, OutboxLetter.recipient == str(webhook_id), OutboxLetter.state.in_(("waiting", "dead")))
        work.session.execute(update(OutboxLetter).where(*left).values(state="given_up"))
        work.session.delete(row)
    store.cache.pop("webhooks", None)


@command
def send_test(store: Store, webhook_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Sends an event of kind `test`, so that an operator sees whether the receiver takes it. Raises NotAllowed, NotFound."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        row = _found(work, webhook_id)
        event = f"test-{secrets.token_hex(8)}"
        body = {"id": event, "version": VERSION, "kind": "test", "at": work.now.isoformat()}
        post_all(work, [Posting(CHANNEL, str(row.id), body, f"webhook:{row.id}:{event}")])


@command
def deliver_again(store: Store, letter_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Sends an event once more, under the same id: a receiver that has had it can tell. Raises NotAllowed, NotFound, Invalid."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        query = select(OutboxLetter).where(OutboxLetter.id == letter_id, OutboxLetter.channel == CHANNEL).with_for_update()
        row = work.session.scalars(query).first()
        if row is None:
            raise NotFound("没有该推送记录")
        if row.state == "waiting" and row.attempts == 0:
            raise Invalid(message="该事件正等待推送，无需重推")
        hook = _found(work, int(row.recipient))
        row.state, row.attempts, row.next_at, row.error = "waiting", 0, work.now, None
        _record(work, "webhook_delivered_again", hook, letter=letter_id)


def _checked(name: str, url: str, kinds: Collection[str], hosts: frozenset[str]) -> str:
    words, wrong = " ".join(name.split()), {}
    if not words or len(words) > NAME_MAX or not words.isprintable():
        wrong["name"] = f"请填写名称（不超过{NAME_MAX}字），写明由哪个系统接收"
    problem = wrong_with(url, hosts)
    if problem is not None:
        wrong["url"] = problem
    if not set(kinds) <= KINDS.keys():
        wrong["kinds"] = "请选择列出的事件"
    if wrong:
        raise Invalid(wrong)
    return words


def _secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _found(work: Work, webhook_id: int) -> Webhook:
    row = work.session.get(Webhook, webhook_id, with_for_update=True)
    if row is None:
        raise NotFound("没有该事件推送")
    return row


def _record(work: Work, act: str, row: Webhook, **more: Any) -> None:
    # Behind the question mark some receivers want a key: nothing secret belongs in the history.
    facts: Mapping[str, Any] = {"webhook": row.id, "name": row.name, "url": row.url.partition("?")[0], "kinds": row.kinds, "processes": row.processes,
                                "active": row.active, **more}
    append(work, "system", [Entry(act, data=facts)])


# -- reading ------------------------------------------------------------------------------------


def find_webhook(store: Store, recipient: str) -> Target | None:
    """The active webhook of a letter; None where it was removed or is switched off."""
    with store.read() as session:
        row = session.get(Webhook, int(recipient)) if recipient.isdigit() else None
        return Target(row.url, row.secret) if row is not None and row.active else None


def webhooks(session: Session, actor: Actor) -> list[Hook]:
    """All webhooks. Raises NotAllowed."""
    require(actor, "operate")
    return [_hook(row) for row in session.scalars(select(Webhook).order_by(Webhook.id))]


def webhook(session: Session, actor: Actor, webhook_id: int) -> Hook:
    """One webhook. Raises NotAllowed, NotFound."""
    require(actor, "operate")
    row = session.get(Webhook, webhook_id)
    if row is None:
        raise NotFound("没有该事件推送")
    return _hook(row)


def deliveries(session: Session, actor: Actor, webhook_id: int, *, before: int | None = None, limit: int = SHOWN) -> list[Delivery]:
    """What was sent to a webhook and what waits, the newest first; `before` is the last id of the page before. One query."""
    require(actor, "operate")
    query = select(OutboxLetter).where(OutboxLetter.channel == CHANNEL, OutboxLetter.recipient == str(webhook_id))
    if before is not None:
        query = query.where(OutboxLetter.id < before)
    return [
        Delivery(row.id, str(row.payload.get("id")), str(row.payload.get("kind")), str(row.payload.get("case", {}).get("number", "")),
                 row.state, row.attempts, row.created_at, row.sent_at, row.next_at, row.error)
        for row in session.scalars(query.order_by(OutboxLetter.id.desc()).limit(limit))
    ]  # fmt: skip


def _hook(row: Webhook) -> Hook:
    return Hook(row.id, row.name, row.url, tuple(row.kinds), tuple(row.processes), row.active, row.created_at)
