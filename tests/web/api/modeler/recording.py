"""What Camunda Modeler's dialogs send to an engine, recorded byte by byte: `python -m tests.web.api.modeler.recording` writes it anew.

The Modeler (5, for a Camunda 7 engine) is a page in Electron: its dialogs call Chromium's own `fetch` with a `FormData`. So a real
Chromium sends these requests here, from a page that is a file as well, and a bare socket keeps what arrives. Electron lets the
pages of `file:` read from everywhere, and Chromium does under `--disable-web-security`: no preflight comes, and no server needs
CORS headers. What the dialogs put into a request is known from their source, which is public (client/src/plugins/camunda-plugin
of camunda/camunda-modeler). Two headers are not theirs: `User-Agent`, and `Origin: file://`, which the Modeler may send.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests import machine
from tests.browser.serving import opened
from tests.engine.interpreter.diagrams import diagram, element
from tests.web.cast import PASSWORD

HERE = Path(__file__).parent
#: Who sits at the Modeler.
LOGIN = "editor"
#: What stands in a recording where the Modeler puts the id of the version that was deployed.
DEFINITION = "DEFINITION"

#: A process as the dialog's user has drawn it, and the same with a form that nobody has.
SOUND = diagram("start > user:check > end", element("check", name="核对材料", unit="'007'", post="handler"), key="modeler_trial", startPosts="handler")
FAULTY = diagram(
    "start > user:check > end", element("check", name="核对材料", unit="'007'", post="handler", form="nobody_has_it"),
    key="modeler_trial", startPosts="handler",
)  # fmt: skip


def basic(login: str) -> str:
    """What proves who somebody is."""
    return "Basic " + base64.b64encode(f"{login}:{PASSWORD}".encode()).decode()


_SENDS = """async ([address, path, method, basic, form, json]) => {
    const headers = { accept: 'application/json' };
    if (basic) headers.authorization = basic;
    let body;
    if (form) {
        body = new FormData();
        for (const [name, value, type] of form) {
            if (type) body.append(name, new Blob([value], { type }), name);
            else body.append(name, value);
        }
    }
    if (json) {
        headers['content-type'] = 'application/json';
        body = JSON.stringify(json);
    }
    const answer = await fetch(address + path, { method, headers, body });
    return answer.status;
}"""


def _form(xml: bytes) -> list[list[str]]:
    """The deploy dialog's fields in their order; the diagram under its own name."""
    return [
        ["deployment-name", "核对"], ["deployment-source", "Camunda Modeler"], ["enable-duplicate-filtering", "true"],
        ["核对.bpmn", xml.decode(), "text/xml"],
    ]  # fmt: skip


#: Recording → path, method, whether the dialog knows the password yet, form, JSON.
REQUESTS: dict[str, tuple[str, str, bool, Any, Any]] = {
    "asked_without_password": ("/deployment?maxResults=0", "GET", False, None, None),
    "asked": ("/deployment?maxResults=0", "GET", True, None, None),
    "version": ("/version", "GET", True, None, None),
    "deploy": ("/deployment/create", "POST", True, _form(SOUND), None),
    "deploy_faulty": ("/deployment/create", "POST", True, _form(FAULTY), None),
    # The field "Business Key" of the start dialog, emptied: the engine gives the number.
    "start": (f"/process-definition/{DEFINITION}/start", "POST", True, None, {"businessKey": ""}),
}


def recorded(name: str) -> bytes:
    """A request as it came over the wire."""
    return (HERE / f"{name}.http").read_bytes()


class _Keeper:
    """A server that answers everything with an empty object, and keeps what it was sent."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/engine-rest"
        self.got: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._keep, args=(connection,), daemon=True).start()

    def _keep(self, connection: socket.socket) -> None:
        with connection:
            sent = b""
            while b"\r\n\r\n" not in sent:
                more = connection.recv(65536)
                if not more:  # Chromium opens a second connection in advance
                    return
                sent += more
            head, _, body = sent.partition(b"\r\n\r\n")
            lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
            length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
            while len(body) < length:
                body += connection.recv(65536)
            self.got.append(head + b"\r\n\r\n" + body)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def record() -> None:
    """Lets Chromium send every request, and writes each to its file."""
    chromium = machine.chromium()
    if chromium is None:
        sys.exit("no Chromium on this machine")
    keeper = _Keeper()
    with opened(chromium, "--disable-web-security") as browser, tempfile.TemporaryDirectory() as folder:
        page = browser.new_page()
        (Path(folder) / "index.html").write_text("<!doctype html><title>Modeler</title>", encoding="utf-8")
        page.goto((Path(folder) / "index.html").as_uri())
        for name, (path, method, known, form, sent) in REQUESTS.items():
            keeper.got.clear()
            status = page.evaluate(_SENDS, [keeper.address, path, method, basic(LOGIN) if known else None, form, sent])
            assert status == 200, (name, status)
            (request,) = keeper.got
            (HERE / f"{name}.http").write_bytes(request)
    print(json.dumps(sorted(REQUESTS)))


if __name__ == "__main__":
    record()
