"""The tables of people: which units there are, who works in them, in which posts, and who is signed in.

Units, names and parentage are data: a reorganisation changes rows here and no diagram. A person holds posts through
appointments, each for one unit; nobody holds a right directly.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class Unit(Base):
    """A unit 单位: a department, a county, the office, the city government."""

    __tablename__ = "unit"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(32), unique=True)
    """How diagrams and interfaces name it, e.g. "007"; fixed for life, unlike the name."""
    name: Mapped[str] = mapped_column(String(200))
    short: Mapped[str] = mapped_column(String(50))
    """The everyday name in lists."""
    kind: Mapped[str] = mapped_column(String(32))
    area: Mapped[str] = mapped_column(String(12))
    """The code of its administrative division (GB/T 2260)."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    """False after it was dissolved or merged: it keeps its past and gets nothing new."""


class UnitBody(Base):
    """Which unit carries a named body, such as the leadership office. One unit may carry several; no body is carried by two."""

    __tablename__ = "unit_body"

    body: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A key of `posts.json`, e.g. "leadership_office"."""
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)


class Account(Base):
    """An account of one person. Never deleted: the history names it."""

    __tablename__ = "account"

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(String(64), unique=True)
    """Lower case; what is typed at the sign-in is lowered too."""
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    """Argon2id in its encoded form; None until a password is set: nobody can sign in with it."""
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    """Where the person works; rights come from appointments only."""
    phone: Mapped[str | None] = mapped_column(String(32))
    email: Mapped[str | None] = mapped_column(String(254))
    active: Mapped[bool] = mapped_column(default=True)
    """False for good: the person has left."""
    locked: Mapped[bool] = mapped_column(default=False)
    """Locked by an administrator until unlocked."""
    failed: Mapped[int] = mapped_column(default=0)
    """Wrong passwords in a row since the last success or lockout."""
    locked_until: Mapped[datetime | None]
    """The end of a lockout after repeated failures."""
    created_at: Mapped[datetime]
    password_at: Mapped[datetime | None]
    """When the password was last set."""


class Appointment(Base):
    """A person's post 岗位 in a unit; AB roles are two appointments to the same post."""

    __tablename__ = "appointment"
    # "Who holds this post in this unit?" (notices, candidates); the primary key answers "which posts has this person?".
    __table_args__ = (Index(None, "unit_id", "post", "account_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, autoincrement=False)
    post: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A key of `posts.json`."""


class SignIn(Base):
    """A signed-in browser: a server-side session. Deleting the row signs it out; the history keeps that it was."""

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the random token in the cookie: a stolen copy of the database signs nobody in."""
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """The last request, to the minute: written at most once a minute."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """The end whatever the person does (absolute limit)."""
    address: Mapped[str] = mapped_column(String(64))


class Absence(Base):
    """A leave 请假 with its substitutes (AB角): from when to when, and whether the open tasks go along."""

    __tablename__ = "absence"
    __table_args__ = (
        Index("ix_absence_live", "account_id", "starts_at", sqlite_where=text("state <> 'over'"), postgresql_where=text("state <> 'over'")),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    """Exclusive; None until it is ended, as for somebody who fell ill."""
    reason: Mapped[str] = mapped_column(String(200))
    take_open: Mapped[bool]
    """Whether what the person has in hand at the beginning goes to the substitutes too."""
    state: Mapped[str] = mapped_column(String(16))
    """planned · running · over"""
    set_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    """The person, or who supervises them."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it really ended, or was taken back."""


class AbsencePost(Base):
    """Who stands in for one post of somebody on leave; holds that very post too."""

    __tablename__ = "absence_post"

    absence_id: Mapped[int] = mapped_column(ForeignKey("absence.id"), primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, autoincrement=False)
    post: Mapped[str] = mapped_column(String(64), primary_key=True)
    substitute_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)


class SignatureImage(Base):
    """The picture of a person's handwritten signature, printed beside their opinions. In the database, so that a backup holds it."""

    __tablename__ = "signature_image"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    image: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    media_type: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    set_at: Mapped[datetime]


class ApiToken(Base):
    """A bearer token 访问令牌 with which a program acts as a person: never more than the person may, and only within its scopes."""

    __tablename__ = "api_token"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the token, which is shown once, when it is made."""
    scopes: Mapped[list[Any]]
    """read · work · start · deploy · operate · external"""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    """Written at most once a minute."""
    revoked_at: Mapped[datetime | None]
