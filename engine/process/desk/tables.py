"""The desk's tables: copies that people read, phrases that they use again, drafts of what they are filling in, filters they keep."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class Copy(Base):
    """A case shown to somebody who need not act 抄送; read with a receipt 阅办."""

    __tablename__ = "case_copy"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index("ix_case_copy_unread", "account_id", sqlite_where=text("read_at IS NULL"), postgresql_where=text("read_at IS NULL")),
        Index(None, "instance_id", "id"),
    )

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)
    """From which task it was sent."""
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    sent_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    note: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    remark: Mapped[str | None] = mapped_column(Text)
    """What the reader answered with the receipt."""


class Phrase(Base):
    """A canned phrase 常用语 for opinions: of one person, or shared in a unit."""

    __tablename__ = "phrase"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "unit_id", "id"))

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    """Who wrote it, and alone may change it."""
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The unit whose people see it; None: only the writer."""
    text: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime]


class TaskDraft(Base):
    """What somebody has typed into a task and not sent yet."""

    __tablename__ = "task_draft"

    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    answers: Mapped[dict[str, Any]]
    """Raw, by field key, as they were typed."""
    opinion: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]


class SavedFilter(Base):
    """A filter of the inbox under a name; shared, the colleagues of the unit find it too."""

    __tablename__ = "saved_filter"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "unit_id", "id"))

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The unit whose people find it; None: only its owner."""
    name: Mapped[str] = mapped_column(String(60))
    tab: Mapped[str] = mapped_column(String(16))
    """The tab of the inbox; `api` for a filter that a program keeps."""
    query: Mapped[dict[str, Any]]
    """What is asked, by the names of the page's own parameters; of a program's: `query` and `properties`, as it sent them."""
    created_at: Mapped[datetime]
