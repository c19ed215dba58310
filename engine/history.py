"""The history 办理记录: an append-only audit trail that shows when it was touched.

Every act is one entry. Entries are chained by SHA-256 within their stream ("instance:12", "account:5", "system"), so
that writers of different streams never wait for each other; a single chain would make every writer queue. The worker
then seals committed entries in batches into one global chain (`engine/history_seal.py`), and the database itself
refuses to change or delete them (`engine.store.append_only`).

The head of an instance's stream stands on the instance row, which its writer has locked anyway; the heads of all other
streams stand in `history_head`.

What people approved to be removed 销毁 leaves a tombstone for each entry (`HistoryRemoved`), by which the chains still hold.

Not for: application logs, or anything else that may be deleted one day. Nothing secret belongs in an entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Dialect, ForeignKey, Index, String, Text, UniqueConstraint, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from engine.store.base import Base, BigId, Id
from engine.store.store import Work

if TYPE_CHECKING:
    from engine.people.actor import Actor


class CanonicalJson(TypeDecorator[dict[str, Any]]):
    """A JSON object kept as the very text that was hashed (sorted keys, no spaces).

    Text on purpose: JSONB would rewrite numbers, and the hash of an untouched entry would no longer match.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else orjson.loads(value)


class History(Base):
    """One entry. It names rows of other tables without foreign keys: it must outlive whatever it names."""

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("stream", "seq"), Index(None, "instance_id", "seq"))

    id: Mapped[Id]
    stream: Mapped[str] = mapped_column(String(100))
    instance_id: Mapped[int | None]
    seq: Mapped[int]
    """1, 2, 3 … within the stream, without gaps."""
    at: Mapped[datetime]
    """When the act counts (an overdue timer: when it was due)."""
    recorded_at: Mapped[datetime]
    """When it was really written: the transaction's instant."""
    actor_id: Mapped[int | None]
    """None where the system itself acted."""
    actor_name: Mapped[str | None] = mapped_column(String(100))
    """The name at that time; people change names and units."""
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    act: Mapped[str] = mapped_column(String(64))
    """What was done, an English key: started, completed, signed_in …"""
    step: Mapped[str | None] = mapped_column(String(128))
    article: Mapped[str | None] = mapped_column(String(200))
    definition_id: Mapped[int | None]
    edition: Mapped[str | None] = mapped_column(String(64))
    """The calendar edition that dates were counted with."""
    data: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    prev_hash: Mapped[str] = mapped_column(String(64))
    """The hash of the entry before it in the stream; empty for the first."""
    hash: Mapped[str] = mapped_column(String(64))


class HistoryHead(Base):
    """The last entry of a stream that has no row of its own to keep it on."""

    __tablename__ = "history_head"

    stream: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class HistorySeal(Base):
    """One batch of entries in the global chain."""

    __tablename__ = "history_seal"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """1, 2, 3 … without gaps: a missing one was removed."""
    sealed_at: Mapped[datetime]
    count: Mapped[int]
    last_id: Mapped[int]
    """The greatest entry id in the batch."""
    settled_id: Mapped[int]
    """All entries up to this id are sealed in this batch or an earlier one; no later batch looks below it."""
    entries_digest: Mapped[str] = mapped_column(String(64))
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class HistorySealItem(Base):
    """Which batch an entry was sealed in."""

    __tablename__ = "history_seal_item"
    __table_args__ = (Index(None, "seal_id", "history_id"),)

    history_id: Mapped[int] = mapped_column(ForeignKey("history.id"), primary_key=True, autoincrement=False)
    seal_id: Mapped[int] = mapped_column(ForeignKey("history_seal.id"))


class HistoryRemoved(Base):
    """The tombstone of an entry whose case was removed 销毁: its place and its hashes, by which stream and batch still hold.

    The database lets nobody delete an entry that has none, and nobody touch a tombstone (`engine.store.append_only`).
    """

    __tablename__ = "history_removed"
    __table_args__ = (UniqueConstraint("stream", "seq"), Index(None, "seal_id", "history_id"))

    history_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    stream: Mapped[str] = mapped_column(String(100))
    seq: Mapped[int]
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    seal_id: Mapped[int] = mapped_column(ForeignKey("history_seal.id"))
    """The batch that it was sealed in: what is not sealed yet is not removed."""
    removal_id: Mapped[int]
    """By which approved removal; that one has a stream of its own (`removal_stream`)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a caller says about an act; the unit of work adds who, from where and when.

    `at` is when the act counts, None for now. `data` holds JSON values with text keys. `actor` is only given where the
    person is not the unit of work's actor (a sign-in: the person is known only afterwards).
    """

    act: str
    at: datetime | None = None
    step: str | None = None
    article: str | None = None
    definition_id: int | None = None
    edition: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    actor: Actor | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a stream: its number and hash; the default is the head of an empty stream."""

    seq: int = 0
    hash: str = ""


def instance_stream(instance_id: int) -> str:
    """The stream of a process instance."""
    return f"instance:{instance_id}"


def removal_stream(removal_id: int) -> str:
    """The stream of a removal: who proposed it, who approved it, how it ended."""
    return f"removal:{removal_id}"


def removed_stream(instance_id: int) -> str:
    """The stream of one entry that covers the tombstones of a removed instance: how many there are, and their last hash."""
    return f"removed:{instance_id}"


def chain(
    head: Head, stream: str, entries: Iterable[Entry], work: Work, *, instance_id: int | None = None
) -> tuple[list[dict[str, Any]], Head]:
    """The rows of `entries` behind `head`, in order, and the new head. Pure: writes nothing.

    Whoever calls it must hold the lock of the head. Raises TypeError for data that is no JSON.
    """
    rows: list[dict[str, Any]] = []
    for entry in entries:
        actor = entry.actor or work.actor
        row: dict[str, Any] = {
            "stream": stream,
            "instance_id": instance_id,
            "seq": head.seq + 1,
            "at": entry.at or work.now,
            "recorded_at": work.now,
            "actor_id": actor.account_id if actor else None,
            "actor_name": actor.name if actor else None,
            "address": work.origin.address[:64],
            "request_id": work.origin.request_id[:64],
            "act": entry.act,
            "step": entry.step,
            "article": entry.article,
            "definition_id": entry.definition_id,
            "edition": entry.edition,
            "data": dict(entry.data),
            "prev_hash": head.hash,
        }
        row["hash"] = digest(row)
        head = Head(row["seq"], row["hash"])
        rows.append(row)
    return rows, head


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over the canonical JSON of an entry's fields, all but `id` and `hash`.

    Fields that are None are left out, so that a column added in a later version leaves the hashes of older entries valid.
    """
    fields = {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
        if value is not None and name not in ("id", "hash")
    }
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


_INSERT = insert(History.__table__)  # type: ignore[arg-type]


def insert_rows(session: Session, rows: list[dict[str, Any]]) -> None:
    """Writes rows made by `chain`, in one statement."""
    if rows:
        session.execute(_INSERT, rows)


def append(work: Work, stream: str, entries: Iterable[Entry]) -> None:
    """Appends to a stream whose head stands in `history_head`; writers of the same stream take turns.

    Not for instances: theirs is chained by the kernel. Costs three statements.
    """
    rows, head = chain(locked_head(work.session, stream), stream, entries, work)
    if rows:
        insert_rows(work.session, rows)
        move_head(work.session, stream, head)


def locked_head(session: Session, stream: str) -> Head:
    """The head of a stream, locked until the transaction ends; a new stream gets an empty one."""
    head = try_head(session, stream, skip_locked=False)
    if head is None:
        make_head(session, stream)
        head = try_head(session, stream, skip_locked=False)
    assert head is not None, "a head that was just made is there"
    return head


def try_head(session: Session, stream: str, *, skip_locked: bool) -> Head | None:
    """The head of a stream, locked; None where there is none, or (with `skip_locked`) another transaction holds it."""
    heads = HistoryHead.__table__.c
    found = session.execute(
        select(heads.seq, heads.hash).where(heads.stream == stream).with_for_update(skip_locked=skip_locked)
    ).first()
    return Head(*found) if found else None


def make_head(session: Session, stream: str) -> None:
    """An empty head for a new stream; nothing where another transaction was quicker."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(HistoryHead).values(stream=stream, seq=0, hash="").on_conflict_do_nothing()
    )


def move_head(session: Session, stream: str, head: Head) -> None:
    """Writes the new head of a stream; the caller holds its lock."""
    heads = HistoryHead.__table__
    session.execute(
        update(HistoryHead).where(heads.c.stream == stream).values(seq=head.seq, hash=head.hash)
    )
