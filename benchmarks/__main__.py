"""`python -m benchmarks` (make bench): everything on SQLite and PostgreSQL, beside the raw floors, in one run.

Options: `--quick` (small numbers, about a minute), `--database sqlite|postgresql`, `--only completion|inbox|timers|loops|
interpreter|calendars`, `--record` (write the tables into docs/performance.md). Figures of a shared machine are no test:
nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks import bench_calendars, completion, floor_interpreter, inbox, loops, timers
from benchmarks.ground import KINDS, Ground, database, ground
from benchmarks.report import Table, machine
from engine.store.clock import MovableClock, shanghai
from engine.store.settings import ROOT
from tests import machine as tests_machine

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by `make bench ARGS=--record` -->", "<!-- end of the figures -->"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    list_rounds: int
    sizes: tuple[int, ...]
    timers: int
    loops: int
    interpreter_rounds: int


FULL = Effort(rounds=300, list_rounds=200, sizes=inbox.SIZES, timers=10_000, loops=1_000, interpreter_rounds=400)
QUICK = Effort(rounds=40, list_rounds=40, sizes=(1_000, 20_000), timers=400, loops=100, interpreter_rounds=100)


def main() -> None:
    """Measures what the options ask for, and prints each table when it is known."""
    options = _options()
    effort = QUICK if options.quick else FULL
    heading = machine(tests_machine.postgresql_version() if "postgresql" in options.database else None)
    print(f"{heading}\n", flush=True)
    found = []
    for table in _tables(effort, options.database, options.only):
        print(f"{table.text()}\n", flush=True)
        found.append(table)
    if options.record:
        _record(heading, found)


def _tables(effort: Effort, kinds: list[str], only: list[str]) -> Iterator[Table]:
    if "interpreter" in only:
        yield floor_interpreter.table(effort.interpreter_rounds)
    if "calendars" in only:
        yield bench_calendars.table()
    now: dict[str, Callable[[Ground], list[Table]]] = {
        "completion": lambda ground: completion.run(ground, effort.rounds),
        "inbox": lambda ground: inbox.run(ground, effort.list_rounds, effort.sizes),
    }
    for name in [name for name in now if name in only]:
        for kind in kinds:
            yield from _on(kind, None, now[name])
    clock = MovableClock(shanghai("2026-02-10 09:00"))
    moved: dict[str, Callable[[Ground], list[Table]]] = {
        "loops": lambda ground: loops.run(ground, effort.loops),
        "timers": lambda ground: timers.run(ground, clock, effort.timers),
    }
    for name in [name for name in moved if name in only]:
        for kind in kinds:
            clock.now_ = shanghai("2026-02-10 09:00")
            yield from _on(kind, clock, moved[name])


def _on(kind: str, clock: MovableClock | None, run: Callable[[Ground], list[Table]]) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="sharing-bench-") as folder:
        with database(kind, Path(folder)) as url, ground(kind, url, Path(folder), clock) as found:
            return run(found)
