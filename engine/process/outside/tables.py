"""The tables of other programs: answers remembered by idempotency key, webhooks. External tasks are the kernel's own rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id

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
