"""Fixtures of the page tests: the cast in a database of its own, the application on it, and desks to work at.

The database is assembled once and copied for every test. Pages are tested on SQLite: what differs between databases is
tested below the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from engine.store.clock import MovableClock, shanghai
from engine.store.settings import Settings, read_settings
from engine.store.store import Store
from tests.database import close_sqlite, copy_sqlite
from tests.web.cast import Cast, assemble
from tests.web.desk import Desk
from web.app import create_app


@pytest.fixture(scope="session")
def cast_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cast]:
    """A database with the cast that nobody opens: it is copied."""
    file = tmp_path_factory.mktemp("cast") / "sharing.db"
    store = Store(copy_sqlite(sqlite_template, file), MovableClock(shanghai("2026-02-09 09:00")))
    cast = assemble(store)
    store.close()
    close_sqlite(file)
    return file, cast


@pytest.fixture
def cast(cast_template: tuple[Path, Cast], tmp_path: Path, clock: MovableClock) -> Iterator[Cast]:
    """The cast, in a fresh copy of their database, on 2026-02-10 at 09:00."""
    file, template = cast_template
    store = Store(copy_sqlite(file, tmp_path / "sharing.db"), clock)
    yield replace(template, store=store)
    store.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of the test's own."""
    environ = {"SHARING_BPM_HOME": str(tmp_path / "home"), "SHARING_BPM_SECRET_KEY": "only for tests, only for tests, only"}
    return read_settings(environ)


@pytest.fixture
def app(cast: Cast, settings: Settings) -> Flask:
    """The application on the cast's database."""
    return create_app(cast.store, settings)


@pytest.fixture
def desk(app: Flask) -> Callable[[str], Desk]:
    """`desk("asker")` is a browser in which that person has signed in."""

    def sit_down(login: str) -> Desk:
        found = Desk(app.test_client())
        found.sign_in(login)
        return found

    return sit_down


@pytest.fixture
def stranger(app: Flask) -> Desk:
    """A browser in which nobody has signed in."""
    return Desk(app.test_client())
