"""`identity`: whether a password is right, what an account may look up, and the groups that people belong to.

A group is a post in a unit, written `<unit>/<post>`, such as `013/intake`.
"""

from __future__ import annotations

from typing import Any

from engine.people.passwords import RULES, Rule
from engine.people.sign_in import SignInRefused, prove, rules_of
from engine.process.outside.people import groups_of, person_by_login
from web.api.refusals import bad_request
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


_RULE = {"placeholder": text("the rule's name"), "parameter": {"type": "object", "description": "its numbers, as texts"}}
#: Rule → the original's name of it, and those of its numbers.
_POLICY = {"length": "PASSWORD_POLICY_LENGTH", "kinds": "PASSWORD_POLICY_KINDS", "login": "PASSWORD_POLICY_USER_DATA"}
_NUMBERS = {"shortest": "minLength", "longest": "maxLength", "kinds": "minKinds"}


def _rule(rule: Rule) -> dict[str, Any]:
    return {"placeholder": _POLICY[rule.key], "parameter": {_NUMBERS[name]: str(value) for name, value in rule.parameters.items()}}


@route("GET", "/identity/password-policy", "The rules for passwords", tag="identity", scope="read", answer=record({"rules": many(record(_RULE))}),
       note="PASSWORD_POLICY_KINDS is ours: of how many kinds (letters, digits, others) the characters must be")
def policy(_: Call) -> Any:
    return {"rules": [_rule(rule) for rule in RULES]}


@route("POST", "/identity/password-policy", "Whether a password would keep the rules", tag="identity", scope="read",
       body=body({"password": text(most=1000), "profile": body({name: text(most=200) for name in ("id", "firstName", "lastName", "email")})},
                 required=("password",)),
       answer=record({"rules": many(record({**_RULE, "valid": flag()})), "valid": flag()}))
def keeps_policy(call: Call) -> Any:
    login = (call.body.get("profile") or {}).get("id") or ""
    rules = [{**_rule(rule), "valid": rule.holds(login, call.body["password"]) or (rule.key == "login" and not login)} for rule in RULES]
    return {"rules": rules, "valid": all(rule["valid"] for rule in rules)}
