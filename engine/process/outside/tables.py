"""The tables of other programs: external tasks with their locks, answers remembered by idempotency key, webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id

_WAITING = text("state = 'waiting'")


class ExternalTask(Base):
    """A service task with a topic that waits for a worker outside."""

    __tablename__ = "external_task"
    __table_args__ = (
        Index("ix_external_task_waiting", "topic", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_external_task_instance", "instance_id", "id"),
    )

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    token: Mapped[str] = mapped_column(String(36))
    """The waiting token of the interpreter."""
    step: Mapped[str] = mapped_column(String(128))
    topic: Mapped[str] = mapped_column(String(128))
    process_key: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))
    """waiting · done · cancelled"""
    worker: Mapped[str | None] = mapped_column(String(200))
    """Who fetched it last; only this worker may finish it while its lock holds."""
    locked_until: Mapped[datetime | None]
    """Until then nobody else gets it; afterwards the next worker does, and the slow one is refused."""
    retries: Mapped[int | None]
    """How often it may still be tried; None until a worker reported a failure, 0: an incident waits for the operator."""
    error: Mapped[str | None] = mapped_column(String(666))
    details: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class RememberedAnswer(Base):
    """What was answered to a request with an `Idempotency-Key`, written in the transaction that did it: a retry does nothing twice."""

    __tablename__ = "remembered_answer"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body: the same key for something else is refused."""
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


class Webhook(Base):
    """Where events of cases and tasks are sent, signed."""

    __tablename__ = "webhook"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(200))
    kinds: Mapped[list[Any]]
    """Kinds of events; empty for all."""
    processes: Mapped[list[Any]]
    """Process keys; empty for all."""
    active: Mapped[bool]
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
