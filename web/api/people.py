"""`user` and `group`: read only. Accounts are managed on their page; a group is a post in a unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from engine.process.outside import people
from engine.process.outside.listing import MOST
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Answer, Call, route
from web.api.shapes import COUNT, body, many, maybe, record, text
from web.api.tasks import IDS, NAME, PATTERN
from web.context import store

USER = record({"id": text("the login"), "firstName": text(), "lastName": text("the whole name"), "email": maybe(text())})
GROUP = record({"id": text("`<unit>/<post>`"), "name": text(), "type": text()})
_USERS = Asking({"id": NAME, "idIn": IDS, "lastName": NAME, "lastNameLike": PATTERN, "memberOfGroup": NAME}, tuple(people.SORTS))
_ELSEWHERE = "accounts and posts are managed on their pages, with the separation of duties that they keep"


def _user(person: Any) -> dict[str, Any]:
    return {"id": person.login, "firstName": "", "lastName": person.name, "email": None}


@route("GET", "/user", "Active people", tag="user", scope="read", query=_USERS.query, answer={"type": "array", "items": USER})
def users(call: Call) -> Answer:
    with store().read() as session:
        return answer(people.people(session, _USERS.asked(call), _USERS.cut(call)), _user)


@route("GET", "/user/count", "How many", tag="user", scope="read", query=_USERS.counting, answer=COUNT)
def count_users(call: Call) -> Any:
    with store().read() as session:
        return {"count": people.count_people(session, _USERS.asked(call))}


@route("GET", "/user/<id>/profile", "One person", tag="user", scope="read", answer=USER)
def profile(call: Call) -> Any:
    with store().read() as session:
        person = people.person_by_login(session, call.path["id"])
    if person is None:
        raise missing("user", call.path["id"])
    return _user(person)


@route("POST", "/user/create", "Makes an account", tag="user", scope="operate", stands="501", body=body({"profile": {"type": "object"}, "credentials": {"type": "object"}}))
def create_user(_: Call) -> Any:
    raise not_covered(_ELSEWHERE)


_GROUPS = {"id": NAME, "idIn": many(text(most=200)), "name": NAME, "nameLike": PATTERN, "type": NAME, "member": NAME}
_SORTING = {"sortBy": text(only=("id", "name", "type")), "sortOrder": text(only=("asc", "desc"))}
_PAGE = {"firstResult": PAGING["firstResult"], "maxResults": PAGING["maxResults"]}
_TYPE = "WORKFLOW"


def _matches(pattern: str) -> Callable[[str], bool]:
    """Whether a text fits a pattern with % and _, a backslash before one that is meant itself."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    meant = [{"%": ".*", "_": "."}.get(part) or re.escape(part[-1]) for part in parts]
    return lambda value: re.fullmatch("".join(meant), value, re.DOTALL) is not None


#: The few posts of a city's units are looked through here: their names stand in no table.
_TESTS: Mapping[str, Callable[[people.Group, Any], bool]] = {
    "id": lambda group, value: group.id == value, "idIn": lambda group, value: group.id in value, "name": lambda group, value: group.name == value,
    "nameLike": lambda group, value: _matches(value)(group.name), "type": lambda group, value: value == _TYPE,
    "member": lambda group, value: any(login == value for login, _ in group.people),
}  # fmt: skip


def _groups(call: Call) -> list[people.Group]:
    asked = {name: value for name, value in call.asked.items() if name in _TESTS}
    with store().read() as session:
        found = people.groups(session, {"id": asked["id"]} if "id" in asked else {})
    return [group for group in found if all(_TESTS[name](group, value) for name, value in asked.items())]


def _group(group: people.Group) -> dict[str, Any]:
    return {"id": group.id, "name": group.name, "type": _TYPE}


_ORDER = body(_SORTING, required=("sortBy", "sortOrder"))


@route("POST", "/group", "Groups: posts in units", tag="group", scope="read", query=_PAGE, body=body({**_GROUPS, "sorting": many(_ORDER, most=1)}),
       answer={"type": "array", "items": GROUP})
@route("GET", "/group", "Groups: posts in units", tag="group", scope="read", query={**_GROUPS, **_SORTING, **_PAGE}, answer={"type": "array", "items": GROUP})
def groups(call: Call) -> Any:
    asked = call.asked
    order = {**{name: asked[name] for name in _SORTING if name in asked}, **next(iter(asked.get("sorting", [])), {})}
    if len(order) == 1:
        raise bad_request("Only a single sorting parameter specified. sortBy and sortOrder required")
    found = _groups(call)
    if order:
        found.sort(key=lambda group: (_group(group)[order["sortBy"]], group.id), reverse=order["sortOrder"] == "desc")
    first = call.query.get("firstResult", 0)
    return [_group(group) for group in found[first : first + call.query.get("maxResults", MOST)]]


@route("POST", "/group/count", "How many", tag="group", scope="read", body=body(_GROUPS), answer=COUNT)
@route("GET", "/group/count", "How many", tag="group", scope="read", query=_GROUPS, answer=COUNT)
def count_groups(call: Call) -> Any:
    return {"count": len(_groups(call))}


@route("GET", "/group/<id>", "One group", tag="group", scope="read", answer=GROUP, query={"id": NAME}, note="with its slash encoded, as some clients do twice")
@route("GET", "/group/<unit>/<post>", "One group", tag="group", scope="read", answer=GROUP, query={"id": NAME})
def one_group(call: Call) -> Any:
    identity = unquote(call.path["id"]) if "id" in call.path else f"{call.path['unit']}/{call.path['post']}"
    if call.query.get("id", identity) != identity:
        raise bad_request("id: another one stands in the address")
    with store().read() as session:
        found = people.groups(session, {"id": identity})
    if not found:
        raise missing("group", identity)
    return _group(found[0])


@route("POST", "/group/create", "Makes a group", tag="group", scope="operate", stands="501", body=body({"id": NAME, "name": NAME, "type": NAME}))
def create_group(_: Call) -> Any:
    raise not_covered(_ELSEWHERE)
