"""The office, on a fresh database of each kind."""

from __future__ import annotations

import pytest

from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.engine.desk.desk import Desk
from tests.engine.process.office import Office


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)
