"""Telling of new tasks: nobody is, unless they have asked for it or their unit has a robot. One query for a whole move.

The road calls this when everything else of a transaction is written: the tasks have their numbers then, and those that
were opened and closed again in between are told of to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, and_, bindparam, literal, null, select, union_all
from sqlalchemy.orm import Session

from engine.people.tables import Account, Appointment
from engine.process.clocks import day_in_words
from engine.process.notifying.dispatch import Words, announce, tell
from engine.process.notifying.recipients import Person
from engine.process.notifying.restricting import case_is_restricted
from engine.process.notifying.tables import NoticePreference, NoticeSetting, Robot
from engine.process.tables import Task
from engine.store.store import Work

KIND = "new_task"

_WISHES = (
    select(
        literal(1).label("personal"), Account.id, Account.unit_id.label("home"), Account.email, Account.phone, NoticeSetting.quiet,
        NoticePreference.channel, NoticePreference.mode, Appointment.unit_id, Appointment.post,
    )
    .select_from(Appointment)
    .join(Account, and_(Account.id == Appointment.account_id, Account.active))
    .join(NoticePreference, and_(NoticePreference.account_id == Account.id, NoticePreference.kind == KIND, NoticePreference.mode != "off"))
    .outerjoin(NoticeSetting, NoticeSetting.account_id == Account.id)
    .where(Appointment.unit_id.in_(bindparam("units", expanding=True)), Appointment.post.in_(bindparam("posts", expanding=True)))
)
_ROBOTS = select(
    literal(0), Robot.id, Robot.unit_id, null(), null(), null(), Robot.channel, null(), Robot.unit_id, null()
).where(Robot.unit_id.in_(bindparam("units", expanding=True)), Robot.active)  # fmt: skip
# Built once: every completed step asks it.
_WHO: CompoundSelect[*tuple[Any, ...]] = union_all(_WISHES, _ROBOTS)


def tell_of_new_tasks(work: Work, opened: Sequence[Task]) -> None:
    """Tells who has asked for it, and the units' robots. Whoever has just brought a task about knows of it.

    A task that somebody sent (returned, transferred …) is told of by who sent it.
    """
    tasks = [task for task in opened if task.state == "open" and task.sent_how is None]
    if not tasks:
        return
    units, posts = sorted({task.unit_id for task in tasks}), sorted({task.post for task in tasks})
    rows = work.session.execute(_WHO, {"units": units, "posts": posts}).all()
    if not rows:
        return
    wishes, robots = _sorted_out(work.session, rows)
    actor = work.actor.account_id if work.actor else None
    words = {task.id: _words(work.session, task) for task in tasks}
    tell(work, [
        (person, words[task.id])
        for task in tasks
        for person in wishes.get((task.unit_id, task.post), {}).values()
        if person.account_id != actor and task.assignee_id in (None, person.account_id)
    ])  # fmt: skip
    pooled: dict[tuple[int, str, bool], list[Task]] = {}
    for task in tasks:
        if task.assignee_id is None:
            pooled.setdefault((task.unit_id, task.post, words[task.id].restricted), []).append(task)
    for (unit_id, post, _), together in pooled.items():
        announce(work, robots.get(unit_id, ()), words[together[0].id], post, count=len(together))


def _sorted_out(session: Session, rows: Sequence[Any]) -> tuple[dict[tuple[int, str], dict[int, Person]], dict[int, list[Robot]]]:
    """(unit, post) → account → person; unit → robots."""
    channels = session.info["store"].channels
    wishes: dict[tuple[int, str], dict[int, Person]] = {}
    robots: dict[int, list[Robot]] = {}
    for personal, key, home, email, phone, quiet, channel, mode, unit_id, post in rows:
        if not personal:
            if channel in channels:
                robots.setdefault(unit_id, []).append(Robot(id=key, unit_id=unit_id, channel=channel))
            continue
        them = wishes.setdefault((unit_id, post), {})
        chosen = {**(them[key].chosen if key in them else {}), channel: mode}
        them[key] = Person(key, home, email, phone, quiet is None or bool(quiet), chosen)
    return wishes, robots


def _words(session: Session, task: Task) -> Words:
    due = f"，{day_in_words(task.due_day, task.provisional)}到期" if task.due_day else ""
    return Words(
        KIND, f"新待办：{task.name}", f"{task.number}《{task.title}》的“{task.name}”等待办理{due}。", task.instance_id, task.id,
        restricted=case_is_restricted(session, task.instance_id),
    )  # fmt: skip
