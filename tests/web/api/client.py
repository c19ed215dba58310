"""A program at the API: JSON out, JSON in, with the name and password of somebody or with a token."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.cast import PASSWORD
from web.api.routing import PREFIX


class Program:
    """One client. Paths are given behind `/engine-rest`."""

    def __init__(self, client: FlaskClient, *, login: str = "", token: str = "", password: str = PASSWORD) -> None:
        self.client = client
        self.token = token
        self.basic = (login, password) if login else None

    def send(self, method: str, path: str, sent: Any = None, **arguments: Any) -> TestResponse:
        """Sends a request; `sent` goes as JSON."""
        headers = dict(arguments.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if sent is not None:
            arguments["json"] = sent
        return self.client.open(PREFIX + path, method=method, headers=headers, auth=self.basic, buffered=True, **arguments)

    def get(self, path: str, **query: Any) -> Any:
        """What GET answers; the test fails where that is not 200."""
        return self.fine(self.send("GET", path, query_string={name.rstrip("_"): value for name, value in query.items()}))

    def post(self, path: str, sent: Any = None, **arguments: Any) -> Any:
        """What POST answers; the test fails where that is neither 200 nor 204."""
        return self.fine(self.send("POST", path, {} if sent is None else sent, **arguments))

    def put(self, path: str, sent: Any = None, **arguments: Any) -> Any:
        """What PUT answers, as `post`."""
        return self.fine(self.send("PUT", path, {} if sent is None else sent, **arguments))

    @staticmethod
    def fine(response: TestResponse) -> Any:
        assert response.status_code in (200, 204), f"{response.status_code}: {response.get_data(as_text=True)}"
        return response.get_json() if response.status_code == 200 and response.is_json else response.get_data()


def refusal(response: TestResponse) -> tuple[int, str, str]:
    """Status, type and message of a refusal, which has the form that clients of the original expect."""
    told = response.get_json()
    assert {"type", "message", "code"} <= told.keys() <= {"type", "message", "code", "fields"}, told
    return response.status_code, told["type"], told["message"]
