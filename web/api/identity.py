"""`identity`: whether a password is right, what an account may look up, and the groups that people belong to.

A group is a post in a unit, written `<unit>/<post>`, such as `013/intake`.
"""

from __future__ import annotations

from typing import Any

from engine.people.sign_in import SignInRefused, prove, rules_of
from engine.process.outside.people import groups_of, person_by_login
from web.api.refusals import bad_request, not_covered
from web.api.routing import Call, route
from web.api.shapes import LIST_MAX, body, flag, many, record, text
from web.context import origin, settings, store

GROUP = record({"id": text("`<unit>/<post>`"), "name": text(), "type": text()})


@route("GET", "/identity/groups", "The groups of a person, and colleagues in them", tag="identity", scope="read",
       query={"userId": text("a login", most=64, least=1)},
       answer=record({"groups": many(record({"id": text(), "name": text()})),
                      "groupUsers": many(record({"id": text(), "firstName": text(), "lastName": text(), "displayName": text()}))}))
def groups(call: Call) -> Any:
    if "userId" not in call.query:
        raise bad_request("No user id was supplied: give userId")
    with store().read() as session:
        person = person_by_login(session, call.query["userId"])
        found = groups_of(session, person.account_id) if person else []
    return {
        "groups": [{"id": group.id, "name": group.name} for group in found],
        "groupUsers": [
            {"id": login, "firstName": "", "lastName": name, "displayName": name} for group in found for login, name in group.people
        ][:LIST_MAX],
    }


@route("POST", "/identity/verify", "Whether a password is the account's", tag="identity", scope="read", stands="same",
       note="wrong passwords count towards the lockout, as at the sign-in page",
       body=body({"username": text(most=64), "password": text(most=300)}, required=("username", "password")),
       answer=record({"authenticatedUser": {"type": ["string", "null"]}, "authenticated": flag()}))
def verify(call: Call) -> Any:
    try:
        prove(store(), call.body["username"], call.body["password"], origin(), rules=rules_of(settings()))
    except SignInRefused:
        return {"authenticatedUser": None, "authenticated": False}
    return {"authenticatedUser": call.body["username"], "authenticated": True}


@route("GET", "/identity/password-policy", "The rules for passwords", tag="identity", scope="read", stands="501")
def policy(_: Call) -> Any:
    raise not_covered("passwords are set on the page of the account, which tells its rules")


