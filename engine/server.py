"""Serving: the web in one or more processes and a worker beside them, as one program with one life.

Granian serves the pages; it is told the application by name, for the engine imports no web. All children end with us,
however we end: each watches its parent, so that not even `kill -9` leaves a server behind that nobody knows of.
"""

from __future__ import annotations

import errno
import importlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from engine import logs
from engine.store.settings import Settings, read_settings
from engine.store.store import store_of
from engine.worker import Worker

log = logging.getLogger("serve")

#: The application, as any WSGI server takes it.
TARGET = "web.wsgi:application"
#: Requests answered at the same time by one process; each may hold a database connection.
THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
#: Requests that only wait for something to do (workers outside), beside those: they hold no connection meanwhile.
WAITING = 8
#: Seconds until a worker that ended without being asked is started again; doubled each time, at most a minute.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: Seconds for requests and transactions in hand to finish.
PATIENCE = 20

#: Fresh interpreters: a fork would share the parent's threads and connections.
_spawn = multiprocessing.get_context("spawn")


class AddressTaken(OSError):
    """Another program listens there already."""


def serve(settings: Settings, *, host: str, port: int, processes: int, worker: bool, started: Callable[[], None]) -> int:
    """Serves until SIGINT or SIGTERM; returns the exit code. `started` is called once connections are taken.

    Raises AddressTaken, or OSError for an address that is not this machine's.
    """
    _require_free(host, port)
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        TARGET, address=host, port=port, interface=Interfaces.WSGI, workers=processes, blocking_threads=THREADS + WAITING,
        log_level=LogLevels.warning, log_dictconfig=logs.configuration(), respawn_failed_workers=True, workers_kill_timeout=PATIENCE,
    )
    companion = Companion() if worker else None
    if companion:
        companion.start()
    threading.Thread(target=_tell_when_open, args=(host, port, started), daemon=True).start()
    try:
        server.serve(target_loader=load_application, wrap_loader=False)
    except SystemExit as ended:  # granian leaves so when one of its processes went before it did
        return 0 if server.interrupt_signal else int(ended.code or 0)
    finally:
        if companion:
            companion.stop()
    return 0


def _require_free(host: str, port: int) -> None:
    """Granian would share a port with another granian silently, and each would get half of the requests."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise AddressTaken(error.errno, f"{host}:{port} is in use by another program") from error
            raise


def _tell_when_open(host: str, port: int, tell: Callable[[], None]) -> None:
    """The web processes need a second to load; an address that is announced earlier refuses the first visitor."""
    pause = threading.Event()
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError:
            pause.wait(0.01)
        else:
            return tell()


def load_application() -> Any:
    """Runs in each web process: what it serves."""
    _live_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    module, _, name = TARGET.partition(":")
    return getattr(importlib.import_module(module), name)


class Companion:
    """The worker beside the web: a process of its own, started again when it ends without being asked."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._keeper = threading.Thread(target=self._keep, name="keeper of the worker", daemon=True)

    def start(self) -> None:
        self._keeper.start()

    def stop(self) -> None:
        """Ends the worker after the transaction in hand, and by force when that takes too long."""
        self._stopping.set()
        process = self._process
        if process is not None and process.is_alive():
            process.terminate()
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
        self._keeper.join(PATIENCE)

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            process = self._process = _spawn.Process(target=work_beside, name="worker", daemon=True)
            process.start()
            if self._stopping.is_set():
                process.terminate()
            process.join()
            if self._stopping.wait(0):
                return
            logs.say(log, "worker ended unasked", logging.ERROR, exit_code=process.exitcode, again_in_seconds=pause)
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def work_beside() -> None:
    """Runs in the companion: a worker until we are told to stop or the parent is gone."""
    logs.to_stderr()
    settings = read_settings()
    store = store_of(settings)
    worker = Worker(store, settings)
    stop_on_signals(worker.stop)
    _live_with_parent(worker.stop)
    worker.run()
    store.close()


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Lets SIGTERM and SIGINT end this process in good order. Only from the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def _live_with_parent(end: Callable[[], None]) -> None:
    """Calls `end` when the parent is gone; and lets a terminal's Ctrl-C reach the parent only, which then ends us."""
    os.setpgid(0, 0)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        end()

    threading.Thread(target=watch, name="watches the parent", daemon=True).start()
