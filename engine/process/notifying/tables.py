"""What people want to be told where, and the group robots that units have set up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class NoticePreference(Base):
    """How notices of one kind reach a person by one channel. What is not here is as the product has it."""

    __tablename__ = "notice_preference"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    """page · mail · sms"""
    mode: Mapped[str] = mapped_column(String(16))
    """always (even in quiet hours) · at_once · digest · off"""


class NoticeSetting(Base):
    """When a person may be reached outside the page."""

    __tablename__ = "notice_setting"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    quiet: Mapped[bool]
    """Nothing leaves outside the working hours of working days; it waits for the next."""
    digest_minute: Mapped[int]
    """Minute of a working day (Shanghai) from which the digest is sent; 510 is 08:30."""


class Robot(Base):
    """A group robot 群机器人 of a unit: notices to its posts are announced there too, without their content."""

    __tablename__ = "robot"
    __table_args__ = (Index(None, "unit_id", "id"),)

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    channel: Mapped[str] = mapped_column(String(32))
    """wecom · dingtalk"""
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str | None] = mapped_column(String(200))
    """DingTalk's signing secret; None where the robot asks for none."""
    active: Mapped[bool]
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
