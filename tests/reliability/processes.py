"""Real processes of `sharing-bpm`: started, watched, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).with_name("sharing-bpm"))
#: Longer than anything takes on a slow machine.
PATIENCE = 60.0


class Process:
    """A running command, with its log."""

    def __init__(self, words: Sequence[str], home: Path, environment: Mapping[str, str]) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / f"{words[-1].strip('-')}-{time.monotonic_ns()}.log"
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SHARING_BPM_")}
        with self.log.open("wb") as out:
            # A session of its own: what we signal is this process, not the test run's.
            self.process = subprocess.Popen(
                words, env={**outside, "SHARING_BPM_HOME": str(home), **environment}, stdout=out, stderr=out, start_new_session=True
            )
        self.pid = self.process.pid

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit code; fails with what was said when it does not end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"process {self.pid} did not end; it said:\n{self.said}") from None

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Watches until `holds`; fails when the process ends before that."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"never: {what}; it said:\n{self.said}")
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue


class Launcher:
    """Starts commands on one database."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.home = home
        self.environment = {"SHARING_BPM_DATABASE_URL": database_url}
        self.running: list[Process] = []

    def start(self, *words: str, **environment: str) -> Process:
        """`sharing-bpm` with these words."""
        return self.run_program([COMMAND, *words], **environment)

    def run_program(self, words: Sequence[str], **environment: str) -> Process:
        process = Process(words, self.home, {**self.environment, **environment})
        self.running.append(process)
        return process

    def once(self) -> dict[str, Any]:
        """What one `worker --once` did."""
        worker = self.start("worker", "--once", "--json")
        assert worker.wait() == 0, worker.said
        return dict(json.loads(worker.said[worker.said.index("{\n"):]))

    def end(self) -> None:
        """Ends, by their sessions, the processes that a failed test left, and what these started."""
        for process in self.running:
            if process.process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.process.wait()


@contextmanager
def launching(home: Path, database_url: str) -> Iterator[Launcher]:
    launcher = Launcher(home, database_url)
    try:
        yield launcher
    finally:
        launcher.end()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_end(pids: Sequence[int], seconds: float = PATIENCE) -> bool:
    """Watches until none of these processes runs; False when some still do after that time."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        pause.wait(0.02)
    return not any(alive(pid) for pid in pids)


def children(pid: int) -> list[int]:
    """The ids of the running processes that `pid` started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid and alive(int(status.parent.name)):
            found.append(int(status.parent.name))
    return found
