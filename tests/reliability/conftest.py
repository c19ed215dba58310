"""An office with a past: cases that became due long before the wall clock by which real processes live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.engine.interpreter.diagrams import catches_message, element, message, sub
from tests.engine.process.office import Office
from tests.reliability.processes import Launcher, launching

#: Long before any machine's wall clock, and well inside the published calendar.
LONG_AGO = shanghai("2024-03-05 09:00")

WATCH = ("start > sub:watch > end:done", "closed > end:closed_end",
         sub("watch", "start > catch:wait > end", catches_message("wait", "never")), message("watch", "closed", "source_closed"))
#: The common frame of a limit: reminder, supervision, a word to the head. Each limited task has three timers.
FRAME = {"limitReminder": "2", "limitEscalation": "3", "limitSupervision": "watch", "limitNotifyUnit": "'O'",
         "limitNotifyPost": "head"}


@pytest.fixture
def past() -> MovableClock:
    return MovableClock(LONG_AGO)


def office_on(url: str, past: MovableClock) -> Office:
    """An office with a limited process: its cases start a supervision when nobody answers."""
    office = Office(Store(url, past), past)
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"), **FRAME)
    return office


@pytest.fixture
def office(database_url: str, past: MovableClock) -> Iterator[Office]:
    office = office_on(database_url, past)
    yield office
    office.store.close()


@pytest.fixture
def launcher(database_url: str, tmp_path: Path) -> Iterator[Launcher]:
    with launching(tmp_path / "home", database_url) as launcher:
        yield launcher
