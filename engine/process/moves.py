"""What may happen to a case: the moves that the one road (`advance`) takes.

Plain values. Whether somebody may do it was asked before a move is made; what it does is for the road.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.people.actor import Actor
from engine.process.tables import ExternalTask, Task


@dataclass(frozen=True, slots=True)
class Begin:
    """The instance was just opened: run it from its start event."""

    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Complete:
    """A person completed a task; the answers are validated already."""

    task: Task
    values: Mapping[str, Any]
    """What was answered, as the task keeps it."""
    data: Mapping[str, Any]
    """What the case's data take: the same, and None for what was left open."""
    said: Mapping[str, Any] = field(default_factory=dict)
    by: Actor | None = None
    """Who completed it, where that is not who acts now: with the last signature it goes on as its assignee completed it."""


@dataclass(frozen=True, slots=True)
class Fire:
    """A timer is due."""

    timer_id: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message arrives; it reaches every token that waits for it now, and is not kept."""

    message: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hear:
    """A signal comes; it reaches those of these tokens that still wait for it, and is not kept."""

    signal: str
    payload: Mapping[str, Any]
    tokens: frozenset[str]
    said: Mapping[str, Any] = field(default_factory=dict)
    """Where it came from, for the record."""


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """The instance that a call activity waits for has ended."""

    token: str
    child_id: int
    outcome: str | None
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finish:
    """A worker outside is done with an external task, or reports a BPMN error instead."""

    task: ExternalTask
    given: Mapping[str, Any] = field(default_factory=dict)
    """The worker's variables; the diagram says which of them the case takes."""
    error: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Return:
    """Whoever works on a task sends the case back to an earlier step; that it may be sent there was asked before."""

    task: Task
    to: str | None
    """Id of the step; None for the starter."""
    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Who completed a task takes it back, or the starter the start of the case (None); nobody has acted since."""

    task: Task | None
    undo: Mapping[str, Any]
    """What was kept of it (undoing.py)."""
    reason: str


@dataclass(frozen=True, slots=True)
class Terminate:
    """An operator, the parent or (given up) the starter ends the instance before its time."""

    reason: str
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Migrate:
    """The instance goes on under another version of its process.

    Nothing that is overdue fires before: its own rule may be what the new version mends. It fires afterwards, if it is still due.
    """

    definition_id: int
    plan: Mapping[str, str]
    """Element of the version that it follows now → element of the new one."""
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Correct:
    """Data of the case are put right; what they may become was asked before. No token moves and no clock changes.

    Nothing that is overdue fires before: a wrong value may be the very reason why it cannot.
    """

    values: Mapping[str, Any]
    gone: frozenset[str] = frozenset()
    """Names that the case holds no longer."""
    title: str | None = None
    """The title as it reads by the corrected data; None where it stays."""
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspend:
    """The office stops the case, with all that it has started: nothing can be done and no clock runs."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    """The suspended case goes on, with all that it has started."""

    reason: str


@dataclass(frozen=True, slots=True)
class SetDue:
    """Who supervises gives a timer of the case another date by hand, or lets it be counted again (None)."""

    timer_id: int
    due: datetime | None
    reason: str


Move = Begin | Complete | Finish | Return | Withdraw | Fire | Deliver | Hear | ChildEnded | Terminate | Migrate | Correct | Suspend | Resume | SetDue
