"""The tables of messages and signals: which cases wait for what, and signals that are still on their way to those who wait.

Rows are kept only as long as they serve: what was heard stands in the history of each case.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.process.interpreter.structure_events import NAME_MAX
from engine.store.base import Base, Id, Json

#: Kind of the one row of a case that nobody has looked at since these rows exist; `subscriptions.fill_in` replaces it.
UNREAD = "unread"
_DUE = text("wake_at IS NOT NULL")


class Subscription(Base):
    """A step of a running or suspended case that waits for a message or a signal; gone as soon as it waits no more.

    An id is never given twice: a signal reaches the rows up to the greatest there was when it was thrown.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"), Index("ix_subscription_awaited", "kind", "name", "id"), {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    token: Mapped[str] = mapped_column(String(36))
    """The waiting token of the interpreter."""
    activity: Mapped[str | None] = mapped_column(String(36))
    """Of an event on the edge of an activity, the activity's: such an event may wait again, and is the same row then."""
    kind: Mapped[str] = mapped_column(String(8))
    """message · signal · unread"""
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    step: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime]


class Signal(Base):
    """A signal 信号 that was thrown, until everybody who waited for it has heard it."""

    __tablename__ = "signal"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    thrown_at: Mapped[datetime]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    """The case that threw it, which has heard it already; None where a person or program did."""
    source: Mapped[str] = mapped_column(String(100))
    """Who threw it, in words: the number of the case, or the name of the person."""
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """To which unit the cases belong that it starts."""
    depth: Mapped[int]
    """How many signals led to it, one out of the other, without anybody doing anything."""
    up_to_id: Mapped[int]
    """The last subscription that there was."""
    spread_id: Mapped[int] = mapped_column(default=0)
    """Up to this subscription deliveries have been written."""
    spread: Mapped[bool] = mapped_column(default=False)
    """Whether all of them have."""


class SignalDelivery(Base):
    """A case that is still to hear a signal, or a process that is still to be started by it. Deleted in the transaction that does it."""

    __tablename__ = "signal_delivery"
    __table_args__ = (
        UniqueConstraint("signal_id", "instance_id"),
        Index("ix_signal_delivery_due", "wake_at", "id", sqlite_where=_DUE, postgresql_where=_DUE),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    process_key: Mapped[str | None] = mapped_column(String(64))
    """The process to be started; None where a case is to hear it."""
    attempts: Mapped[int] = mapped_column(default=0)
    wake_at: Mapped[datetime | None]
    """When the worker looks at it; None: it has failed too often, and waits for the operator."""
