"""Leaves as their page lists them, and what its form offers: whose leave one may enter, and who may stand in for which post."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.posts import POSTS, post_label
from engine.people.tables import Absence, AbsencePost, Account, Appointment, Unit
from engine.store.errors import NotAllowed, NotFound

#: Lines of a list; the newest leaves first.
MOST = 100
#: People whose leave one person may enter, as the form offers them.
PEOPLE_MOST = 500


@dataclass(frozen=True, slots=True)
class Cover:
    """Who stands in for one post."""

    unit_name: str
    post_label: str
    substitute: str


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """One leave in a list."""

    id: int
    account_id: int
    person: str
    unit_name: str
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    take_open: bool
    state: str
    """planned · running · over, as of now, whether or not the worker has come along."""
    set_by: str
    covers: list[Cover]
    may_end: bool


@dataclass(frozen=True, slots=True)
class PostToCover:
    """A post of somebody who goes on leave, with those who may stand in: who else holds it."""

    unit_id: int
    post: str
    unit_name: str
    post_label: str
    candidates: list[tuple[int, str]]
    """Account id and name."""


def absences(session: Session, actor: Actor, *, of_others: bool = False) -> list[AbsenceLine]:
    """The actor's own leaves, or those of the others whose leave the actor may arrange; newest first, at most `MOST`. Three queries."""
    setter, now = aliased(Account), session.info["store"].clock.now()
    rows = session.execute(
        select(Absence, Account, Unit.short, setter.name).join(Account, Account.id == Absence.account_id).join(Unit, Unit.id == Account.unit_id)
        .join(setter, setter.id == Absence.set_by)
        .where(_of_others(actor) if of_others else Absence.account_id == actor.account_id)
        .order_by(Absence.starts_at.desc(), Absence.id.desc()).limit(MOST)
    ).all()
    covers = _covers(session, [row[0].id for row in rows])
    return [
        AbsenceLine(
            absence.id, person.id, person.name, unit, absence.starts_at, absence.ends_at, absence.reason, absence.take_open,
            (state := state_at(absence, now)), set_by, covers.get(absence.id, []),
            state != "over" and permissions.may_arrange_absence(actor, person.id, person.unit_id),
        )
        for absence, person, unit, set_by in rows
    ]


def standing_in_for(session: Session, actor: Actor) -> list[AbsenceLine]:
    """The leaves of others, running or planned, in which the actor stands in. Three queries."""
    setter, now = aliased(Account), session.info["store"].clock.now()
    mine = select(AbsencePost.absence_id).where(AbsencePost.substitute_id == actor.account_id)
    rows = session.execute(
        select(Absence, Account, Unit.short, setter.name).join(Account, Account.id == Absence.account_id).join(Unit, Unit.id == Account.unit_id)
        .join(setter, setter.id == Absence.set_by).where(Absence.id.in_(mine), Absence.state != "over").order_by(Absence.starts_at).limit(MOST)
    ).all()
    covers = _covers(session, [row[0].id for row in rows], AbsencePost.substitute_id == actor.account_id)
    return [
        AbsenceLine(absence.id, person.id, person.name, unit, absence.starts_at, absence.ends_at, "", absence.take_open, state, set_by,
                    covers.get(absence.id, []), may_end=False)
        for absence, person, unit, set_by in rows if (state := state_at(absence, now)) != "over"
    ]


def state_at(absence: Absence, now: datetime) -> str:
    """Whether a leave is planned, running or over at a moment."""
    if absence.state == "over" or (absence.ends_at is not None and absence.ends_at <= now):
        return "over"
    return "running" if absence.starts_at <= now else "planned"


def may_arrange_others(actor: Actor) -> bool:
    """Whether the actor may enter a leave for anybody else."""
    return permissions.may(actor, "supervise") or permissions.may(actor, "arrange_absences")


def arrangeable(session: Session, actor: Actor) -> list[tuple[int, str, str]]:
    """The others for whom the actor may enter a leave: account id, name, unit; by unit and name. One query."""
    if not may_arrange_others(actor):
        return []
    working = select(Appointment.account_id).where(Appointment.post.in_([key for key, post in POSTS.items() if post.works_cases]))
    rows = session.execute(
        select(Account.id, Account.name, Unit.short).join(Unit, Unit.id == Account.unit_id)
        .where(Account.active, Account.id != actor.account_id, Account.id.in_(working), _in_reach(actor))
        .order_by(Unit.code, Account.name, Account.id).limit(PEOPLE_MOST)
    )
    return [(account_id, name, unit) for account_id, name, unit in rows]


def posts_to_cover(session: Session, actor: Actor, account_id: int) -> list[PostToCover]:
    """The case-working posts of a person, each with who else holds it. Two queries. Raises NotFound, NotAllowed."""
    person = session.get(Account, account_id)
    if person is None or not person.active:
        raise NotFound("没有找到该人员")
    if not permissions.may_arrange_absence(actor, account_id, person.unit_id):
        raise NotAllowed("只有本人、本单位负责人和督办人员可以登记请假")
    own, other = Appointment, aliased(Appointment)
    rows = session.execute(
        select(own.unit_id, own.post, Unit.short, Account.id, Account.name).join(Unit, Unit.id == own.unit_id)
        .outerjoin(other, (other.unit_id == own.unit_id) & (other.post == own.post) & (other.account_id != own.account_id))
        .outerjoin(Account, (Account.id == other.account_id) & Account.active)
        .where(own.account_id == account_id).order_by(Unit.code, own.post, Account.name, Account.id)
    ).all()
    found: dict[tuple[int, str], PostToCover] = {}
    for unit_id, post, unit, candidate_id, candidate in rows:
        if post in POSTS and POSTS[post].works_cases:
            line = found.setdefault((unit_id, post), PostToCover(unit_id, post, unit, post_label(post), []))
            if candidate_id is not None:
                line.candidates.append((candidate_id, candidate))
    return list(found.values())


def _in_reach(actor: Actor) -> ColumnElement[bool]:
    """Accounts whose leave the actor may arrange, as `permissions.may_arrange_absence` decides it."""
    if permissions.may(actor, "supervise"):
        return true()
    units = [unit for unit in actor.units if permissions.may_arrange_absence(actor, permissions.NOBODY, unit)]
    return Account.unit_id.in_(units)


def _of_others(actor: Actor) -> ColumnElement[bool]:
    return (Absence.account_id != actor.account_id) & _in_reach(actor)


def _covers(session: Session, ids: Iterable[int], *conditions: ColumnElement[bool]) -> dict[int, list[Cover]]:
    found: dict[int, list[Cover]] = {}
    rows = session.execute(
        select(AbsencePost.absence_id, Unit.short, AbsencePost.post, Account.name).join(Unit, Unit.id == AbsencePost.unit_id)
        .join(Account, Account.id == AbsencePost.substitute_id).where(AbsencePost.absence_id.in_(list(ids)), *conditions)
        .order_by(Unit.code, AbsencePost.post)
    )
    for absence_id, unit, post, name in rows:
        found.setdefault(absence_id, []).append(Cover(unit, post_label(post), name))
    return found
