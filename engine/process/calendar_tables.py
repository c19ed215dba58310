"""The tables of the working calendar beside the notices themselves: calendars of counties, who counts by which, what waits for a
second person, and how open deadlines were counted again after a publication.

Nothing here is changed once it counts: a binding is replaced by a newer row, a notice by an amending one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id

#: The calendar of the city: every unit counts by it that is bound to no other. It needs no row.
CITY = "city"


class WorkCalendar(Base):
    """A calendar beside the city's: the national notices, with closures and working days of its own (a county's)."""

    __tablename__ = "work_calendar"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    follows_city: Mapped[bool] = mapped_column(default=True)
    """Whether the city's own orders (a closure by snow) hold here too."""
    created_at: Mapped[datetime]


class CalendarBinding(Base):
    """Which calendar a unit counts by. The newest row of a unit counts; older ones say how it was."""

    __tablename__ = "calendar_binding"
    __table_args__ = (Index(None, "unit_id", "id"),)

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    calendar: Mapped[str] = mapped_column(String(64))
    bound_at: Mapped[datetime]
    bound_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class CalendarProposal(Base):
    """A notice or local order as somebody has read it, until a second person compares it with the paper."""

    __tablename__ = "calendar_proposal"
    __table_args__ = (Index("ix_calendar_proposal_open", "id", sqlite_where=text("state = 'open'"),
                            postgresql_where=text("state = 'open'")),)

    id: Mapped[Id]
    calendar: Mapped[str | None] = mapped_column(String(64))
    """None for a national notice; else the calendar whose own order it is."""
    doc: Mapped[str] = mapped_column(String(64))
    reading: Mapped[dict[str, Any]]
    """What was read, with its festivals, remarks and doubts, as `Reading.as_json` gives it."""
    body: Mapped[dict[str, Any]]
    """The notice, as `Notice.as_json` gives it."""
    source: Mapped[str] = mapped_column(Text)
    """The text or file that it was read from, for the second person to compare; empty where days were entered by hand."""
    accepted: Mapped[str] = mapped_column(Text)
    """Why the doubts were accepted; empty where there were none."""
    policy: Mapped[str] = mapped_column(String(8))
    """What becomes of a deadline that would fall earlier: keep · move"""
    proposed_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    """open · published · refused · withdrawn"""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(Text)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("calendar_notice.id"))


class Recount(Base):
    """Counting the open deadlines again after a publication: one audited operation in many short transactions."""

    __tablename__ = "recount"
    __table_args__ = (Index("ix_recount_running", "id", sqlite_where=text("state != 'done'"),
                            postgresql_where=text("state != 'done'")),)

    id: Mapped[Id]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("calendar_notice.id"))
    """The notice that brought it; None where units were bound to another calendar."""
    cause: Mapped[str] = mapped_column(String(200))
    """In words: the number of the notice, or the binding."""
    policy: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    """counting · telling · done"""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    looked_at: Mapped[int] = mapped_column(default=0)
    """Cases whose clocks were counted again."""
    moved: Mapped[int] = mapped_column(default=0)
    """Deadlines that changed."""
    kept: Mapped[int] = mapped_column(default=0)
    """Deadlines that would have fallen earlier and were kept."""
    told: Mapped[int] = mapped_column(default=0)
    """People who got a digest."""


class RecountMove(Base):
    """One deadline that a publication moved, or that was kept although it would have fallen earlier."""

    __tablename__ = "recount_move"
    __table_args__ = (Index(None, "recount_id", "id"), Index(None, "instance_id"))

    id: Mapped[Id]
    recount_id: Mapped[int] = mapped_column(ForeignKey("recount.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    number: Mapped[str] = mapped_column(String(64))
    timer_id: Mapped[int] = mapped_column(ForeignKey("timer.id"), index=True)
    activity: Mapped[str] = mapped_column(String(200))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """Whose open task the deadline is; None where none is open just now."""
    post: Mapped[str | None] = mapped_column(String(64))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    from_day: Mapped[date | None]
    to_day: Mapped[date | None]
    """The last day now: the same as before where it was kept."""
    computed_day: Mapped[date | None]
    """The last day that the calendar gives; earlier than `to_day` where it was kept."""
    moved_at: Mapped[datetime]
