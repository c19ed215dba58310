"""Which verbs a person may use on a task now: what its page offers. Each command checks for itself again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.actions import actions_of
from engine.process.belonging import delegated, held, may_work
from engine.process.definitions import deployed
from engine.process.desk.urging import URGE_EFFECT, URGE_EVERY, may_urge, urged_since
from engine.process.returning import targets_of
from engine.process.sheets.seeing import case_facts, now_of
from engine.process.tables import Instance, Task
from engine.process.withdrawing import withdrawable
from engine.store.errors import NotFound

#: Verb → what the button says, and what the verb does to the clocks.
VERBS = {
    "return": ("退回", "退回后本环节的时限终止，退回到的环节重新计时；外层环节的时限照常计算。"),
    "withdraw": ("撤回", "撤回后视同未曾办结，原有时限连续计算。"),
    "transfer": ("转办", "转办不改变时限，由接办人在原时限内办结。"),
    "delegate": ("委派", "委派期间时限照常计算；交回后仍由您在原时限内办结。"),
    "hand_back": ("交回", "交回不改变时限，由委派人在原时限内办结。"),
    "take_back": ("收回委派", "收回不改变时限，由您在原时限内办结。"),
    "add_signer": ("加签", "加签不延长时限；最后一人签署后本环节才办结，是否逾期以那时为准。"),
    "urge": ("催办", URGE_EFFECT),
    "copy_to": ("抄送", "抄送不影响办理，也不改变时限。"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One verb that the person may use."""

    verb: str
    label: str
    effect: str
    """What it does to the clocks, in one sentence."""


def offers(session: Session, actor: Actor, task_id: int) -> list[Offer]:
    """The verbs that the actor may use on this task now, in the order of the buttons. Raises NotFound.

    What belongs to everybody's task (claim, put back, complete) is not among them. A few queries.
    """
    both = select(Instance, Task).join(Task, Task.instance_id == Instance.id).where(Task.id == task_id).options(undefer(Instance.saved))
    row = session.execute(both).first()
    if row is None:
        raise NotFound("没有找到该待办")
    instance, task = row
    allowed = actions_of(deployed(session, instance.definition_id).diagram, task.step)
    running = instance.state == "running"
    found = _working(session, actor, instance, task, allowed) if task.state == "open" and running else []
    if task.state == "done" and running and "withdraw" in allowed:
        back = withdrawable(session, actor, instance.id)
        found += ["withdraw"] if back is not None and back.task_id == task.id else []
    if "urge" in allowed and _urges(session, actor, task, instance):
        found.append("urge")
    if "copy_to" in allowed and _shows(session, actor, task, instance):
        found.append("copy_to")
    return [Offer(verb, *VERBS[verb]) for verb in found]


def _working(session: Session, actor: Actor, instance: Instance, task: Task, allowed: frozenset[str]) -> list[str]:
    """The verbs of whoever has the task, or may have it."""
    if delegated(task):
        if task.owner_id == actor.account_id and permissions.may_claim_from(actor, task.unit_id, task.post):
            return ["take_back"]
        return ["hand_back"] if may_work(actor, task) else []
    if task.main_id is not None or held(task) or not may_work(actor, task):
        return []
    returns = "return" in allowed and bool(targets_of(session, instance, task))
    return [*(["return"] if returns else []), *(verb for verb in ("transfer", "delegate", "add_signer") if verb in allowed)]


def _urges(session: Session, actor: Actor, task: Task, instance: Instance) -> bool:
    """Whether the actor waits for the task, and has not urged it just now. Who may work on it themselves is not offered to."""
    if task.state != "open" or instance.state != "running" or (may_work(actor, task) and not held(task)):
        return False
    return may_urge(session, actor, instance) and urged_since(session, actor, task, now_of(session) - URGE_EVERY) is None


def _shows(session: Session, actor: Actor, task: Task, instance: Instance) -> bool:
    """Whether the actor may show the case to others; the post that has the task is a party of its case, so its holders see it."""
    own = (task.unit_id, task.post)
    return permissions.may_claim_from(actor, *own) or permissions.may_show(actor, case_facts(session, instance), task=own)
