"""Leave and substitution 请假与代理 (AB角): who has a task in whose stead.

A substitute holds the very post that they stand in for: substitution moves work between people who may do it, it never
gives a right. Limits do not change by it, and both names stand on the task and in the history.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.tables import Absence, AbsencePost, Account, Appointment


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who gets what would go to a person; `for_id` is that person where it is somebody else."""

    account_id: int | None
    """None where nobody in the chain of substitutes is there: the post has it then."""
    for_id: int | None = None


def stand_in(session: Session, account_id: int, unit_id: int, post: str, at: datetime) -> StandIn:
    """Who gets a task of that post which would go to `account_id` at `at`: the person, or along the chain of substitutes.

    One query where nobody is on leave.
    """
    seen: list[int] = []
    present: int | None = account_id
    while present is not None and present not in seen:
        seen.append(present)
        on_leave, substitute = _substitute(session, present, unit_id, post, at)
        if not on_leave:
            return StandIn(present, account_id if present != account_id else None)
        present = substitute
    return StandIn(None, account_id)


def stand_in_within(session: Session, person: Actor, unit_id: int, post: str, at: datetime) -> StandIn:
    """Who gets what any case-working post of the unit may do and would go to `person`: a signature, a delegation.

    Their substitute for that post if they hold it, else for the first of their posts in the unit for which somebody is there.
    """
    held = sorted((own for unit, own in person.appointments if unit == unit_id), key=lambda own: (own != post, own))
    found = StandIn(person.account_id)
    for own in held or [post]:
        found = stand_in(session, person.account_id, unit_id, own, at)
        if found.account_id is not None:
            return found
    return found


def on_leave(session: Session, account_ids: Collection[int], at: datetime) -> set[int]:
    """Who of these people is on leave at that moment. One query."""
    return set(session.scalars(select(Absence.account_id).where(Absence.account_id.in_(account_ids), *_at(at))))


def _at(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """The leaves that run at a moment, whether or not the worker has come along to say so."""
    return (Absence.state != "over", Absence.starts_at <= at, or_(Absence.ends_at.is_(None), Absence.ends_at > at))


def _substitute(session: Session, account_id: int, unit_id: int, post: str, at: datetime) -> tuple[bool, int | None]:
    """Whether the person is on leave at that moment, and who stands in for the post, if anybody who still holds it does."""
    found = session.execute(
        select(Absence.id, Appointment.account_id)
        .outerjoin(AbsencePost, (AbsencePost.absence_id == Absence.id) & (AbsencePost.unit_id == unit_id) & (AbsencePost.post == post))
        .outerjoin(Account, (Account.id == AbsencePost.substitute_id) & Account.active)
        .outerjoin(Appointment, (Appointment.account_id == Account.id) & (Appointment.unit_id == unit_id) & (Appointment.post == post))
        .where(Absence.account_id == account_id, *_at(at))
        .order_by(Absence.id.desc()).limit(1)
    ).first()  # fmt: skip
    return (False, None) if found is None else (True, found[1])
