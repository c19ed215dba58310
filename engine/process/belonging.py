"""Whose an open task is, and what they fill in: the step's own task, one that was delegated, and a signature added to it.

A task belongs to the holders of a post. One that was given to a very person (a delegation, a signature) needs only some
case-working post of the unit: whoever gives it vouches for the person, not for the post.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.definitions import Deployed
from engine.process.forms import FormDefinition
from engine.process.interpreter.model import Step
from engine.process.step_forms import form_at
from engine.process.tables import Task

#: What a signer fills in, whatever the step asks for: agree or not; who does not says why.
SIGNATURE_FORM: FormDefinition = {
    "title": "加签意见",
    "fields": [{
        "key": "stance", "type": "choice", "label": "签署意见", "required": True,
        "options": [{"value": "agree", "label": "同意"}, {"value": "disagree", "label": "不同意"}],
    }],
    "opinion_when": "stance == 'disagree'",
}  # fmt: skip


def delegated(task: Task) -> bool:
    """Whether somebody works on it for its owner, and must hand it back."""
    return task.delegation == "pending"


def held(task: Task) -> bool:
    """Whether its assignee has completed it and it waits for the last signature."""
    return task.state == "open" and task.completed_by is not None


def held_up_by(task: Task, signatures: Iterable[Task]) -> list[Task]:
    """Whom a task waits for: its signers where it was completed but for them, or must not be completed before; else itself."""
    asked = [signature for signature in signatures if signature.state == "open"]
    if held(task):
        return asked
    return [signature for signature in asked if signature.signing == "before"] or [task]


def needed_post(task: Task) -> str | None:
    """The post that whoever works on it must hold; None: any case-working post of the unit."""
    return None if task.main_id is not None or delegated(task) else task.post


def may_work(actor: Actor, task: Task) -> bool:
    """Whether the actor may work on the task, by whom it belongs to now."""
    return permissions.may_work(actor, task.unit_id, needed_post(task), task.assignee_id)


def form_of(definition: Deployed, task: Task) -> FormDefinition | None:
    """The form of a task as its step shows it; None for a step without one."""
    return SIGNATURE_FORM if task.main_id is not None else form_at(definition, task.step)


def votes_in_person(definition: Deployed, task: Task) -> bool:
    """Whether the diagram asks a very person for a vote: put back for the post, somebody else could vote twice."""
    step = definition.diagram.steps.get(task.step)
    return step is not None and bool(step.properties.get("countersign") and step.properties.get("assignee"))


def opinion_policy(step: Step, task: Task) -> str:
    """Whether the step wants an opinion of its own accord: required, optional, or whatever the diagram says."""
    return "optional" if task.main_id is not None else step.properties.get("opinion", "optional")
