"""Our web on a port of this machine, and a Chromium that speaks Chinese: for the browser tests and for the guide's pictures."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from engine.store.settings import Settings
from engine.store.store import Store

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def served(store: Store, settings: Settings) -> Iterator[str]:
    """Serves the store from a thread of this process, whose clock can be moved between two clicks; gives the address."""
    from web.app import create_app

    app = create_app(store, settings)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        server = make_server("127.0.0.1", port, app, threaded=True, fd=listener.fileno())
        thread = threading.Thread(target=server.serve_forever, name="live-server")
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextmanager
def opened(chromium: Path, *more: str) -> Iterator[Browser]:
    """A running Chromium whose own words (dates, file buttons) are Chinese; `more` are further flags."""
    # Chromium refuses its sandbox to root, as which containers run.
    flags = [*FLAGS, *more, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        # A character set that every machine has: without one, Chromium gives up Chinese names of downloads.
        words = {"LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}
        browser = playwright.chromium.launch(executable_path=chromium, args=flags, env={**os.environ, **words})
        yield browser
        browser.close()
