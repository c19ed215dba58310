"""Whom the diagram itself gives a task to: a person who holds the step's post, or whoever stands in for them.

Also the word `holders(unit, post)`, by which a diagram asks everybody of a post, as in a countersign 会签 over persons.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.people.absences import stand_in
from engine.people.posts import post_label
from engine.people.tables import Absence, Account, Appointment, Unit
from engine.process.operations import word
from engine.process.projection import BadAssignment
from engine.process.tables import Task

#: How the logins begin that a dry run makes up; no real one can. Nobody is asked by name who is not there.
MADE_UP = "~"


@word("holders")
def holders(session: Session, unit: str, post: str) -> list[str]:
    """The logins of the active people who hold a post in the unit with that code, sorted. An unknown unit has none."""
    query = (
        select(Account.login).join(Appointment, Appointment.account_id == Account.id).join(Unit, Unit.id == Appointment.unit_id)
        .where(Unit.code == str(unit), Appointment.post == str(post), Account.active, Account.login.not_like(f"{MADE_UP}%"))
        .order_by(Account.login)
    )  # fmt: skip
    return list(session.scalars(query))


def assign(session: Session, wanted: Sequence[tuple[Task, Any]], at: datetime) -> dict[str, dict[str, str]]:
    """Gives each new task to the person of a login, or to whoever stands in for them at `at`; by token, what the history says.

    A task without a login (None, empty) stays with its post, and so does that of somebody on leave for whom nobody stands
    in. Raises BadAssignment for a login of nobody who holds the task's post. Two queries, and some for each who is on leave.
    """
    named = [(task, str(login).strip().lower()) for task, login in wanted if str(login or "").strip()]
    people = _people(session, [login for _, login in named])
    away = _away(session, [account_id for account_id, _, _ in people.values()], at)
    found = {}
    for task, login in named:
        account_id, name, posts = people.get(login, (0, "", frozenset()))
        if (task.unit_id, task.post) not in posts:
            raise BadAssignment(_nobody(session, task, login))
        stands = stand_in(session, account_id, task.unit_id, task.post, at) if account_id in away else None
        task.assignee_id, task.for_id = (stands.account_id, stands.for_id) if stands else (account_id, None)
        found[task.token] = {"person": name, "stand_in": _name(session, stands.account_id)} if stands else {"person": name}
    return found


def _people(session: Session, logins: Sequence[str]) -> dict[str, tuple[int, str, frozenset[tuple[int, str]]]]:
    """Login → account, name and posts of the active people among them. One query, and none for nobody."""
    if not logins:
        return {}
    query = (
        select(Account.login, Account.id, Account.name, Appointment.unit_id, Appointment.post)
        .join(Appointment, Appointment.account_id == Account.id).where(Account.login.in_(sorted(set(logins))), Account.active)
    )  # fmt: skip
    found: dict[str, tuple[int, str, frozenset[tuple[int, str]]]] = {}
    for login, account_id, name, unit_id, post in session.execute(query):
        before = found.get(login, (account_id, name, frozenset()))
        found[login] = (account_id, name, before[2] | {(unit_id, post)})
    return found


def _away(session: Session, accounts: Sequence[int], at: datetime) -> frozenset[int]:
    """Who of them is on leave at that moment. One query."""
    if not accounts:
        return frozenset()
    leave = select(Absence.account_id).where(
        Absence.account_id.in_(accounts), Absence.state != "over", Absence.starts_at <= at, or_(Absence.ends_at.is_(None), Absence.ends_at > at)
    )
    return frozenset(session.scalars(leave))


def _name(session: Session, account_id: int | None) -> str:
    """The name of a stand-in; empty where there is none."""
    account = session.get(Account, account_id) if account_id is not None else None
    return account.name if account is not None else ""


def _nobody(session: Session, task: Task, login: str) -> str:
    unit = session.get(Unit, task.unit_id)
    return (
        f"环节“{task.name}”（{task.step}）的经办人（assignee）“{login[:64]}”"
        f"不是{unit.name if unit else '承办单位'}“{post_label(task.post)}”岗位的在岗人员"
    )

