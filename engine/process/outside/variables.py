"""Conditions over the data of a case, as other programs write them: name, operator, value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, false

from engine.process.outside.listing import like
from engine.process.tables import Instance

OPERATORS = ("eq", "neq", "gt", "gteq", "lt", "lteq", "like")


def holds(asked: Iterable[Mapping[str, Any]]) -> ColumnElement[bool] | None:
    """All of the conditions, each `{"name", "operator", "value"}`; None for none. A value of another type is never met."""
    parts = [_one(str(each["name"]), str(each["operator"]), each.get("value")) for each in asked]
    return and_(*parts) if parts else None


def _one(name: str, operator: str, value: Any) -> ColumnElement[bool]:
    place: Any = Instance.variables[name]
    column: Any
    if operator == "like":
        return like(place.as_string())(value) if isinstance(value, str) else false()  # type: ignore[return-value]
    if value is None or isinstance(value, list | dict):
        return false()
    if isinstance(value, bool):
        column = place.as_boolean()
    elif isinstance(value, int | float):
        column = place.as_float()
    else:
        column = place.as_string()
    found: ColumnElement[bool] = {
        "eq": column == value, "neq": column != value, "gt": column > value, "gteq": column >= value, "lt": column < value,
        "lteq": column <= value,
    }[operator]  # fmt: skip
    return found
