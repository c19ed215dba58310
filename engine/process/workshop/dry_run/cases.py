"""The cases of a dry run as its page shows them: where their tokens stand, who would get which task, which clocks run and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from calendars.deadline import Explanation
from engine.people.permissions import Sight
from engine.process.case import Case
from engine.process.clocks import explain
from engine.process.definitions import Deployed
from engine.process.editions import edition_at
from engine.process.external_tasks import OF_ERROR
from engine.process.forms import FormDefinition, prefill
from engine.process.interpreter.expressions import names_in
from engine.process.interpreter.model import Waiting
from engine.process.sheets.case import CaseSheet, TaskView, sheet_of
from engine.process.step_forms import form_for, names_at
from engine.process.tables import ExternalTask, Instance, Task, Timer
from engine.process.workshop.dry_run.people import Person, people_of, person_of
from engine.store.store import Work

ROLES = {"deadline": "时限到期", "reminder": "临期提醒", "escalation": "逾期升级", "timer": "定时"}


@dataclass(frozen=True, slots=True)
class TimerShown:
    """A timer that waits or stands still."""

    id: int
    element: str
    activity: str
    role: str
    """What it is, in words."""
    rule: str
    """How it is reckoned, in words."""
    due_at: datetime | None
    """None while its clock stands."""
    last_day: date | None
    provisional: bool
    article: str | None
    explanation: Explanation | None
    """Every day counted and skipped; None where no working days are counted."""
    failed: bool
    """It fired and the diagram failed behind it: it will not be tried again."""


@dataclass(frozen=True, slots=True)
class TaskShown:
    """An open task, with its form as the officers would see it."""

    case: int
    step: str
    nth: int
    view: TaskView
    people: list[Person]
    """Who would find it in their inbox: the person that the diagram gives it to, else who holds the post now. Empty where nobody does."""
    in_person: bool
    """Whether the diagram gives it to that person; nobody else can do it then."""
    form: FormDefinition | None
    first_values: dict[str, Any]
    opinion_policy: str
    names: Mapping[str, Any]
    """The case's data, for the form's choices and conditions."""
    clock: TimerShown | None
    """The deadline that limits it."""


@dataclass(frozen=True, slots=True)
class TopicShown:
    """A step that waits for a worker outside; who walks the run plays it."""

    step: str
    nth: int
    name: str
    topic: str
    given: Mapping[str, Any]
    """What the worker is given."""
    wanted: list[str]
    """The variables of which the case takes something."""


@dataclass(frozen=True, slots=True)
class CaseShown:
    """A case of the run."""

    place: int
    """0 for the one that was started, then in the order in which they were opened."""
    sheet: CaseSheet
    drafted: bool
    """Whether it follows the draft; others follow the deployed version of their process."""
    tokens: Mapping[str, int]
    """Element → how many tokens wait at it."""
    tasks: list[TaskShown]
    timers: list[TimerShown]
    messages: list[str]
    """The messages that it waits for."""
    signals: list[str]
    """The signals that it waits for."""
    topics: list[TopicShown] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NextTimer:
    """The timer that fires next."""

    at: datetime
    activity: str
    role: str
    number: str
    """Of its case."""


def next_timer(session: Session, cases: Sequence[int]) -> NextTimer | None:
    """The first timer that waits in one of these cases."""
    row = session.execute(
        select(Timer, Instance.number).join(Instance, Instance.id == Timer.instance_id)
        .where(Timer.instance_id.in_(cases), Timer.state == "waiting", Timer.wake_at.is_not(None))
        .order_by(Timer.wake_at, Timer.id).limit(1)
    ).first()  # fmt: skip
    if row is None:
        return None
    timer, number = row
    assert timer.wake_at is not None  # as the query says
    return NextTimer(timer.wake_at, timer.activity_name, ROLES.get(timer.role, timer.role), number)


def shown_cases(work: Work, cases: Sequence[int], draft: int) -> Iterator[CaseShown]:
    """The cases with these ids, in that order; `draft` is the id that the draft has as a version in this run."""
    for place, case_id in enumerate(cases):
        instance = work.session.get_one(Instance, case_id, options=[undefer(Instance.saved)], populate_existing=True)
        yield _shown(work, instance, place, draft)


def _shown(work: Work, instance: Instance, place: int, draft: int) -> CaseShown:
    session = work.session
    case = Case(work, instance)
    waiting = case.machine.waiting() if instance.state == "running" else []
    sheet = sheet_of(session, instance, Sight.FULL)
    rows = session.scalars(
        select(Timer).where(Timer.instance_id == instance.id, Timer.state.in_(("waiting", "paused"))).order_by(Timer.id)
    )
    edition = edition_at(session, work.now)
    timers = [_timer(row, explain(row, edition)) for row in rows]
    timers.sort(key=lambda timer: (timer.due_at is None, timer.due_at, timer.id))
    return CaseShown(
        place=place, sheet=sheet, drafted=instance.definition_id == draft, tokens=dict(Counter(_standing(waiting))),
        tasks=list(_tasks(session, instance, case.definition, sheet, timers, place)), timers=timers,
        messages=sorted({token.message for token in waiting if token.message}),
        signals=sorted({token.signal for token in waiting if token.signal}), topics=list(_topics(session, case)),
    )  # fmt: skip


def _topics(session: Session, case: Case) -> Iterator[TopicShown]:
    if not any(step.topic for step in case.diagram_steps.values()):
        return
    rows = select(ExternalTask).where(ExternalTask.instance_id == case.instance.id, ExternalTask.state == "waiting")
    seen: Counter[str] = Counter()
    for row in session.scalars(rows.order_by(ExternalTask.id)):
        step = case.diagram_steps[row.step]
        takers = [step, *(event for event in case.diagram_steps.values() if event.attached_to == step.id)]
        wanted = {name for taker in takers for key, text in taker.properties.items() if key.startswith("out.") for name in names_in(text)} - OF_ERROR
        yield TopicShown(row.step, seen[row.step], step.name or row.step, row.topic, row.given, sorted(wanted))
        seen[row.step] += 1


def _standing(waiting: Iterable[Waiting]) -> Iterator[str]:
    """The elements at which tokens stand; an event on the edge of an activity is no place of its own."""
    for token in waiting:
        if token.activity is None:
            yield token.step


def _tasks(
    session: Session, instance: Instance, definition: Deployed, sheet: CaseSheet, timers: list[TimerShown], place: int
) -> Iterator[TaskShown]:
    rows = session.scalars(select(Task).where(Task.instance_id == instance.id, Task.state == "open").order_by(Task.id)).all()
    views = {view.id: view for view in sheet.tasks}
    clocks = {timer.id: timer for timer in timers}
    seen: Counter[str] = Counter()
    for row in rows:
        step = definition.diagram.steps[row.step]
        form, names = form_for(step, definition.forms), names_at(sheet.variables, row.local)
        view, own = views[row.id], person_of(session, row.assignee_id)
        yield TaskShown(
            case=place, step=row.step, nth=seen[row.step], view=view, people=own or people_of(session, row.unit_id, row.post),
            in_person=bool(own), form=form,
            first_values=prefill(form, names) if form else {},
            opinion_policy=step.properties.get("opinion", "optional"), names=names,
            clock=clocks.get(view.clock_id) if view.clock_id is not None else None,
        )  # fmt: skip
        seen[row.step] += 1


def _timer(row: Timer, explanation: Explanation | None) -> TimerShown:
    return TimerShown(
        id=row.id, element=row.element, activity=row.activity_name, role=ROLES.get(row.role, row.role), rule=rule_in_words(row.rule),
        due_at=row.due_at, last_day=row.last_day, provisional=row.provisional, article=row.rule.get("article"),
        explanation=explanation, failed=row.state == "waiting" and row.wake_at is None,
    )  # fmt: skip


def rule_in_words(rule: Mapping[str, Any]) -> str:
    """How a timer is reckoned: so many working days, before or after a deadline, on a date, after a time."""
    if "working_days" in rule:
        return f"{rule['working_days']}个工作日"
    if "before" in rule:
        return f"时限前{rule['before']}个工作日"
    if "after" in rule:
        return f"时限后{rule['after']}个工作日"
    if "calendar_date" in rule:
        return f"{rule['calendar_date']}到期"
    seconds = int(rule.get("seconds", 0))
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    parts = [f"{number}{unit}" for number, unit in ((days, "天"), (hours, "小时"), (minutes, "分钟"), (seconds % 60, "秒")) if number]
    return "".join(parts) + "后" if parts else "立即"
