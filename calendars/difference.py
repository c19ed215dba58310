"""What one edition of the calendar says otherwise than another: the days of a year that a notice changes, for people to look at."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from calendars.edition import FIRST_DAY, LAST_DAY, DayFact, Edition
from calendars.statutory import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True, slots=True)
class Change:
    """A day on which two editions differ: in whether it works, or in whether that is settled."""

    day: date
    before: DayFact
    after: DayFact

    @property
    def moves(self) -> bool:
        """Whether it works in one and not in the other; else only its standing changed (暂定 or not, which notice)."""
        return self.before.works != self.after.works


def changes(before: Edition, after: Edition, year: int) -> list[Change]:
    """The days of a year that differ, in order. Raises CalendarEnds outside 2008 to 2050."""
    pairs = zip(before.year(year), after.year(year), strict=True)
    return [
        Change(old.date, old, new)
        for old, new in pairs
        if (old.works, old.provisional, old.notice) != (new.works, new.provisional, new.notice)
    ]


def years_touched(before: Edition, after: Edition) -> list[int]:
    """The years in which any day works in one edition and not in the other, in order."""
    return [
        year for year in range(FIRST_YEAR, LAST_YEAR + 1)
        if any(old.works != new.works for old, new in zip(before.year(year), after.year(year), strict=True))
    ]  # fmt: skip


@lru_cache(maxsize=256)
def first_difference(before: Edition, after: Edition) -> date | None:
    """The first day on which two editions differ in whether it works or is provisional; None where they agree on all days.

    What was counted up to the day before it need not be counted again.
    """
    day = FIRST_DAY
    while day <= LAST_DAY:
        if before.works(day) != after.works(day) or before.provisional(day) != after.provisional(day):
            return day
        day += timedelta(days=1)
    return None
