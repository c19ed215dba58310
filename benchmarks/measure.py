"""Times of several things, measured in turns.

A machine that is shared or throttles changes its speed by more than what we want to see. So whatever is compared runs
one after the other in every round, and only ratios of medians are worth telling.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Act = Callable[[], object]
#: Rounds before the first that counts: caches fill, statements are prepared.
WARM_UP = 10


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one thing, in the order of the rounds."""

    ms: tuple[float, ...]

    @property
    def p50(self) -> float:
        return statistics.median(self.ms)

    @property
    def p95(self) -> float:
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * 0.95))]


def in_turns(rounds: int, acts: Mapping[str, Act], *, warm_up: int = WARM_UP) -> dict[str, Times]:
    """Runs every act once a round; the order rotates, so that none always follows the same one."""
    names = list(acts)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(warm_up + rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            act = acts[name]
            before = time.perf_counter()
            act()
            after = time.perf_counter()
            if turn >= warm_up:
                found[name].append((after - before) * 1000)
    return {name: Times(tuple(ms)) for name, ms in found.items()}
