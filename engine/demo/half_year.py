"""The demo town's past half year, lived through the engine: every case was asked for, claimed, answered and late for real.

`half_year.json` tells who asks for what and how each step answers, in working days before today. Here the clock is moved
from one act to the next, timers fire when they are due, and people do what their posts allow; no row is ever inserted.
The same file and the same day give the same town.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from calendars.deadline import SHANGHAI, shanghai_day
from calendars.edition import Edition
from engine.people.accounts import holders
from engine.people.actor import Actor, load_actor
from engine.people.units import unit_id_of
from engine.process.definitions import in_force
from engine.process.editions import edition_at
from engine.process.forms import prefill
from engine.process.instances import find_subject, start_form, start_instance
from engine.process.operations import SUBJECTS
from engine.process.sheets.task import task_sheet
from engine.process.tables import Instance, Task, Timer
from engine.process.tasks import claim_task, complete_task
from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from engine.store.store import Origin, Store

#: One of the stories of `half_year.json`.
Story = Mapping[str, Any]

#: The process of a story that does not say which.
PROCESS = "conditional_share"
#: Where the acts of the demo seem to come from.
DESK = Origin("127.0.0.1", "demo")

_ACT = re.compile(r"(?P<step>[a-z]+)\+(?P<days>\d+)(?::(?P<answer>\w+))?(?P<claim>!)?")
_SAY = re.compile(r"\{(\w+)\}")


class StoryError(Exception):
    """A story that the engine does not go along with; the message says which and where."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody does: `step` of a story at `at`; `start` is the asking itself."""

    at: datetime
    story: int
    step: str
    answer: str
    claim_only: bool


@cache
def script() -> Mapping[str, Any]:
    """The half year as written in its file; not to be changed."""
    data: Mapping[str, Any] = json.loads(Path(__file__).with_name("half_year.json").read_text(encoding="utf-8"))
    return data


def first_day(session: Session, today: date, now: datetime) -> date:
    """The day on which the first story begins."""
    edition = edition_at(session, now)
    longest = max(story["ago"] for story in script()["stories"])
    return edition.nth_working_day_before(edition.working_day_until(today), longest)


def live_half_year(
    store: Store, clock: MovableClock, until: datetime, stories: Sequence[Story] | None = None
) -> list[int]:
    """Lives the stories (those of the script) up to `until`; returns their cases. `clock` is the store's, before them all.

    Raises StoryError where a step of a story is not there to be done, or nobody may do it, and what the engine refuses.
    """
    if stories is None:
        stories = script()["stories"]
    with store.read() as session:
        edition = edition_at(session, until)
    chance = Random(script()["seed"])
    acts = sorted(
        (act for number, story in enumerate(stories) for act in _acts(number, story, edition, until, chance)),
        key=lambda act: (act.at, act.story),
    )
    people = _People(store)
    cases: dict[int, int] = {}
    for act in acts:
        if act.at > until:
            break
        let_pass(store, clock, act.at)
        story = stories[act.story]
        if act.step == "start":
            if "process" in story:
                cases[act.story] = _start_as_told(store, people, story, chance, edition)
            else:
                cases[act.story] = _start(store, people, story)
        else:
            _work(store, clock, people, cases[act.story], story, act, chance, edition)
    let_pass(store, clock, until)
    return list(cases.values())


def let_pass(store: Store, clock: MovableClock, until: datetime) -> None:
    """Moves the clock to `until`, stopping wherever a timer is due, as if a worker had been awake all the time."""
    while True:
        with store.read() as session:
            due = select(Timer.wake_at).where(Timer.state == "waiting", Timer.wake_at <= until)
            wake = session.scalar(due.order_by(Timer.wake_at).limit(1))
        if wake is None:
            break
        clock.to(max(wake, clock.now()))
        fire_due(store)
    clock.to(max(until, clock.now()))


def _acts(number: int, story: Story, edition: Edition, until: datetime, chance: Random) -> Iterator[Act]:
    """The acts of a story with their times: in office hours, each after the one before it."""
    day = edition.nth_working_day_before(edition.working_day_until(shanghai_day(until)), story["ago"])
    at = _office_time(day, chance)
    yield Act(at, number, "start", "", False)
    for text in story["then"].split():
        found = _ACT.fullmatch(text)
        if found is None:
            raise StoryError(f"story {number}: {text!r} is no act")
        days = int(found["days"])
        at += timedelta(minutes=chance.randint(15, 55))
        if days:
            at = _office_time(edition.nth_working_day_after(shanghai_day(at), days), chance)
        yield Act(at, number, found["step"], found["answer"] or "", bool(found["claim"]))


def _office_time(day: date, chance: Random) -> datetime:
    """Some minute of the morning or the early afternoon of a day."""
    opens = chance.choice((time(8, 35), time(13, 5)))
    return datetime.combine(day, opens, SHANGHAI) + timedelta(minutes=chance.randint(0, 130))


class _People:
    """Who holds which post, found once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[tuple[int, str], list[Actor]] = {}

    def holding(self, unit_id: int, post: str) -> list[Actor]:
        if (unit_id, post) not in self._known:
            with self.store.read() as session:
                found = [load_actor(session, holder.account_id) for holder in holders(session, unit_id, post)]
            self._known[unit_id, post] = [actor for actor in found if actor is not None]
        return self._known[unit_id, post]


def _start(store: Store, people: _People, story: Story) -> int:
    """The handler of the unit fills in the application, taking what the form offers."""
    unit = script()["units"][story["applicant"]]
    with store.read() as session:
        (actor, *_) = people.holding(unit_id_of(session, story["applicant"]), "handler")
        form = start_form(in_force(session, PROCESS, store.clock.now())) or {}
        subject = SUBJECTS["resource"](session, {"resource_code": story["resource"]})
    in_a_year = shanghai_day(store.clock.now()) + timedelta(days=365)
    answers = {
        **prefill(form, subject.variables),
        "requested_fields": subject.variables["resource"]["items"],
        "basis": unit["basis"],
        "scenario": story["scenario"],
        "use": story["use"],
        "scope": unit["scope"],
        "frequency": "每日",
        "volume": 200,
        "valid_until": in_a_year.isoformat(),
        "system": unit["system"],
        "safety_officer": unit["officer"],
        "safety_phone": "0419-0000000",
        "promise_no_secrets": True,
        "promise_security": True,
        "promise_no_third_party": True,
    }
    return start_instance(
        store, PROCESS, actor=actor, answers=answers, variables={"resource_code": story["resource"]}, origin=DESK
    )


def _start_as_told(store: Store, people: _People, story: Story, chance: Random, edition: Edition) -> int:
    """Who holds the story's post in the unit (a handler unless it says otherwise) starts its process as it says."""
    named = {"resource_code": story["resource"]} if "resource" in story else {}
    with store.read() as session:
        (actor, *_) = people.holding(unit_id_of(session, story["applicant"]), story.get("post", "handler"))
        definition = in_force(session, story["process"], store.clock.now())
        subject = find_subject(session, definition, {**named, "applicant_unit": story["applicant"]})
        offered = prefill(start_form(definition) or {}, subject.variables if subject else {})
    given = _said(story["start"], story.get("say", {}), chance, edition, shanghai_day(store.clock.now()))
    return start_instance(store, story["process"], actor=actor, answers={**offered, **given}, variables=named, origin=DESK)


def _work(
    store: Store, clock: MovableClock, people: _People, case: int, story: Story, act: Act, chance: Random,
    edition: Edition,
) -> None:  # fmt: skip
    """Somebody who may claims the task of this step and, unless it is left at that, completes it."""
    with store.read() as session:
        task = _open_task(session, case, script()["steps"][act.step])
    if task is None:
        raise StoryError(f"“{story['scenario']}”: no open task for {act.step} on {act.at}")
    able = people.holding(task.unit_id, task.post)
    if not able:
        raise StoryError(f"“{story['scenario']}”: nobody holds {task.post} of {act.step}")
    actor = able[0]
    claim_task(store, task.id, actor=actor, origin=DESK)
    if act.claim_only:
        return
    let_pass(store, clock, act.at + timedelta(minutes=chance.randint(2, 12)))
    with store.read() as session:
        first_values = task_sheet(session, actor, task.id).first_values
    given = _said(script()["answers"][act.step][act.answer], story.get("say", {}), chance, edition, shanghai_day(act.at))
    opinion = given.pop("opinion", "")
    complete_task(store, task.id, actor=actor, answers={**first_values, **given}, opinion=opinion, origin=DESK)


def _open_task(session: Session, case: int, steps: list[str]) -> Task | None:
    """The open task of one of these steps, in the case or in what it started."""
    family = {case}
    while True:
        related = or_(Instance.parent_id.in_(family), Instance.source_id.in_(family))
        more = set(session.scalars(select(Instance.id).where(related))) - family
        if not more:
            break
        family |= more
    query = select(Task).where(Task.instance_id.in_(family), Task.state == "open", Task.step.in_(steps)).order_by(Task.id)
    return session.scalars(query).first()


def _said(
    answer: Mapping[str, Any], say: Mapping[str, str], chance: Random, edition: Edition, today: date
) -> dict[str, Any]:
    """An answer with the story's own words in it, one of several opinions, and days counted from today."""
    said: dict[str, Any] = {}
    for key, value in answer.items():
        if key == "opinion" and isinstance(value, list):
            value = chance.choice(value)
        elif key == "supply_description":
            value = chance.choice(value)
        if isinstance(value, str):
            if value.startswith("day+"):
                value = edition.nth_working_day_after(today, int(value.removeprefix("day+"))).isoformat()
            else:
                value = _SAY.sub(lambda found: say.get(found[1], ""), value)
        if value not in ("", None):
            said[key] = value
    return said
