"""The demo town for tests: founded once per process and kind of database, then copied for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.database import Cluster, close_sqlite, copy_sqlite
from tests.town import Town

#: Before every story.
FOUNDED = "2026-01-05 09:00"


@pytest.fixture
def town(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, clock: MovableClock) -> Iterator[Town]:
    """The town on a fresh database of each kind; its clock stands at 2026-02-10 09:00."""
    if database_kind == "sqlite":
        store = Store(copy_sqlite(request.getfixturevalue("sqlite_town"), tmp_path / "town.db"), clock)
        yield Town(store, clock)
        store.close()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create(template=request.getfixturevalue("postgresql_town"))
    store = Store(cluster.url(name), clock)
    yield Town(store, clock)
    store.close()
    cluster.drop(name)


@pytest.fixture(scope="session")
def sqlite_town(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded town in SQLite that nobody opens: it is copied."""
    file = tmp_path_factory.mktemp("town") / "town.db"
    _found(copy_sqlite(sqlite_template, file))
    close_sqlite(file)
    return file


@pytest.fixture(scope="session")
def postgresql_town(cluster: Cluster, postgresql_template: str) -> str:
    """The name of a PostgreSQL database with a founded town that nobody connects to: it is copied."""
    name = cluster.create(template=postgresql_template)
    _found(cluster.url(name))
    return name


def _found(url: str) -> None:
    clock = MovableClock(shanghai(FOUNDED))
    store = Store(url, clock)
    try:
        Town.founded(store, clock)
    finally:
        store.close()
