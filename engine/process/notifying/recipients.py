"""Whom a notice concerns, with what each of them has chosen for its kind: one query, however many they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from engine.people.posts import POSTS
from engine.people.tables import Account, Appointment, UnitBody
from engine.process.notifying.kinds import kind_of
from engine.process.notifying.tables import NoticePreference, NoticeSetting, Robot

#: Minute of the day from which the digest of somebody who has said nothing is sent: 08:30.
DIGEST_MINUTE = 510


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is to be told, and how they want it."""

    account_id: int
    unit_id: int
    email: str | None
    phone: str | None
    quiet: bool
    chosen: Mapping[str, str] = field(default_factory=dict)
    """Channel → mode, where they have chosen one for this kind."""

    def mode(self, kind: str, channel: str) -> str:
        """How a notice of this kind reaches them by a channel; `off` where they have no address for it."""
        if (channel == "mail" and not self.email) or (channel == "sms" and not self.phone):
            return "off"
        what = kind_of(kind)
        mode = self.chosen.get(channel, what.mode(channel))
        return mode if mode in what.offered(channel) else what.mode(channel)


def holders(session: Session, unit_id: int, post: str, kind: str) -> list[Person]:
    """Everybody active who holds the post in the unit."""
    of_them = select(Appointment.account_id).where(Appointment.unit_id == unit_id, Appointment.post == post)
    return people(session, kind, Account.id.in_(of_them))


def person(session: Session, account_id: int, kind: str) -> list[Person]:
    """The one person, if they still work here."""
    return people(session, kind, Account.id == account_id)


def empowered(session: Session, power: str, kind: str, but: Collection[int] = ()) -> list[Person]:
    """Everybody active whose post gives them the power, but for some accounts."""
    ways: list[ColumnElement[bool]] = [Appointment.post.in_([key for key, post in POSTS.items() if power in post.powers])]
    tied = [(body, key) for key, post in POSTS.items() for body, powers in post.powers_in.items() if power in powers]
    for body, key in tied:
        ways.append(and_(Appointment.post == key, Appointment.unit_id.in_(select(UnitBody.unit_id).where(UnitBody.body == body))))
    holding = select(Appointment.account_id).where(or_(*ways))
    return people(session, kind, Account.id.in_(holding), Account.id.not_in(but))


def people(session: Session, kind: str, *who: ColumnElement[bool]) -> list[Person]:
    """The active accounts that fulfil the conditions, in order. One query."""
    rows = session.execute(
        select(*_COLUMNS)
        .outerjoin(NoticeSetting, NoticeSetting.account_id == Account.id)
        .outerjoin(NoticePreference, and_(NoticePreference.account_id == Account.id, NoticePreference.kind == kind))
        .where(Account.active, *who).order_by(Account.id)
    ).all()  # fmt: skip
    return _folded(rows)


_COLUMNS = (
    Account.id, Account.unit_id, Account.email, Account.phone, NoticeSetting.quiet, NoticePreference.channel, NoticePreference.mode,
)  # fmt: skip


def _folded(rows: Iterable[Any]) -> list[Person]:
    found: dict[int, Person] = {}
    chosen: dict[int, dict[str, str]] = {}
    for account_id, unit_id, email, phone, quiet, channel, mode in rows:
        own = chosen.setdefault(account_id, {})
        if channel is not None:
            own[channel] = mode
        found.setdefault(account_id, Person(account_id, unit_id, email, phone, quiet is not False, own))
    return list(found.values())


def robots_of(session: Session, unit_ids: Collection[int], kind: str, channels: Collection[str]) -> Sequence[Robot]:
    """The units' robots that announce this kind through a channel which the installation has. At most one query."""
    wanted = [channel for channel in ("wecom", "dingtalk") if channel in channels]
    if not wanted or not kind_of(kind).robot:
        return ()
    return session.scalars(
        select(Robot).where(Robot.unit_id.in_(unit_ids), Robot.active, Robot.channel.in_(wanted)).order_by(Robot.id)
    ).all()
