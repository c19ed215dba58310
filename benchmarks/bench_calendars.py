"""What a deadline costs: our lookup beside workalendar's loop and chinesecalendar's table, in one run.

The direction: adding working days under 1 µs once an edition is built. workalendar's own China is asked about 2023, its last
year (it raises after that). chinesecalendar has no "add": the usual loop over `is_workday` is measured. Nothing is asserted:
figures of one machine are no test.
"""

import timeit
import warnings
from collections.abc import Callable
from datetime import date, datetime
from functools import partial

import chinese_calendar
from workalendar.asia import China

from benchmarks.report import Table
from calendars.china import ChinaWorkingCalendar
from calendars.deadline import SHANGHAI, Pause, before, due, explain
from calendars.edition import Edition, edition_for
from calendars.notices import shipped_notices

_START = date(2026, 2, 10)
_START_2023 = date(2023, 2, 10)
_RECEIVED = datetime(2026, 2, 10, 9, 30, tzinfo=SHANGHAI)


def _microseconds(act: Callable[[], object]) -> float:
    """The best of five rounds, per call, in µs: what else the machine did only ever adds."""
    timer = timeit.Timer(act)
    number, _ = timer.autorange()
    return min(timer.repeat(repeat=5, number=number)) / number * 1e6


def _chinesecalendar_adds(day: date, n: int) -> date:
    ordinal = day.toordinal()
    while n:
        ordinal += 1
        n -= chinese_calendar.is_workday(date.fromordinal(ordinal))
    return date.fromordinal(ordinal)


def run() -> list[tuple[str, float]]:
    """What was measured, and µs per call."""
    notices = shipped_notices()
    edition = edition_for(notices)
    china = ChinaWorkingCalendar(edition)
    deadline = due(_RECEIVED, 10, edition)
    pauses = [Pause(date(2026, 2, 12), date(2026, 2, 25))]
    figures: list[tuple[str, float]] = []

    def measure(name: str, act: Callable[[], object]) -> None:
        figures.append((name, _microseconds(act)))

    theirs = China()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its last year, once
        theirs.holidays(_START_2023.year)

    measure("build an edition, 2008 to 2050", lambda: Edition.of(notices))
    measure("edition for the same notices again", lambda: edition_for(notices))
    for n in (10, 200):
        measure(f"add {n} working days: lookup", partial(edition.nth_working_day_after, _START, n))
        measure(f"add {n}: our class of workalendar", partial(china.add_working_days, _START, n))
        measure(f"add {n}: chinesecalendar's loop", partial(_chinesecalendar_adds, _START, n))
        measure(f"add {n}: workalendar's China", partial(theirs.add_working_days, _START_2023, n))
    measure("a deadline, with all it carries", lambda: due(_RECEIVED, 10, edition))
    measure("a deadline with a pause", lambda: due(_RECEIVED, 10, edition, pauses=pauses))
    measure("a reminder", lambda: before(deadline, 2, edition))
    measure("an explanation as JSON", lambda: explain(_RECEIVED, 10, edition).as_json())
    return figures


def table() -> Table:
    """The figures, each also as a multiple of the lookup."""
    figures = run()
    lookup = dict(figures)["add 10 working days: lookup"]
    result = Table("Calendars", ("", "µs per call", "× the lookup"), "The lookup adds 10 working days.")
    for name, cost in figures:
        result.add(name, f"{cost:,.2f}", f"{cost / lookup:,.1f}")
    return result


if __name__ == "__main__":
    print(table().text())
