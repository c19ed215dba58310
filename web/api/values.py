"""Values with their types, as the API writes variables: `{"value", "type", "valueInfo"}`.

What is no plain value goes as type `Json`, a text that holds it, as the original does for such values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from web.api import shapes
from web.api.refusals import bad_request
from web.api.shapes import ANYTHING, Shape, flag, many, record, table, text

TYPED = record({"value": ANYTHING, "type": text(), "valueInfo": {"type": "object"}}, "a value with its type")
VARIABLES = {"type": "object", "additionalProperties": TYPED, "description": "name → typed value"}
#: What a client sends: the type may be left out.
GIVEN = shapes.body({"value": ANYTHING, "type": text(most=64), "valueInfo": {"type": "object"}, "local": flag(), "transient": flag()})
GIVEN_VARIABLES: Shape = table(GIVEN, "name → typed value")
#: One that is to be set, and several of them with those to be taken away.
SET = shapes.body({"value": ANYTHING, "type": text(most=64), "valueInfo": {"type": "object"}})
SETS = shapes.body({"modifications": table(SET, "name → typed value"), "deletions": many(text(most=200))})
#: A condition over the data of a case.
CONDITIONS: Shape = many(
    shapes.body(
        {"name": text(most=200, least=1), "operator": text(only=("eq", "neq", "gt", "gteq", "lt", "lteq", "like")), "value": ANYTHING},
        required=("name", "operator", "value"),
    ),
    most=50,
)  # fmt: skip

_INT = 2**31


def typed(value: Any) -> dict[str, Any]:
    """A value with its type."""
    match value:
        case None:
            kind = "Null"
        case bool():
            kind = "Boolean"
        case int():
            kind = "Integer" if -_INT <= value < _INT else "Long"
        case float():
            kind = "Double"
        case str():
            kind = "String"
        case _:
            kind, value = "Json", orjson.dumps(value).decode()
    return {"value": value, "type": kind, "valueInfo": {}}


def all_typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Every value with its type; names that begin with an underscore are the engine's own."""
    return {name: typed(value) for name, value in values.items() if not name.startswith("_")}


def plain(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of `{name: {"value", "type"}}`. Raises 400 for a value that is not of its type."""
    return {name: _plain(name, each or {}) for name, each in (given or {}).items()}


def _plain(name: str, given: Mapping[str, Any]) -> Any:
    value, kind = given.get("value"), (given.get("type") or "").lower()
    if value is None or kind in ("", "null"):
        return value
    if kind in ("json", "object") and isinstance(value, str):
        try:
            return shapes.parse(value.encode())
        except (ValueError, RecursionError):
            raise bad_request(f"{name}: the value is no JSON, as its type {given['type']} says") from None
    fits = {
        "boolean": bool, "string": str, "date": str, "integer": int, "short": int, "long": int, "double": int | float, "number": int | float,
    }.get(kind)  # fmt: skip
    if fits is None and kind not in ("json", "object"):
        raise bad_request(f"{name}: unknown or unsupported type {given['type'][:64]}")
    if fits is not None and (not isinstance(value, fits) or (isinstance(value, bool) and fits is not bool)):
        raise bad_request(f"{name}: the value is not of its type {given['type']}")
    return value


def files(ids: Collection[str] | None) -> list[int]:
    """The numbers of uploaded files. Raises 400 for what is no id: a file that was left out in silence would be missing from the record."""
    wrong = [each for each in ids or () if not (each.isascii() and each.isdigit())]
    if wrong:
        raise bad_request(f"attachments: {', '.join(wrong[:10])}: no id of an uploaded file")
    return [int(each) for each in ids or ()]
