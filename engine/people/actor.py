"""Who acts: a person with all posts, loaded in one query and passed by value through a whole request.

An `Actor` is a snapshot. It is made anew for each request and each command of the worker, so a dismissal takes effect
with the next click.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.people.tables import Account, Appointment, Unit, UnitBody


@dataclass(frozen=True, slots=True)
class Actor:
    """An active person. `appointments` are (unit id, post) pairs; `bodies` are (unit id, body) pairs of those units."""

    account_id: int
    login: str
    name: str
    unit_id: int
    unit_code: str
    unit_name: str
    appointments: frozenset[tuple[int, str]] = frozenset()
    bodies: frozenset[tuple[int, str]] = frozenset()

    @property
    def posts(self) -> frozenset[str]:
        """The posts held in any unit."""
        return frozenset(post for _, post in self.appointments)

    @property
    def units(self) -> frozenset[int]:
        """The ids of the units in which any post is held."""
        return frozenset(unit for unit, _ in self.appointments)

    def holds(self, post: str, unit_id: int | None = None) -> bool:
        """Whether the post is held in that unit; without a unit, anywhere."""
        return (unit_id, post) in self.appointments if unit_id is not None else post in self.posts


def load_actor(session: Session, account_id: int) -> Actor | None:
    """The person of an account, in one query. None where there is no such account or it is no longer active."""
    rows = session.execute(actor_query().where(Account.id == account_id)).all()
    return actor_from(rows)


def actor_query(*more: Any) -> Select[Any]:
    """A query of one person's actor, one row for each appointment and body; `more` are further columns, behind ours.

    The caller adds the condition that picks one account, and hands the rows to `actor_from`.
    """
    return (
        select(
            Account.id, Account.login, Account.name, Unit.id, Unit.code, Unit.name,
            Appointment.unit_id, Appointment.post, UnitBody.body, *more,
        )
        .join_from(Account, Unit, Unit.id == Account.unit_id)
        .outerjoin(Appointment, Appointment.account_id == Account.id)
        .outerjoin(UnitBody, UnitBody.unit_id == Appointment.unit_id)
        .where(Account.active)
    )


def actor_from(rows: Iterable[Any]) -> Actor | None:
    """Folds the rows of `actor_query` into one actor; None for no rows."""
    found = list(rows)
    if not found:
        return None
    account_id, login, name, unit_id, unit_code, unit_name = found[0][:6]
    return Actor(
        account_id, login, name, unit_id, unit_code, unit_name,
        appointments=frozenset((row[6], row[7]) for row in found if row[7] is not None),
        bodies=frozenset((row[6], row[8]) for row in found if row[8] is not None),
    )


def load_actors(session: Session, account_ids: Iterable[int]) -> dict[int, Actor]:
    """The people of some accounts by id, those who are active, in one query."""
    rows: dict[int, list[Any]] = {}
    for row in session.execute(actor_query().where(Account.id.in_(list(account_ids)))):
        rows.setdefault(row[0], []).append(row)
    found = {account_id: actor_from(own) for account_id, own in rows.items()}
    return {account_id: actor for account_id, actor in found.items() if actor is not None}
