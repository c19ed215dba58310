"""Leave and substitution 请假与代理 (AB角): who has a task in whose stead.

A substitute holds the very post that they stand in for: substitution moves work between people who may do it, it never
gives a right. Limits do not change by it, and both names stand on the task and in the history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import ColumnElement, Select, literal_column, or_, select
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.posts import POSTS, post_label
from engine.people.tables import Absence, AbsencePost, Account, Appointment
from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

REASON_MAX = 200
#: A leave without an end counts as lasting until then.
_OPEN_END = datetime.max.replace(tzinfo=UTC)


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


def not_over() -> ColumnElement[bool]:
    """The words of the index, literally: without them it does not apply."""
    return literal_column("absence.state") != literal_column("'over'")


def _at(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """The leaves that run at a moment, whether or not the worker has come along to say so."""
    return (not_over(), Absence.starts_at <= at, or_(Absence.ends_at.is_(None), Absence.ends_at > at))


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


# -- entering and ending a leave --------------------------------------------------------------------


@command
def enter_absence(
    store: Store, account_id: int, *, actor: Actor, starts_at: datetime, ends_at: datetime | None, reason: str, take_open: bool,
    substitutes: Mapping[tuple[int, str], int], origin: Origin = Origin(),
) -> int:  # fmt: skip
    """Enters a leave from `starts_at` until `ends_at` (exclusive; None: until it is ended); returns its id.

    `substitutes` says who stands in for which post (unit id, post): somebody who holds that very post. A post without one
    goes to whoever else holds it. Tasks are moved by the worker, or by the caller at once (`desk.standing_in.settle`).

    Allowed for oneself, for the head of the person's unit and for those who supervise. Raises NotAllowed, NotFound, and Invalid
    naming the field: `starts_at`, `ends_at`, `reason`, or `substitute:<unit id>:<post>`.
    """
    with store.work(actor, origin) as work:
        return enter_in(work, account_id, actor=actor, starts_at=starts_at, ends_at=ends_at, reason=reason, take_open=take_open,
                        substitutes=substitutes).id


def enter_in(
    work: Work, account_id: int, *, actor: Actor, starts_at: datetime, ends_at: datetime | None, reason: str, take_open: bool,
    substitutes: Mapping[tuple[int, str], int],
) -> Absence:  # fmt: skip
    """`enter_absence` in the caller's transaction."""
    people = _locked(work, {account_id, *substitutes.values()})
    person = people.get(account_id)
    if person is None or not person.active:
        raise NotFound("没有找到该人员")
    if not permissions.may_arrange_absence(actor, account_id, person.unit_id):
        raise NotAllowed("只有本人、本单位负责人和督办人员可以登记请假")
    starts_at = max(starts_at, work.now) if _same_day(starts_at, work.now) else starts_at
    errors = _period(starts_at, ends_at, reason, work.now)
    if not errors:
        errors = _overlapping(work, person, starts_at, ends_at)
    own = select(Appointment.unit_id, Appointment.post).where(Appointment.account_id == account_id)
    held = {(unit_id, post) for unit_id, post in work.session.execute(own)}
    for (unit_id, post), substitute_id in substitutes.items():
        wrong = _substitution(work, person, people.get(substitute_id), (unit_id, post), held, (starts_at, ends_at or _OPEN_END))
        if wrong:
            errors[f"substitute:{unit_id}:{post}"] = wrong
    if errors:
        raise Invalid(errors)
    absence = Absence(account_id=account_id, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), take_open=take_open,
                      state="planned", set_by=actor.account_id, created_at=work.now)
    work.session.add(absence)
    work.session.flush()
    work.session.add_all(
        AbsencePost(absence_id=absence.id, unit_id=unit_id, post=post, substitute_id=substitute_id)
        for (unit_id, post), substitute_id in substitutes.items()
    )
    covered = [{"unit": unit_id, "post": post, "substitute": people[who].name} for (unit_id, post), who in sorted(substitutes.items())]
    _record(work, account_id, "absence_entered", absence=absence.id, starts=starts_at.isoformat(),
            ends=ends_at.isoformat() if ends_at else None, take_open=take_open, substitutes=covered)
    return absence


@command
def end_absence(store: Store, absence_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Ends a running leave now, or takes a planned one back. What is unfinished comes back with the worker's next round.

    Raises NotFound, NotAllowed, Stale where it has ended already.
    """
    with store.work(actor, origin) as work:
        end_in(work, absence_id, actor=actor)


def end_in(work: Work, absence_id: int, *, actor: Actor) -> Absence:
    """`end_absence` in the caller's transaction."""
    absence = work.session.get(Absence, absence_id, with_for_update=True)
    person = work.session.get(Account, absence.account_id) if absence else None
    if absence is None or person is None:
        raise NotFound("没有找到该请假记录")
    if not permissions.may_arrange_absence(actor, person.id, person.unit_id):
        raise NotAllowed("只有本人、本单位负责人和督办人员可以销假")
    if absence.ended_at is not None or absence.state == "over" or (absence.ends_at is not None and absence.ends_at <= work.now):
        raise Stale("该请假已结束")
    absence.ended_at = work.now
    if absence.starts_at > work.now:
        absence.state = "over"
    else:
        absence.ends_at = work.now  # it is over when the worker has brought back what is unfinished
    _record(work, person.id, "absence_ended", absence=absence.id)
    return absence


def _locked(work: Work, ids: Iterable[int]) -> dict[int, Account]:
    """The accounts of a person and the substitutes, locked in one order: whoever enters leaves of two of them takes turns."""
    rows = work.session.scalars(select(Account).where(Account.id.in_(set(ids))).order_by(Account.id).with_for_update())
    return {row.id: row for row in rows}


def _same_day(one: datetime, other: datetime) -> bool:
    return one.astimezone(SHANGHAI).date() == other.astimezone(SHANGHAI).date()


def _period(starts_at: datetime, ends_at: datetime | None, reason: str, now: datetime) -> dict[str, str]:
    """What is wrong with the period and the reason, by field."""
    errors = {}
    today = datetime.combine(now.astimezone(SHANGHAI).date(), time.min, SHANGHAI)
    if starts_at < today:
        errors["starts_at"] = "开始日期不能早于今天"
    if ends_at is not None and ends_at <= max(starts_at, now):
        errors["ends_at"] = "结束时间应晚于开始时间和现在"
    if not reason.strip():
        errors["reason"] = "请填写请假事由"
    elif len(reason.strip()) > REASON_MAX:
        errors["reason"] = f"不能超过{REASON_MAX}字"
    return errors


def _overlapping(work: Work, person: Account, starts_at: datetime, ends_at: datetime | None) -> dict[str, str]:
    """A person is on one leave at a time."""
    other = work.session.scalars(_meeting(starts_at, ends_at or _OPEN_END).where(Absence.account_id == person.id).limit(1)).first()
    if other is None:
        return {}
    until = f"至{_day(other.ends_at)}" if other.ends_at else "起"
    return {"starts_at": f"{person.name}已登记{_day(other.starts_at)}{until}的请假，时间重叠"}


def _substitution(
    work: Work, person: Account, substitute: Account | None, place: tuple[int, str], held: set[tuple[int, str]],
    period: tuple[datetime, datetime],
) -> str | None:  # fmt: skip
    """What is wrong with a substitute for one post, in a sentence; None where nothing is."""
    unit_id, post = place
    if place not in held or post not in POSTS or not POSTS[post].works_cases:
        return f"{person.name}没有“{post_label(post)}”这一办理岗位"
    if substitute is None or not substitute.active:
        return "所选代理人不存在或已停用"
    if substitute.id == person.id:
        return "不能由本人代理"
    if work.session.get(Appointment, (substitute.id, unit_id, post)) is None:
        return f"{substitute.name}没有“{post_label(post)}”岗位的权限，不能代理"
    chain = _loop(work, [person, substitute], place, period)
    if chain:
        return f"代理关系形成循环：{'→'.join(one.name for one in chain)}"
    return None


def _loop(work: Work, chain: list[Account], place: tuple[int, str], period: tuple[datetime, datetime]) -> list[Account] | None:
    """The chain of substitutes that leads back to its first person at some moment of the period; None where none does.

    One query for each link.
    """
    unit_id, post = place
    links = work.session.execute(
        _meeting(*period).add_columns(AbsencePost.substitute_id).join(AbsencePost, AbsencePost.absence_id == Absence.id)
        .where(Absence.account_id == chain[-1].id, AbsencePost.unit_id == unit_id, AbsencePost.post == post).order_by(Absence.id)
    ).all()
    for absence, substitute_id in links:
        if substitute_id in (one.id for one in chain[1:]):
            continue  # a loop that does not lead through this person was refused when it was entered
        after = [*chain, work.session.get_one(Account, substitute_id)]
        if substitute_id == chain[0].id:
            return after
        common = max(period[0], absence.starts_at), min(period[1], absence.ends_at or _OPEN_END)
        if found := _loop(work, after, place, common):
            return found
    return None


def _meeting(starts_at: datetime, ends_at: datetime) -> Select[Absence]:
    """The leaves that have not ended and share a moment with the period."""
    return select(Absence).where(
        not_over(), Absence.starts_at < ends_at, or_(Absence.ends_at.is_(None), Absence.ends_at > starts_at)
    )


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _record(work: Work, account_id: int, act: str, **data: object) -> None:
    append(work, f"account:{account_id}", [Entry(act, data=data)])
