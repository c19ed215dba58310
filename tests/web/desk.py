"""A browser without a screen: pages as text, forms posted with the token that the page gave."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.cast import PASSWORD

#: A complete and correct request for the housing resource, as typed into its start form.
REQUEST: Mapping[str, Any] = {
    "requested_fields": ["姓名", "保障方式"],
    "basis": "《社会救助暂行办法》第五条",
    "scenario": "低保家庭住房状况核验",
    "use": "行政依据",
    "scope": "社会救助科",
    "method": "联机查询",
    "frequency": "每日",
    "volume": "200",
    "valid_until": "2027-02-28",
    "system": "低保信息系统",
    "safety_officer": "钱民政",
    "safety_phone": "0419-2123456",
    "promise_no_secrets": "true",
    "promise_security": "true",
    "promise_no_third_party": "true",
}


class Desk:
    """One person's browser. Redirects are not followed, so that a test sees them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **arguments: Any) -> TestResponse:
        """Opens a page, and remembers the token of its forms."""
        response = self.client.get(path, buffered=True, **arguments)
        page = text_of(response) if response.mimetype == "text/html" else ""
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        if found:
            self.token = html.unescape(found[1])
        return response

    def post(self, path: str, data: Mapping[str, Any] | bytes | None = None, **arguments: Any) -> TestResponse:
        """Posts a form with the token of the page that was opened last (bytes: exactly those)."""
        sent = data if isinstance(data, bytes) else {**(data or {}), "csrf_token": self.token}
        return self.client.post(path, data=sent, **arguments)

    def as_json(self, method: str, path: str, sent: Any) -> TestResponse:
        """What a script of the page sends."""
        headers = {"X-CSRFToken": self.token, "Content-Type": "application/json"}
        return self.client.open(path, method=method, data=json.dumps(sent), headers=headers)

    def sign_in(self, login: str, password: str = PASSWORD) -> TestResponse:
        """Signs in through the page."""
        self.get("/sign-in")
        response = self.post("/sign-in", {"login": login, "password": password})
        if response.status_code == 303:
            self.get(response.location, follow_redirects=True)
        return response

    def ask(self, code: str = "209001/000001", **changed: Any) -> int:
        """Starts a request through the page; returns the number of its case."""
        self.get(f"/start/conditional_share?resource_code={code}")
        response = self.post("/start/conditional_share", {**REQUEST, "resource_code": code, **changed})
        assert response.status_code == 303, text_of(response)
        return int(response.location.rsplit("/", 1)[1])

    def task(self, step: str, tab: str = "posts") -> int:
        """The number of the task of that step in a tab of the inbox."""
        page = text_of(self.get(f"/inbox/{tab}"))
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
        numbers = [re.search(r'href="/tasks/(\d+)[?"]', row) for row in rows if step in row]
        assert numbers and numbers[0], f"no task {step} in {tab}"
        return int(numbers[0][1])

    def do(self, step: str, **answers: Any) -> TestResponse:
        """Completes the task of that step through its page."""
        number = self.task(step)
        self.get(f"/tasks/{number}")
        return self.post(f"/tasks/{number}", answers)


def text_of(response: TestResponse) -> str:
    """The page as text; empty for a file."""
    return response.get_data(as_text=True) if response.mimetype.startswith("text/") else ""
