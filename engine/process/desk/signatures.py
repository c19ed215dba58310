"""Adding signers to a task 加签 before, beside or after its own completion, and taking one away again 减签.

No limit changes by it: the step's clock runs until the last signature, and late is judged then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.belonging import held, may_work
from engine.process.desk.ground import colleague_of, enter, names, noted, own_task, persons, present, sent
from engine.process.incidents import reporting
from engine.process.notices import notify_person
from engine.process.projection import date_as
from engine.process.signing import go_on, main_of, outstanding, tell_signer
from engine.process.tables import Instance, Task
from engine.process.tasks import lock_task
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, TaskClosed
from engine.store.store import Origin, Store, Work, command

#: When a signer is asked, seen from the task's own completion.
SIGNINGS = {"before": "前加签", "beside": "并加签", "after": "后加签"}


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a task as its page lists it."""

    id: int
    person: str
    instead_of: str | None
    signing: str
    state: str
    """open · planned (opens when the task is completed) · done"""
    stance: str | None
    """agree · disagree; None until it is given."""
    opinion: str | None
    added_by: str | None
    note: str | None
    signed_at: datetime | None
    may_remove: bool


@command
def add_signers(
    store: Store, task_id: int, *, actor: Actor, people: Sequence[int], signing: str, note: str = "", origin: Origin = Origin(),
) -> list[str]:  # fmt: skip
    """Asks people of the unit to sign a task 加签: `before` it may be completed, `beside` its completion, or `after` it.

    Returns the names of those who were asked: for somebody on leave, the substitute. Raises Invalid (fields `people`, `signing`,
    `note`), NotAllowed, NotFound, TaskClosed, TaskTaken, NotRunning, Stale.
    """
    said = noted(note)
    if signing not in SIGNINGS:
        raise Invalid({"signing": "请选择加签方式"})
    with store.work(actor, origin) as work:
        task, instance = own_task(work, task_id, actor, "add_signer")
        asked = {one.assignee_id for one in outstanding(work, task)} | {actor.account_id}
        receivers = []
        for person in persons(work, people, "people"):
            if person.account_id == actor.account_id:
                raise Invalid({"people": "不能给自己加签"})
            if not colleague_of(person, task):
                raise Invalid({"people": f"{person.name}不是该单位办理办件的人员，不能加签"})
            receiver, found = present(work, person, task, "people", within=True)
            if receiver.account_id in asked:
                raise Invalid({"people": f"{receiver.name}已在签署之列" if receiver.account_id != actor.account_id else f"{person.name}正在请假，由您代理"})
            asked.add(receiver.account_id)
            receivers.append((receiver, found.for_id))
        if task.assignee_id is None:
            task.assignee_id, task.for_id = actor.account_id, None
        task.signatures += len(receivers)
        rows = [_signature(work, task, receiver, for_id, signing, actor, said) for receiver, for_id in receivers]
        work.session.add_all(rows)
        work.session.flush()
        enter(work, instance, task, "signer_added", {"people": names([one for one, _ in receivers]), "signing": signing, "note": said,
                                                     "signatures": [row.id for row in rows]})
        for row in rows:
            if row.state == "open":
                tell_signer(work, row, actor.name)
        return [receiver.name for receiver, _ in receivers]


def _signature(work: Work, task: Task, person: Actor, for_id: int | None, signing: str, actor: Actor, note: str) -> Task:
    """A task of its own beside the step's; the interpreter does not know its token."""
    row = Task(
        instance_id=task.instance_id, token=str(uuid4()), step=task.step, name=task.name, process_key=task.process_key,
        process_name=task.process_name, number=task.number, title=task.title, unit_id=task.unit_id, post=task.post,
        assignee_id=person.account_id, for_id=for_id, state="planned" if signing == "after" else "open", opened_at=work.now,
        late=False, search=task.search, case_unit_id=task.case_unit_id, main_id=task.id, signing=signing,
    )
    date_as(row, task)
    sent(row, "added", actor, note)
    return row


@command
def remove_signer(store: Store, signature_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Takes an outstanding signature away again 减签: who added it may, and who has the task. If it was the last one that a
    completed task waited for, the case goes on.

    Raises NotAllowed, NotFound, TaskClosed where it was given already, NotRunning; CaseFault when the steps behind it fail.
    """
    with reporting(store, task_id=signature_id), store.work(actor, origin) as work:
        signature, instance = lock_task(work, signature_id)
        if signature.main_id is None:
            raise NotFound("没有找到该加签")
        main = work.session.get(Task, signature.main_id)
        if main is None or not _may_remove(actor, signature, main):
            raise NotAllowed("只有加签人或该待办的经办人可以减签")
        if signature.state not in ("open", "planned"):
            raise TaskClosed
        if instance.state != "running":
            raise NotRunning
        main = main_of(work, signature)
        person = work.session.get_one(Account, signature.assignee_id)
        asked, signature.state = signature.state == "open", "cancelled"
        main.signatures -= 1
        enter(work, instance, main, "signer_removed", {"person": person.name, "signature": signature.id})
        if asked and person.id != actor.account_id:
            notify_person(work, person.id, kind="task", instance_id=instance.id, title=f"减签：{main.name}",
                          text=f"{actor.name}已取消请您对{main.number}“{main.name}”的签署，您无需再签。")
        if held(main) and not main.signatures:
            go_on(work, instance, main)


def _may_remove(actor: Actor, signature: Task, main: Task) -> bool:
    """Who added it and still works there, or who has the task."""
    added = signature.sent_by == actor.account_id and colleague_of(actor, signature)
    return added or (main.assignee_id == actor.account_id and may_work(actor, main))


def signatures_of(session: Session, actor: Actor, task_id: int) -> list[SignatureLine]:
    """The signatures of a step's task in the order in which they were added, but for those taken away. Two queries.

    The caller has checked that the actor sees the case, and shows opinions only to who may see them.
    """
    main = session.get(Task, task_id)
    rows = list(session.scalars(select(Task).where(Task.main_id == task_id, Task.state != "cancelled").order_by(Task.id)))
    if main is None or not rows:
        return []
    running = session.scalar(select(Instance.state).where(Instance.id == main.instance_id)) == "running"
    known = {person for row in rows for person in (row.assignee_id, row.for_id, row.sent_by) if person is not None}
    people = {account_id: name for account_id, name in session.execute(select(Account.id, Account.name).where(Account.id.in_(known)))}
    return [
        SignatureLine(
            row.id, people.get(row.assignee_id or 0, ""), people.get(row.for_id or 0), row.signing or "", row.state,
            (row.answers or {}).get("stance"), row.opinion, people.get(row.sent_by or 0), row.sent_note, row.completed_at,
            running and row.state != "done" and main.state == "open" and _may_remove(actor, row, main),
        )
        for row in rows
    ]
