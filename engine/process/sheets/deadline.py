"""The deadlines of a case as its pages show them, and the page of one: why it falls where it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars.deadline import Explanation
from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.clocks import explain, kept_day, set_by_hand
from engine.process.editions import edition_at, edition_named
from engine.process.lights import Light, days_left, light_of, passed
from engine.process.sheets.seeing import find_instance, now_of, require_sight
from engine.process.tables import Instance, Timer
from engine.store.errors import NotFound


@dataclass(frozen=True, slots=True)
class ClockView:
    """A deadline of the case, running, stopped, met or missed."""

    timer_id: int
    activity: str
    state: str
    started_at: datetime
    due_at: datetime | None
    last_day: date | None
    working_days: int | None
    working_days_left: int | None
    light: Light
    provisional: bool
    statutory: bool
    article: str | None
    fired_at: datetime | None
    explainable: bool
    by_hand: bool
    """Its date was set by hand; the days that the calendar counts do not decide it."""


@dataclass(frozen=True, slots=True)
class DeadlineSheet:
    """A deadline with every counted and skipped day."""

    clock: ClockView
    instance_id: int
    number: str
    explanation: Explanation | None
    edition_title: str
    statutory_max: int | None
    kept_day: date | None
    """The last day that counts although the calendar gives an earlier one since."""
    set_by: str | None
    """Who set the date by hand, where somebody did: the days show what the calendar would give."""
    set_at: datetime | None


def deadline_sheet(session: Session, actor: Actor, timer_id: int) -> DeadlineSheet:
    """Why a deadline falls where it does. Raises NotFound, NotAllowed."""
    timer = session.get(Timer, timer_id)
    if timer is None:
        raise NotFound("没有找到该时限")
    instance = find_instance(session, timer.instance_id)
    require_sight(session, actor, instance)
    edition = edition_named(session, timer.edition, timer.calendar) or edition_at(session, now_of(session), timer.calendar)
    explanation, kept = explain(timer, edition), kept_day(timer)
    earlier = explanation is not None and explanation.deadline.last_day is not None and kept is not None and explanation.deadline.last_day < kept
    by_hand = set_by_hand(timer)
    who = session.scalar(select(Account.name).where(Account.id == by_hand.by)) if by_hand else None
    return DeadlineSheet(
        clock_view(timer, now_of(session), edition_at(session, now_of(session), timer.calendar)), instance.id, instance.number, explanation, edition.title,
        timer.rule.get("statutory_max"), kept if earlier and by_hand is None else None, (who or "系统") if by_hand else None, by_hand.when if by_hand else None,
    )


def clocks_of(session: Session, instance: Instance) -> list[tuple[Timer, ClockView]]:
    now = now_of(session)
    rows = session.scalars(
        select(Timer).where(Timer.instance_id == instance.id, Timer.role == "deadline").order_by(Timer.id)
    ).all()
    return [(timer, clock_view(timer, now, edition_at(session, now, timer.calendar))) for timer in rows]


def clock_view(timer: Timer, now: datetime, edition: Any) -> ClockView:
    live = timer.state in ("waiting", "paused")
    return ClockView(
        timer_id=timer.id, activity=timer.activity_name, state=timer.state, started_at=timer.started_at, due_at=timer.due_at,
        last_day=timer.last_day, working_days=timer.rule.get("working_days"),
        working_days_left=days_left(now, timer.last_day, edition) if live else None,
        light=light_of(now, due_at=timer.due_at, warn_at=None, paused=timer.state == "paused", open_=live,
                       late=timer.fired_at is not None),
        # What was kept or missed is settled, whatever the calendar says later.
        provisional=timer.provisional and live and not passed(now, timer.due_at), statutory="statutory_max" in timer.rule, article=timer.rule.get("article"),
        fired_at=timer.fired_at, explainable="working_days" in timer.rule, by_hand=set_by_hand(timer) is not None,
    )
