"""Giving a task to a colleague: for good 转办, or to work on it and hand it back 委派/交回. No limit changes by it.

Somebody on leave is represented: what would go to them goes to their substitute, who learns in whose stead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.people import permissions
from engine.people.absences import StandIn, stand_in
from engine.people.actor import Actor, load_actor
from engine.process.answering import OPINION_MAX
from engine.process.belonging import delegated, form_of
from engine.process.definitions import deployed
from engine.process.desk.drafts import write_draft
from engine.process.desk.ground import about, colleague_of, enter, noted, own_task, persons, present, sent
from engine.process.desk.tables import TaskDraft
from engine.process.forms import fields_of
from engine.process.notices import notify_person, notify_post
from engine.process.signing import name_of
from engine.process.tables import Task
from engine.process.tasks import lock_task, require_open
from engine.store.errors import Invalid, NotAllowed, NotRunning, Stale, TaskClosed
from engine.store.store import Origin, Store, Work, command

#: Letters of one typed answer in a draft.
_ANSWER_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Given:
    """Who has the task now, and in whose stead where the one who was named is on leave."""

    account_id: int
    name: str
    instead_of: str | None = None


@command
def transfer_task(store: Store, task_id: int, *, actor: Actor, to: int, note: str = "", origin: Origin = Origin()) -> Given:
    """Gives a task for good 转办 to another holder of its post; who holds it by the post claims it on the way.

    Raises Invalid (fields `to`, `note`), NotAllowed, NotFound, TaskClosed, TaskTaken, NotRunning, Stale.
    """
    said = noted(note)
    with store.work(actor, origin) as work:
        task, instance = own_task(work, task_id, actor, "transfer")
        person, = persons(work, [to], "to")
        if person.account_id == actor.account_id:
            raise Invalid({"to": "不能转办给自己"})
        if not permissions.may_claim_from(person, task.unit_id, task.post):
            raise Invalid({"to": f"{person.name}不在该待办的单位和岗位，不能转办"})
        receiver, found = present(work, person, task, "to", within=False)
        if receiver.account_id == actor.account_id:
            raise Invalid({"to": f"{person.name}正在请假，由您代理"})
        task.assignee_id, task.for_id = receiver.account_id, found.for_id
        task.owner_id = task.delegation = None
        sent(task, "transferred", actor, said)
        enter(work, instance, task, "transferred", {**_whom(receiver, person), "note": said})
        _tell(work, task, receiver, found, "转办", f"{actor.name}将{about(task)}转办给您。")
        return _given(receiver, person)


@command
def delegate_task(store: Store, task_id: int, *, actor: Actor, to: int, note: str = "", origin: Origin = Origin()) -> Given:
    """Asks a colleague of the unit to work on a task and to hand it back 委派; the actor goes on to answer for it.

    Raises as `transfer_task`.
    """
    said = noted(note)
    with store.work(actor, origin) as work:
        task, instance = own_task(work, task_id, actor, "delegate")
        person, = persons(work, [to], "to")
        if person.account_id == actor.account_id:
            raise Invalid({"to": "不能委派给自己"})
        if not colleague_of(person, task):
            raise Invalid({"to": f"{person.name}不是该单位办理办件的人员，不能委派"})
        receiver, found = present(work, person, task, "to", within=True)
        if receiver.account_id == actor.account_id:
            raise Invalid({"to": f"{person.name}正在请假，由您代理"})
        if task.assignee_id is None:
            task.for_id = None
        task.owner_id, task.delegation, task.assignee_id = actor.account_id, "pending", receiver.account_id
        sent(task, "delegated", actor, said)
        enter(work, instance, task, "delegated", {**_whom(receiver, person), "note": said})
        _tell(work, task, receiver, found, "委派", f"{actor.name}委派您办理{about(task)}，请办理后交回。")
        return _given(receiver, person)


@command
def hand_back_task(
    store: Store, task_id: int, *, actor: Actor, opinion: str, answers: Mapping[str, Any] | None = None, origin: Origin = Origin(),
) -> None:  # fmt: skip
    """Hands a delegated task back 交回 with an opinion; what was typed becomes the owner's draft, not an answer.

    Raises Invalid (field `opinion`), Stale where the task was not delegated to the actor, and as other verbs.
    """
    said = noted(opinion, field="opinion", missing="请填写办理意见", most=OPINION_MAX)
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        if not delegated(task):
            raise Stale("该待办不是委派给您的，无需交回")
        owner, back = task.owner_id, _back_to(work, task)
        task.delegation, task.assignee_id = "resolved", back.account_id
        task.for_id = back.for_id
        sent(task, "handed_back", actor, said)
        if back.account_id is not None:
            form = form_of(deployed(work.session, instance.definition_id), task)
            typed = {field["key"]: answers[field["key"]] for field in fields_of(form or {}) if field["key"] in (answers or {})} if answers else {}
            _draft(work, task, back.account_id, typed, said)
        enter(work, instance, task, "handed_back", {"to": name_of(work, owner), "opinion": said})
        notify_post(work, task.unit_id, task.post, assignee_id=task.assignee_id, kind="task", instance_id=instance.id, task_id=task.id,
                    title=f"交回：{task.name}", text=f"{actor.name}已将{about(task)}交回，请办结。")


@command
def take_back_task(store: Store, task_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """The owner of a delegated task takes it back 收回委派 before it is handed back.

    Raises Stale where it is not delegated any more, NotAllowed where the actor is not its owner or holds the post no longer.
    """
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        if task.owner_id != actor.account_id or not permissions.may_claim_from(actor, task.unit_id, task.post):
            raise NotAllowed("该待办不是您委派的，不能收回")
        if task.state != "open":
            raise TaskClosed
        if instance.state != "running":
            raise NotRunning
        if not delegated(task):
            raise Stale("该待办已交回，无需收回")
        former = task.assignee_id
        task.assignee_id, task.owner_id, task.delegation = actor.account_id, None, None
        task.sent_how = task.sent_by = task.sent_note = None
        enter(work, instance, task, "taken_back", {"from": name_of(work, former)})
        if former is not None:
            notify_person(work, former, kind="task", instance_id=instance.id, title=f"收回委派：{task.name}",
                          text=f"{actor.name}已收回对{about(task)}的委派，您无需再办理。")


def _back_to(work: Work, task: Task) -> StandIn:
    """Who has a delegated task when it is handed back: its owner, whoever stands in for them, or the post."""
    whom = task.for_id or task.owner_id
    assert whom is not None
    found = stand_in(work.session, whom, task.unit_id, task.post, work.now)
    if found.account_id is None:
        return found  # on leave with nobody for them: the post may claim it, and what is left comes back
    holder = load_actor(work.session, found.account_id)
    return found if holder is not None and permissions.may_claim_from(holder, task.unit_id, task.post) else StandIn(None)


def _draft(work: Work, task: Task, account_id: int, answers: Mapping[str, Any], opinion: str) -> None:
    """What the delegate typed lies ready for the owner."""
    kept = {key: value for key, value in answers.items() if len(str(value)) <= _ANSWER_MAX}
    draft = work.session.get(TaskDraft, (task.id, account_id))
    write_draft(work, task.id, account_id, answers={**(draft.answers if draft else {}), **kept}, opinion=opinion)


def _tell(work: Work, task: Task, receiver: Actor, found: StandIn, what: str, text: str) -> None:
    stead = f"（您代理{name_of(work, found.for_id)}）" if found.for_id is not None else ""
    notify_person(work, receiver.account_id, kind="task", instance_id=task.instance_id, task_id=task.id,
                  title=f"{what}：{task.name}", text=text + stead)


def _whom(receiver: Actor, named: Actor) -> dict[str, Any]:
    return {"to": receiver.name} | ({"for": named.name} if named.account_id != receiver.account_id else {})


def _given(receiver: Actor, named: Actor) -> Given:
    return Given(receiver.account_id, receiver.name, named.name if named.account_id != receiver.account_id else None)
