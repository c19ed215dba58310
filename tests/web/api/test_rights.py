"""Every route of the API: nobody gets in without a name, no token does what it was not made for, and reading changes nothing.

Whoever adds a route that changes something adds it here: one that the table does not know fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask

from engine.people.tokens import SCOPES
from tests.web.api.client import Program, refusal
from web.api.routing import ROUTES, Route

#: What changes something, or is refused because it would (501) → the scope that a token needs.
CHANGING = {
    ("POST", "/task/<id>/claim"): "work",
    ("POST", "/task/<id>/unclaim"): "work",
    ("POST", "/task/<id>/complete"): "work",
    ("POST", "/task/<id>/submit-form"): "work",
    ("PUT", "/task/<id>/variables/<name>"): "work",
    ("DELETE", "/task/<id>/variables/<name>"): "work",
    ("POST", "/task/<id>/variables"): "work",
    ("PUT", "/task/<id>/localVariables/<name>"): "work",
    ("DELETE", "/task/<id>/localVariables/<name>"): "work",
    ("POST", "/task/<id>/localVariables"): "work",
    ("POST", "/task/<id>/identity-links"): "work",
    ("POST", "/task/<id>/comment/create"): "work",
    ("POST", "/task/<id>/attachment/create"): "work",
    ("DELETE", "/task/<id>/attachment/<attachment>"): "work",
    ("POST", "/task/<id>/assignee"): "work",
    ("POST", "/task/<id>/delegate"): "work",
    ("POST", "/task/<id>/resolve"): "work",
    ("POST", "/task/<id>/transfer"): "work",
    ("POST", "/task/<id>/take-back"): "work",
    ("POST", "/task/<id>/add-signer"): "work",
    ("POST", "/task/<id>/remove-signer"): "work",
    ("POST", "/task/<id>/return"): "work",
    ("POST", "/task/<id>/withdraw"): "work",
    ("POST", "/task/<id>/urge"): "work",
    ("POST", "/task/<id>/copy-to"): "work",
    ("POST", "/process-instance/<id>/withdraw"): "start",
    ("POST", "/process-instance/<id>/modification"): "work",
    ("PUT", "/external-task/<id>/priority"): "operate",
    ("PUT", "/external-task/<id>/retries"): "operate",
    ("PUT", "/external-task/retries"): "operate",
    ("POST", "/message"): "operate",
    ("POST", "/signal"): "operate",
    ("POST", "/execution/<id>/messageSubscriptions/<message>/trigger"): "operate",
    ("DELETE", "/process-instance/<id>"): "operate",
    ("PUT", "/process-instance/<id>/suspended"): "operate",
    ("PUT", "/process-instance/suspended"): "operate",
    ("PUT", "/process-instance/<id>/variables/<name>"): "operate",
    ("DELETE", "/process-instance/<id>/variables/<name>"): "operate",
    ("POST", "/process-instance/<id>/variables"): "operate",
    ("PUT", "/execution/<id>/localVariables/<name>"): "operate",
    ("DELETE", "/execution/<id>/localVariables/<name>"): "operate",
    ("POST", "/execution/<id>/localVariables"): "operate",
    ("DELETE", "/history/process-instance/<id>"): "operate",
    ("POST", "/history/process-instance/set-removal-time"): "operate",
    ("POST", "/history/cleanup"): "operate",
    ("PUT", "/process-definition/<id>/history-time-to-live"): "deploy",
    ("POST", "/process-definition/<id>/start"): "start",
    ("POST", "/process-definition/key/<key>/start"): "start",
    ("POST", "/process-definition/<id>/submit-form"): "start",
    ("POST", "/process-definition/key/<key>/submit-form"): "start",
    ("PUT", "/process-definition/suspended"): "deploy",
    ("PUT", "/process-definition/<id>/suspended"): "deploy",
    ("PUT", "/process-definition/key/<key>/suspended"): "deploy",
    ("DELETE", "/process-definition/<id>"): "deploy",
    ("POST", "/deployment/create"): "deploy",
    ("DELETE", "/deployment/<id>"): "deploy",
    ("POST", "/filter/create"): "work",
    ("PUT", "/filter/<id>"): "work",
    ("DELETE", "/filter/<id>"): "work",
    ("POST", "/user/create"): "operate",
    ("POST", "/group/create"): "operate",
    ("PUT", "/external-task/<id>/retries"): "operate",
    ("PUT", "/external-task/retries"): "operate",
    ("PUT", "/external-task/<id>/priority"): "operate",
    ("PUT", "/job/<id>/retries"): "operate",
    ("PUT", "/job/retries"): "operate",
    ("PUT", "/job/<id>/duedate"): "operate",
    ("POST", "/job/<id>/duedate/recalculate"): "operate",
    ("POST", "/job/<id>/execute"): "operate",
    ("DELETE", "/incident/<id>"): "operate",
    ("POST", "/migration/generate"): "deploy",
    ("POST", "/migration/validate"): "deploy",
    ("POST", "/migration/execute"): "deploy",
    ("POST", "/migration/executeAsync"): "deploy",
    ("PUT", "/batch/<id>/suspended"): "deploy",
    ("DELETE", "/batch/<id>"): "deploy",
}
#: Open to everybody: it says what the addresses are, and nothing of what is behind them.
OPEN = {("GET", "/openapi.json")}


def test_the_table_knows_every_route_that_changes_something() -> None:
    assert {(route.method, route.path): route.scope for route in ROUTES if route.scope not in ("read", "external", None)} == CHANGING
    assert {(route.method, route.path) for route in ROUTES if route.scope is None} == OPEN
    reading = [route for route in ROUTES if route.scope == "read"]
    queries = {route.path for route in reading if route.method != "GET"} - {"/identity/verify"}
    assert queries <= {route.path for route in ROUTES if route.method == "GET"}, "what is asked by POST is asked by GET too"
    assert len(ROUTES) == len({(route.method, route.path) for route in ROUTES}), "declared twice"


def _address(route: Route) -> str:
    return re.sub(r"<\w+>", "1", route.path)


def test_nobody_gets_in_without_a_name(app: Flask) -> None:
    stranger = Program(app.test_client())
    for route in ROUTES:
        if route.scope is not None:
            assert refusal(stranger.send(route.method, _address(route), {}))[:2] == (401, "AuthenticationException"), route.path
    assert stranger.send("GET", "/openapi.json").status_code == 200


def test_a_token_does_what_it_was_made_for_and_nothing_else(with_token: Callable[..., Program]) -> None:
    for scope in SCOPES:
        narrow = with_token("sysadmin", *sorted(set(SCOPES) - {scope}))
        for route in ROUTES:
            if route.scope == scope:
                assert refusal(narrow.send(route.method, _address(route), {}))[:2] == (403, "AuthorizationException"), route.path
