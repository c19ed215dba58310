"""What happens to cases and tasks, for whoever listens: told in the transaction in which it happens, after its rows are written.

An event says what, when and where, by ids and names; never what a case contains. Listeners are other rooms of the engine, such
as the webhooks: they add themselves when they are imported, as the kernel knows none of them. They may only write rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.process.tables import Instance, Task
from engine.store.store import Work

#: Every kind of event, and what pages call it.
KINDS = {
    "case.started": "办件发起", "case.ended": "办件办结或终止", "case.suspended": "办件暂停", "case.resumed": "办件恢复",
    "case.corrected": "办件数据更正", "case.withdrawn": "发起撤回", "case.migrated": "办件迁移到其他版本",
    "task.opened": "待办产生", "task.claimed": "待办签收", "task.unclaimed": "待办放回", "task.assigned": "待办换人",
    "task.held": "待办已提交，等待加签", "task.given_back": "加签后交还经办人", "task.urged": "待办催办",
    "task.completed": "待办办结", "task.returned": "待办退回", "task.withdrawn": "办结撤回", "task.cancelled": "待办撤销",
    "signature.added": "加签", "signature.given": "加签签署", "signature.removed": "减签",
    "external.opened": "交由外部程序", "external.completed": "外部程序办结", "external.failed": "外部程序办理失败", "external.cancelled": "外部程序的步骤撤销",
    "deadline.moved": "时限变动", "deadline.missed": "时限到期", "incident.opened": "出现异常",
}  # fmt: skip

_ACTS = {
    "started": "case.started", "suspended": "case.suspended", "resumed": "case.resumed", "start_withdrawn": "case.withdrawn",
    "corrected": "case.corrected", "migrated": "case.migrated",
}  # fmt: skip
#: Acts on a task that is there before and after, or that it ends with.
_TASK_ACTS = {
    "claimed": "task.claimed", "unclaimed": "task.unclaimed", "held": "task.held", "given_back": "task.given_back", "urged": "task.urged",
    "withdrawn": "task.withdrawn",
}  # fmt: skip
#: How a task came to somebody else.
HANDED = ("transferred", "delegated", "handed_back", "taken_back", "stand_in", "came_back", "released")
_SIGNING = ("signer_added", "signer_removed", "signed")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a case."""

    id: str
    """The same for the same event however often it is told; no other event has it."""
    kind: str
    at: datetime
    instance: Instance
    about: Mapping[str, Any] = field(default_factory=dict)
    """`task`, `signature`, `external`, `deadline`, `incident` or `outcome`: JSON values, each with its ids first."""


#: Told of the events of each transaction; they act in it.
LISTENERS: list[Callable[[Work, Sequence[Event]], None]] = []


def tell(work: Work, events: Sequence[Event]) -> None:
    """Tells whoever listens. Nobody is told of what is only rehearsed."""
    if events and not work.session.info["store"].rehearsing:
        for listener in LISTENERS:
            listener(work, events)


def of_case(instance: Instance, rows: Sequence[Mapping[str, Any]], opened: Sequence[Task]) -> list[Event]:
    """The events of a case that was just saved: what its new history entries say, and the tasks that it opened."""
    found: list[Event] = []
    for row in rows:
        happened = [*_of_entry(instance, row)]
        found += [
            Event(f"{instance.id}-{row['seq']}-{number}", kind, row["at"], instance, about)
            for number, (kind, about) in enumerate(happened, 1)
        ]
    last = rows[-1]["seq"] if rows else 0
    found += [
        Event(f"{instance.id}-{last}-task-{task.id}", "task.opened", task.opened_at, instance, {"task": task_facts(task)})
        for task in opened
    ]
    return found


def of_entry(work: Work, instance: Instance, row: Mapping[str, Any]) -> None:
    """Tells what one history entry outside the road says: an act that moves no token."""
    tell(work, of_case(instance, [row], ()))


def _of_entry(instance: Instance, row: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    act, data = row["act"], row["data"]
    step = {"step": row["step"], "name": data.get("name")}
    if act in _ACTS:
        yield _ACTS[act], {}
    elif act == "completed":
        yield "task.completed", {"task": {"id": _text(data.get("task")), **step, "late": bool(data.get("late"))}}
    elif act in _TASK_ACTS or act in HANDED or act in _SIGNING or act == "returned":
        yield from _of_task(act, step, data)
    elif act in ("external_completed", "external_error"):
        yield "external.completed", {"external": {**step, "topic": data.get("topic"), "error": data.get("error")}}
    elif act == "external_failed":
        external = {"id": _text(data.get("external")), **step, "topic": data.get("topic"), "retries": data.get("retries")}
        yield "external.failed", {"external": external}
    elif act == "timer_fired" and data.get("role") == "deadline":
        yield "deadline.missed", {"deadline": {"step": row["step"], "activity": data.get("activity"), "due": data.get("due")}}
    elif act == "redated":
        for moved in data.get("deadlines", ()):
            if not moved.get("kept"):
                yield "deadline.moved", {"deadline": {name: moved.get(name) for name in ("activity", "from", "to", "provisional")}}
    elif act in ("due_set", "due_counted") and data.get("role") == "deadline":
        yield "deadline.moved", {"deadline": {"step": row["step"], **{name: data.get(name) for name in ("activity", "from", "to", "provisional")}}}
    for task in data.get("cancelled", ()):
        if "topic" in task:
            yield "external.cancelled", {"external": {"step": task["step"], "name": task["name"], "topic": task["topic"]}}
        elif task.get("task") is not None:  # what was opened and withdrawn within one transaction was never told
            yield "task.cancelled", {"task": {"id": str(task["task"]), "step": task["step"], "name": task["name"]}}
    for external in data.get("outside", ()):
        yield "external.opened", {"external": {"step": external["step"], "name": external["name"], "topic": external["topic"]}}
    if act in ("terminated", "given_up") or ("passed" in data and "outcome" in data):
        yield "case.ended", {"outcome": {"key": instance.outcome, "name": instance.outcome_name}}


def _of_task(act: str, step: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What an act of the desk says; who it was, and for whom, is not told."""
    task = {"id": _text(data.get("main", data.get("task"))), **step}
    if act in HANDED:
        yield "task.assigned", {"task": {**task, "how": act}}
    elif act == "returned":
        yield "task.returned", {"task": {**task, "to": data.get("to"), "toName": data.get("to_name")}}
    elif act == "signer_added":
        for number in data.get("signatures", ()):
            yield "signature.added", {"task": task, "signature": {"id": str(number), "signing": data.get("signing")}}
    elif act == "signer_removed":
        yield "signature.removed", {"task": task, "signature": {"id": _text(data.get("signature"))}}
    elif act == "signed":
        yield "signature.given", {"task": task, "signature": {"id": _text(data.get("task")), "signing": data.get("signing")}}
    else:
        yield _TASK_ACTS[act], {"task": task}


def task_facts(task: Task) -> dict[str, Any]:
    """A task as events tell it."""
    return {
        "id": str(task.id), "step": task.step, "name": task.name, "unit": task.unit_id, "post": task.post,
        "due": task.due_at.isoformat() if task.due_at else None, "provisional": task.provisional,
    }  # fmt: skip


def _text(number: object) -> str | None:
    return None if number is None else str(number)
