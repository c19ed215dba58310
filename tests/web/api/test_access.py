"""Who gets in at the API: names with passwords, tokens with scopes, and nobody with a cookie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from flask import Flask
from sqlalchemy import event, select

from engine.history import History
from engine.people.accounts import lock_account
from engine.people.tables import ApiToken
from engine.people.tokens import create_token, list_tokens, revoke_token
from engine.store.clock import MovableClock
from engine.store.settings import Settings
from tests.web.api.client import Program, refusal
from tests.web.cast import Cast
from tests.web.desk import Desk

Programs = Callable[[str], Program]


@contextmanager
def statements(cast: Cast) -> Iterator[list[str]]:
    """The statements that the database was asked meanwhile."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(cast.store.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(cast.store.engine, "before_cursor_execute", note)


def test_an_account_is_let_in_with_its_password_and_nobody_else(app: Flask, program: Programs) -> None:
    assert program("asker").get("/engine") == [{"name": "default"}]
    assert program("asker").get("/version")["version"].startswith("7.")
    for person in (Program(app.test_client()), Program(app.test_client(), login="asker", password="wrong password 1"),
                   Program(app.test_client(), token="sbpm_nonsense"), Program(app.test_client(), login="nobody")):  # fmt: skip
        response = person.send("GET", "/version")
        assert refusal(response)[:2] == (401, "AuthenticationException")
        assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_the_cookie_of_a_signed_in_browser_counts_for_nothing(desk: Callable[[str], Desk]) -> None:
    person = desk("asker")
    assert person.get("/inbox/mine").status_code == 200
    assert person.client.get("/engine-rest/version").status_code == 401


def test_guessing_passwords_locks_the_account_out_of_the_pages_too(app: Flask, program: Programs, desk: Callable[[str], Desk], clock: MovableClock) -> None:
    right = program("asker")
    assert right.send("GET", "/version").status_code == 200
    for _ in range(5):
        assert Program(app.test_client(), login="asker", password="guess number 1").send("GET", "/version").status_code == 401
    assert right.send("GET", "/version").status_code == 401, "what was remembered of the password opens nothing either"
    assert Desk(app.test_client()).sign_in("asker").status_code != 303
    clock.to("2026-02-10 09:16")
    assert right.send("GET", "/version").status_code == 200


def test_a_locked_account_is_out_at_once(program: Programs, with_token: Callable[..., Program], cast: Cast) -> None:
    by_name, by_token = program("asker"), with_token("asker")
    assert by_name.send("GET", "/version").status_code == by_token.send("GET", "/version").status_code == 200
    lock_account(cast.store, cast.ids["asker"], actor=cast.actor("sysadmin"), reason="调岗")
    assert by_name.send("GET", "/version").status_code == by_token.send("GET", "/version").status_code == 401


def test_a_token_ends_with_its_date_and_when_it_is_revoked(app: Flask, cast: Cast, clock: MovableClock) -> None:
    actor = cast.actor("asker")
    soon = clock.now() + timedelta(hours=1)
    first, second = (
        create_token(cast.store, account_id=actor.account_id, name=name, scopes=["read"], expires_at=soon, actor=actor) for name in ("一", "二")
    )
    with cast.store.read() as session:
        assert first not in str(session.execute(select(ApiToken.token_hash, ApiToken.name)).all()), "only the hash is kept"
    assert Program(app.test_client(), token=first).get("/engine")
    tokens = {line.name: line for line in list_tokens(cast.store, account_id=actor.account_id)}
    assert tokens["一"].last_used_at == clock.now() and tokens["二"].last_used_at is None
    revoke_token(cast.store, tokens["一"].id, actor=actor)
    assert Program(app.test_client(), token=first).send("GET", "/engine").status_code == 401
    assert Program(app.test_client(), token=second).send("GET", "/engine").status_code == 200
    clock.to("2026-02-10 10:01")
    assert Program(app.test_client(), token=second).send("GET", "/engine").status_code == 401
    assert {line.state for line in list_tokens(cast.store)} == {"revoked", "expired"}
    with cast.store.read() as session:
        acts = session.scalars(select(History.act).where(History.act.startswith("token_")).order_by(History.id)).all()
    assert acts == ["token_created", "token_created", "token_revoked"]


def test_a_token_is_good_for_its_scopes_only(with_token: Callable[..., Program]) -> None:
    response = with_token("asker", "external").send("GET", "/engine")
    status, kind, message = refusal(response)
    assert (status, kind) == (403, "AuthorizationException") and "查询" in message


def test_too_many_calls_are_told_when_to_come_back(app: Flask, with_token: Callable[..., Program], settings: Settings, clock: MovableClock) -> None:
    app.extensions["sharing_settings"] = replace(settings, api_rate=3)
    busy, other = with_token("asker"), with_token("provider")
    assert [busy.send("GET", "/engine").status_code for _ in range(4)] == [200, 200, 200, 429]
    response = busy.send("GET", "/engine")
    assert refusal(response)[0] == 429 and 0 < int(response.headers["Retry-After"]) <= 60
    assert other.send("GET", "/engine").status_code == 200
    clock.to("2026-02-10 09:02")
    assert busy.send("GET", "/engine").status_code == 200


def test_letting_in_costs_one_question(with_token: Callable[..., Program], program: Programs, cast: Cast) -> None:
    for caller in (with_token("asker"), program("asker")):
        caller.get("/engine")
        with statements(cast) as seen:
            caller.get("/engine")
        assert len(seen) == 1


def test_what_is_no_address_of_ours_is_said_so(program: Programs) -> None:
    person = program("asker")
    assert refusal(person.send("GET", "/no-such-thing"))[:2] == (404, "NotFoundException")
    assert refusal(person.send("GET", "/decision-definition"))[:2] == (501, "NotImplementedException")
    assert refusal(person.send("GET", "/task/1/localVariables/x/data"))[0] == refusal(person.send("GET", "/job-definition"))[0] == 501
    response = person.send("DELETE", "/version")
    assert refusal(response)[0] == 405 and response.headers["Allow"] == "GET"
    status, _, message = refusal(person.send("GET", "/identity/groups?userId=asker&colour=red"))
    assert status == 400 and "colour" in message
    assert refusal(person.send("POST", "/identity/verify", {"username": "asker", "password": 7}))[2] == "password: string is expected"


def test_identity_tells_groups_and_checks_passwords(program: Programs) -> None:
    person = program("asker")
    found = person.get("/identity/groups", userId="provider")
    assert {"id": "013/intake", "name": "住建受理"} in found["groups"]
    assert person.post("/identity/verify", {"username": "asker", "password": "Sharing-2026"}) == {"authenticated": True, "authenticatedUser": "asker"}
    assert person.post("/identity/verify", {"username": "asker", "password": "no"})["authenticated"] is False


def test_the_rules_for_passwords_are_told_and_tried(program: Programs) -> None:
    person = program("asker")
    rules = {rule["placeholder"]: rule["parameter"] for rule in person.get("/identity/password-policy")["rules"]}
    assert rules == {"PASSWORD_POLICY_LENGTH": {"minLength": "10", "maxLength": "200"}, "PASSWORD_POLICY_KINDS": {"minKinds": "2"}, "PASSWORD_POLICY_USER_DATA": {}}
    for password, profile, wrong in (
        ("abcdefgh-1", {}, []), ("abc-1", {}, ["LENGTH"]), ("abcdefghijk", {}, ["KINDS"]), ("my-asker-2026", {"id": "Asker"}, ["USER_DATA"]), ("asker", {"id": "asker"}, ["LENGTH", "KINDS", "USER_DATA"]),
    ):
        told = person.post("/identity/password-policy", {"password": password, "profile": profile})
        assert [rule["placeholder"] for rule in told["rules"] if not rule["valid"]] == [f"PASSWORD_POLICY_{name}" for name in wrong]
        assert told["valid"] is not bool(wrong)
    assert refusal(person.send("POST", "/identity/password-policy", {}))[0] == 400
