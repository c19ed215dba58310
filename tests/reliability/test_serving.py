"""`sharing-bpm serve` as one program: its processes start together, are replaced when they die, and end together."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.process.tables import Heartbeat
from engine.store.clock import MovableClock
from engine.store.migrate import upgrade
from engine.store.store import Store
from tests.database import Cluster
from tests.reliability.conftest import office_on
from tests.reliability.processes import Launcher, Process, all_end, children, launching
from tests.reliability.test_workers import fired, require_each_fired_once


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answer(port: int, path: str) -> tuple[int, str]:
    """Status and body; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.fixture
def town(sqlite_template: Path, tmp_path: Path) -> Iterator[Launcher]:
    """An installed database of its own."""
    with launching(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'sharing.db'}") as launcher:
        init = launcher.start("init")
        assert init.wait() == 0, init.said
        yield launcher


def serve(launcher: Launcher, port: int, *words: str, ready: str = "/readyz") -> Process:
    server = launcher.start("serve", "--port", str(port), *words)
    server.until(lambda: answer(port, ready)[0] == 200, "it answers")
    return server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_takes_all_its_processes_along(town: Launcher, number: signal.Signals) -> None:
    port = free_port()
    server = serve(town, port, "--processes", "2")
    family = children(server.pid)
    assert len(family) >= 3  # two for the web, the worker (and Python's tracker of what they share)
    server.signal(number)
    assert server.wait() == 0, server.said
    assert all_end(family, seconds=10)  # Python's tracker goes by itself, a moment after the last of them
    assert answer(port, "/healthz") == (0, "")


def test_a_killed_server_leaves_no_process_behind(town: Launcher) -> None:
    server = serve(town, free_port())
    family = children(server.pid)
    server.signal(signal.SIGKILL)
    server.wait()
    assert all_end(family)


def worker_pid(launcher: Launcher) -> int:
    """The process of the one worker that beats; 0 while there is none."""
    store = Store(launcher.environment["SHARING_BPM_DATABASE_URL"])
    with store.read() as session:
        newest = session.scalar(select(Heartbeat.worker).order_by(Heartbeat.beat_at.desc()).limit(1))
    store.close()
    return int(newest.rpartition(":")[2]) if newest else 0


def test_a_worker_that_dies_beside_the_web_is_replaced_while_pages_are_answered(town: Launcher) -> None:
    port = free_port()
    server = serve(town, port)
    first = worker_pid(town)
    os.kill(first, signal.SIGKILL)
    server.until(lambda: worker_pid(town) not in (0, first), "another worker beats")
    assert answer(port, "/healthz")[0] == 200
    assert "worker ended unasked" in server.said
    server.signal(signal.SIGTERM)
    assert server.wait() == 0, server.said


def test_a_demo_that_is_interrupted_half_way_leaves_no_half_town(tmp_path: Path) -> None:
    file = tmp_path / "home" / "sharing.db"
    with launching(tmp_path / "home", f"sqlite:///{file}") as launcher:
        init = launcher.start("init", "--demo")
        init.until(lambda: _has_people(file.with_name("sharing.db.new")), "the town is being built")
        init.signal(signal.SIGKILL)
        init.wait()
        assert not file.exists()
        serve = launcher.start("serve")
        assert serve.wait() == 2
        assert "sharing-bpm init" in serve.said
        again = launcher.start("init", "--demo")
        again.until(lambda: _has_people(file.with_name("sharing.db.new")), "it begins anew")


def _has_people(file: Path) -> bool:
    if not file.exists():
        return False
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return bool(connection.execute("SELECT count(*) FROM account").fetchone()[0])
        except sqlite3.OperationalError:
            return False


def test_a_server_without_a_worker_is_alive_but_not_ready(town: Launcher) -> None:
    port = free_port()
    server = serve(town, port, "--no-worker", ready="/healthz")
    status, body = answer(port, "/readyz")
    assert (status, json.loads(body)["worker"]) == (503, False)
    server.signal(signal.SIGTERM)
    server.wait()


def test_two_servers_never_share_a_port(town: Launcher) -> None:
    port = free_port()
    server = serve(town, port, "--no-worker", ready="/healthz")
    second = town.start("serve", "--port", str(port))
    assert second.wait() == 2
    assert f"127.0.0.1:{port} is in use" in second.said
    server.signal(signal.SIGTERM)
    server.wait()


def test_a_crash_of_the_database_interrupts_the_worker_and_loses_nothing(tmp_path: Path, past: MovableClock) -> None:
    """A PostgreSQL that syncs to disk as in production, taken down without warning and started again."""
    with Cluster(durable=True) as cluster:
        url = cluster.url(cluster.create())
        upgrade(url)
        office = office_on(url, past)
        cases = [office.start() for _ in range(40)]
        with launching(tmp_path / "home", url) as launcher:
            worker = launcher.start("worker")
            worker.until(lambda: fired(office) > 5, "it fires")
            cluster.kill()
            worker.until(lambda: "job failed" in worker.said, "it says that the database is away")
            cluster.start()
            office.store.close()  # what its pool holds died with the server
            worker.until(lambda: fired(office) == 3 * len(cases), "it goes on by itself")
            assert "Traceback" not in worker.said
            worker.signal(signal.SIGTERM)
            assert worker.wait() == 0, worker.said
        require_each_fired_once(office, cases)
        office.store.close()
