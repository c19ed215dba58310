"""What an official sees when something cannot be done: a status, a plain sentence, and a number to quote."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from engine.store.settings import Settings
from tests.web.cast import Cast
from tests.web.desk import REQUEST, Desk, text_of
from web.app import create_app

Desks = Callable[[str], Desk]


def test_another_units_case_is_refused_with_a_plain_sentence(desk: Desks) -> None:
    case = desk("asker").ask()
    response = desk("outsider").get(f"/cases/{case}")
    assert response.status_code == 403
    page = text_of(response)
    assert "您无权查看该办件" in page
    assert response.headers["X-Request-Id"] in page
    assert "公租房" not in page, "not even the title is told"


NOT_THERE = (
    "/nowhere", "/cases/999", "/tasks/999", "/deadlines/999", "/documents/999", "/attachments/999", "/negative-list/999",
    "/catalogue/no/such", "/diagrams/999.bpmn", "/inbox/theirs", "/start/no_such_process",
)  # fmt: skip


def test_what_is_not_there_is_not_found(desk: Desks) -> None:
    person = desk("asker")
    for path in NOT_THERE:
        response = person.get(path)
        assert response.status_code == 404, path
        assert "没有找到" in text_of(response)


def test_a_wrong_place_in_a_list_is_told(desk: Desks) -> None:
    response = desk("asker").get("/inbox/mine?after=yesterday")
    assert response.status_code == 422
    assert "翻页位置无效" in text_of(response)


def test_a_file_that_is_too_large_is_refused(cast: Cast, settings: Settings) -> None:
    small = Desk(create_app(cast.store, replace(settings, upload_bytes=1024 * 1024)).test_client())
    small.sign_in("asker")
    small.get("/start/conditional_share?resource_code=209001/000001")
    one = small.post("/start/conditional_share", **_request_with(b"x" * 1_500_000, small.token))
    assert one.status_code == 422 and "超过1MB" in text_of(one), "at its field, with the rest of the form"
    flood = small.post("/start/conditional_share", **_request_with(b"x" * 7_000_000, small.token))
    assert flood.status_code == 413 and "不得超过 1 MB" in text_of(flood)


def _request_with(body: bytes, token: str) -> dict[str, Any]:
    """A request with a PDF of that length, as a browser sends it."""
    file = FileStorage(io.BytesIO(b"%PDF-" + body), "大.pdf", "upload")
    boundary, sent = encode_multipart(
        {**REQUEST, "resource_code": "209001/000001", "csrf_token": token, "upload": file}
    )
    return {"data": sent, "content_type": f"multipart/form-data; boundary={boundary}"}


def test_a_failure_of_ours_shows_no_inside(desk: Desks, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    person = desk("asker")
    with cast.store.work() as work:
        work.session.execute(text("ALTER TABLE resource RENAME TO elsewhere"))
    with caplog.at_level(logging.ERROR):
        response = person.get("/catalogue")
    assert response.status_code == 500
    page = text_of(response)
    assert "系统已记录本次异常" in page and response.headers["X-Request-Id"] in page
    assert "Traceback" not in page and "resource" not in page
    assert response.headers["X-Request-Id"] in caplog.text, "the log can be searched for the number"


def test_a_part_of_a_page_gets_only_the_sentence(app: Flask, desk: Desks) -> None:
    response = desk("asker").get("/inbox/mine?after=yesterday", headers={"HX-Request": "true"})
    assert response.status_code == 422
    assert "<html" not in text_of(response) and "翻页位置无效" in text_of(response)
