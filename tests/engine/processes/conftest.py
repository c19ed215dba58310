"""Every test of a process also proves the replay: against the very version that it ran on, a case must go as it went."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.workshop.replaying import replayed_as_they_ran
from tests.town import Town


@pytest.fixture(autouse=True)
def _replays_as_it_went(request: pytest.FixtureRequest) -> Iterator[None]:
    """Looks at the cases that a test on SQLite leaves; what a back-test would tell of them is a fault of the replay."""
    town: Town | None = request.getfixturevalue("town") if "town" in request.fixturenames else None
    yield
    if town is not None and town.store.sqlite:
        assert replayed_as_they_ran(town.store) == {}
