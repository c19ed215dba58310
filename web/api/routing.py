"""A route of the API, declared once: path, rights, what it takes and what it answers.

From the declaration the route is served (what comes in is judged before the view sees it), and the OpenAPI document and
the table in docs/api.md are printed. A view takes a `Call` and returns a JSON value (200), None (204), an `Answer`, or a
whole response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from web.api.refusals import bad_request, missing
from web.api.shapes import Shape, complaints, from_address, parse, sound_text

PREFIX = "/engine-rest"
#: Octets of a JSON body.
BODY_MAX = 2 * 1024 * 1024
#: Complaints named in one answer.
COMPLAINTS_MAX = 10
#: The greatest id that a row can have.
ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """A judged request: the parts of the path, the parameters by their shapes, the body."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any = None
    raw: bytes = b""
    """The body as it came."""

    def row(self, what: str, name: str = "id") -> int:
        """The number of a row that the path names. Raises 404 where no row can have it."""
        return row_number(self.path[name], what)

    @property
    def asked(self) -> dict[str, Any]:
        """Filters from the address and from the body, by one name each; null means left out."""
        sent = self.body if isinstance(self.body, dict) else {}
        return {name: value for name, value in {**self.query, **sent}.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer with a status or headers of its own."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


View = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One declared route. `path` is in Flask's form without converters, such as `/task/<id>`.

    `scope` is what a token needs (None: open to everybody). `stands` says how it compares with the original: same,
    better, partly, own (not in the original) or 501. `refuses` are the statuses of its own refusals beside the usual.
    """

    method: str
    path: str
    summary: str
    tag: str
    scope: str | None
    view: View
    query: Mapping[str, Shape]
    body: Shape | None
    answer: Shape | None
    stands: str
    note: str
    media: str
    refuses: tuple[int, ...]
    multipart: bool
    silent: bool = False
    """It may answer 204 where no answer was asked for."""

    @property
    def endpoint(self) -> str:
        return f"{self.view.__module__.rsplit('.', 1)[-1]}:{self.method}:{self.path}"


#: Under these names some clients say in the body again what stands in the address. Another value there is unknown.
REPEATED = frozenset({"id", "key", "varId"})
#: Every declared route, in the order of declaration.
ROUTES: list[Route] = []


def route(
    method: str, path: str, summary: str, *, tag: str, scope: str | None, query: Mapping[str, Shape] | None = None,
    body: Shape | None = None, answer: Shape | None = None, stands: str = "same", note: str = "", media: str = "application/json",
    refuses: tuple[int, ...] = (), multipart: bool = False, silent: bool = False,
) -> Callable[[View], View]:  # fmt: skip
    """Declares the view below it as a route. `answer` None: 204 without a body; `media`: of the answer."""

    def declare(view: View) -> View:
        ROUTES.append(Route(method, path, summary, tag, scope, view, query or {}, body, answer, stands, note, media, refuses, multipart, silent))
        return view

    return declare


def row_number(text: str, what: str) -> int:
    """The number of a row in an id. Raises 404 for what no row can have: ids are texts, and any text may come."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= ID_MAX):
        raise missing(what, text)
    return int(text)


def serve(declared: Route, parts: Mapping[str, str]) -> Response:
    """Judges the request by its declaration, calls the view and writes its answer."""
    for part in parts.values():
        if "\x00" in part:
            raise bad_request("the path holds a NUL character")
    raw = _raw_body(declared)
    call = Call(parts, _read_query(declared), _read_body(declared, raw, parts), raw)
    given = declared.view(call)
    if isinstance(given, Response):
        return given
    answer = given if isinstance(given, Answer) else Answer(given, 200 if given is not None else 204)
    response = Response(status=204) if answer.status == 204 else jsonify(answer.value)
    response.status_code = answer.status
    response.headers.extend(answer.headers)
    return response


def _read_query(declared: Route) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, values in request.args.lists():
        shape = declared.query.get(name)
        if shape is None:
            wrong.append(f"{name[:100]}: unknown parameter, or one that is not covered here")
            continue
        is_list = "array" in shape["type"]
        if len(values) > 1 and not is_list:
            wrong.append(f"{name}: given more than once")
            continue
        try:
            for value in values:
                sound_text(value)
        except ValueError:
            wrong.append(f"{name}: holds characters that cannot be kept")
            continue
        found[name] = [item for value in values for item in from_address(shape, value)] if is_list else from_address(shape, values[0])
        wrong.extend(complaints(shape, found[name], name))
    if wrong:
        raise bad_request("; ".join(wrong[:COMPLAINTS_MAX]))
    return found


def _raw_body(declared: Route) -> bytes:
    if declared.body is None or declared.multipart:
        return b""
    # No JSON of ours is longer than that, said or unsaid, whatever the settings allow an upload.
    data = b"" if (request.content_length or 0) > BODY_MAX else request.stream.read(BODY_MAX + 1)
    if (request.content_length or 0) > BODY_MAX or len(data) > BODY_MAX:
        raise RequestEntityTooLarge(f"a JSON body of at most {BODY_MAX} octets is expected")
    return data


def _read_body(declared: Route, data: bytes, parts: Mapping[str, str]) -> Any:
    if declared.body is None or declared.multipart:
        return None
    if not data.strip() and not declared.body.get("required"):
        return {}
    try:
        value = parse(data)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is no JSON that can be read: {str(error)[:200]}") from None
    if isinstance(value, dict):
        known = declared.body.get("properties", {})
        value = {name: each for name, each in value.items() if name in known or name not in REPEATED or each not in parts.values()}
    wrong = list(islice(complaints(declared.body, value), COMPLAINTS_MAX))
    if wrong:
        raise bad_request("; ".join(wrong))
    return value
