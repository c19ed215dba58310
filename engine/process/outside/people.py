"""People as other programs see them: accounts by login, and groups, which are posts in units (`<unit code>/<post>`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from engine.people.posts import POSTS, post_label
from engine.people.tables import Account, Appointment, Unit
from engine.process.outside.listing import AnySelect, Condition, Cut, Filter, Listed, among, conditions, count, fetch, like, same


@dataclass(frozen=True, slots=True)
class Person:
    """An active account. Telephone and e-mail are left out: they are nobody's business here."""

    account_id: int
    login: str
    name: str
    unit_code: str


@dataclass(frozen=True, slots=True)
class Group:
    """A post in a unit; `people` are (login, name) of who holds it."""

    id: str
    name: str
    unit_code: str
    post: str
    people: tuple[tuple[str, str], ...] = ()


def _holds(group: str) -> Condition:
    """Whether an account holds a post, which is named as a group."""
    unit, _, post = group.partition("/")
    home = aliased(Unit)
    return (
        select(Appointment.account_id).join(home, home.id == Appointment.unit_id)
        .where(Appointment.account_id == Account.id, home.code == unit, Appointment.post == post).correlate(Account).exists()
    )  # fmt: skip


FILTERS: Mapping[str, Filter] = {
    "id": same(Account.login), "idIn": among(Account.login), "lastName": same(Account.name), "lastNameLike": like(Account.name),
    "memberOfGroup": _holds,
}  # fmt: skip
SORTS: Mapping[str, Any] = {"userId": Account.login, "lastName": Account.name}


def _query() -> AnySelect:
    return select(Account.id, Account.login, Account.name, Unit.code).join(Unit, Unit.id == Account.unit_id).where(Account.active)


def person_by_login(session: Session, login: str) -> Person | None:
    """The active person with that login; None where there is none. One query."""
    row = session.execute(_query().where(Account.login == login.lower())).first()
    return Person(*row) if row else None


def people(session: Session, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Active people, as rows whose columns are those of a Person. One query."""
    cut = cut if cut.order else replace(cut, order=(("userId", False),))
    return fetch(session, _query().where(*conditions(FILTERS, asked)), SORTS, Account.id, cut)


def count_people(session: Session, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return count(session, select(Account.id).where(Account.active, *conditions(FILTERS, asked)))


def groups_of(session: Session, account_id: int) -> list[Group]:
    """The groups of a person, with who else belongs to them. One query."""
    own = aliased(Appointment)
    rows = session.execute(
        select(Unit.code, Unit.short, own.post, Account.login, Account.name)
        .join(Unit, Unit.id == own.unit_id)
        .join(Appointment, (Appointment.unit_id == own.unit_id) & (Appointment.post == own.post))
        .join(Account, (Account.id == Appointment.account_id) & Account.active)
        .where(own.account_id == account_id).order_by(Unit.code, own.post, Account.login)
    )  # fmt: skip
    return _folded(rows)


def groups(session: Session, asked: Mapping[str, str]) -> list[Group]:
    """Every group that somebody belongs to. `asked` may hold `id`. One query."""
    query = (
        select(Unit.code, Unit.short, Appointment.post, Account.login, Account.name)
        .join(Unit, Unit.id == Appointment.unit_id).join(Account, (Account.id == Appointment.account_id) & Account.active)
        .order_by(Unit.code, Appointment.post, Account.login)
    )  # fmt: skip
    if "id" in asked:
        unit, _, post = asked["id"].partition("/")
        query = query.where(Unit.code == unit, Appointment.post == post)
    return _folded(session.execute(query))


def _folded(rows: object) -> list[Group]:
    found: dict[tuple[str, str], tuple[str, list[tuple[str, str]]]] = {}
    for code, short, post, login, name in rows:  # type: ignore[attr-defined]
        found.setdefault((code, post), (short, []))[1].append((login, name))
    return [
        Group(f"{code}/{post}", f"{short}{post_label(post)}", code, post, tuple(held))
        for (code, post), (short, held) in found.items() if post in POSTS
    ]  # fmt: skip
