"""The record of cases as other programs ask for it: steps that were passed, and who did what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from engine.history import History
from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.definitions import deployed
from engine.process.outside.listing import Condition, Cut, Filter, Listed, Rows, after, among, before, conditions, definition, ident, idents, same
from engine.process.outside.seen import seen
from engine.process.outside.tree import kind_of
from engine.process.tables import Definition, Instance, Task

_person = aliased(Account)

#: Acts → what the original calls them; others keep their own names.
OPERATIONS = {
    "started": "Create", "claimed": "Claim", "unclaimed": "Unclaim", "completed": "Complete", "transferred": "Assign", "delegated": "Delegate",
    "handed_back": "Resolve", "terminated": "Delete", "suspended": "Suspend", "resumed": "Activate", "migrated": "Migrate", "corrected": "ModifyVariable",
    "returned": "ModifyProcessInstance", "due_set": "SetDueDate", "due_counted": "RecalculateDueDate",
}  # fmt: skip
_ACTS = {operation: act for act, operation in OPERATIONS.items()}

FILTERS: Mapping[str, Filter] = {
    "processInstanceId": ident(History.instance_id), "processInstanceIdIn": idents(History.instance_id), "userId": same(_person.login),
    "processDefinitionId": definition(History.definition_id), "processDefinitionKey": same(Instance.process_key),
    "processDefinitionKeyIn": among(Instance.process_key), "operationId": ident(History.id),
    "operationType": lambda value: History.act == _ACTS.get(value, value), "afterTimestamp": after(History.at), "beforeTimestamp": before(History.at),
    "taskDefinitionKey": same(History.step),
}  # fmt: skip
SORTS: Mapping[str, Any] = {"timestamp": History.id}
_SELECTIVE = frozenset({"processInstanceId", "processInstanceIdIn", "operationId"})


_ROWS = Rows(History.id, (
    History.id, History.act, History.at, History.instance_id, History.step, History.request_id, History.definition_id, _person.login, Instance.process_key,
    Definition.version, History.data,
), (
    (Instance, Instance.id == History.instance_id), (_person, _person.id == History.actor_id), (Definition, Definition.id == History.definition_id),
))  # fmt: skip


def _operations(actor: Actor, asked: Mapping[str, Any]) -> list[Condition]:
    of_people = (History.instance_id.is_not(None), History.actor_id.is_not(None))
    return [*of_people, seen(actor, History.instance_id, few=bool(_SELECTIVE & asked.keys())), *conditions(FILTERS, asked)]


def operations(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """What people did in cases that the actor may see. One query."""
    return _ROWS.page(session, _operations(actor, asked), SORTS, cut)


def count_operations(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many acts they are. One query."""
    return _ROWS.number(session, _operations(actor, asked))


# -- activities -------------------------------------------------------------------------------


@dataclass(slots=True)
class Activity:
    """One pass through a step; `ended_at` None while it goes on."""

    id: str
    instance_id: int
    definition_id: int
    process_key: str
    version: int
    step: str
    name: str | None
    kind: str
    started_at: datetime
    ended_at: datetime | None = None
    cancelled: bool = False
    task_id: int | None = None
    assignee: str | None = None


def activities(session: Session, instance_ids: Iterable[int]) -> list[Activity]:
    """Every pass through a step of these cases, whoever may see them, in the order in which they began.

    Read from the record, which says of each move what it passed. Two queries.
    """
    ids = list(instance_ids)
    found: list[Activity] = []
    going: dict[tuple[int, str], list[Activity]] = {}
    rows = session.execute(
        select(History.instance_id, History.seq, History.at, History.data, Instance.definition_id, Instance.process_key, Definition.version)
        .join(Instance, Instance.id == History.instance_id).join(Definition, Definition.id == Instance.definition_id)
        .where(History.instance_id.in_(ids)).order_by(History.instance_id, History.seq)
    ).all()  # fmt: skip
    for row in rows:
        for place, (step, how) in enumerate(row.data.get("passed", ())):
            diagram_step = deployed(session, row.definition_id).diagram.steps.get(step)
            open_ones = going.setdefault((row.instance_id, step), [])
            if how != "entered" and open_ones:
                done = open_ones.pop(0)
                done.ended_at, done.cancelled = row.at, how == "cancelled"
                continue
            new = Activity(
                f"{step}:{row.instance_id}.{row.seq}.{place}", row.instance_id, row.definition_id, row.process_key, row.version, step,
                diagram_step.name if diagram_step else None, kind_of(diagram_step), row.at,
            )  # fmt: skip
            found.append(new)
            if how == "entered":
                open_ones.append(new)
            else:
                new.ended_at, new.cancelled = row.at, how == "cancelled"
    _name_tasks(session, ids, found)
    return found


def _name_tasks(session: Session, ids: list[int], found: list[Activity]) -> None:
    """Which task a pass through a user task was, and who did it."""
    rows = session.execute(
        select(Task.id, Task.instance_id, Task.step, _person.login).outerjoin(_person, _person.id == Task.assignee_id)
        .where(Task.instance_id.in_(ids), Task.main_id.is_(None)).order_by(Task.id)
    ).all()  # fmt: skip
    waiting: dict[tuple[int, str], list[Any]] = {}
    for row in rows:
        waiting.setdefault((row.instance_id, row.step), []).append(row)
    for activity in found:
        rest = waiting.get((activity.instance_id, activity.step))
        if rest:
            row = rest.pop(0)
            activity.task_id, activity.assignee = row.id, row.login


def visible(session: Session, actor: Actor, instance_ids: Iterable[int]) -> list[int]:
    """Those of these cases that the actor may see. One query."""
    return list(session.scalars(select(Instance.id).where(Instance.id.in_(list(instance_ids)), seen(actor, Instance.id, few=True)).order_by(Instance.id)))
