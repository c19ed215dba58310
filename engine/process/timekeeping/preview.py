"""Before a publication: exactly which open deadlines and reminders it would move, from when to when, and for whom.

The same arithmetic as after it (`redating.recounted`), over copies of the rows that nobody writes. Cases that the change
cannot reach are not read at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day, start_of
from calendars.difference import first_difference
from calendars.edition import Edition
from calendars.notices import Notice
from engine.people.actor import Actor
from engine.people.permissions import powers
from engine.people.tables import Unit
from engine.process.editions import Known, edition_of, known
from engine.process.redating import Move, recounted
from engine.process.tables import Instance, Task, Timer
from engine.process.timekeeping.publishing import ProposalSheet, hypothetical
from engine.store.errors import Invalid, NotAllowed, Stale

#: Lines that a page shows; the numbers count all.
LINES = 200
_CASES = 500
_ROLES = {"deadline": "截止", "reminder": "提醒", "escalation": "升级", "timer": "定时"}


@dataclass(frozen=True, slots=True)
class Line:
    """One date that would move, or be kept."""

    instance_id: int
    number: str
    process_key: str
    activity: str
    role: str
    """In words."""
    units: str
    """The units whose open tasks hang on it."""
    from_day: date | None
    to_day: date | None
    computed_day: date | None
    kept: bool
    provisional: bool
    """Whether a notice that is still to come may move it again."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a notice would do to what is open now."""

    cases: int
    """Cases that it reaches."""
    later: int
    earlier: int
    kept: int
    settled: int
    """Deadlines that would no longer be provisional, their date unchanged."""
    by_unit: list[tuple[str, int]]
    lines: list[Line]

    @property
    def moved(self) -> int:
        """Deadlines whose date changes."""
        return self.later + self.earlier


def preview(session: Session, actor: Actor, notice: Notice, calendar: str | None, policy: str, *, lines: int | None = LINES) -> Preview:
    """What publishing the notice now would move. Costs three queries for each 500 cases that it reaches. Raises NotAllowed."""
    if not powers(actor) & {"edit_diagrams", "approve_diagrams"}:
        raise NotAllowed
    today = shanghai_day(session.info["store"].clock.now())
    now_known = known(session)
    then_known = hypothetical(now_known, notice, calendar, policy)
    counts: Counter[str] = Counter()
    by_unit: Counter[str] = Counter()
    found: list[Line] = []
    for instance, moves, tasks, names in _moves(session, now_known, then_known, today):
        counts["cases"] += 1
        units = "、".join(dict.fromkeys(names[task.unit_id] for task in tasks))
        for move in moves:
            kind = _kind(move)
            if move.timer.role == "deadline":
                counts[kind] += 1
                if kind != "settled":
                    by_unit.update({names[task.unit_id] for task in tasks})
            if kind != "settled" and (lines is None or len(found) < lines):
                found.append(Line(
                    instance.id, instance.number, instance.process_key, move.timer.activity_name, _ROLES.get(move.timer.role, "定时"), units,
                    move.from_day, move.timer.last_day, move.computed_day, move.kept,
                    move.timer.provisional,
                ))  # fmt: skip
    return Preview(counts["cases"], counts["later"], counts["earlier"], counts["kept"], counts["settled"], by_unit.most_common(), found)


def preview_of(session: Session, actor: Actor, sheet: ProposalSheet, *, lines: int | None = LINES) -> Preview:
    """What publishing a proposal would move. Raises Stale where it was decided already, Invalid where it cannot stand any more."""
    if sheet.state != "open":
        raise Stale("该日历变更已处理，请刷新")
    if sheet.complaints:
        raise Invalid(message="；".join(sheet.complaints))
    return preview(session, actor, sheet.notice, sheet.calendar, sheet.policy, lines=lines)


def _kind(move: Move) -> str:
    if move.kept:
        return "kept"
    if not move.moved:
        return "settled"
    return "later" if move.timer.due_at and move.from_at and move.timer.due_at > move.from_at else "earlier"


def _moves(
    session: Session, now_known: Known, then_known: Known, today: date
) -> Iterator[tuple[Instance, list[Move], list[Task], dict[int, str]]]:
    """Each case that would change, with what changes. The rows are read in pages and thrown away again."""
    names = {unit_id: short for unit_id, short in session.execute(select(Unit.id, Unit.short))}
    then: dict[str | None, Edition] = {}
    firsts = []
    for calendar in [None, *sorted(then_known.calendars)]:
        then[calendar] = edition_of(then_known, today, calendar)
        firsts.append(first_difference(edition_of(now_known, today, calendar), then[calendar]))
    first = min(filter(None, firsts), default=None)
    if first is None:
        return
    reached = list(session.scalars(
        select(Timer.instance_id).where(text("timer.state IN ('waiting', 'paused')"), Timer.edition.is_not(None), Timer.due_at > start_of(first))
        .distinct().order_by(Timer.instance_id)
    ))  # fmt: skip
    for at in range(0, len(reached), _CASES):
        page = reached[at : at + _CASES]
        instances = {row.id: row for row in session.scalars(select(Instance).where(Instance.id.in_(page)).order_by(Instance.id))}
        timers: dict[int, list[Timer]] = {}
        tasks: dict[int, list[Task]] = {}
        for timer in session.scalars(select(Timer).where(Timer.instance_id.in_(page), text("timer.state IN ('waiting', 'paused', 'fired')"))):
            timers.setdefault(timer.instance_id, []).append(timer)
        for task in session.scalars(select(Task).where(Task.instance_id.in_(page), Task.state == "open").order_by(Task.id)):
            tasks.setdefault(task.instance_id, []).append(task)
        session.expunge_all()  # what follows writes on the rows, and nobody shall keep it
        for instance_id, own in timers.items():
            waiting = [timer for timer in own if timer.state == "waiting" and timer.edition is not None]
            moves = recounted(waiting, own, lambda timer: then.get(timer.calendar, then[None]), then_known.policies)
            if moves:
                yield instances[instance_id], moves, tasks.get(instance_id, []), names
