"""What a leave does to tasks 请假代理: at its beginning what is in hand goes to the substitutes (if wanted), at its end what is unfinished
comes back. No limit changes, and both names stand on the task and in the record.

Which leaves are due stands in their rows, and whose task it is in the tasks: a worker that dies half way leaves the rest as it
was, and the next one goes on. Commands open one transaction; `settle` is the loop over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, false, func, or_, select

from engine.people import permissions
from engine.people.absences import StandIn, end_in, enter_in, not_over, on_leave, stand_in, stand_in_within
from engine.people.actor import Actor, load_actor
from engine.people.tables import Absence, AbsencePost, Account, Appointment
from engine.process.belonging import delegated, held, may_work, needed_post
from engine.process.desk.ground import about, enter
from engine.process.notices import notify_person, notify_post
from engine.process.signing import name_of
from engine.process.tables import OPEN_STATES, Task
from engine.process.tasks import lock_task
from engine.store.clock import SHANGHAI
from engine.store.store import WORKER, Origin, Store, Work, command

#: Tasks moved in one transaction: their cases are locked meanwhile.
BATCH = 25


# -- the commands of the page -------------------------------------------------------------------


@command
def take_leave(
    store: Store, account_id: int, *, actor: Actor, starts_at: datetime, ends_at: datetime | None, reason: str, take_open: bool,
    substitutes: Mapping[tuple[int, str], int], origin: Origin = Origin(),
) -> int:  # fmt: skip
    """`enter_absence`, and tells those whom it concerns. The caller lets `settle` follow. Raises as that."""
    with store.work(actor, origin) as work:
        absence = enter_in(work, account_id, actor=actor, starts_at=starts_at, ends_at=ends_at, reason=reason, take_open=take_open,
                           substitutes=substitutes)  # fmt: skip
        when = f"{_day(absence.starts_at)}起" + (f"至{_day(ends_at)}" if ends_at else "")
        name = name_of(work, account_id)
        if account_id != actor.account_id:
            notify_person(work, account_id, kind="absence", title="已为您登记请假", text=f"{actor.name}已为您登记{when}的请假代理。")
        if absence.starts_at > work.now:  # else the beginning itself tells them
            for substitute_id in dict.fromkeys(substitutes.values()):
                notify_person(work, substitute_id, kind="absence", title=f"请假代理：{name}", text=f"{name}{when}请假，期间由您代理。")
        return absence.id


@command
def come_back(store: Store, absence_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """`end_absence`, and tells the substitutes of a leave that had not begun. The caller lets `settle` follow. Raises as that."""
    with store.work(actor, origin) as work:
        absence = end_in(work, absence_id, actor=actor)
        name = name_of(work, absence.account_id)
        if absence.state == "over":
            for substitute_id in _substitutes(work, absence.id):
                notify_person(work, substitute_id, kind="absence", title=f"取消请假：{name}", text=f"{name}已取消请假，您无需代理。")


# -- the worker's job -----------------------------------------------------------------------------


def settle(store: Store) -> int:
    """Lets the leaves begin and end that are due; returns how many tasks changed hands. Reads one index where nothing is due."""
    with store.read() as session:
        ids = session.scalars(_due(store.clock.now())).all()
    moved = 0
    for absence_id in ids:
        after: int | None = 0
        while after is not None:
            after, batch = _move(store, absence_id, after)
            moved += batch
    return moved


def _due(now: datetime) -> Select[int]:
    begins = and_(Absence.state == "planned", Absence.starts_at <= now)
    return select(Absence.id).where(not_over(), or_(begins, Absence.ends_at <= now)).order_by(Absence.id)


@command
def _move(store: Store, absence_id: int, after: int) -> tuple[int | None, int]:
    """One batch of the tasks behind `after` that a leave's beginning or end moves; where it goes on, and how many it moved.

    The last batch says that the leave runs, or is over: the two stand or fall together.
    """
    with store.work(None, WORKER) as work:
        absence = work.session.scalars(_due(work.now).with_only_columns(Absence).where(Absence.id == absence_id).with_for_update()).first()
        if absence is None:
            return None, 0  # another worker has done it
        ends = absence.ends_at is not None and absence.ends_at <= work.now
        query = _to_bring_back(work, absence) if ends else _in_hand(absence)
        ids = work.session.scalars(query.where(Task.id > after).order_by(Task.id).limit(BATCH)).all()
        moved = sum(_give(work, task_id, absence.account_id, back=ends) for task_id in ids)
        if len(ids) == BATCH:
            return ids[-1], moved
        _conclude(work, absence, ends)
        return None, moved


def _in_hand(absence: Absence) -> Select[int]:
    """What the person has in hand, where it goes along."""
    query = select(Task.id).where(Task.state == "open", Task.assignee_id == absence.account_id, Task.completed_by.is_(None))
    return query if absence.take_open else query.where(false())


def _to_bring_back(work: Work, absence: Absence) -> Select[int]:
    """What others have in the person's stead, or in the stead of those for whom the person stands in."""
    whose, frontier = [absence.account_id], [absence.account_id]
    while frontier:
        links = select(Absence.account_id).join(AbsencePost, AbsencePost.absence_id == Absence.id).where(AbsencePost.substitute_id.in_(frontier))
        found = on_leave(work.session, list(work.session.scalars(links)), work.now)
        frontier = [one for one in found if one not in whose]
        whose += frontier
    return select(Task.id).where(Task.state == "open", Task.for_id.in_(whose), Task.completed_by.is_(None))


def _give(work: Work, task_id: int, account_id: int, *, back: bool) -> bool:
    """Gives one task to whoever is there for it now; False where it stays where it is."""
    task, instance = lock_task(work, task_id)
    gone = task.state != "open" or instance.state not in OPEN_STATES or held(task)
    if gone or (not back and task.assignee_id != account_id):
        return False
    if delegated(task):
        if not back and task.owner_id is not None:
            notify_person(work, task.owner_id, kind="absence", instance_id=instance.id, task_id=task.id, title=f"受委派人请假：{task.name}",
                          text=f"您委派{name_of(work, account_id)}办理的{about(task)}，受委派人已请假；如有需要请收回委派。")
        return False
    whom = task.for_id or task.assignee_id
    if whom is None:
        return False
    target, former = _present(work, task, whom), task.assignee_id
    if (target.account_id, target.for_id) == (former, task.for_id):
        return False
    task.assignee_id, task.for_id = target.account_id, target.for_id
    returns = target.account_id == whom
    task.sent_how, task.sent_by, task.sent_note = "came_back" if returns else "stand_in", None, None
    names = {"from": name_of(work, former if returns else whom), "to": name_of(work, target.account_id)}
    enter(work, instance, task, "came_back" if returns else "stand_in", names)
    if target.account_id is None:  # the others of the post have it now; who got it by name is told once for all tasks
        notify_post(work, task.unit_id, task.post, kind="task", instance_id=instance.id, task_id=task.id, title=f"待签收：{task.name}",
                    text=f"{names['from']}请假且无人代理，{about(task)}请同岗位人员签收办理。")
    return True


# -- who left for good ------------------------------------------------------------------------------


def release_left(store: Store) -> int:
    """Gives back what people had in hand in a post that they hold no longer; returns how many tasks. For the worker, now and then.

    Goes through all open tasks that somebody has: not for every beat. What was delegated or added comes back by its own verbs.
    """
    holds = select(Appointment.account_id).join(Account, Account.id == Appointment.account_id).where(
        Appointment.account_id == Task.assignee_id, Appointment.unit_id == Task.unit_id, Appointment.post == Task.post, Account.active
    )
    orphaned = select(Task.id).where(
        Task.state == "open", Task.assignee_id.is_not(None), Task.main_id.is_(None), Task.completed_by.is_(None),
        or_(Task.delegation.is_(None), Task.delegation != "pending"), ~holds.exists(),
    )
    with store.read() as session:
        ids = session.scalars(orphaned.order_by(Task.id)).all()
    return sum(_release(store, task_id) for task_id in ids)


@command
def _release(store: Store, task_id: int) -> bool:
    """Gives one task of somebody who may not work on it any more to who is there for it; False where that has changed."""
    with store.work(None, WORKER) as work:
        task, instance = lock_task(work, task_id)
        former = task.assignee_id
        person = load_actor(work.session, former) if former is not None else None
        gone = task.state != "open" or former is None or held(task) or delegated(task)
        if gone or (person is not None and may_work(person, task)):
            return False
        target = _present(work, task, task.for_id) if task.for_id is not None else StandIn(None)
        task.assignee_id, task.for_id = target.account_id, target.for_id
        enter(work, instance, task, "released", {"from": name_of(work, former), "to": name_of(work, target.account_id)})
        notify_post(work, task.unit_id, task.post, assignee_id=target.account_id, kind="task", instance_id=instance.id, task_id=task.id,
                    title=f"待办理：{task.name}", text=f"{about(task)}的原经办人已不在该岗位，请办理。")  # fmt: skip
        return True


# -- within -----------------------------------------------------------------------------------------


def _present(work: Work, task: Task, whom: int) -> StandIn:
    """Who has a task of that person now: they, whoever stands in, or nobody in particular where none of them may work on it."""
    person = load_actor(work.session, whom)
    if task.main_id is not None and person is not None:
        found = stand_in_within(work.session, person, task.unit_id, task.post, work.now)
        # A signature belongs to a person: without a substitute it waits for them.
        return found if found.account_id is not None else StandIn(task.assignee_id, task.for_id)
    found = stand_in(work.session, whom, task.unit_id, task.post, work.now)
    present = person if found.account_id == whom else load_actor(work.session, found.account_id) if found.account_id else None
    if found.account_id is not None and (present is None or not permissions.may_claim_from(present, task.unit_id, needed_post(task))):
        return StandIn(None)
    return found


def _conclude(work: Work, absence: Absence, ends: bool) -> None:
    """The leave runs now, or is over; everybody concerned is told once."""
    name = name_of(work, absence.account_id)
    if ends:
        absence.state, absence.ended_at = "over", absence.ended_at or absence.ends_at
        notify_person(work, absence.account_id, kind="absence", title="请假已结束", text="您的请假已结束，代理期间未办结的待办已交回您。")
        for substitute_id in _substitutes(work, absence.id):
            notify_person(work, substitute_id, kind="absence", title=f"代理结束：{name}", text=f"{name}已销假，代理期间未办结的待办已交回。")
        return
    absence.state = "running"
    in_stead = select(Task.assignee_id, func.count()).where(Task.state == "open", Task.for_id == absence.account_id).group_by(Task.assignee_id)
    counted = {account_id: many for account_id, many in work.session.execute(in_stead)}
    for substitute_id in _substitutes(work, absence.id):
        many = counted.get(substitute_id, 0)
        until = f"至{_day(absence.ends_at)}" if absence.ends_at else ""
        notify_person(work, substitute_id, kind="absence", title=f"请假代理：{name}",
                      text=f"{name}自{_day(absence.starts_at)}起{until}请假，由您代理" + (f"，已有{many}件待办转到您名下。" if many else "。"))


def _substitutes(work: Work, absence_id: int) -> Sequence[int]:
    query = select(AbsencePost.substitute_id).join(Account, Account.id == AbsencePost.substitute_id)
    return work.session.scalars(query.where(AbsencePost.absence_id == absence_id, Account.active).distinct().order_by(AbsencePost.substitute_id)).all()


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%m月%d日%H:%M}"
