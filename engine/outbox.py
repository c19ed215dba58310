"""The outbox: what leaves the database (mail, webhooks) is posted inside the transaction and delivered after it.

A letter is a row. It is written by the command that causes it, so it exists exactly if that command was committed.
The worker delivers it at least once: a crash between sending and marking sends it again, under the same idempotency
key, by which the receiver can tell. A letter that cannot be delivered is kept as dead and stops nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, Select, String, Text, and_, delete, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, Json
from engine.store.store import Store, Work

#: For how long a claimed letter is one deliverer's. If that one dies, the next takes over after this time.
LEASE = timedelta(minutes=5)
#: How long a letter that arrived is kept, so that one can look up what went out: a busy office has thousands a day.
KEPT = timedelta(days=90)
#: After this many attempts a letter is dead.
ATTEMPTS = 16

_WAITING = text("state = 'waiting'")
_DEAD = text("state = 'dead'")
_WEBHOOK = text("channel = 'webhook'")

#: After this many failures without a success between them, a channel rests for the round.
IN_A_ROW = 3
#: Letters written by one statement; what is more takes another.
AT_ONCE = 500


class OutboxLetter(Base):
    """One letter to one recipient through one channel."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "next_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        # The deliveries of a webhook, newest first.
        Index("ix_outbox_webhook", "recipient", "id", sqlite_where=_WEBHOOK, postgresql_where=_WEBHOOK),
        # What the operator's page lists and counts: few, or somebody must look.
        Index("ix_outbox_dead", "channel", "id", sqlite_where=_DEAD, postgresql_where=_DEAD),
    )

    id: Mapped[Id]
    channel: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str] = mapped_column(String(500))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    """What the channel needs: {"subject", "text"}, and "path", where in the product it leads; "kind" says what it is about."""
    key: Mapped[str] = mapped_column(String(200), unique=True)
    """The idempotency key: the same letter posted twice is one row, and the receiver can tell a repeated delivery."""
    state: Mapped[str] = mapped_column(String(16))
    """waiting · sent · dead · given_up (by the operator, with a reason in the history)"""
    attempts: Mapped[int]
    """Deliveries begun; counted before sending, so that a letter which kills its deliverer is given up in the end."""
    next_at: Mapped[datetime]
    """When it may be tried; while a deliverer works on it, the end of its lease."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A letter that is to be posted; `not_before` is when it may leave first, None for at once."""

    channel: str
    recipient: str
    payload: Mapping[str, Any]
    key: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What a channel is given to send."""

    key: str
    recipient: str
    payload: Mapping[str, Any]


#: Sends one letter or raises: `Undeliverable` where trying again is useless, anything else to be tried again.
Channel = Callable[[Letter], None]


class Undeliverable(Exception):
    """This letter will never arrive: the recipient does not exist, the address is malformed."""


def post(work: Work, channel: str, recipient: str, payload: Mapping[str, Any], key: str) -> bool:
    """Posts a letter in the running transaction; False where one with this key was posted before (nothing happens then)."""
    return post_all(work, [Posting(channel, recipient, payload, key)]) == 1


def post_all(work: Work, postings: Iterable[Posting]) -> int:
    """Posts many letters, with one statement for some hundreds; returns how many were new (see `post`)."""
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [
        {"channel": posting.channel, "recipient": posting.recipient, "payload": dict(posting.payload), "key": posting.key,
         "state": "waiting", "attempts": 0, "next_at": posting.not_before or work.now, "created_at": work.now}
        for posting in postings
    ]
    new = 0
    for first in range(0, len(rows), AT_ONCE):
        statement = dialect.insert(OutboxLetter).values(rows[first : first + AT_ONCE]).on_conflict_do_nothing()
        new += len(work.session.execute(statement.returning(OutboxLetter.id)).all())
    return new


def backoff(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: 30 seconds times four for each further one, at most six hours.

    30 s, 2 min, 8 min, 32 min, 2 h 8 min, then 6 h each: with 16 attempts about two and a half days, which outlasts a
    weekend's outage of a mail server.
    """
    wait: timedelta = timedelta(seconds=30) * 4 ** min(attempts - 1, 8)
    return min(wait, timedelta(hours=6))


def deliver(store: Store, channels: Mapping[str, Channel], *, limit: int = 100) -> int:
    """Delivers what is due, oldest first, at most `limit` letters; returns how many were sent.

    Where nothing is due, which is nearly always, it has only looked: a transaction that may write makes others wait on SQLite.
    Each letter costs two short transactions, one to claim and one to mark; nothing is locked while it is being sent,
    and any number of deliverers may run. A letter of a channel that this process has not waits for one that has it.
    A channel that fails several times in a row is left alone until the next round: waiting for a server that hangs must
    not hold up the others.
    """
    if not _waits(store, sorted(channels)):
        return 0
    sent = 0
    failures = dict.fromkeys(channels, 0)
    for _ in range(limit):
        trusted = sorted(name for name, count in failures.items() if count < IN_A_ROW)
        claimed = _claim(store, trusted) if trusted else None
        if claimed is None:
            break
        row_id, attempts, channel, letter = claimed
        try:
            channels[channel](letter)
        except Exception as error:  # whatever a channel raises is this letter's failure, never the next one's
            _mark_failed(store, row_id, attempts, error)
            failures[channel] += not isinstance(error, Undeliverable)
        else:
            _mark_sent(store, row_id)
            failures[channel] = 0
            sent += 1
    return sent


def _due(now: datetime, channels: list[str]) -> Select[int]:
    """The ids of what is due, oldest first."""
    waiting = (OutboxLetter.state == "waiting", OutboxLetter.next_at <= now, OutboxLetter.channel.in_(channels))
    return select(OutboxLetter.id).where(*waiting).order_by(OutboxLetter.next_at, OutboxLetter.id).limit(1)


def _waits(store: Store, channels: list[str]) -> bool:
    with store.read() as session:
        return session.scalar(_due(store.clock.now(), channels)) is not None


def _claim(store: Store, channels: list[str]) -> tuple[int, int, str, Letter] | None:
    """Takes the next due letter for the length of the lease: pushed ahead, it is nobody else's until then."""
    with store.work() as work:
        due = _due(work.now, channels).with_only_columns(OutboxLetter).with_for_update(skip_locked=True)
        row = work.session.scalars(due).first()
        while row is not None and row.attempts >= ATTEMPTS:  # its last deliverer died with it
            row.state, row.error = "dead", row.error or "no deliverer came back from it"
            work.session.flush()
            row = work.session.scalars(due).first()
        if row is None:
            return None
        row.attempts += 1
        row.next_at = work.now + LEASE
        return row.id, row.attempts, row.channel, Letter(row.key, row.recipient, row.payload)


def _mark_sent(store: Store, row_id: int) -> None:
    with store.work() as work:
        work.session.execute(
            update(OutboxLetter).where(OutboxLetter.id == row_id).values(state="sent", sent_at=work.now, error=None)
        )


def _mark_failed(store: Store, row_id: int, attempts: int, error: Exception) -> None:
    dead = attempts >= ATTEMPTS or isinstance(error, Undeliverable)
    with store.work() as work:
        work.session.execute(
            update(OutboxLetter)
            # A deliverer that overran its lease must not undo what its successor achieved.
            .where(OutboxLetter.id == row_id, OutboxLetter.state == "waiting", OutboxLetter.attempts == attempts)
            .values(
                state="dead" if dead else "waiting",
                next_at=work.now + backoff(attempts),
                error=f"{type(error).__name__}: {error}"[:2000],
            )
        )


def forget_old(store: Store, most: int = 5000) -> int:
    """Forgets letters that arrived, or were given up, longer ago than anybody asks: at most `most` of the oldest; returns how many.

    Dead ones stay until somebody has decided on them. Letters name cases and people: what has served is not kept for ever.
    """
    before = store.clock.now() - KEPT
    arrived = and_(OutboxLetter.state == "sent", OutboxLetter.sent_at < before)
    given_up = and_(OutboxLetter.state == "given_up", OutboxLetter.created_at < before)
    with store.read() as session:
        oldest = list(session.scalars(select(OutboxLetter.id).where(or_(arrived, given_up)).order_by(OutboxLetter.id).limit(most)))
    if oldest:
        with store.work() as work:
            work.session.execute(delete(OutboxLetter).where(OutboxLetter.id.in_(oldest)))
    return len(oldest)
