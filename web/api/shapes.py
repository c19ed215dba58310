"""The shapes of bodies and parameters: a small part of JSON Schema, written once, judged here and printed in the OpenAPI document.

Nothing undeclared passes: a misspelled filter that was ignored would return too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from web.api import dates

Shape = Mapping[str, Any]

#: Levels of a JSON body; what is nested deeper is no request of ours.
DEEPEST = 32
TEXT_MAX = 4000
LIST_MAX = 1000


def text(about: str = "", *, most: int = TEXT_MAX, least: int = 0, only: tuple[str, ...] = (), pattern: str = "", example: str = "") -> Shape:
    """A text; `only` are the words that it may be."""
    shape: dict[str, Any] = {"type": "string", "description": about}
    if only:
        shape["enum"] = list(only)
    else:
        shape["maxLength"] = most
    if least:
        shape["minLength"] = least
    if pattern:
        shape["pattern"] = pattern
    if example:
        shape["examples"] = [example]
    return shape


def number(about: str = "", *, least: int = 0, most: int = 2**53 - 1) -> Shape:
    """A whole number."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": about}


def flag(about: str = "") -> Shape:
    """true or false."""
    return {"type": "boolean", "description": about}


def moment(about: str = "") -> Shape:
    """An instant, with any offset."""
    return {"type": "string", "format": "sharing-date-time", "maxLength": 40, "description": about, "examples": ["2026-03-02T00:00:00.000+0800"]}


def many(of: Shape, about: str = "", *, most: int = LIST_MAX) -> Shape:
    """A list; in an address its items are separated by commas."""
    return {"type": "array", "items": of, "maxItems": most, "description": about}


def either(*shapes: Shape) -> Shape:
    """A value of one of several shapes."""
    return {"anyOf": list(shapes)}


def maybe(shape: Shape) -> Shape:
    """The same, or null."""
    if "type" not in shape:
        return either(shape, {"type": "null"})
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    more: dict[str, Any] = {"type": [*kinds, "null"]} if "null" not in kinds else {}
    if "enum" in shape:
        more["enum"] = [*shape["enum"], None]
    return {**shape, **more}


def body(fields: Mapping[str, Shape], *, required: tuple[str, ...] = (), about: str = "") -> Shape:
    """What a client sends: an object with these fields and no others. What is not required may be null, which means left out."""
    properties = {name: shape if name in required else maybe(shape) for name, shape in fields.items()}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False, "description": about}


def record(fields: Mapping[str, Shape], about: str = "") -> Shape:
    """What we answer: an object that always has these fields."""
    return {"type": "object", "properties": dict(fields), "required": list(fields), "description": about}


def table(of: Shape, about: str = "") -> Shape:
    """An object with keys of the client's choice."""
    return {"type": "object", "additionalProperties": of, "maxProperties": LIST_MAX, "description": about}


ANYTHING: Shape = {"description": "any JSON value"}
COUNT = record({"count": number()}, "how many there are")
LINKS = {"type": "array", "maxItems": 20, "items": record({"method": text(), "href": text(), "rel": text()})}


# -- judging --------------------------------------------------------------------------------------------------


def parse(data: bytes) -> Any:
    """The JSON value of a body. Raises ValueError for what is none, too deep, or holds text that no database keeps."""
    value = orjson.loads(data)
    _sound(value, 0)
    return value


def _sound(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        sound_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            sound_text(key)
            _sound(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _sound(item, depth + 1)


def sound_text(value: str) -> None:
    """Raises ValueError for characters that PostgreSQL or UTF-8 cannot keep."""
    if "\x00" in value:
        raise ValueError("a NUL character")
    value.encode()


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,), "null": (type(None),),
}  # fmt: skip


def complaints(shape: Shape, value: Any, where: str = "") -> Iterator[str]:
    """What is wrong with a value, each with its place."""
    name = where or "the body"
    if "anyOf" in shape:
        if all(next(complaints(one, value, where), None) is not None for one in shape["anyOf"]):
            yield f"{name}: of none of the allowed shapes"
        return
    kinds = shape.get("type")
    if kinds is not None and not _is(value, [kinds] if isinstance(kinds, str) else kinds):
        yield f"{name}: {' or '.join([kinds] if isinstance(kinds, str) else kinds)} is expected"
        return
    if "enum" in shape and value not in shape["enum"]:
        yield f"{name}: one of {', '.join(str(word) for word in shape['enum'])} is expected"
    elif isinstance(value, str):
        yield from _text(shape, value, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not shape.get("minimum", value) <= value <= shape.get("maximum", value):
            yield f"{name}: from {shape.get('minimum')} to {shape.get('maximum')} is expected"
    elif isinstance(value, list):
        if len(value) > shape.get("maxItems", len(value)) or len(value) < shape.get("minItems", 0):
            yield f"{name}: {shape.get('minItems', 0)} to {shape.get('maxItems')} items are expected"
            return
        for place, item in enumerate(value):
            yield from complaints(shape.get("items", ANYTHING), item, f"{where}[{place}]")
    elif isinstance(value, dict):
        yield from _object(shape, value, where)


def _is(value: Any, kinds: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        return True
    return any(isinstance(value, _KINDS[kind]) for kind in kinds)


def _text(shape: Shape, value: str, name: str) -> Iterator[str]:
    if not shape.get("minLength", 0) <= len(value) <= shape.get("maxLength", len(value)):
        yield f"{name}: {shape.get('minLength', 0)} to {shape.get('maxLength')} characters are expected"
    elif shape.get("pattern") and not re.fullmatch(shape["pattern"], value):
        yield f"{name}: not in the expected form ({shape['pattern']})"
    elif shape.get("format") == "sharing-date-time":
        try:
            dates.read(value)
        except ValueError:
            yield f"{name}: a date with offset is expected, such as 2026-03-02T00:00:00.000+0800"


def _object(shape: Shape, value: Mapping[str, Any], where: str) -> Iterator[str]:
    known, rest = shape.get("properties", {}), shape.get("additionalProperties", True)
    if len(value) > shape.get("maxProperties", len(value)):
        yield f"{where or 'the body'}: at most {shape['maxProperties']} keys are expected"
        return
    for name in shape.get("required", ()):
        if name not in value:
            yield f"{where}{'.' if where else ''}{name}: is missing"
    for name, item in value.items():
        place = f"{where}{'.' if where else ''}{name}"
        if name in known:
            yield from complaints(known[name], item, place)
        elif rest is False:
            yield f"{place[:100]}: unknown, or not covered here"
        elif isinstance(rest, Mapping):
            yield from complaints(rest, item, place)


def from_address(shape: Shape, value: str) -> Any:
    """What the text of a query parameter means by its shape; text that means nothing stays text, to be complained of."""
    kinds = shape.get("type")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if kind == "boolean" and value.lower() in ("true", "false"):  # Python's clients write True
        return value.lower() == "true"
    if kind == "array":
        return [from_address(shape["items"], item) for item in value.split(",")] if value else []
    return value
