"""Removals 销毁: lists of cases whose time has come, who proposed and who approved them, and how far the worker is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id

_UNDER_WAY = text("state IN ('proposed', 'running')")


class Removal(Base):
    """One removal. Its rows, and the line that stays of each case, are the destruction list 销毁清册: they are never deleted."""

    __tablename__ = "removal"
    __table_args__ = (Index("ix_removal_under_way", "id", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),)

    id: Mapped[Id]
    process_key: Mapped[str | None] = mapped_column(String(64))
    """None for cases of whatever process."""
    reason: Mapped[str] = mapped_column(Text)
    """What who proposed it found of their worth 鉴定意见."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 over the ids of the cases in order: what was approved is what is removed."""
    state: Mapped[str] = mapped_column(String(16))
    """proposed · running · done · refused · withdrawn · stopped"""
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    """The second person, who approved or refused it."""
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    stayed: Mapped[int] = mapped_column(default=0)
    """Cases that stay as they are, each with its reason."""


class RemovalItem(Base):
    """One case of a removal: waiting for its turn, removed, or kept with the reason."""

    __tablename__ = "removal_item"
    __table_args__ = (
        Index("ix_removal_item_waiting", "removal_id", "id", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
        Index(None, "removal_id", "state", "id"), Index(None, "instance_id"),
    )

    id: Mapped[Id]
    removal_id: Mapped[int] = mapped_column(ForeignKey("removal.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    state: Mapped[str] = mapped_column(String(16))
    """waiting · removed · stayed"""
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why it stayed."""
    entries: Mapped[int | None]
    """How many entries of its history were removed."""
    dealt_at: Mapped[datetime | None]
