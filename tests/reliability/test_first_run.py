"""What a stranger gets who types `make run`: the installed command, a real server process, the demo town."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.reliability.processes import COMMAND, Process


def ended(home: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Runs `sharing-bpm` to its end: the exit code, and all that it said."""
    process = Process([COMMAND, *words], home, environment)
    return process.wait(300), process.said


def get(address: str) -> tuple[int, str]:
    """The status and the body of a page; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, Process]]:
    """A `sharing-bpm serve` that answers, and its address; ended as a terminal's Ctrl-C ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Process([COMMAND, "serve", "--port", str(port)], home, {})
    try:
        server.until(lambda: get(f"http://127.0.0.1:{port}/readyz")[0] == 200, "the server is ready")
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.signal(signal.SIGINT)
        server.wait()


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo town."""
    home = tmp_path_factory.mktemp("home")
    code, said = ended(home, "init", "--demo")
    assert code == 0, said
    return home


def rows(home: Path, table: str) -> int:
    [file] = home.glob("*.db")
    connection = sqlite3.connect(file)
    [(count,)] = connection.execute(f"SELECT count(*) FROM {table}")
    connection.close()
    return int(count)


def test_the_first_run_says_where_to_go_and_serves_a_styled_sign_in_page(demo_home: Path) -> None:
    with serving(demo_home) as (address, server):
        status, page = get(f"{address}/")
        assert status == 200
        assert "登录" in page
        [style] = re.findall(r'href="(/static/dist/app-\w+\.css)"', page)
        assert get(address + style)[0] == 200
    assert server.wait() == 0
    assert address in server.said
    assert "demo001" in server.said


def test_a_second_run_keeps_the_data(demo_home: Path) -> None:
    before = rows(demo_home, "instance"), rows(demo_home, "task")
    assert min(before) > 0
    code, said = ended(demo_home, "init", "--demo")
    assert code == 0, said
    assert (rows(demo_home, "instance"), rows(demo_home, "task")) == before


def test_the_history_of_the_demo_town_holds(demo_home: Path) -> None:
    code, said = ended(demo_home, "history", "verify", "--json")
    assert code == 0, said


def test_a_server_without_a_database_says_what_to_do(tmp_path: Path) -> None:
    code, said = ended(tmp_path, "serve")
    assert code != 0
    assert "sharing-bpm init" in said
    assert "Traceback" not in said


def test_a_bad_setting_is_refused_by_name(tmp_path: Path) -> None:
    code, said = ended(tmp_path, "init", SHARING_BPM_BASE_URL="town hall")
    assert code != 0
    assert "SHARING_BPM_BASE_URL" in said
    assert "Traceback" not in said
