"""The letters that did not leave yet, or never will, for the operator: where each stands, never what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, func, literal, or_, select, tuple_, union_all, update
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.outbox import LEASE, OutboxLetter
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.notifying.kinds import CHANNELS, KINDS, ROBOTS
from engine.process.paging import PAGE, Page, make_page, read_cursor, read_id_cursor, write_cursor
from engine.store.errors import Invalid, NotFound, Stale
from engine.store.store import Origin, Store, command

State = Literal["dead", "waiting"]
#: Waiting letters are counted up to here: in an outage there are many, and their exact number helps nobody.
COUNTED = 10_000

_STREAM = "outbox"
_ADDRESS = re.compile(r"[\w.+-]+@[\w-][\w.-]*")
_KINDS: Mapping[str, str] = {**{key: kind.name for key, kind in KINDS.items()}, "digest": "消息汇总", "test": "测试消息"}


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One letter. The recipient is masked; what it says is not here at all."""

    id: int
    channel: str
    recipient: str
    kind: str
    attempts: int
    error: str
    created_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """How many letters of a channel are dead and how many wait (at most COUNTED, all channels together)."""

    channel: str
    key: str
    configured: bool
    dead: int
    waiting: int


def letter_counts(session: Session, actor: Actor) -> list[ChannelCount]:
    """By channel, those that the installation has and those that still hold something. One query.

    Raises NotAllowed unless the actor operates the system.
    """
    require(actor, "operate")
    waiting = select(OutboxLetter.channel).where(OutboxLetter.state == "waiting").limit(COUNTED).subquery()
    rows = session.execute(union_all(
        select(literal("dead").label("state"), OutboxLetter.channel, func.count()).where(OutboxLetter.state == "dead")
        .group_by(OutboxLetter.channel),
        select(literal("waiting"), waiting.c.channel, func.count()).group_by(waiting.c.channel),
    )).all()  # fmt: skip
    counts = {(state, channel): count for state, channel, count in rows}
    configured: frozenset[str] = session.info["store"].channels
    known = dict.fromkeys((*CHANNELS, *ROBOTS))
    keys = [key for key in (*known, *sorted({key for _, key in counts} - known.keys()))
            if key in configured or ("dead", key) in counts or ("waiting", key) in counts]
    return [
        ChannelCount(channel_name(key), key, key in configured, counts.get(("dead", key), 0), counts.get(("waiting", key), 0))
        for key in keys
    ]


def letters(session: Session, actor: Actor, state: State, *, channel: str | None = None, after: str | None = None) -> Page[LetterLine]:
    """Dead letters, newest first, or waiting ones, the next to be tried first. One query.

    Raises NotAllowed unless the actor operates the system, Invalid for a bad cursor.
    """
    require(actor, "operate")
    query = select(
        OutboxLetter.id, OutboxLetter.channel, OutboxLetter.recipient, OutboxLetter.payload, OutboxLetter.attempts,
        OutboxLetter.error, OutboxLetter.created_at, OutboxLetter.next_at,
    ).where(OutboxLetter.state == state)  # fmt: skip
    if channel:
        query = query.where(OutboxLetter.channel == channel)
    if state == "dead":
        query = query.order_by(OutboxLetter.id.desc())
        if after:
            query = query.where(OutboxLetter.id < read_id_cursor(after))
    else:
        query = query.order_by(OutboxLetter.next_at, OutboxLetter.id)
        if after:
            moment, last = read_cursor(after)
            place = tuple_(literal(moment, OutboxLetter.next_at.type), literal(last))
            query = query.where(tuple_(OutboxLetter.next_at, OutboxLetter.id) > place)
    rows = session.execute(query.limit(PAGE + 1)).all()
    return make_page(rows, PAGE, _line, lambda row: str(row.id) if state == "dead" else write_cursor(row.next_at, row.id))


def _line(row: Any) -> LetterLine:
    masked = mask(row.channel, row.recipient)
    # Servers like to repeat the address that they refuse, and others beside it.
    error = (row.error or "").replace(row.recipient or "\n", masked)
    error = _ADDRESS.sub(lambda found: mask("mail", found[0]), error)
    kind = str(row.payload.get("kind", ""))
    return LetterLine(row.id, channel_name(row.channel), masked, _KINDS.get(kind, "其他"), row.attempts, error, row.created_at, row.next_at)


def mask(channel: str, recipient: str) -> str:
    """Enough of an address to tell whose it is, and not enough to write to it."""
    if channel == "webhook":
        return f"事件推送 {recipient}"  # its number: where it leads, the page of webhooks says
    if channel in ROBOTS:
        return recipient.replace("robot:", "群机器人 ")
    if channel == "mail" and "@" in recipient:
        name, _, domain = recipient.rpartition("@")
        return f"{name[:1]}***@{domain}"
    return f"{recipient[:3]}****{recipient[-2:]}" if len(recipient) > 6 else "****"


def channel_name(key: str) -> str:
    """What a channel is called on the screens."""
    return CHANNELS.get(key) or ROBOTS.get(key) or {"webhook": "事件推送"}.get(key, key)


@command
def redeliver(store: Store, letter_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Has a dead letter tried again from now on, as often as a new one. Raises NotAllowed, NotFound, Stale when it is not dead."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        letter = work.session.get(OutboxLetter, letter_id, with_for_update=True)
        if letter is None:
            raise NotFound("没有找到该信件")
        if letter.state != "dead":
            raise Stale("该信件已重新投递或者已放弃，无需再次操作")
        letter.state, letter.attempts, letter.next_at = "waiting", 0, work.now
        append(work, _STREAM, [Entry("letter_redelivered", data={"letter": letter.id, "channel": letter.channel})])


@command
def redeliver_channel(store: Store, channel: str, *, actor: Actor, origin: Origin = Origin()) -> int:
    """Has everything of a channel tried now: the dead, and those that wait after a failure; returns how many.

    What waits for working hours goes on waiting, and what a worker may be sending right now is left to it. Raises NotAllowed.
    """
    require(actor, "operate")
    with store.work(actor, origin) as work:
        failed = and_(OutboxLetter.state == "waiting", OutboxLetter.attempts > 0, OutboxLetter.next_at > work.now + LEASE)
        count = len(work.session.execute(
            update(OutboxLetter).where(OutboxLetter.channel == channel, or_(OutboxLetter.state == "dead", failed))
            .values(state="waiting", attempts=0, next_at=work.now).returning(OutboxLetter.id)
        ).all())  # fmt: skip
        if count:
            append(work, _STREAM, [Entry("letters_redelivered", data={"channel": channel, "count": count})])
        return count


@command
def give_up(store: Store, letter_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Gives a letter up for good, dead or waiting; the row stays, and the history says why.

    Raises NotAllowed, NotFound, Stale when it has been sent or given up, Invalid without a reason.
    """
    require(actor, "operate")
    reason = reason.strip()
    if not 0 < len(reason) <= 500:
        raise Invalid({"reason": "请填写放弃的理由，不超过500字"})
    with store.work(actor, origin) as work:
        letter = work.session.get(OutboxLetter, letter_id, with_for_update=True)
        if letter is None:
            raise NotFound("没有找到该信件")
        if letter.state not in ("dead", "waiting"):
            raise Stale("该信件已送出或者已放弃，无需再次操作")
        letter.state = "given_up"
        append(work, _STREAM, [Entry("letter_given_up", data={"letter": letter.id, "channel": letter.channel, "reason": reason})])
