"""The office, with a worker of the platform that carries out its grants."""

from __future__ import annotations

import pytest

from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.engine.process.office import Office


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    office = Office(store, clock)
    office.joins("robot", "B", "platform_operator")
    return office
