"""The festivals on which all citizens have the day off, by decree.

The yearly notice arranges bridges and make-up days around these. Where no notice stands yet, these days
are all that the law itself fixes, and the calendar falls back to them. The decree was revised several times;
the revision in force on a day decides, as far as it had been published when the question is asked.

Not computed: the substitute for a festival on a weekend. The decree promises one "on a working day" and leaves
the day to the notice, so a computed date errs on the early side, and is marked provisional anyway.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from calendars.errors import CalendarEnds

_DATA = Path(__file__).with_name("data")

FIRST_YEAR = 2008
LAST_YEAR = 2050
"""The years of the lunar table; no calendar is known or computed outside them."""


@dataclass(frozen=True, slots=True)
class Festival:
    """One statutory day off."""

    day: date
    name: str
    """Such as 春节; several names joined by 、 where festivals coincide."""
    basis: str
    """The decree that fixes it: title, order number, article."""


@dataclass(frozen=True, slots=True)
class Decree:
    """One revision of the decree."""

    number: str
    basis: str
    published: date
    in_force: date
    festivals: tuple[tuple[str, str, int], ...]
    """Name, first day (MM-DD or a name in the lunar table), number of days."""


@cache
def decrees() -> tuple[Decree, ...]:
    """The revisions, oldest first."""
    value = json.loads((_DATA / "holiday_decrees.json").read_text(encoding="utf-8"))
    return tuple(
        Decree(
            number=item["number"],
            basis=f"《{value['title']}》（{item['number']}）{item['article']}",
            published=date.fromisoformat(item["published"]),
            in_force=date.fromisoformat(item["in_force"]),
            festivals=tuple((f["name"], f["from"], f["days"]) for f in item["festivals"]),
        )
        for item in value["decrees"]
    )


@cache
def lunar_table() -> dict[int, dict[str, date]]:
    """Year → name of the lunar (or solar-term) day → its date."""
    text = (_DATA / "lunar_table_2008_2050.json").read_text(encoding="utf-8")
    return {
        int(year): {name: date.fromisoformat(day) for name, day in days.items()}
        for year, days in json.loads(text).items()
    }


def known_decrees(as_of: date | None) -> tuple[Decree, ...]:
    """The revisions published by `as_of` (all when None)."""
    return tuple(d for d in decrees() if as_of is None or d.published <= as_of)


@cache
def festivals(year: int, known: tuple[Decree, ...]) -> dict[date, Festival]:
    """The statutory days off of a year under the latest of the `known` revisions in force in it.

    A revision has always come into force on a 1 January, so one revision decides a whole year.
    Raises CalendarEnds outside the lunar table.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarEnds(f"没有{year}年的农历数据，只能推算{FIRST_YEAR}年至{LAST_YEAR}年的法定节日")
    decree = [d for d in known if d.in_force <= date(year, 1, 1)][-1]
    found: dict[date, Festival] = {}
    for name, first, days in decree.festivals:
        start = lunar_table()[year].get(first) or date.fromisoformat(f"{year}-{first}")
        for offset in range(days):
            day = start + timedelta(days=offset)
            label = f"{found[day].name}、{name}" if day in found else name
            found[day] = Festival(day, label, decree.basis)
    return found
