"""Real databases for tests: a private PostgreSQL cluster for each test process, and SQLite files.

A migrated database is made once per process and kind, and every test gets a fresh copy of it: some 30 ms on PostgreSQL,
2 ms on SQLite. The cluster does not sync to disk, which ordinary tests do not need; what tests durability asks for
`Cluster(durable=True)`, which runs with PostgreSQL's own defaults.
"""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psycopg

from tests import machine

#: The role that owns the test databases.
ROLE = "sharing"

#: Settings that no ordinary test can tell from the real ones, except by their speed.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """A PostgreSQL of our own in a temporary folder, reached through a Unix socket only, and gone with us.

    PostgreSQL refuses to run as root; then it runs as the user `postgres` (or `nobody`).
    Raises FileNotFoundError where no PostgreSQL is installed.
    """

    def __init__(self, *, durable: bool = False) -> None:
        binaries = machine.postgresql()
        if binaries is None:
            raise FileNotFoundError("no PostgreSQL on this machine")
        self._numbers = itertools.count(1)
        # A short path: a Unix socket's name may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="sharing-pg-", dir="/tmp"))
        user = _server_user()
        if user:
            shutil.chown(self.folder, user)
        data = str(self.folder / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([*_as(user), *initdb], check=True, capture_output=True, cwd=self.folder)
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "max_connections": "200"}
        if not durable:
            settings |= NOT_DURABLE
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.log = self.folder / "log"
        self._command = [*_as(user), str(binaries / "postgres"), "-D", data, *options]
        self.start()

    def start(self) -> None:
        """Starts the server, also again after `kill`; returns when it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder)
        self._wait_until_ready()

    def url(self, name: str) -> str:
        """The SQLAlchemy address of the database `name`."""
        return f"postgresql+psycopg://{ROLE}@/{name}?host={self.folder}"

    def create(self, *, template: str = "template1") -> str:
        """Makes a new database (a copy of `template`, to which nobody may be connected) and returns its name."""
        name = f"test_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Removes a database, closing whatever connections it has."""
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def kill(self) -> None:
        """Takes the server down at once, without a checkpoint, as in a crash; `start` then recovers from the log."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=30)

    def stop(self) -> None:
        """Ends the server and removes its folder."""
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), dbname="postgres", user=ROLE, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _wait_until_ready(self, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                return self._execute("SELECT 1")
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    said = self.log.read_text(errors="replace")
                    self.stop()
                    raise RuntimeError(f"the test PostgreSQL did not start:\n{said}") from error
            # The server says when it is ready only in its log; a tenth of its start-up time is soon enough.
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue


def copy_sqlite(template: Path, target: Path) -> str:
    """Copies a closed SQLite database to `target` and returns the copy's SQLAlchemy address."""
    shutil.copyfile(template, target)
    return sqlite_url(target)


def close_sqlite(file: Path) -> None:
    """Brings all of a database that nobody has open any more into its one file, so that it can be copied."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


def _server_user() -> str | None:
    """Whom the server must run as: None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        if subprocess.run(["id", name], capture_output=True, check=False).returncode == 0:
            return name
    raise RuntimeError(f"PostgreSQL cannot run as {getpass.getuser()}, and there is no user postgres or nobody")


def _as(user: str | None) -> list[str]:
    """The start of a command line that runs as `user` and gets SIGQUIT when we die, so that no server is left behind."""
    switch = ["--reuid", user, "--regid", _group(user), "--clear-groups"] if user else []
    return ["setpriv", *switch, "--pdeathsig", "QUIT", "--"]


def _group(user: str) -> str:
    return subprocess.run(["id", "-gn", user], capture_output=True, check=True, text=True).stdout.strip()
