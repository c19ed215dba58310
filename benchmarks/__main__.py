"""`python -m benchmarks` (make bench): everything on SQLite and PostgreSQL, beside the raw floors, in one run.

`make bench ARGS=--quick` takes a minute; `ARGS="--only inbox --database sqlite"` a part; `ARGS=--record` writes the
tables into docs/performance.md. Nothing is asserted about time: figures of one machine are no test.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bench_back_test, bench_calendars, bench_outside, bench_recount, bench_workshop, completion, floor_interpreter, inbox, loops, timers
from benchmarks.ground import KINDS, database, ground
from benchmarks.report import Table, machine
from engine.store.clock import MovableClock, shanghai
from engine.store.settings import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: make bench ARGS=--record -->", "<!-- end of figures -->"
#: What stands still while cases loop and timers become due.
_START = "2026-02-10 09:00"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: rounds of what is compared, and sizes."""

    rounds: int
    list_rounds: int
    sizes: tuple[int, ...]
    timers: int
    loops: int
    interpreter_rounds: int
    deadlines: int
    past_cases: int


FULL = Effort(rounds=300, list_rounds=200, sizes=(1_000, 100_000, 1_000_000), timers=10_000, loops=1_000, interpreter_rounds=400, deadlines=100_000, past_cases=1_000)
QUICK = Effort(rounds=40, list_rounds=40, sizes=(1_000, 20_000), timers=400, loops=100, interpreter_rounds=100, deadlines=2_000, past_cases=200)


def _interpreter(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    yield floor_interpreter.table(effort.interpreter_rounds, effort.loops)


def _calendars(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    yield bench_calendars.table()


def _workshop(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    yield bench_workshop.check_and_compare(effort.interpreter_rounds // 8)


def _completion(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder) as found:
            yield from completion.run(found, effort.rounds)


def _inbox(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder) as found:
            yield from inbox.run(found, effort.list_rounds, effort.sizes)
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder) as found:
            yield from inbox.own_posts(found, effort.list_rounds // 4, effort.sizes[:2])


def _timers(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        clock = MovableClock(shanghai(_START))
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder, clock) as found:
            yield from timers.run(found, clock, effort.timers)


def _recount(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        clock = MovableClock(shanghai(_START))
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder, clock) as found:
            yield from bench_recount.run(found, effort.deadlines)


def _back_test(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        clock = MovableClock(shanghai("2026-01-05 09:00"))
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder, clock) as found:
            yield from bench_back_test.run(found, clock, effort.past_cases)


def _outside(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder) as found:
            yield from bench_outside.run(found, effort.list_rounds, effort.sizes[1])


def _loops(effort: Effort, kinds: list[str]) -> Iterator[Table]:
    for kind in kinds:
        clock = MovableClock(shanghai(_START))
        with _folder() as folder, database(kind, folder) as url, ground(kind, url, folder, clock) as found:
            yield from loops.run(found, effort.loops)


PARTS: dict[str, Callable[[Effort, list[str]], Iterator[Table]]] = {
    "interpreter": _interpreter, "calendars": _calendars, "workshop": _workshop, "completion": _completion, "timers": _timers, "recount": _recount, "loops": _loops, "back-test": _back_test,
    "outside": _outside, "inbox": _inbox,
}  # fmt: skip


class _folder(tempfile.TemporaryDirectory[str]):
    """A temporary folder as a Path."""

    def __enter__(self) -> Path:  # type: ignore[override]
        return Path(super().__enter__())


def main() -> None:
    """Measures what the options ask for, and prints each table as soon as it is known."""
    options = _options()
    kinds = options.database or list(KINDS)
    heading = machine()
    print(f"{heading}\n", flush=True)
    tables = []
    for name, part in PARTS.items():
        if name in (options.only or PARTS):
            for table in part(QUICK if options.quick else FULL, kinds):
                print(f"{table.text()}\n", flush=True)
                tables.append(table)
    if options.record:
        _record(heading, tables)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast, as ratios to the raw floors.")
    parser.add_argument("--quick", action="store_true", help="small numbers: about a minute instead of some ten")
    parser.add_argument("--database", action="append", choices=KINDS, help="only this kind (default: both)")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="only this part; may be given several times")
    parser.add_argument("--record", action="store_true", help=f"write the tables into {DOCUMENT.relative_to(ROOT)}")
    return parser.parse_args()


def _record(heading: str, tables: list[Table]) -> None:
    """Puts the tables between the two marks of the document."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    body = "\n\n".join([BEGIN, heading, *(table.text() for table in tables), END])
    DOCUMENT.write_text(f"{before}{body}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
