"""What every answer carries, and what no page may contain."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.web.desk import REQUEST, Desk, text_of


@pytest.mark.parametrize("path", ["/inbox/mine", "/no-such-page", "/cases/999", "/healthz", "/static/icon.svg"])
def test_every_answer_carries_the_headers_that_protect_it(desk: Callable[[str], Desk], path: str) -> None:
    headers = desk("asker").get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-Id"])


def test_pages_are_kept_by_no_cache_and_assets_for_ever(desk: Callable[[str], Desk]) -> None:
    person = desk("asker")
    assert person.get("/inbox/mine").headers["Cache-Control"] == "no-store"
    assert "immutable" in person.get("/static/icon.svg").headers["Cache-Control"]


def changing(app: Flask) -> set[tuple[str, str]]:
    """Method and route of every address that changes something for who has signed in; the API takes no cookie."""
    rules = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/engine-rest/")]
    return {(method, rule.rule) for rule in rules for method in {"POST", "PUT", "DELETE"} & (rule.methods or set())}


def test_no_post_passes_without_the_token_of_the_form(desk: Callable[[str], Desk], app: Flask) -> None:
    person = desk("asker")
    assert ("POST", "/tasks/<int:task_id>") in changing(app)
    for method, rule in sorted(changing(app)):
        one_of = re.sub(r"<any\(\W*(\w+)[^>]*>", r"\1", rule)
        path = re.sub(r"<[^>]+>", "conditional_share", re.sub(r"<int:[^>]+>", "1", one_of))
        response = person.client.open(path, method=method, data=REQUEST)
        assert response.status_code == 400, path
        assert "页面已过期或来源不明" in (response.get_json()["message"] if response.is_json else text_of(response)), path


def test_pages_hold_no_inline_script_and_no_inline_style(desk: Callable[[str], Desk]) -> None:
    person = desk("asker")
    case = person.ask()
    pages = [f"/cases/{case}", "/inbox/started", "/catalogue", "/catalogue/209001/000001", "/negative-list", "/notices", "/sign-in",
             "/start/conditional_share?resource_code=209001/000001", "/no-such-page"]  # fmt: skip
    for path in pages:
        page = text_of(person.get(path))
        assert not re.search(r"<script(?![^>]*\ssrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page), path


def test_what_somebody_typed_is_shown_and_never_run(desk: Callable[[str], Desk]) -> None:
    person = desk("asker")
    case = person.ask(basis='<script>alert("1")</script>', system='"><img src=x onerror=alert(1)>')
    page = text_of(person.get(f"/cases/{case}"))
    assert "<script>alert" not in page and "<img" not in page
    assert "&lt;script&gt;alert" in page


def test_the_health_pages_ask_for_nobody(stranger: Desk) -> None:
    assert stranger.get("/healthz").status_code == 200
    ready = stranger.get("/readyz")
    assert ready.status_code == 503, "no worker has beaten"
    assert ready.get_json()["database"] is True and ready.get_json()["worker"] is False
