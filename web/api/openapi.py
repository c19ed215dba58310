"""The OpenAPI 3.1 document, printed from the declarations of the routes."""

from __future__ import annotations

import re
from typing import Any

from web.api.engine import SPOKEN
from web.api.routing import PREFIX, ROUTES, Call, Route, route

ERROR = {
    "type": "object", "required": ["type", "message", "code"],
    "properties": {
        "type": {"type": "string"}, "message": {"type": "string"}, "code": {"type": "integer"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}, "description": "what is wrong, by the key of the form's field"},
    },
}  # fmt: skip

ABOUT = """The shapes of the Camunda 7 / Operaton REST API, for what is covered; docs/api.md compares them one by one.
Instants are written `2026-03-02T00:00:00.000+0800` and read with any offset. What an account may not see is not there."""

#: Any JSON object, without a shape: the document does not describe itself.
_DOCUMENT = {"type": "object", "properties": {"openapi": {"type": "string"}}, "required": ["openapi"]}


@route("GET", "/openapi.json", "This document", tag="engine", scope=None, answer=_DOCUMENT, stands="own")
def served(_: Call) -> Any:
    return document()


def document() -> dict[str, Any]:
    """The document of all declared routes."""
    paths: dict[str, dict[str, Any]] = {}
    for declared in ROUTES:
        paths.setdefault(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", declared.path), {})[declared.method.lower()] = _operation(declared)
    return {
        "openapi": "3.1.0",
        "info": {"title": "sharing-bpm engine-rest", "version": SPOKEN, "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "tags": [{"name": tag} for tag in dict.fromkeys(declared.tag for declared in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"basic": []}, {"bearer": []}],
    }


def _operation(declared: Route) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": declared.summary, "tags": [declared.tag], "operationId": _operation_id(declared),
        "parameters": [*_path_parameters(declared), *_query_parameters(declared)], "responses": _responses(declared),
        "x-compared": declared.stands,
    }  # fmt: skip
    if declared.note:
        told["description"] = declared.note
    if declared.scope is None:
        told["security"] = []
    else:
        told["x-scope"] = declared.scope
    if declared.body is not None:
        media = "multipart/form-data" if declared.multipart else "application/json"
        told["requestBody"] = {"required": bool(declared.body.get("required")), "content": {media: {"schema": _printed(declared.body)}}}
    return told


def _operation_id(declared: Route) -> str:
    return "_".join([declared.method.lower(), *re.findall(r"[\w-]+", declared.path)]).replace("-", "_")


def _path_parameters(declared: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"<(?:\w+:)?(\w+)>", declared.path)
    ]


def _query_parameters(declared: Route) -> list[dict[str, Any]]:
    found = []
    for name, shape in declared.query.items():
        told: dict[str, Any] = {"name": name, "in": "query", "required": False, "schema": _printed(shape)}
        if "array" in shape["type"]:
            told |= {"style": "form", "explode": False}
        if shape.get("description"):
            told["description"] = shape["description"]
        found.append(told)
    return found


def _responses(declared: Route) -> dict[str, Any]:
    error = {"description": "refused", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    told: dict[str, Any] = {}
    if declared.stands != "501":
        if declared.answer is None:
            told["204"] = {"description": "done"}
        else:
            told["200"] = {"description": "done", "content": {declared.media: {"schema": _printed(declared.answer)}}}
            if declared.silent:
                told["204"] = {"description": "done, and no answer was asked for"}
    statuses = {400, *declared.refuses}
    if declared.scope is not None:
        statuses |= {401, 403, 429}
    if "<" in declared.path:
        statuses.add(404)
    if declared.body is not None:
        statuses.add(413)
    if declared.stands == "501":
        statuses.add(501)
    told.update({str(status): error for status in sorted(statuses)})
    return told


def _printed(shape: Any) -> Any:
    """A shape as JSON Schema knows it: our dates are no RFC 3339, so they are told by a pattern."""
    if isinstance(shape, dict):
        told = {name: _printed(value) for name, value in shape.items() if not (name == "description" and not value)}
        if told.get("format") == "sharing-date-time":
            del told["format"]
            told["pattern"] = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})$"
        return told
    return [_printed(item) for item in shape] if isinstance(shape, list | tuple) else shape
