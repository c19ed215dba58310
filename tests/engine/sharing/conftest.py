"""The registers' ground as a fixture, on both databases."""

from __future__ import annotations

import pytest

from engine.store.store import Store
from tests.engine.sharing.registers import Registers


@pytest.fixture
def registers(store: Store) -> Registers:
    return Registers(store)
