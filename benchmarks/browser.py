"""The product over HTTP: a real `sharing-bpm serve`, and a browser that does no more than keep cookies and its connection."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.ground import PASSWORD
from tests.reliability.processes import launching

_FORM_TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')


class Browser:
    """One person at one server. Raises AssertionError for an answer that was not expected."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = HTTPConnection("127.0.0.1", port)
        self._cookies: dict[str, str] = {}
        self.form_token = ""
        self._signed_in = False

    def reconnect(self) -> None:
        """Opens a new connection with the next request: the server ends those that were idle for half a minute."""
        self._connection.close()

    def get(self, path: str, *, expect: int = 200) -> bytes:
        """A page."""
        _, body = self._ask("GET", path, None, expect)
        return body

    def post(self, path: str, fields: Mapping[str, object], *, expect: int = 303) -> str:
        """Sends a form; returns where the answer leads."""
        body = urlencode({"csrf_token": self.form_token, **fields}, doseq=True)
        answer, _ = self._ask("POST", path, body, expect)
        return answer.headers.get("Location", "")

    def sign_in(self, login: str) -> None:
        """Signs in and keeps a form token, which is good for every form of the session."""
        self._keep_token(self.get("/sign-in"))
        self.post("/sign-in", {"login": login, "password": PASSWORD, "next": ""})
        self._keep_token(self.get("/inbox/mine"))
        self._signed_in = True

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _keep_token(self, page: bytes) -> None:
        found = _FORM_TOKEN.search(page)
        assert found is not None, page.decode()[:2000]
        self.form_token = found[1].decode()

    def _ask(self, method: str, path: str, body: str | None, expect: int) -> tuple[HTTPResponse, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        # Later cookies carry the word "done" to the page that follows. As we follow nowhere, they would pile up.
        for line in answer.headers.get_all("Set-Cookie") or [] if not self._signed_in else []:
            self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        assert answer.status == expect, f"{method} {path}: {answer.status}\n{content.decode()[:3000]}"
        return answer, content


@contextmanager
def served(url: str, folder: Path, **environment: str) -> Iterator[tuple[Browser, Browser]]:
    """The product and the bare Flask on the same database, one process each; a signed-in browser and one at the bare Flask.

    `environment`: settings of the product.
    """
    with ExitStack() as stack:
        launcher = stack.enter_context(launching(folder, url))
        port, bare_port = _free_port(), _free_port()
        product = launcher.start("serve", "--no-worker", "--port", str(port), **environment)
        bare = launcher.run_program([sys.executable, "-m", "benchmarks.bare", str(bare_port)], BENCH_DATABASE=url)
        for process, where in ((product, port), (bare, bare_port)):
            process.until(lambda where=where: _answers(where), f"an answer at port {where}")  # type: ignore[misc]
        person, stranger = stack.enter_context(Browser(port)), stack.enter_context(Browser(bare_port))
        person.sign_in("bench")
        yield person, stranger


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
