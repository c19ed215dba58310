"""Whom a verb may reach: the people that its dialog offers. The command checks each of them again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.absences import on_leave
from engine.people.actor import Actor, actor_from, actor_query
from engine.people.permissions import Sight
from engine.people.posts import POSTS, post_label
from engine.people.tables import Account, Appointment, UnitBody
from engine.process.sheets.seeing import case_facts, find_instance, now_of, require_sight
from engine.process.tables import Instance, Party, Task
from engine.store.errors import NotFound

#: People that one dialog lists.
MOST = 300
#: Posts whose holders see their unit's cases.
_WORKING = [key for key, post in POSTS.items() if post.works_cases and post.sees == "unit"]


@dataclass(frozen=True, slots=True)
class Colleague:
    """One person that a dialog offers."""

    account_id: int
    name: str
    unit_name: str
    posts: list[str]
    """What the posts are called that the person holds in the unit of the task, or at all."""
    on_leave: bool


def colleagues(session: Session, actor: Actor, task_id: int, verb: str) -> list[Colleague]:
    """Who may be chosen for `transfer`, `delegate`, `add_signer` or `copy_to` on a task, by name, at most `MOST`.

    A few queries whatever their number. Empty for a verb that chooses nobody. Raises NotFound, NotAllowed without sight of the case.
    """
    task = session.get(Task, task_id)
    if task is None:
        raise NotFound("没有找到该待办")
    instance = find_instance(session, task.instance_id)
    require_sight(session, actor, instance)
    if verb == "copy_to":
        return readers(session, actor, instance)
    if verb not in ("transfer", "delegate", "add_signer"):
        return []
    taken = {actor.account_id, task.assignee_id}
    if verb == "add_signer" and task.signatures:
        taken |= set(session.scalars(select(Task.assignee_id).where(Task.main_id == task.id, Task.state.in_(("open", "planned")))))
    posts = [task.post] if verb == "transfer" else _WORKING
    found = _people(session, _holding(Appointment.unit_id == task.unit_id, Appointment.post.in_(posts)))
    chosen = [person for person in found if person.account_id not in taken
              and permissions.may_claim_from(person, task.unit_id, task.post if verb == "transfer" else None)]
    return _listed(session, chosen, task.unit_id)


def readers(session: Session, actor: Actor, instance: Instance) -> list[Colleague]:
    """Who may be shown a case: those of its units, of the office and of its steps, who see it already."""
    facts = case_facts(session, instance)
    parties = select(Party.unit_id).where(Party.instance_id == instance.id)
    office = select(UnitBody.unit_id).where(UnitBody.body.in_({body for post in POSTS.values() for body in post.powers_in}))
    known = [*facts.handlers, *([facts.starter] if facts.starter else [])]
    own = _holding(or_(Appointment.unit_id.in_(parties), Appointment.unit_id.in_(office)))
    found = _people(session, or_(own, Account.id.in_(known)))
    chosen = [one for one in found if one.account_id != actor.account_id and permissions.sight(one, facts) is not Sight.NONE]
    return _listed(session, chosen, None)


def _holding(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return Account.id.in_(select(Appointment.account_id).where(*conditions))


def _people(session: Session, condition: ColumnElement[bool]) -> list[Actor]:
    rows: dict[int, list[object]] = {}
    for row in session.execute(actor_query().where(condition).order_by(Account.name, Account.id)):
        rows.setdefault(row[0], []).append(row)
    return [person for person in map(actor_from, rows.values()) if person is not None][:MOST]


def _listed(session: Session, people: Collection[Actor], unit_id: int | None) -> list[Colleague]:
    away = on_leave(session, [person.account_id for person in people], now_of(session))
    return [
        Colleague(person.account_id, person.name, person.unit_name, _labels(person.appointments, unit_id), person.account_id in away)
        for person in people
    ]


def _labels(appointments: Iterable[tuple[int, str]], unit_id: int | None) -> list[str]:
    held = {post for unit, post in appointments if unit_id is None or unit == unit_id}
    return [post_label(post) for post in POSTS if post in held]
