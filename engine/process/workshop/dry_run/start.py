"""How a dry run may begin: with which process, by whom, about what, and with which form.

Asked inside a rehearsal as well, so that the form of a draft is seen with what the run itself would see, and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.people.actor import Actor
from engine.people.units import UnitFacts, all_units, unit_id_of
from engine.process.definitions import Deployed, all_in_force, in_force
from engine.process.forms import FormDefinition
from engine.process.instances import find_subject, start_form, start_posts
from engine.process.interpreter.expressions import ExpressionError, evaluate
from engine.process.operations import Subject
from engine.process.package import Package
from engine.process.workshop.drafts import require_workshop
from engine.process.workshop.dry_run.effects import Watch
from engine.process.workshop.dry_run.people import Starter, starters
from engine.process.workshop.dry_run.registers import BEGINNINGS, with_made_up
from engine.process.workshop.dry_run.walk import put_in_force, require_rehearsable
from engine.store.errors import Invalid
from engine.store.store import Store, Work

#: What is meant as a value of the expression language: a number, quoted text, a list or object, true and the like.
_LITERAL = re.compile(r"""-?\d+(\.\d+)?|"[^"]*"|'[^']*'|\[.*\]|\{.*\}|True|False|None|true|false|null""")


@dataclass(frozen=True, slots=True)
class Entry:
    """A process with which the run may begin."""

    key: str
    name: str
    drafted: bool
    """The draft itself; others lead to it."""


@dataclass(frozen=True, slots=True)
class StartOffer:
    """What the beginning of a run asks for."""

    entries: list[Entry]
    key: str
    """The process that is started."""
    name: str
    by_person: bool
    """False for one that the calendar or another process starts: it is given its first data instead."""
    starters: list[Starter]
    units: list[UnitFacts]
    """For a stand-in, or for the process that nobody starts."""
    form: FormDefinition | None
    given: dict[str, Any] = field(default_factory=dict)
    """The first data of a process that no person starts: what it would be given next, None where that depends on the case."""
    subject: Subject | None = None
    asks: frozenset[str] = frozenset()
    """What must be named first: `resource_code` or another register's key; empty when it is known what the case is about."""
    problem: str = ""
    """Why the case cannot be about what was named."""


def start_offer(
    store: Store, package: Package, *, actor: Actor, process: str = "", unit: str = "", about: Mapping[str, str] | None = None
) -> StartOffer:
    """What beginning a run asks for, as far as `process`, `unit` (a code) and `about` are chosen already.

    Raises NotAllowed, NotRehearsable, NotFound for a process that is not in force.
    """
    with _opened(store, package, actor) as (work, key):
        now = all_in_force(work.session, work.now)
        entries = list(_entries(now, key))
        definition = in_force(work.session, process or _first(entries, now), work.now)
        people = starters(work.session, definition)
        subject, asks, problem = _subject(work, definition, unit, about or {})
        return StartOffer(
            entries=entries, key=definition.key, name=definition.name, by_person=bool(start_posts(definition)), starters=people,
            units=all_units(work.session), form=start_form(definition), given=_given(work, now, definition.key, unit), subject=subject,
            asks=asks, problem=problem,
        )  # fmt: skip


def fitting(
    store: Store, package: Package, *, actor: Actor, process: str, unit: str, name: str, values: Iterable[str],
    about: Mapping[str, str] | None = None,
) -> list[str]:  # fmt: skip
    """Those of `values` (keys of a register, named `name` in a start) that a case of the process may be about, beside `about`."""
    with _opened(store, package, actor) as (work, _):
        definition = in_force(work.session, process, work.now)
        return [value for value in values if not _subject(work, definition, unit, {**(about or {}), name: value})[2]]


def first_data(text: str) -> dict[str, object]:
    """The first data that somebody wrote, a line `name = value` each: numbers, lists and quoted text as expressions write
    them, anything else is text.

    Raises Invalid at `given` for a line without a name. What was left empty is left out.
    """
    found: dict[str, object] = {}
    for line in filter(None, (part.strip() for part in text.splitlines())):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name.isidentifier():
            raise Invalid({"given": f"“{line}”应写作“名称 = 值”，每行一项"})
        if value:
            found[name] = _value(value)
    return found


def as_lines(given: Mapping[str, Any]) -> str:
    """First data as `first_data` reads them."""
    return "".join(f"{name} = {_written(value)}\n" for name, value in given.items())


def _written(value: Any) -> str:
    if value is None:
        return ""
    plain_text = isinstance(value, str) and value and value.strip() == value and "\n" not in value and not _LITERAL.fullmatch(value)
    return str(value) if plain_text else orjson.dumps(value).decode()


def _value(text: str) -> object:
    """A date such as 2026-03-02 is text, not a subtraction."""
    if _LITERAL.fullmatch(text) is None:
        return text
    try:
        return evaluate(text, {}, {})
    except ExpressionError:
        return text


@contextmanager
def _opened(store: Store, package: Package, actor: Actor) -> Iterator[tuple[Work, str]]:
    require_workshop(actor)
    require_rehearsable(store, package)
    with store.rehearsal(store.clock.now()) as work:
        Watch(work.session)
        yield work, put_in_force(work, package)[0]


def _entries(now: list[Deployed], key: str) -> Iterator[Entry]:
    """The draft itself, then the processes that people start and that lead to it."""
    for definition in now:
        if definition.key == key:
            yield Entry(key, definition.name, True)
    for definition in now:
        if definition.key != key and start_posts(definition) and key in called_by(definition):
            yield Entry(definition.key, definition.name, False)


def _first(entries: list[Entry], now: list[Deployed]) -> str:
    """The draft where people start it; else whichever leads to it."""
    own = next(definition for definition in now if definition.key == entries[0].key)
    return entries[0].key if start_posts(own) or len(entries) == 1 else entries[1].key


def called_by(definition: Deployed) -> set[str]:
    """The keys of the processes that a diagram starts."""
    found = {step.called for step in definition.diagram.steps.values() if step.called}
    found |= {step.properties["in.process"].strip("\"' ") for step in definition.diagram.steps.values() if "in.process" in step.properties}
    return found | {definition.diagram.properties.get("limitSupervision", "")} - {""}


def _given(work: Work, now: list[Deployed], key: str, unit: str) -> dict[str, Any]:
    names = {
        name.removeprefix("in.")
        for definition in now for step in definition.diagram.steps.values() if step.called == key
        for name in step.properties if name.startswith("in.")
    }  # fmt: skip
    found: dict[str, Any] = dict.fromkeys(sorted(names))
    for facts in BEGINNINGS:
        found |= facts(work.session, key, unit, work.now)
    return found


def _subject(
    work: Work, definition: Deployed, unit: str, about: Mapping[str, str]
) -> tuple[Subject | None, frozenset[str], str]:
    """What the case would be about; or what must be named before, and what is wrong with what was."""
    try:
        named = with_made_up(work, about, unit_id_of(work.session, unit)) if unit else about
        return find_subject(work.session, definition, {**named, "applicant_unit": unit or None}), frozenset(), ""
    except Invalid as refusal:
        asks = frozenset(refusal.fields)
        return None, asks, "；".join(refusal.fields.values()) if asks & set(about) else ""
