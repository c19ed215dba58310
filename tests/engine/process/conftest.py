"""The office, on a fresh database of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.store.clock import MovableClock
from engine.store.settings import Settings
from engine.store.store import Store
from tests.engine.process.office import Office
from tests.engine.process.removing import deploy


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url="", secret_key="", base_url="")


@pytest.fixture
def kept(office: Office) -> Office:
    """The office with a second head, and a process whose cases are kept for ten years."""
    office.joins("hu", "O", "head")
    deploy(office, retention="10y")
    return office
