"""Added signatures 加签, as completing a task knows them: what is held until the last of them, and what a signature does.

A step with signatures ends with the last one. What its assignee answered before is held on the task, and then moves the case
as their completion: if the case's data have changed and it is no longer valid, or a signer who was asked afterwards
disagrees, the assignee has the task back with what they had answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from engine.history import Entry
from engine.people.absences import stand_in
from engine.people.actor import Actor, load_actor
from engine.people.tables import Account
from engine.process.advance import advance
from engine.process.attachments import take_attachments
from engine.process.belonging import SIGNATURE_FORM, form_of, held, opinion_policy
from engine.process.answering import checked_answers
from engine.process.definitions import deployed
from engine.process.forms import answers_of
from engine.process.history_of import append_entry
from engine.process.moves import Complete
from engine.process.notices import notify_person, notify_post
from engine.process.step_forms import names_at
from engine.process.tables import Attachment, Instance, Task
from engine.store.errors import Invalid, Stale, TaskClosed
from engine.store.store import Work

STANCES = {"agree": "同意", "disagree": "不同意"}


def outstanding(work: Work, main: Task) -> list[Task]:
    """The signatures that a task still waits for, in the order in which they were added, locked. No query where there is none."""
    if not main.signatures:
        return []
    query = select(Task).where(Task.main_id == main.id, Task.state.in_(("open", "planned"))).order_by(Task.id).with_for_update(of=Task)
    return list(work.session.scalars(query))


def main_of(work: Work, signature: Task) -> Task:
    """The step's task that a signature was added to, locked; its instance must be. Raises TaskClosed where it is closed."""
    main = work.session.scalars(select(Task).where(Task.id == signature.main_id).with_for_update(of=Task)).one()
    if main.state != "open":
        raise TaskClosed
    return main


# -- the assignee completes ---------------------------------------------------------------------


def waits_for_signatures(work: Work, task: Task) -> bool:
    """Whether a completion must be held. Raises Stale naming those who must sign before it can be completed at all."""
    waiting = outstanding(work, task)
    before = [signature for signature in waiting if signature.signing == "before"]
    if before:
        raise Stale(f"该待办须先由{_names(work, before)}签署意见后才能办结")
    return bool(waiting)


def hold(
    work: Work, instance: Instance, task: Task, values: Mapping[str, Any], opinion: str, attachments: Sequence[Mapping[str, Any]]
) -> None:
    """Keeps the assignee's completion until the last signature; who signs after it is asked now."""
    task.completed_by, task.answers, task.opinion, task.prepared = task.assignee_id, dict(values), opinion or None, None
    waiting = outstanding(work, task)
    for signature in waiting:
        if signature.state == "planned":
            signature.state, signature.opened_at = "open", work.now
            tell_signer(work, signature, None)
    data: dict[str, Any] = {"name": task.name, "task": task.id, "answers": dict(values), "opinion": opinion,
                            "waits": _names(work, waiting)}
    if attachments:
        data["attachments"] = list(attachments)
    append_entry(work, instance, entry_of(work, instance, task, "held", data))


# -- a signer signs -------------------------------------------------------------------------------


def sign(
    work: Work, instance: Instance, signature: Task, *, actor: Actor, answers: Mapping[str, Any], opinion: str,
    attachments: Sequence[int],
) -> None:  # fmt: skip
    """Completes a signature; with the last one the step goes on, if its assignee has completed it.

    Raises Invalid with a message per field, TaskClosed.
    """
    main = main_of(work, signature)
    values = checked_answers(SIGNATURE_FORM, "optional", answers, opinion, {})
    taken = take_attachments(work, attachments, instance_id=instance.id, actor=actor, task_id=signature.id)
    signature.state, signature.completed_by, signature.completed_at = "done", actor.account_id, work.now
    signature.answers, signature.opinion, signature.prepared = values, opinion.strip() or None, None
    signature.late = signature.due_at is not None and work.now >= signature.due_at
    main.signatures -= 1
    data: dict[str, Any] = {"name": signature.name, "task": signature.id, "main": main.id, "stance": values["stance"],
                            "signing": signature.signing, "opinion": opinion.strip()}
    if taken:
        data["attachments"] = taken
    append_entry(work, instance, entry_of(work, instance, signature, "signed", data))
    _tell_assignee(work, main, signature, actor, values["stance"])
    if held(main) and signature.signing == "after" and values["stance"] == "disagree":
        give_back(work, instance, main, "objected", by=actor, note=opinion.strip())
    elif held(main) and not main.signatures:
        go_on(work, instance, main)


def go_on(work: Work, instance: Instance, main: Task) -> None:
    """The last signature has come (or was taken away): the held completion moves the case, if it is still valid."""
    definition = deployed(work.session, instance.definition_id)
    step, form = definition.diagram.steps[main.step], form_of(definition, main)
    opinion = main.opinion or ""
    try:
        values = checked_answers(form, opinion_policy(step, main), main.answers or {}, opinion, names_at(instance.variables, main.local))
    except Invalid as wrong:
        note = "加签期间办件数据已变化，原填写内容不再有效：" + "；".join(wrong.fields.values())
        give_back(work, instance, main, "refused", by=None, note=note)
        return
    said: dict[str, Any] = {"answers": values, "opinion": opinion, "task": main.id, "signatures": _signed(work, main)}
    if files := given_files(work, main):
        said["attachments"] = files
    if main.for_id is not None:
        said["for"] = name_of(work, main.for_id)
    data = answers_of(form, values) if form else values
    advance(work, instance, Complete(main, values, data, said, by=_person(work, main.completed_by)))


def give_back(work: Work, instance: Instance, main: Task, how: str, *, by: Actor | None, note: str) -> None:
    """The assignee has the task again, with what they had answered; who was to sign after it is asked again afterwards."""
    for signature in outstanding(work, main):
        if signature.signing == "after":
            signature.state = "planned"
    main.completed_by = None
    main.sent_how, main.sent_by, main.sent_note = how, by.account_id if by else None, note or None
    whom = main.for_id or main.assignee_id  # who was on leave may be back since
    if whom is not None:
        found = stand_in(work.session, whom, main.unit_id, main.post, work.now)
        main.assignee_id, main.for_id = found.account_id, found.for_id if found.account_id is not None else None
    data = {"name": main.name, "task": main.id, "why": how} | ({"note": note} if how == "refused" else {})
    append_entry(work, instance, entry_of(work, instance, main, "given_back", data))
    title = f"{'加签人不同意' if how == 'objected' else '办结未能生效'}：{main.name}"
    notify_post(work, main.unit_id, main.post, assignee_id=main.assignee_id, kind="task", instance_id=instance.id, task_id=main.id,
                title=title, text=f"{main.number}《{main.title}》的“{main.name}”已交还给您，请重新办理。")


def given_files(work: Work, task: Task) -> list[dict[str, object]]:
    """What was attached to a task that was held or given back before, as the history says of it."""
    rows = work.session.scalars(select(Attachment).where(Attachment.instance_id == task.instance_id, Attachment.task_id == task.id).order_by(Attachment.id))
    return [{"id": row.id, "name": row.name, "sha256": row.digest} for row in rows]


# -- words and people -----------------------------------------------------------------------------


def tell_signer(work: Work, signature: Task, by: str | None) -> None:
    """Tells a signer that they are asked now."""
    asked = f"{by}请您" if by else "请您"
    assert signature.assignee_id is not None
    notify_person(work, signature.assignee_id, kind="task", instance_id=signature.instance_id, task_id=signature.id,
                  title=f"加签：{signature.name}", text=f"{signature.number}《{signature.title}》的“{signature.name}”{asked}签署意见。")


def entry_of(work: Work, instance: Instance, task: Task, act: str, data: Mapping[str, Any]) -> Entry:
    """The history entry of an act on a task that moves no token."""
    return Entry(act=act, at=work.now, step=task.step, definition_id=instance.definition_id, data=data)


def name_of(work: Work, account_id: int | None) -> str:
    """The name of a person; empty where there is none."""
    person = work.session.get(Account, account_id) if account_id is not None else None
    return person.name if person else ""


def _tell_assignee(work: Work, main: Task, signature: Task, actor: Actor, stance: str) -> None:
    if main.assignee_id is not None and main.assignee_id != actor.account_id:
        left = f"，还有{main.signatures}人未签" if main.signatures else "，加签已全部签署"
        notify_person(
            work, main.assignee_id, kind="task", instance_id=main.instance_id, task_id=main.id, title=f"加签意见：{main.name}",
            text=f"{actor.name}对{main.number}“{main.name}”签署了意见：{STANCES[stance]}{left}。",
        )


def _signed(work: Work, main: Task) -> list[dict[str, Any]]:
    """The signatures that were given, for the entry of the completion."""
    query = select(Task).where(Task.main_id == main.id, Task.state == "done").order_by(Task.completed_at, Task.id)
    return [
        {"task": row.id, "person": name_of(work, row.completed_by), "stance": (row.answers or {}).get("stance"), "signing": row.signing,
         "at": row.completed_at.isoformat() if row.completed_at else None}
        for row in work.session.scalars(query)
    ]  # fmt: skip


def _names(work: Work, signatures: Sequence[Task]) -> str:
    people = work.session.scalars(select(Account.name).where(Account.id.in_([one.assignee_id for one in signatures])).order_by(Account.id))
    return "、".join(people)


def _person(work: Work, account_id: int | None) -> Actor | None:
    """Who completed it; by name only, if they have left since."""
    if account_id is None:
        return None
    account = work.session.get_one(Account, account_id)
    return load_actor(work.session, account_id) or Actor(account.id, account.login, account.name, account.unit_id, "", "")
