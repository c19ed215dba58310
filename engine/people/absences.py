"""Leave and substitution 请假与代理 (AB角): who has a task in whose stead.

A substitute holds the very post that they stand in for: substitution moves work between people who may do it, it never
gives a right. Limits do not change by it, and both names stand on the task and in the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

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


def _substitute(session: Session, account_id: int, unit_id: int, post: str, at: datetime) -> tuple[bool, int | None]:
    """Whether the person is on leave at that moment, and who stands in for the post, if anybody who still holds it does."""
    found = session.execute(
        select(Absence.id, Appointment.account_id)
        .outerjoin(AbsencePost, (AbsencePost.absence_id == Absence.id) & (AbsencePost.unit_id == unit_id) & (AbsencePost.post == post))
        .outerjoin(Account, (Account.id == AbsencePost.substitute_id) & Account.active)
        .outerjoin(Appointment, (Appointment.account_id == Account.id) & (Appointment.unit_id == unit_id) & (Appointment.post == post))
        .where(Absence.account_id == account_id, Absence.state != "over", Absence.starts_at <= at, or_(Absence.ends_at.is_(None), Absence.ends_at > at))
        .order_by(Absence.id.desc()).limit(1)
    ).first()  # fmt: skip
    return (False, None) if found is None else (True, found[1])
