"""What became of earlier cases about the same subject: the precedents 先例 that one looks at before deciding.

Two bounded queries, whatever the register holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from calendars.edition import Edition
from calendars.errors import CalendarError
from engine.people import permissions
from engine.people.actor import Actor
from engine.process.editions import edition_at
from engine.process.newest import newest_cases
from engine.process.sheets.seeing import now_of
from engine.process.tables import OPEN_STATES, Task

#: Cases shown, and cases looked at to find them (some of them are still open).
MOST, LOOKED_AT = 5, 25
#: Characters of an opinion that are shown.
GIST = 60


@dataclass(frozen=True, slots=True)
class Precedent:
    """An ended case about the same subject that the reader may see."""

    instance_id: int
    number: str
    title: str
    unit_name: str | None
    ended_at: datetime
    outcome: str
    """Empty for a case that was terminated."""
    working_days: int | None
    """From the day after it was received to the day on which it ended; None where the calendar does not reach so far."""
    gist: str
    """The beginning of the last opinion; empty where there is none, or the reader's posts read no opinions."""


def precedents(session: Session, actor: Actor, *, instance_id: int, subject_key: str | None) -> list[Precedent]:
    """The newest ended cases about `subject_key` that the actor may see, without the case `instance_id` itself."""
    if not subject_key:
        return []
    rows = newest_cases(session, actor, {"subject_key": subject_key}, own=False, most=LOOKED_AT)
    ended = [row for row in rows if row.state not in OPEN_STATES and row.ended_at and row.id != instance_id][:MOST]
    if not ended:
        return []
    gists = _gists(session, [row.id for row in ended]) if permissions.reads_opinions(actor) else {}
    edition = edition_at(session, now_of(session))
    return [
        Precedent(row.id, row.number, row.title, row.unit_name, row.ended_at, row.outcome_name or "",
                  _days(edition, row.started_at, row.ended_at), gists.get(row.id, ""))
        for row in ended
    ]  # fmt: skip


def _days(edition: Edition, begin: datetime, end: datetime) -> int | None:
    try:
        return edition.working_days_between(shanghai_day(begin), shanghai_day(end))
    except CalendarError:
        return None


def _gists(session: Session, cases: Iterable[int]) -> dict[int, str]:
    """The last opinion of each case, cut short."""
    query = (
        select(Task.instance_id, Task.opinion).where(Task.instance_id.in_(cases), Task.state == "done", Task.opinion != "")
        .order_by(Task.completed_at, Task.id)
    )  # fmt: skip
    return {case: said if len(said) <= GIST else said[:GIST] + "…" for case, said in session.execute(query) if said}
