"""A real HTTP server on a port of this machine, for whatever we send to others: it keeps what came, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


#: Answers one request: writes whatever it wants to the handler.
Answering = Callable[[BaseHTTPRequestHandler], None]


def answers(body: object, status: int = 200, **headers: str) -> Answering:
    """An ordinary answer: an object as JSON, or octets as they are."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(octets)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(octets)

    return answer


def says(octets: bytes) -> Answering:
    """Exactly these octets, whether they are HTTP or not; then nothing more."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(octets)
        handler.close_connection = True

    return answer


def hangs(released: threading.Event) -> Answering:
    """No answer at all until it is released."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        released.wait(60)
        handler.close_connection = True

    return answer


class Receiver:
    """The server: `received` in order, `answer` for whatever comes next."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Answering = answers({"errcode": 0, "errmsg": "ok"})
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                receiver.received.append(Received(parts.path, query, dict(self.headers), body))
                receiver.answer(self)

            def do_GET(self) -> None:
                receiver.received.append(Received(self.path, {}, dict(self.headers), b""))
                receiver.answer(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"

    def texts(self) -> list[str]:
        """What robots were told."""
        return [str(received.json["text"]["content"]) for received in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()
