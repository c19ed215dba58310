"""Unmodified workers of the Camunda world carry out the demo's grant against the real server: in Node, in Python, on Operaton's client.

The grant of a request (有条件共享, step 授权共享) is given to a topic instead of the engine's own operation. Workers are lost,
come too late and give up, as they do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.people.tokens import create_token
from engine.process.tables import ExternalTask, Incident
from engine.store.clock import MovableClock, WallClock, shanghai
from engine.store.store import Store
from tests.database import copy_sqlite
from tests.machine import ROOT
from tests.reliability.processes import Launcher, Process, launching
from tests.reliability.test_serving import free_port, serve
from tests.town import Town

HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "workers.md"
GRANT = 'name="operation" value="sharing.grant"'
#: Seconds of a lock that a lost worker leaves behind, and of one that outlasts any test.
SHORT, LONG = "1500", "600000"


@dataclass
class Platform:
    """The town whose grants a worker carries out, and the server that it works against."""

    town: Town
    launcher: Launcher
    server: Process
    base: str
    token: str

    def works(self, language: str, mode: str = "complete", *, worker: str = "w1", lock: str = LONG) -> Process:
        """Starts a worker."""
        programs = {"node": [shutil.which("node") or "node", str(HERE / "worker.mjs")], "python": [sys.executable, str(HERE / "worker.py")],
                    "operaton": [sys.executable, str(HERE / "worker_operaton.py")]}  # fmt: skip
        words = programs[language]
        return self.launcher.run_program([*words, f"worker-{worker}"], BASE_URL=self.base, TOKEN=self.token, WORKER=worker, MODE=mode, LOCK=lock)

    def works_as_documented(self, language: str, folder: Path) -> Process:
        """Starts the worker of docs/workers.md, as it stands there."""
        (program,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        file = folder / ("worker.mjs" if language == "js" else "documented.py")
        file.write_text(program, encoding="utf-8")
        if language == "js":
            (folder / "node_modules").symlink_to(ROOT / "node_modules")
        words = [shutil.which("node") or "node"] if language == "js" else [sys.executable, "-W", "error"]
        return self.launcher.run_program([*words, str(file)], BASE_URL=self.base, TOKEN=self.token)

    def call(self, path: str, body: dict[str, Any]) -> int:
        """The status of a call, as a worker would make it by hand."""
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), method="POST", headers={
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
        })  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def row(self) -> ExternalTask:
        with self.town.store.read() as session:
            return session.scalars(select(ExternalTask)).one()

    def granted(self, case: int) -> str:
        """The number of the grant as the case has it; empty before the worker has done it."""
        if not any(task.step == "Task_SupplyByPlatform" for task in self.town.sheet(case).open_tasks):
            return ""
        return str(self.town.sheet(case).variables["grant"]["number"])


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A town with a request that waits for its grant."""
    file = tmp_path_factory.mktemp("platform") / "town.db"
    clock = MovableClock(shanghai("2026-01-05 09:00"))
    store = Store(copy_sqlite(sqlite_template, file), clock)
    town = Town.founded(store, clock)
    clock.to("2026-02-10 09:00")
    town.changes("conditional_share", GRANT, 'name="topic" value="grants"')
    case = town.submits(at="2026-02-10 09:30", valid_until="2027-02-28")
    town.reviews(case)
    town.does(case, "Task_Reply", decision="agree", agreed_fields=["公民身份号码", "保障起止"])
    store.close()
    return file


@pytest.fixture
def platform(founded: Path, tmp_path: Path) -> Iterator[Platform]:
    file = tmp_path / "home" / "sharing.db"
    file.parent.mkdir()
    shutil.copy(founded, file)
    clock = MovableClock(shanghai("2026-02-10 10:00"))
    store = Store(f"sqlite:///{file}", clock)
    town = Town(store, clock)
    operator = town.officer("024", "platform_operator")
    wall = Store(f"sqlite:///{file}", WallClock())  # a token's days are those of the server
    token = create_token(wall, account_id=operator.account_id, name="平台", scopes=["external"], actor=None,
                         expires_at=wall.clock.now() + timedelta(days=1))
    wall.close()
    with launching(tmp_path / "home", f"sqlite:///{file}") as launcher:
        port = free_port()
        server = serve(launcher, port, "--no-worker", ready="/healthz")
        yield Platform(town, launcher, server, f"http://127.0.0.1:{port}/engine-rest", token)
    store.close()


def only_case(platform: Platform) -> int:
    return platform.row().instance_id


@pytest.mark.parametrize(("language", "number"), [("node", "JS-007-2"), ("python", "PY-007-2"), ("operaton", "OP-007-2")])
def test_an_unmodified_worker_carries_out_the_grant(platform: Platform, language: str, number: str) -> None:
    case = only_case(platform)
    worker = platform.works(language)
    worker.until(lambda: platform.granted(case) == number, f"the grant {number} is in the case")
    told = [line.title for line in platform.town.sheet(case).timeline]
    assert "外部程序办结“授权共享”" in told
    platform.town.does(case, "Task_SupplyByPlatform", at="2026-03-05 10:00")
    platform.town.does(case, "Task_Accept")
    assert platform.town.sheet(case).outcome_name == "已共享"


@pytest.mark.parametrize(("language", "number"), [("js", "NODE-007-2"), ("python", "REQ-007-2")])
def test_the_workers_of_the_documentation_work_as_they_stand_there(platform: Platform, tmp_path: Path, language: str, number: str) -> None:
    case = only_case(platform)
    worker = platform.works_as_documented(language, tmp_path)
    worker.until(lambda: platform.granted(case) == number, f"the grant {number} is in the case")


@pytest.mark.parametrize(("lost", "heir"), [("node", "python"), ("python", "node")])
def test_the_task_of_a_killed_worker_goes_to_the_next(platform: Platform, lost: str, heir: str) -> None:
    case = only_case(platform)
    first = platform.works(lost, "hang", worker="lost", lock=SHORT)
    first.until(lambda: "fetched" in first.said, "it has fetched the task")
    first.process.kill()
    first.wait()
    second = platform.works(heir, worker="heir")
    second.until(lambda: bool(platform.granted(case)), "the heir has done it")
    assert platform.row().worker == "heir"
    assert platform.call(f"/external-task/{platform.row().id}/complete", {"workerId": "lost"}) == 404


def test_a_worker_that_comes_too_late_must_lose(platform: Platform) -> None:
    case = only_case(platform)
    late = subprocess.Popen(
        [sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "BASE_URL": platform.base, "TOKEN": platform.token, "WORKER": "late", "MODE": "late", "LOCK": SHORT},
    )  # fmt: skip
    assert late.stdin is not None and late.stdout is not None
    try:
        next(line for line in late.stdout if line.startswith("fetched"))
        taker = platform.works("node", "hang", worker="taker")
        taker.until(lambda: platform.row().worker == "taker", "another has it now")
        late.stdin.write("\n")
        late.stdin.flush()
        refused = next(line for line in late.stdout if "locked by" in line or "不由您" in line or "400" in line)
        assert refused and platform.granted(case) == ""
    finally:
        late.kill()
        late.wait()
        late.stdin.close()
        late.stdout.close()


@pytest.mark.parametrize("language", ["node", "python"])
def test_a_worker_that_gives_up_leaves_an_incident(platform: Platform, language: str) -> None:
    worker = platform.works(language, "fail")
    worker.until(lambda: platform.row().retries == 0, "no tries are left")
    with platform.town.store.read() as session:
        incident = session.scalars(select(Incident)).one()
    assert (incident.error, incident.detail, incident.external_id) == ("platform unreachable", "ECONNREFUSED", platform.row().id)
