"""What is on record of past cases, loaded for a page of them at once: a back-test replays it and never asks again.

A record is plain values. It is read without any lock; a case that goes on meanwhile is replayed as it was when it was read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import History
from engine.process.tables import ExternalTask, Instance, Task, Timer

#: The acts that move a case; claiming and the like do not.
_MOVES = (
    "started", "completed", "timer_fired", "message", "signal", "child_ended", "terminated", "suspended", "resumed", "external_completed",
    "external_error", "returned", "withdrawn", "start_withdrawn", "given_up", "corrected",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """One entry of the history that moved the case."""

    act: str
    at: datetime
    """When it counts."""
    known_at: datetime
    """When it was written: what the calendar knew then, the case knew."""
    step: str | None
    definition_id: int
    data: Mapping[str, Any]

    @property
    def passed(self) -> Sequence[Sequence[str]]:
        """[step, how] of everything that the interpreter did in this move."""
        passed: Sequence[Sequence[str]] = self.data.get("passed", ())
        return passed

    @property
    def opened(self) -> list[str]:
        """The names of the tasks that it opened."""
        return [str(task["name"] or task["step"]) for task in self.data.get("opened", ())]

    @property
    def corrections(self) -> Mapping[str, tuple[Any, Any]]:
        """What it put right: name → (from, to). Of long values the history keeps too little: they count as they are now."""
        changes = self.data.get("changes", ()) if self.act == "corrected" else ()
        return {change["name"]: (change["from"], change["to"]) for change in changes if "cut" not in change}


@dataclass(frozen=True, slots=True)
class Done:
    """A task as it stands on record."""

    step: str
    name: str
    unit_id: int
    post: str
    state: str
    """open · done · cancelled"""
    local: Mapping[str, Any] | None = None
    """What only this one of several was asked about."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline of an activity as it stands on record."""

    element: str
    """The timer event; for the short form the task."""
    kind: str
    name: str
    due_at: datetime | None
    last_day: date | None
    missed: bool


@dataclass(frozen=True, slots=True)
class Child:
    """A case that a call activity of this one started."""

    process_key: str
    state: str
    outcome: str | None
    source_id: int | None
    """Given where a missed deadline had led to the call."""
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """A case as it went."""

    instance_id: int
    number: str
    definition_id: int
    """The version that it follows now."""
    state: str
    outcome: str | None
    outcome_name: str | None
    ended_at: datetime | None
    variables: Mapping[str, Any]
    moves: list[Move] = field(default_factory=list)
    tasks: dict[int, Done] = field(default_factory=dict)
    deadlines: list[Clock] = field(default_factory=list)
    children: dict[int, Child] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    """Steps that wait for a worker outside."""


def read_records(session: Session, instance_ids: Sequence[int], until: datetime) -> list[Record]:
    """The records of these cases, in their order, as at `until`. Six queries, however many cases."""
    columns = (
        Instance.id, Instance.number, Instance.definition_id, Instance.state, Instance.outcome, Instance.outcome_name,
        Instance.ended_at, Instance.variables,
    )  # fmt: skip
    rows = session.execute(select(*columns).where(Instance.id.in_(instance_ids)).order_by(Instance.id))
    records = {row[0]: Record(*row) for row in rows}
    _read_moves(session, records)
    _read_tasks(session, records)
    _read_deadlines(session, records, until)
    children = select(
        Instance.parent_id, Instance.id, Instance.process_key, Instance.state, Instance.outcome, Instance.source_id,
        Instance.variables,
    ).where(Instance.parent_id.in_(records), Instance.parent_token.is_not(None)).order_by(Instance.id)  # fmt: skip
    for parent_id, child_id, *facts in session.execute(children):
        records[parent_id].children[child_id] = Child(*facts)
    waiting = select(ExternalTask.instance_id, ExternalTask.step).where(
        ExternalTask.instance_id.in_(records), ExternalTask.state == "waiting"
    )
    for instance_id, step in session.execute(waiting):
        records[instance_id].outside.add(step)
    return list(records.values())


def _read_moves(session: Session, records: Mapping[int, Record]) -> None:
    query = (
        select(History.instance_id, History.act, History.at, History.recorded_at, History.step, History.definition_id, History.data)
        .where(History.instance_id.in_(records), History.act.in_(_MOVES)).order_by(History.instance_id, History.seq)
    )  # fmt: skip
    for instance_id, act, at, recorded_at, step, definition_id, data in session.execute(query):
        record = records[instance_id]
        if act == "withdrawn":
            # The completion was taken back, with all that it did: the case went on as if it had never been.
            taken = next(move for move in reversed(record.moves) if move.act == "completed" and move.data.get("task") == data["task"])
            record.moves.remove(taken)
            continue
        record.moves.append(Move(act, at, recorded_at, step, definition_id or record.definition_id, data or {}))


def _read_tasks(session: Session, records: Mapping[int, Record]) -> None:
    query = (
        select(Task.instance_id, Task.id, Task.step, Task.name, Task.unit_id, Task.post, Task.state, Task.local)
        .where(Task.instance_id.in_(records), Task.main_id.is_(None)).order_by(Task.id)
    )  # fmt: skip
    for instance_id, task_id, *facts in session.execute(query):
        records[instance_id].tasks[task_id] = Done(*facts)


def _read_deadlines(session: Session, records: Mapping[int, Record], until: datetime) -> None:
    query = (
        select(Timer.instance_id, Timer.element, Timer.kind, Timer.activity_name, Timer.due_at, Timer.last_day, Timer.state,
               Timer.fired_at)
        .where(Timer.instance_id.in_(records), Timer.role == "deadline").order_by(Timer.id)
    )  # fmt: skip
    found: dict[int, list[Clock]] = defaultdict(list)
    for instance_id, element, kind, name, due_at, last_day, state, fired_at in session.execute(query):
        overdue = state == "waiting" and due_at is not None and due_at <= until
        found[instance_id].append(Clock(element, kind, name, due_at, last_day, fired_at is not None or overdue))
    for instance_id, clocks in found.items():
        records[instance_id].deadlines.extend(clocks)
