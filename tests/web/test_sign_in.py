"""Signing in and out through the pages: who gets in, who does not, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store.clock import MovableClock
from tests.web.cast import PASSWORD
from tests.web.desk import Desk, text_of

COOKIE = "sharing_bpm"


def test_who_is_nobody_is_led_to_the_sign_in_and_back(stranger: Desk) -> None:
    response = stranger.get("/catalogue?text=%E4%BD%8F%E6%88%BF")
    assert response.status_code == 303
    assert response.location == "/sign-in?next=/catalogue%3Ftext%3D%25E4%25BD%258F%25E6%2588%25BF"
    stranger.get(response.location)
    entered = stranger.post(
        "/sign-in", {"login": "asker", "password": PASSWORD, "next": "/catalogue?text=%E4%BD%8F%E6%88%BF"}
    )
    assert entered.location == "/catalogue?text=%E4%BD%8F%E6%88%BF"


@pytest.mark.parametrize(
    "elsewhere", ["https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", "\\\\example.org"]
)
def test_the_sign_in_leads_to_no_other_site(stranger: Desk, elsewhere: str) -> None:
    stranger.get("/sign-in")
    assert stranger.post("/sign-in", {"login": "asker", "password": PASSWORD, "next": elsewhere}).location == "/"


def test_every_sign_in_gives_a_fresh_token_that_scripts_cannot_read(stranger: Desk) -> None:
    stranger.client.set_cookie(COOKIE, "planted-by-somebody-else")
    response = stranger.sign_in("asker")
    (cookie,) = [value for value in response.headers.getlist("Set-Cookie") if value.startswith(f"{COOKIE}=")]
    assert "planted" not in cookie
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert stranger.get("/inbox/mine").status_code == 200


def test_a_wrong_password_says_neither_what_was_wrong_nor_whom_it_knows(stranger: Desk) -> None:
    known, unknown = (text_of(stranger.sign_in(login, "wrong")) for login in ("asker", "nobody_here"))
    assert "登录名或密码不正确" in known
    assert known.count("alert") == unknown.count("alert")
    assert 'value="asker"' in known, "the login that was typed stands there again"


def test_five_wrong_passwords_lock_the_account_for_a_while(stranger: Desk, clock: MovableClock) -> None:
    for _ in range(5):
        assert stranger.sign_in("asker", "wrong").status_code == 422
    assert stranger.sign_in("asker").status_code == 422, "the right one does not help now"
    clock.to("2026-02-10 09:16")
    assert stranger.sign_in("asker").status_code == 303


def test_signing_out_ends_the_session_on_the_server_too(desk: Callable[[str], Desk], stranger: Desk) -> None:
    person = desk("asker")
    token = person.client.get_cookie(COOKIE)
    assert token is not None
    assert person.post("/sign-out").location == "/sign-in"
    assert person.client.get_cookie(COOKIE) is None
    stranger.client.set_cookie(COOKIE, token.value)
    assert stranger.get("/inbox/mine").status_code == 303


def test_who_is_away_for_half_an_hour_signs_in_again(desk: Callable[[str], Desk], clock: MovableClock) -> None:
    person = desk("asker")
    clock.to("2026-02-10 09:29")
    assert person.get("/inbox/mine").status_code == 200
    clock.to("2026-02-10 10:00")
    assert person.get("/inbox/mine").status_code == 303


def test_a_part_of_a_page_asks_the_whole_page_to_sign_in(stranger: Desk) -> None:
    response = stranger.get("/inbox/mine?after=x", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/sign-in"


@pytest.mark.parametrize(
    ("login", "page"),
    [("asker", "/inbox/mine"), ("auditor", "/cases"), ("sysadmin", "/operations"), ("editor", "/diagrams")],
)
def test_everybody_begins_where_their_work_is(desk: Callable[[str], Desk], login: str, page: str) -> None:
    person = desk(login)
    assert person.get("/").location == page
    assert person.get(page).status_code == 200
