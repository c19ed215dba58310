"""Single data of cases, and notes on tasks, as other programs ask for them: `variable-instance`, and the same of the record.

The database takes the data of each case apart, so that filters, order and pages are its own. That costs what the cases cost that
it looks at: whoever asks names the cases, or the very name of what they want.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.outside import variables
from engine.process.outside.listing import AnySelect, Condition, Cut, Filter, Listed, among, conditions, count, fetch, idents, like, same
from engine.process.outside.seen import seen, sees_many
from engine.process.tables import OPEN_STATES, Definition, Instance, Task
from engine.store.errors import NotFound

#: Filters of which one names the cases (or tasks), or the very name of the data.
CASES = ("processInstanceId", "processInstanceIdIn", "executionIdIn", "activityInstanceIdIn", "taskIdIn")
NAMES = ("variableName", "variableNameIn", "variableValues")
SORTS = ("variableName", "variableType", "activityInstanceId")
PAST_SORTS = ("variableName", "instanceId")


@dataclass(frozen=True, slots=True)
class Variable:
    """One value; `task_id` where it is a note on a task."""

    name: str
    value: Any
    instance_id: int
    definition_id: int
    process_key: str
    version: int
    started_at: datetime
    task_id: int | None = None

    @property
    def id(self) -> str:
        """`<case>:<name>`, or `task:<task>:<name>` for a note."""
        return f"{self.instance_id}:{self.name}" if self.task_id is None else f"task:{self.task_id}:{self.name}"


def is_narrow(asked: Mapping[str, Any]) -> bool:
    """Whether what was asked names cases or names; else every value of every case would be looked at."""
    return any(asked.get(name) for name in (*CASES, *NAMES))


def of_running(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> tuple[list[Variable], str | None]:
    """Data of running cases that the actor may see, or with `taskIdIn` notes on open tasks; and where to go on. Two or three queries."""
    query, parts = _running(session, actor, asked)
    return _variables(session, parts, fetch(session, query, parts.sorts, parts.key, parts.order(cut)))


def count_running(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    query, parts = _running(session, actor, asked, counted=True)
    return count(session, query.with_only_columns(parts.key, maintain_column_froms=True))


def of_record(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> tuple[list[Variable], str | None]:
    """Data of cases in whatever state, as they are now or were when they ended; and where to go on. Two or three queries."""
    query, parts = _record(session, actor, asked)
    return _variables(session, parts, fetch(session, query, parts.sorts, parts.key, parts.order(cut)))


def count_record(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    query, parts = _record(session, actor, asked, counted=True)
    return count(session, query.with_only_columns(parts.key, maintain_column_froms=True))


def one_of_running(session: Session, actor: Actor, number: int, name: str, *, task: bool) -> Variable:
    """One value of a running case, or one note on an open task. Raises NotFound where it is not there or not theirs to see."""
    asked = {"taskIdIn" if task else "processInstanceIdIn": [str(number)], "variableName": name}
    found, _ = of_running(session, actor, asked, Cut())
    if not found:
        raise NotFound
    return found[0]


def one_of_record(session: Session, actor: Actor, number: int, name: str) -> Variable:
    """One value of a case in whatever state. Raises NotFound where it is not there or not theirs to see."""
    found, _ = of_record(session, actor, {"processInstanceIdIn": [str(number)], "variableName": name}, Cut())
    if not found:
        raise NotFound
    return found[0]


# -- the queries --------------------------------------------------------------------------------


class _Parts:
    """A JSON column taken apart: a row for each name in it; or, where one name alone is asked for, for that one."""

    def __init__(self, session: Session, data: Any, asked: Mapping[str, Any], *, notes: bool = False) -> None:
        self.data, self.notes = data, notes
        self.names = {asked.get("variableName"), *asked.get("variableNameIn", ()), *(each["name"] for each in asked.get("variableValues", ()))} - {None}
        self.alone = len(self.names) == 1
        self.by_case = any(asked.get(name) for name in CASES)
        self.sqlite = session.get_bind().dialect.name == "sqlite"
        if self.alone:
            (name,) = self.names
            self.key: ColumnElement[str] = literal(name, String())
            self.kind: Any = variables.Kind(data[name])
            return
        postgresql = not self.sqlite
        apart = func.jsonb_each(data) if postgresql else func.json_each(data)
        each = apart.table_valued("key", "value", *(() if postgresql else ("type",)), joins_implicitly=True)
        self.key = type_coerce(each.c.key, String())
        self.kind = func.jsonb_typeof(each.c.value, type_=String()) if postgresql else type_coerce(each.c.type, String())

    @property
    def sorts(self) -> Mapping[str, Any]:
        kinds = {"true": "Boolean", "false": "Boolean", "boolean": "Boolean", "null": "Null", "string": "String", "text": "String",
                 "array": "Json", "object": "Json"}
        return {"variableName": type_coerce(self.key, String()), "variableType": case(kinds, value=self.kind, else_="Integer"),
                "activityInstanceId": Instance.id, "instanceId": Instance.id, "taskId": Task.id}

    def order(self, cut: Cut) -> Cut:
        """By case and name where nothing else is asked; by both in the end, so that it is stable."""
        order = [(name, down) for name, down in cut.order if not (self.notes and name == "activityInstanceId")]
        if self.notes or all(name not in ("activityInstanceId", "instanceId") for name, _ in order):
            order.append(("taskId" if self.notes else "activityInstanceId", order[-1][1] if order else False))
        return replace(cut, order=tuple(order))

    def filters(self) -> Mapping[str, Filter]:
        return {
            "processInstanceId": lambda value: idents(Instance.id)([value]), "processInstanceIdIn": idents(Instance.id),
            "executionIdIn": idents(Instance.id), "activityInstanceIdIn": idents(Instance.id), "taskIdIn": idents(Task.id),
            "variableName": same(self.key), "variableNameIn": among(self.key), "variableNameLike": like(self.key), "variableValues": self._values,
        }  # fmt: skip

    def _values(self, asked: list[Mapping[str, Any]]) -> Condition | None:
        """All conditions on its own name hold for a value; what is asked of several names finds each of them."""
        names = dict.fromkeys(str(each["name"]) for each in asked)
        parts = [
            and_(self.key == name, *(variables.one(name, str(each["operator"]), each.get("value"), self.data) for each in asked if each["name"] == name))
            for name in names  # each once, as one may be asked for a range
        ]
        return or_(*parts) if parts else None

    def held(self) -> Condition | None:
        """That the data have one of the names at all: cheaper than taking them apart to find that out."""
        return or_(*(variables.Kind(self.data[name]).is_not(None) for name in sorted(self.names))) if self.names else None

    def state(self, counted: bool) -> Any:
        """The state of the case. SQLite would read and sort all open cases by its index on states, where a page of them is wanted."""
        return Instance.state.concat("") if self.sqlite and self.alone and not self.by_case and not counted else Instance.state


def _columns(parts: _Parts) -> AnySelect:
    query: AnySelect = select(
        parts.key.label("name"), Instance.id.label("instance_id"), Instance.definition_id, Instance.process_key,
        Definition.version, Instance.started_at,
    )  # fmt: skip
    if parts.notes:
        query = query.add_columns(Task.id.label("task_id")).join_from(Task, Instance, Instance.id == Task.instance_id)
    else:
        query = query.select_from(Instance)
    # Outer, as for cases: SQLite would begin with the versions.
    return query.outerjoin(Definition, Definition.id == Instance.definition_id).where(func.substr(parts.key, 1, 1) != "_")


def _asked(session: Session, actor: Actor, asked: Mapping[str, Any], parts: _Parts, counted: bool) -> AnySelect:
    few = parts.by_case or (not counted and sees_many(session, actor))
    query = _columns(parts).where(seen(actor, Instance.id, few=few), *conditions(parts.filters(), asked))
    held = parts.held()
    return query if held is None else query.where(held)


def _running(session: Session, actor: Actor, asked: Mapping[str, Any], *, counted: bool = False) -> tuple[AnySelect, _Parts]:
    notes = "taskIdIn" in asked
    parts = _Parts(session, Task.notes if notes else Instance.variables, asked, notes=notes)
    query = _asked(session, actor, asked, parts, counted).where(parts.state(counted).in_(OPEN_STATES))
    return (query.where(Task.state == "open") if notes else query), parts


def _record(session: Session, actor: Actor, asked: Mapping[str, Any], *, counted: bool = False) -> tuple[AnySelect, _Parts]:
    parts = _Parts(session, Instance.variables, asked)
    return _asked(session, actor, asked, parts, counted).where(Instance.removed_at.is_(None)), parts


def _variables(session: Session, parts: _Parts, listed: Listed) -> tuple[list[Variable], str | None]:
    """The page with its values: those are read for its rows alone, so that nothing long is sorted."""
    whose = Task.id if parts.notes else Instance.id
    numbers = [row.task_id if parts.notes else row.instance_id for row in listed.rows]
    data = {number: held for number, held in session.execute(select(whose, parts.data).where(whose.in_(sorted(set(numbers)))))} if numbers else {}
    found = [
        Variable(row.name, data[number][row.name], row.instance_id, row.definition_id, row.process_key, row.version, row.started_at,
                 number if parts.notes else None)
        for number, row in zip(numbers, listed.rows, strict=True) if row.name in (data.get(number) or {})  # else it went between the two
    ]  # fmt: skip
    return found, listed.next
