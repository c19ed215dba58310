"""The yearly schedule of duties 定期工作: which process comes by itself, for which units, when it opens and when it is due.

The schedule is data: the list `duties` in a rule set's `rule_set.json`. A rule set's schedule holds for a process as long as
the version of that process that is in force belongs to the rule set. Dates of the law are calendar dates and are not
moved when they fall on a day off; only the opening is counted in working days.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from calendars.edition import Edition


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty of a rule set, as its file says."""

    key: str
    name: str
    rule_set: str
    process: str
    kinds: frozenset[str]
    """The kinds of units that have it; empty where `body` says who."""
    body: str | None
    """The one unit that carries this body."""
    providers_only: bool
    """Only units that have a resource in the catalogue."""
    days_ahead: int | None
    """Working days before the due date on which it opens; None where `opens` is a date."""
    given: Mapping[str, Any]
    """What its cases start with besides the period: texts, in which {year} and {last_year} stand for years."""
    periods: tuple[Mapping[str, Any], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Period:
    """A duty in one period: what it is called, the days that it is about, when it opens and when it is due."""

    duty: Duty
    key: str
    label: str
    first: date
    last: date
    opens: date
    due: date
    given: Mapping[str, Any]


def duties_of(diagrams: Path) -> list[Duty]:
    """The duties of every rule set in the folder of diagrams, in the order of their files."""
    return [duty for listing in sorted(diagrams.glob("*/rule_set.json")) for duty in _read(listing, listing.stat().st_mtime_ns)]


@lru_cache(maxsize=32)
def _read(listing: Path, _changed: int) -> tuple[Duty, ...]:
    data = json.loads(listing.read_text(encoding="utf-8"))
    return tuple(_duty(given, data["key"]) for given in data.get("duties", []))


def _duty(given: Mapping[str, Any], rule_set: str) -> Duty:
    units = given["units"]
    return Duty(
        key=given["key"],
        name=given["name"],
        rule_set=rule_set,
        process=given["process"],
        kinds=frozenset(units.get("kinds", ())),
        body=units.get("body"),
        providers_only=bool(units.get("providers_only", False)),
        days_ahead=given.get("opens_working_days_before"),
        given=given.get("given", {}),
        periods=tuple(given["periods"]),
    )


def periods_due_in(duty: Duty, year: int, edition: Edition) -> Iterator[Period]:
    """The periods of a duty whose due date lies in `year`, with their opening days under `edition`."""
    for given in duty.periods:
        said = {name: _in_year(given[name], year) for name in ("key", "label", "from", "until", "due")}
        due = date.fromisoformat(said["due"])
        if duty.days_ahead is not None:
            opens = edition.nth_working_day_before(due, duty.days_ahead)
        else:
            opens = date.fromisoformat(_in_year(given["opens"], year))
        yield Period(
            duty, said["key"], said["label"], date.fromisoformat(said["from"]), date.fromisoformat(said["until"]), opens, due,
            {name: _in_year(text, year) for name, text in {**duty.given, **given.get("given", {})}.items()},
        )  # fmt: skip


def _in_year(text: str, year: int) -> str:
    return text.format(year=year, last_year=year - 1)


def section_of(diagrams: Path, rule_set: str, name: str) -> Any:
    """Another section of a rule set's file, such as its evaluation, or of the one that it is based on; None where none has it."""
    listing = diagrams / rule_set / "rule_set.json"
    if not listing.is_file():
        return None
    changed = listing.stat().st_mtime_ns
    found, base = _section(listing, changed, name), _section(listing, changed, "based_on")
    return section_of(diagrams, base, name) if found is None and base else found


@lru_cache(maxsize=64)
def _section(listing: Path, _changed: int, name: str) -> Any:
    return json.loads(listing.read_text(encoding="utf-8")).get(name)
