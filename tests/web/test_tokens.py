"""The page of access tokens: a new one is shown once, an old one is ended there."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask

from tests.web.api.client import Program
from tests.web.desk import Desk, text_of


def test_a_person_makes_a_token_uses_it_and_ends_it(app: Flask, desk: Callable[[str], Desk]) -> None:
    person = desk("asker")
    assert "还没有访问令牌" in text_of(person.get("/tokens"))
    made = person.post("/tokens", {"name": "市级共享平台", "life": "90", "scopes": ["read", "work"]})
    token = re.search(r'value="(sbpm_[\w-]+)"', text_of(made))
    assert token
    program = Program(app.test_client(), token=token[1])
    assert program.get("/engine") == [{"name": "default"}]
    page = text_of(person.get("/tokens"))
    assert "市级共享平台" in page and "有效" in page and token[1] not in page
    number = re.search(r"/tokens/(\d+)/revoke", page)
    assert number
    assert desk("outsider").post(f"/tokens/{number[1]}/revoke").status_code == 404, "somebody else's is not there"
    assert person.post(f"/tokens/{number[1]}/revoke").status_code == 303
    assert "已停用" in text_of(person.get("/tokens"))
    assert program.send("GET", "/engine").status_code == 401


def test_a_token_without_name_purpose_or_end_is_not_made(desk: Callable[[str], Desk]) -> None:
    person = desk("asker")
    person.get("/tokens")
    for wrong in ({"name": "", "life": "90", "scopes": "read"}, {"name": "x", "life": "9000", "scopes": "read"}, {"name": "x", "life": "90"},
                  {"name": "x", "life": "90", "scopes": "everything"}):  # fmt: skip
        response = person.post("/tokens", wrong)
        assert response.status_code == 422 and "problem" in text_of(response), wrong
    assert "还没有访问令牌" in text_of(person.get("/tokens"))


def test_the_documentation_lists_every_address(desk: Callable[[str], Desk]) -> None:
    page = text_of(desk("asker").get("/interfaces"))
    assert "GET /task/{id}" in page and "POST /deployment/create" in page and "createdAfter" in page
