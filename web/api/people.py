"""`user` and `group`: read only. Accounts are managed on their page; a group is a post in a unit."""

from __future__ import annotations

from typing import Any

from engine.process.outside import people
from web.api.lists import PAGING
from web.api.refusals import missing, not_covered
from web.api.routing import Call, route
from web.api.shapes import COUNT, body, maybe, record, text
from web.api.tasks import NAME
from web.context import store

USER = record({"id": text("the login"), "firstName": text(), "lastName": text("the whole name"), "email": maybe(text())})
GROUP = record({"id": text("`<unit>/<post>`"), "name": text(), "type": text()})
_PAGE = {"firstResult": PAGING["firstResult"], "maxResults": PAGING["maxResults"]}
_USERS = {"id": NAME, "lastName": NAME, "memberOfGroup": NAME}
_GROUPS = {"id": NAME, "name": NAME, "member": NAME}
_ELSEWHERE = "accounts and posts are managed on their pages, with the separation of duties that they keep"


def _user(person: people.Person) -> dict[str, Any]:
    return {"id": person.login, "firstName": "", "lastName": person.name, "email": None}


def _users(call: Call, first: int, most: int) -> list[people.Person]:
    names = {"id": "id", "lastName": "name", "memberOfGroup": "group"}
    with store().read() as session:
        return people.people(session, {names[name]: value for name, value in call.query.items() if name in names}, first, most)


@route("GET", "/user", "Active people", tag="user", scope="read", query={**_USERS, **_PAGE}, answer={"type": "array", "items": USER})
def users(call: Call) -> Any:
    return [_user(person) for person in _users(call, call.query.get("firstResult", 0), call.query.get("maxResults", people.MOST))]


@route("GET", "/user/count", "How many", tag="user", scope="read", query=_USERS, answer=COUNT)
def count_users(call: Call) -> Any:
    return {"count": len(_users(call, 0, people.COUNTED))}


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


def _groups(call: Call) -> list[people.Group]:
    with store().read() as session:
        found = people.groups(session, {"id": call.query["id"]} if "id" in call.query else {})
    member, name = call.query.get("member"), call.query.get("name")
    return [
        group for group in found
        if (name is None or group.name == name) and (member is None or any(login == member for login, _ in group.people))
    ]  # fmt: skip


def _group(group: people.Group) -> dict[str, Any]:
    return {"id": group.id, "name": group.name, "type": "WORKFLOW"}


@route("GET", "/group", "Groups: posts in units", tag="group", scope="read", query={**_GROUPS, **_PAGE}, answer={"type": "array", "items": GROUP})
def groups(call: Call) -> Any:
    first = call.query.get("firstResult", 0)
    return [_group(group) for group in _groups(call)[first : first + call.query.get("maxResults", people.MOST)]]


@route("GET", "/group/count", "How many", tag="group", scope="read", query=_GROUPS, answer=COUNT)
def count_groups(call: Call) -> Any:
    return {"count": len(_groups(call))}


@route("GET", "/group/<unit>/<post>", "One group", tag="group", scope="read", answer=GROUP)
def one_group(call: Call) -> Any:
    identity = f"{call.path['unit']}/{call.path['post']}"
    with store().read() as session:
        found = people.groups(session, {"id": identity})
    if not found:
        raise missing("group", identity)
    return _group(found[0])


@route("POST", "/group/create", "Makes a group", tag="group", scope="operate", stands="501", body=body({"id": NAME, "name": NAME, "type": NAME}))
def create_group(_: Call) -> Any:
    raise not_covered(_ELSEWHERE)
