"""Time is given: the only place that reads the machine's clock.

Commands take `now` from their unit of work, which takes it from the store's clock once per transaction. Tests and the
demo town move a `MovableClock` instead of sleeping.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, UTC."""


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class MovableClock:
    """A clock that stands still until it is moved; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = _aware(start)

    def now(self) -> datetime:
        return self._now

    def to(self, moment: datetime | str) -> None:
        """Moves to `moment` (an aware datetime, or text in Shanghai time such as "2026-02-10 09:30").

        Raises ValueError when that would go back in time.
        """
        instant = _aware(moment)
        if instant < self._now:
            raise ValueError(f"clock cannot go back from {self._now} to {instant}")
        self._now = instant


def shanghai(text: str) -> datetime:
    """The instant (UTC) of a Shanghai wall time written as "2026-02-10 09:30" or "2026-02-10"."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def _aware(moment: datetime | str) -> datetime:
    if isinstance(moment, str):
        return shanghai(moment)
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment!r}")
    return moment.astimezone(UTC)
