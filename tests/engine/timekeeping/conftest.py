"""An office whose people reply within ten working days, and the notice for 2027 that does not exist yet."""

from __future__ import annotations

import pytest

from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.engine.process.office import Office


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)
