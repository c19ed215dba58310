"""The outbox: what leaves the database (mail, webhooks) is posted inside the transaction and delivered after it.

A letter is a row. It is written by the command that causes it, so it exists exactly if that command was committed.
The worker delivers it at least once: a crash between sending and marking sends it again, under the same idempotency
key, by which the receiver can tell. A letter that cannot be delivered is kept as dead and stops nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, String, Text, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, Json
from engine.store.store import Store, Work

#: For how long a claimed letter is one deliverer's. If that one dies, the next takes over after this time.
LEASE = timedelta(minutes=5)
#: After this many attempts a letter is dead.
ATTEMPTS = 16

_WAITING = text("state = 'waiting'")


class OutboxLetter(Base):
    """One letter to one recipient through one channel."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "next_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),)

    id: Mapped[Id]
    channel: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str] = mapped_column(String(500))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    """What the channel needs; a mail's {"subject", "text"}."""
    key: Mapped[str] = mapped_column(String(200), unique=True)
    """The idempotency key: the same letter posted twice is one row, and the receiver can tell a repeated delivery."""
    state: Mapped[str] = mapped_column(String(16))
    """waiting · sent · dead"""
    attempts: Mapped[int]
    """Deliveries begun; counted before sending, so that a letter which kills its deliverer is given up in the end."""
    next_at: Mapped[datetime]
    """When it may be tried; while a deliverer works on it, the end of its lease."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed."""


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
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    row = {
        "channel": channel, "recipient": recipient, "payload": dict(payload), "key": key, "state": "waiting",
        "attempts": 0, "next_at": work.now, "created_at": work.now,
    }  # fmt: skip
    statement = dialect.insert(OutboxLetter).values(row).on_conflict_do_nothing().returning(OutboxLetter.id)
    return work.session.execute(statement).first() is not None


def backoff(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: 30 seconds times four for each further one, at most six hours.

    30 s, 2 min, 8 min, 32 min, 2 h 8 min, then 6 h each: with 16 attempts about two and a half days, which outlasts a
    weekend's outage of a mail server.
    """
    wait: timedelta = timedelta(seconds=30) * 4 ** min(attempts - 1, 8)
    return min(wait, timedelta(hours=6))


def deliver(store: Store, channels: Mapping[str, Channel], *, limit: int = 100) -> int:
    """Delivers what is due, oldest first, at most `limit` letters; returns how many were sent.

    Each letter costs two short transactions, one to claim and one to mark; nothing is locked while it is being sent,
    and any number of deliverers may run. A channel that this installation has not configured counts as a failure.
    """
    sent = 0
    for _ in range(limit):
        claimed = _claim(store)
        if claimed is None:
            break
        row_id, attempts, channel, letter = claimed
        try:
            if channel not in channels:
                raise LookupError(f"channel {channel!r} is not configured")
            channels[channel](letter)
        except Exception as error:  # whatever a channel raises is this letter's failure, never the next one's
            _mark_failed(store, row_id, attempts, error)
        else:
            _mark_sent(store, row_id)
            sent += 1
    return sent


def _claim(store: Store) -> tuple[int, int, str, Letter] | None:
    """Takes the next due letter for the length of the lease: pushed ahead, it is nobody else's until then."""
    with store.work() as work:
        due = (
            select(OutboxLetter)
            .where(OutboxLetter.state == "waiting", OutboxLetter.next_at <= work.now)
            .order_by(OutboxLetter.next_at, OutboxLetter.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
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
