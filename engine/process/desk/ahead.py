"""What would come next if a task were completed now: who would get which step until when, told before the button is pressed.

The real engine completes the task in a transaction that is undone whatever happens, so the answer is the truth about
this moment and leaves no trace: no number is used up, no letter waits in the outbox, no notice is read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import event, select, tuple_
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.posts import post_label
from engine.people.tables import Account, Appointment, Unit
from engine.process import belonging
from engine.process.definitions import deployed
from engine.process.forms import opinion_needed, validate
from engine.process.step_forms import names_at
from engine.process.tables import Instance, Task
from engine.process.tasks import complete_in
from engine.process.workshop.dry_run.bounds import bounded
from engine.store.errors import Invalid, NotAllowed, Refused
from engine.store.store import Store

log = logging.getLogger("ahead")

#: Seconds that one look may take: it holds what a completion would hold.
SECONDS_MAX = 1.5
#: Seconds that a look waits for another one of the same process, which on SQLite would keep every writer waiting.
PATIENCE = 1.0
#: Steps, and holders of one post, that are named.
STEPS_MAX, PEOPLE_MAX = 8, 4

_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class NextStep:
    """A task that would be opened."""

    name: str
    unit: str
    post: str
    people: tuple[str, ...]
    """The person it would be given to, else those who hold the post (at most `PEOPLE_MAX`)."""
    more: int
    """Further holders of the post."""
    assigned: bool
    """Whether it would be given to that very person."""
    due_day: date | None
    provisional: bool
    number: str | None
    """The number of its case, where that is another one."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What completing would lead to. With `problems` nothing else is known."""

    steps: tuple[NextStep, ...] = ()
    more: int = 0
    """Further steps beyond `STEPS_MAX`."""
    ends: str | None = None
    """The name of the outcome with which the case would end."""
    waits: tuple[str, ...] = ()
    """Steps of the case that would still be open beside."""
    held: bool = False
    """Signatures are outstanding: the completion would be kept until the last of them."""
    problems: tuple[str, ...] = ()


def ahead(store: Store, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str) -> Ahead:
    """What would follow if the actor completed the task with these answers now.

    Never raises for what the answers or the diagram bring about: `problems` says in plain words why nothing can be told.
    """
    if problems := _incomplete(store, task_id, actor, answers, opinion):
        return Ahead(problems=problems)
    with _in_turn() as mine:
        if not mine:
            return Ahead(problems=("系统正忙，稍后再预计后续环节",))
        try:
            return _look(store, task_id, actor, answers, opinion)
        except Invalid as refusal:
            return Ahead(problems=tuple(refusal.fields.values()) or (refusal.message,))
        except Refused as refusal:
            return Ahead(problems=(refusal.message,))
        except Exception as error:  # noqa: BLE001 - a look must never be worse than no look
            log.warning("a look ahead failed", exc_info=error)
            return Ahead(problems=("暂时无法预计后续环节",))


def _incomplete(store: Store, task_id: int, actor: Actor, answers: Mapping[str, Any], opinion: str) -> tuple[str, ...]:
    """What is still wrong with the answers: most looks end here, and have kept nobody waiting. One query."""
    with store.read() as session:
        row = session.execute(select(Task, Instance).join(Instance, Instance.id == Task.instance_id).where(Task.id == task_id)).first()
        if row is None or not belonging.may_work(actor, row.Task):
            return (NotAllowed().message,)
        definition = deployed(session, row.Instance.definition_id)
        form, step = belonging.form_of(definition, row.Task), definition.diagram.steps.get(row.Task.step)
        names = names_at(row.Instance.variables, row.Task.local)
        found = validate(form or {}, answers, names)
        policy = belonging.opinion_policy(step, row.Task) if step is not None else "optional"
        if not opinion.strip() and opinion_needed(form, policy, found.values, names):
            return (*found.errors.values(), "请填写意见")
        return tuple(found.errors.values())


@contextmanager
def _in_turn() -> Iterator[bool]:
    mine = _turn.acquire(timeout=PATIENCE)
    try:
        yield mine
    finally:
        if mine:
            _turn.release()


def _look(store: Store, task_id: int, actor: Actor, answers: Mapping[str, Any], opinion: str) -> Ahead:
    with store.rehearsal(store.clock.now()) as work:
        work.actor = actor
        opened: list[Task] = []

        def note(session: Session, _context: Any) -> None:
            opened.extend(row for row in session.new if isinstance(row, Task))

        with bounded(work, SECONDS_MAX):
            event.listen(work.session, "after_flush", note)
            complete_in(work, task_id, actor=actor, answers=answers, opinion=opinion)
            work.session.flush()
            task = work.session.get_one(Task, task_id)
            instance = work.session.get_one(Instance, task.instance_id)
            steps = _steps(work.session, [row for row in opened if row.state == "open"], instance.number)
            return Ahead(
                steps=steps[:STEPS_MAX], more=max(0, len(steps) - STEPS_MAX),
                ends=(instance.outcome_name or "办结") if instance.state == "completed" else None,
                waits=_beside(work.session, task, opened), held=belonging.held(task),
            )  # fmt: skip


def _steps(session: Session, tasks: Sequence[Task], number: str) -> tuple[NextStep, ...]:
    """The opened tasks in words. Two queries, however many they are."""
    if not tasks:
        return ()
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_({task.unit_id for task in tasks})))
    units = {unit_id: name for unit_id, name in rows}
    holders: dict[tuple[int, str], list[str]] = {}
    names: dict[int, str] = {}
    wanted = sorted({(task.unit_id, task.post) for task in tasks})
    for unit_id, post, account_id, name in session.execute(
        select(Appointment.unit_id, Appointment.post, Account.id, Account.name).join(Account, Account.id == Appointment.account_id)
        .where(tuple_(Appointment.unit_id, Appointment.post).in_(wanted), Account.active).order_by(Account.id)
    ):  # fmt: skip
        holders.setdefault((unit_id, post), []).append(name)
        names[account_id] = name
    return tuple(_step(task, units, holders, names, number) for task in tasks)


def _step(
    task: Task, units: Mapping[int, str], holders: Mapping[tuple[int, str], list[str]], names: Mapping[int, str], number: str
) -> NextStep:
    people = holders.get((task.unit_id, task.post), [])
    given = names.get(task.assignee_id) if task.assignee_id is not None else None
    if given:
        people = [given]
    return NextStep(
        name=task.name, unit=units.get(task.unit_id, ""), post=post_label(task.post), people=tuple(people[:PEOPLE_MAX]),
        more=max(0, len(people) - PEOPLE_MAX), assigned=given is not None, due_day=task.due_day, provisional=task.provisional,
        number=task.number if task.number != number else None,
    )  # fmt: skip


def _beside(session: Session, task: Task, opened: Sequence[Task]) -> tuple[str, ...]:
    """The steps of the case that were open before and still are."""
    new = {row.id for row in opened}
    rows = session.execute(
        select(Task.id, Task.name).where(Task.instance_id == task.instance_id, Task.state == "open", Task.id != task.id, Task.main_id.is_(None))
        .order_by(Task.id).limit(STEPS_MAX + len(new))
    )  # fmt: skip
    return tuple(dict.fromkeys(name for row_id, name in rows if row_id not in new))
