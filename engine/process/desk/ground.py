"""What every verb stands on: the task locked and the actor's own, the diagram's word for the verb, a note of bearable length, people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from engine.people import permissions
from engine.people.absences import StandIn, stand_in, stand_in_within
from engine.people.actor import Actor, load_actors
from engine.process.actions import ACTIONS, actions_of
from engine.process.definitions import deployed
from engine.process.history_of import append_entry
from engine.process.signing import entry_of
from engine.process.tables import Instance, Task
from engine.process.tasks import lock_task, require_free, require_open, require_own
from engine.store.errors import Invalid, NotAllowed
from engine.store.store import Work

#: Letters of a note to a colleague.
NOTE_MAX = 500
#: People whom one act may reach.
PEOPLE_MAX = 20


def own_task(work: Work, task_id: int, actor: Actor, verb: str) -> tuple[Task, Instance]:
    """A step's task that the actor may use the verb on now, with its instance, both locked.

    Raises NotFound, NotAllowed, TaskClosed, TaskTaken, NotRunning, Stale where it was only delegated to the actor, or is held.
    """
    task, instance = lock_task(work, task_id)
    require_open(work, task, instance, actor)
    require_own(work, task)
    require_free(task)
    require_verb(work, instance, task, verb)
    return task, instance


def require_verb(work: Work, instance: Instance, task: Task, verb: str) -> None:
    """The diagram allows the verb at this step. Raises NotAllowed."""
    if verb not in actions_of(deployed(work.session, instance.definition_id).diagram, task.step):
        raise NotAllowed(f"该环节的流程未设“{ACTIONS[verb]}”")


def noted(note: str, *, field: str = "note", missing: str | None = None, most: int = NOTE_MAX) -> str:
    """A note as it is kept. Raises Invalid where it is too long, or empty and `missing` says that it must not be."""
    said = note.strip()
    if len(said) > most:
        raise Invalid({field: f"不能超过{most}字，现有{len(said)}字"})
    if "\x00" in said:
        raise Invalid({field: "含有无法保存的字符"})
    if not said and missing:
        raise Invalid({field: missing})
    return said


def persons(work: Work, ids: Sequence[int], field: str) -> list[Actor]:
    """Active people by their ids, in the order given, each once. One query. Raises Invalid for nobody, too many, or an unknown one."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Invalid({field: "请选择人员"})
    if len(wanted) > PEOPLE_MAX:
        raise Invalid({field: f"一次不能超过{PEOPLE_MAX}人"})
    found = load_actors(work.session, wanted)
    if len(found) != len(wanted):
        raise Invalid({field: "所选人员不存在或已停用"})
    return [found[account_id] for account_id in wanted]


def present(work: Work, person: Actor, task: Task, field: str, *, within: bool) -> tuple[Actor, StandIn]:
    """Who gets what would go to a person now: themselves, or along the chain of substitutes.

    `within` is for what needs only some post of the unit: the substitute for any post that the person holds there. Raises
    Invalid where the person is on leave and nobody stands in.
    """
    if within:
        found = stand_in_within(work.session, person, task.unit_id, task.post, work.now)
    else:
        found = stand_in(work.session, person.account_id, task.unit_id, task.post, work.now)
    if found.account_id is None:
        raise Invalid({field: f"{person.name}正在请假，且无人代理"})
    if found.account_id == person.account_id:
        return person, found
    return persons(work, [found.account_id], field)[0], found


def colleague_of(person: Actor, task: Task) -> bool:
    """Whether a person may be given the task in person: they hold a case-working post of its unit."""
    return permissions.may_claim_from(person, task.unit_id, None)


def enter(work: Work, instance: Instance, task: Task, act: str, data: Mapping[str, Any]) -> None:
    """The one history entry of a verb on a task."""
    append_entry(work, instance, entry_of(work, instance, task, act, {"name": task.name, "task": task.id, **data}))


def about(task: Task) -> str:
    """A task in the words of a notice."""
    return f"{task.number}《{task.title}》的“{task.name}”"


def sent(task: Task, how: str, by: Actor, note: str) -> None:
    """Keeps on the task how it came to whoever has it now."""
    task.sent_how, task.sent_by, task.sent_note = how, by.account_id, note or None


def names(people: Collection[Actor]) -> str:
    return "、".join(person.name for person in people)
