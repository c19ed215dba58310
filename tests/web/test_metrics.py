"""`/metrics`, and the number of a request that is found again in the history and in the log."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from engine.history import History
from engine.logs import JsonLines
from engine.people.tokens import SCOPES
from engine.store.settings import Settings
from tests.web.api.client import Program
from tests.web.api.conftest import with_token
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of
from web.app import create_app

__all__ = ["with_token"]
SAMPLE = re.compile(r"sharing_bpm_[a-z_]+(\{([a-z]+=\"[^\"\n]*\",?)+\})? -?[0-9.e+-]+")


def sample(text: str, beginning: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(beginning)]
    return float(line.rpartition(" ")[2])


def test_what_the_installation_says_of_itself(desk: Callable[[str], Desk], app: Flask) -> None:
    desk("asker").ask()
    response = app.test_client().get("/metrics")
    text = text_of(response)
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if SAMPLE.fullmatch(line) is None] == []
    assert sample(text, 'sharing_bpm_open_tasks{light="green"}') == 1
    assert sample(text, 'sharing_bpm_open_cases{state="running"}') == 1
    assert sample(text, "sharing_bpm_incidents_open") == sample(text, "sharing_bpm_timers_due") == 0
    assert sample(text, "sharing_bpm_worker_silent_seconds") == -1
    asked = [line for line in lines if "http_requests_total" in line and 'method="POST",route="/start/<key>",status="303"' in line]
    assert len(asked) == 1 and asked[0].endswith(" 1")
    counts = [line for line in lines if 'duration_seconds_bucket' in line and 'area="pages",le="+Inf"' in line]
    assert len(counts) == 1 and "钱民政" not in text and "conditional_share" not in text


def test_nobody_outside_reads_it_without_an_operators_token(
    app: Flask, cast: Cast, settings: Settings, with_token: Callable[..., Program]
) -> None:
    far = {"REMOTE_ADDR": "10.9.8.7"}
    client = app.test_client()
    assert client.get("/metrics", environ_base=far).status_code == 401
    for login, scopes, status in (("sysadmin", ("operate",), 200), ("sysadmin", ("read",), 403), ("asker", tuple(SCOPES), 403)):
        token = with_token(login, *scopes).token
        answer = client.get("/metrics", environ_base=far, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, (login, scopes)
    behind_a_proxy = create_app(cast.store, replace(settings, base_url="https://sharing.example.cn"))
    assert behind_a_proxy.test_client().get("/metrics").status_code == 401, "all the world comes from this machine there"


@pytest.mark.parametrize(("given", "taken"), [
    ("gateway-7f3a.2026_11", True), ("short", False), ("x" * 65, False), ("with space 12345", False), ("<script>alert(1)", False), ("请求编号十二三四五", False),
])  # fmt: skip
def test_a_request_is_found_again_by_its_number(desk: Callable[[str], Desk], cast: Cast, given: str, taken: bool) -> None:
    person = desk("asker")
    person.client.environ_base["HTTP_X_REQUEST_ID"] = given.encode().decode("latin-1")
    case = person.ask()
    told = person.get(f"/cases/{case}").headers["X-Request-Id"]
    assert (told == given) is taken
    with cast.store.read() as session:
        kept = session.scalar(select(History.request_id).where(History.act == "started"))
    assert kept is not None and ((kept == given) if taken else re.fullmatch("[0-9a-f]{16}", kept))


def test_the_log_names_the_request_in_which_something_was_said(app: Flask, desk: Callable[[str], Desk]) -> None:
    person, lines = desk("asker"), []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonLines().format(record)))

    handler = Keep()
    logging.getLogger("web").addHandler(handler)
    try:
        response = person.client.get("/operations", headers={"X-Request-Id": "from-the-gateway-1"})
    finally:
        logging.getLogger("web").removeHandler(handler)
    assert response.status_code == 403
    assert [line["request"] for line in lines] == ["from-the-gateway-1"]
    record = logging.LogRecord("web", logging.INFO, "", 0, "outside", None, None)
    assert "request" not in json.loads(JsonLines().format(record)), "and none is named outside one"
