"""Conditions over the data of a case or the notes on a task, as other programs write them: name, operator, value.

The type is asked before the value: PostgreSQL fails where it is told to read a word as a number, and a database may read
before it has asked what stands beside it. CASE is the one order that both keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, false
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import FunctionElement

from engine.process.outside.listing import like
from engine.process.tables import Instance

OPERATORS = ("eq", "neq", "gt", "gteq", "lt", "lteq", "like")


class Kind(FunctionElement[str]):
    """The type of a JSON value, in the words of the database."""

    type = String()
    inherit_cache = True
    name = "json_kind"


@compiles(Kind, "postgresql")
def _on_postgresql(element: Kind, compiler: Any, **more: Any) -> str:
    return f"jsonb_typeof({compiler.process(element.clauses, **more)})"


@compiles(Kind, "sqlite")
def _on_sqlite(element: Kind, compiler: Any, **more: Any) -> str:
    # Of the place itself, not of the value taken out of it: a true that was taken out is the number 1.
    found = re.fullmatch(r"JSON_QUOTE\(JSON_EXTRACT\((.*)\)\)", compiler.process(element.clauses, **more))
    assert found is not None, "SQLAlchemy takes a place of a JSON column out in another way than it used to"
    return f"json_type({found[1]})"


#: What either database calls them.
_TEXT, _NUMBER, _BOOLEAN = ("string", "text"), ("number", "integer", "real"), ("boolean", "true", "false")


def holds(asked: Iterable[Mapping[str, Any]], data: Any = Instance.variables) -> ColumnElement[bool] | None:
    """All of the conditions, each `{"name", "operator", "value"}`; None for none. A value of another type is never met."""
    parts = [one(str(each["name"]), str(each["operator"]), each.get("value"), data) for each in asked]
    return and_(*parts) if parts else None


def one(name: str, operator: str, value: Any, data: Any = Instance.variables) -> ColumnElement[bool]:
    """One condition over a JSON column."""
    place: Any = data[name]
    column: Any
    kinds: tuple[str, ...]
    if isinstance(value, bool):
        kinds, column = _BOOLEAN, place.as_boolean()
    elif isinstance(value, int | float):
        kinds, column = _NUMBER, place.as_float()
    elif isinstance(value, str):
        kinds, column = _TEXT, place.as_string()
    else:
        return false()
    return case((Kind(place).in_(kinds), _compared(column, operator, value)), else_=false())


def _compared(column: Any, operator: str, value: Any) -> Any:
    if operator in ("eq", "neq"):
        return column == value if operator == "eq" else column != value
    if isinstance(value, bool):
        return false()  # nothing is greater than true
    if operator == "like":
        return like(column)(value) if isinstance(value, str) else false()
    return {"gt": operators.gt, "gteq": operators.ge, "lt": operators.lt, "lteq": operators.le}[operator](column, value)
