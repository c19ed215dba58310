"""The small office of the kernel's tests, for the workshop's."""

from __future__ import annotations

import pytest

from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.engine.process.office import Office


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)
