"""What a list is narrowed down to: the question as a value, and the conditions on tasks or cases that it becomes.

A statement is built once for each shape of question, as building it takes longer than the database does to answer it; so
conditions have names in place of values. What the order of the inbox (`sort_at`) says itself is kept apart from the rest: it
limits how far an index is read, the rest is looked at entry by entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, exists, or_

from engine.process.tables import FAR, Instance, Task

#: `done` only for what is done: in time.
AskedLight = Literal["red", "yellow", "green", "paused", "none", "done"]
Conditions = list[ColumnElement[bool]]
_FAR = datetime.fromisoformat(FAR)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which questions are asked, without their values."""

    process: bool
    unit: bool
    light: AskedLight | None
    since: bool
    until: bool
    words: int
    unread: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The question put to a list; what is left out does not matter."""

    process: str | None = None
    """A process key."""
    unit_id: int | None = None
    """The unit whose case it is; in the list of what one has started, the unit where the case lies now."""
    light: AskedLight | None = None
    since: datetime | None = None
    """Due after this instant: deadlines are exclusive ends, so the midnight before a day begins with that day."""
    until: datetime | None = None
    """Due at this instant at the latest."""
    words: tuple[str, ...] = ()
    """Each stands in the case's `search` (`searching.words_of`)."""
    unread: bool = False
    """Of what was copied to somebody: only what they have not read."""

    @property
    def shape(self) -> Shape:
        """What the statement depends on."""
        return Shape(self.process is not None, self.unit_id is not None, self.light, self.since is not None,
                     self.until is not None, len(self.words), self.unread)

    def names(self, now: datetime) -> dict[str, Any]:
        """The values, by the names in the conditions."""
        values = {"process": self.process, "asked_unit": self.unit_id, "since": self.since, "until": self.until,
                  "now": now if self.light else None, **{f"word_{place}": f"%{_escape(word)}%" for place, word in enumerate(self.words)}}
        return {name: value for name, value in values.items() if value is not None}


NOTHING = Asked()


def urgency(shape: Shape) -> Conditions:
    """What is asked of an open task's deadline, as a range of the order of urgency."""
    found: Conditions = []
    if shape.since:
        found.append(Task.sort_at > bindparam("since"))
        if not shape.until:
            found.append(Task.sort_at < _FAR)
    if shape.until:
        found.append(Task.sort_at <= bindparam("until"))
    if shape.light == "red":
        found.append(Task.sort_at <= bindparam("now"))
    elif shape.light in ("yellow", "green"):
        found += [Task.sort_at > bindparam("now"), Task.sort_at < _FAR]
    elif shape.light in ("paused", "none"):
        found.append(Task.sort_at >= _FAR)
    return found


def sieve(shape: Shape) -> Conditions:
    """What else is asked of a task, open or done: of its case, and what the order of urgency does not say of its light."""
    found: Conditions = []
    if shape.process:
        found.append(Task.process_key == bindparam("process"))
    if shape.unit:
        found.append(Task.case_unit_id == bindparam("asked_unit"))
    found += [Task.search.like(bindparam(f"word_{place}"), escape="\\") for place in range(shape.words)]
    return found + _warned(shape)


def record(shape: Shape) -> Conditions:
    """What is asked of a task that is done: its light is whether it was late."""
    lights: Conditions = [Task.late.is_(shape.light == "red")] if shape.light else []
    return [*sieve(_without_light(shape)), *urgency(_without_light(shape)), *lights]


def of_case(shape: Shape, *, lies_at: bool) -> Conditions:
    """What is asked of a case: light and deadline are those of one of its open tasks.

    `lies_at`: the unit is where such a task is; else it is whose case it is.
    """
    found: Conditions = [Instance.search.like(bindparam(f"word_{place}"), escape="\\") for place in range(shape.words)]
    if shape.process:
        found.append(Instance.process_key == bindparam("process"))
    if shape.unit and not lies_at:
        found.append(Instance.unit_id == bindparam("asked_unit"))
    task = urgency(shape) + _warned(shape)
    if shape.unit and lies_at:
        task.append(Task.unit_id == bindparam("asked_unit"))
    if task:
        found.append(exists().where(Task.instance_id == Instance.id, Task.state == "open", *task))
    return found


def _warned(shape: Shape) -> Conditions:
    if shape.light == "yellow":
        return [Task.warn_at <= bindparam("now")]
    if shape.light == "green":
        return [or_(Task.warn_at.is_(None), Task.warn_at > bindparam("now"))]
    return [Task.paused.is_(shape.light == "paused")] if shape.light in ("paused", "none") else []


def _without_light(shape: Shape) -> Shape:
    return Shape(shape.process, shape.unit, None, shape.since, shape.until, shape.words, shape.unread)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
