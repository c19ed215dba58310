"""Fixtures for all tests: a clock that is moved, not waited for, and real databases of both kinds.

A test that takes `store` (or `database_url`) runs twice, on SQLite and on PostgreSQL; `[sqlite]` and `[postgresql]` stand
in its name, so `-k sqlite` is the quick half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests import machine
from tests.database import Cluster, close_sqlite, copy_sqlite, sqlite_url

# A slow machine is no fault of the arithmetic; and CI finds the same examples each time, so that red means changed.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if machine.CI else "here")

#: When tests begin unless they say otherwise: a working Tuesday of 2026, before the Spring Festival.
START = shanghai("2026-02-10 09:00")

NO_POSTGRESQL = "no PostgreSQL on this machine (on Debian: apt-get install postgresql)"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell sets for a real installation must not reach a test."""
    for name in list(os.environ):
        if name.startswith("SHARING_BPM_"):
            monkeypatch.delenv(name)


@pytest.fixture
def clock() -> MovableClock:
    """Stands at 2026-02-10 09:00 in Shanghai until the test moves it."""
    return MovableClock(START)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """This test process's own PostgreSQL server."""
    if machine.postgresql() is None:
        if machine.CI:
            pytest.fail(NO_POSTGRESQL)
        pytest.skip(NO_POSTGRESQL)
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """"sqlite" or "postgresql": what depends on this runs once on each."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh database with the current schema and no rows."""
    yield from _fresh(database_kind, request, tmp_path, migrated=True)


@pytest.fixture
def empty_database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh database without any table, for tests of the migrations."""
    yield from _fresh(database_kind, request, tmp_path, migrated=False)


@pytest.fixture
def store(database_url: str, clock: MovableClock) -> Iterator[Store]:
    """A store on a fresh database of each kind, with the test's `clock`."""
    store = Store(database_url, clock)
    yield store
    store.close()


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path, clock: MovableClock) -> Iterator[Store]:
    """A store on SQLite only, where the kind of database cannot matter (pages, forms)."""
    store = Store(copy_sqlite(sqlite_template, tmp_path / "sharing.db"), clock)
    yield store
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database that nobody opens: it is copied."""
    from engine.store.migrate import upgrade

    file = tmp_path_factory.mktemp("template") / "sharing.db"
    upgrade(sqlite_url(file))
    close_sqlite(file)
    return file


@pytest.fixture(scope="session")
def postgresql_template(cluster: Cluster) -> str:
    """The name of a migrated PostgreSQL database that nobody connects to: it is copied."""
    from engine.store.migrate import upgrade

    name = cluster.create()
    upgrade(cluster.url(name))
    return name


def _fresh(kind: str, request: pytest.FixtureRequest, folder: Path, *, migrated: bool) -> Iterator[str]:
    # Fixtures are asked for by name, so that a test on SQLite starts no PostgreSQL.
    if kind == "sqlite":
        file = folder / "sharing.db"
        yield copy_sqlite(request.getfixturevalue("sqlite_template"), file) if migrated else sqlite_url(file)
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create(template=request.getfixturevalue("postgresql_template") if migrated else "template1")
    yield cluster.url(name)
    cluster.drop(name)
