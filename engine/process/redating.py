"""Open deadlines under a new edition of the calendar: which of them move, and by which notice.

One rule, wherever a case comes along (a person completes something, a timer is due, the worker goes through all cases after a
publication): clocks that were counted with an older edition are counted again before anything else happens to the case. So a
notice that moves a deadline wins over the deadline, however late the worker comes.

A deadline that would fall earlier keeps its last day unless the publication says otherwise (`policy`): what people were told
they have, they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from calendars.edition import Edition
from engine.process.calendar_tables import Recount, RecountMove
from engine.process.case import Case
from engine.process.clocks import Due, due_of
from engine.process.editions import known
from engine.process.interpreter.model import Waiting
from engine.process.projection import Docket, date_tasks, edition_for
from engine.process.tables import Timer
from engine.store.store import Work


@dataclass(frozen=True, slots=True)
class Move:
    """What a new edition did to one timer of a case."""

    timer: Timer
    from_at: datetime | None
    from_day: date | None
    was_provisional: bool
    computed_day: date | None
    """The last day that the calendar gives; earlier than the timer's where that was kept."""

    @property
    def moved(self) -> bool:
        return self.timer.due_at != self.from_at

    @property
    def kept(self) -> bool:
        """It would have fallen earlier, and was left where it was."""
        return not self.moved and self.computed_day != self.timer.last_day


def is_stale(case: Docket, timer: Timer) -> bool:
    """Whether a running timer was counted with another edition than today's."""
    return timer.state == "waiting" and timer.edition is not None and timer.edition != edition_for(case, timer).id


def redate(case: Docket, policies: Mapping[str, str]) -> tuple[list[Move], Mapping[str, Waiting]]:
    """Counts the stale clocks of a case again and dates its tasks; returns what changed for deadlines, settled ones included.

    With it what waits in the case, by token. Both are empty where no date changes; only then the interpreter is asked.
    """
    stale = [timer for timer in case.timers if is_stale(case, timer)]
    moves = recounted(stale, case.timers, lambda timer: edition_for(case, timer), policies) if stale else []
    if not moves:
        return [], {}
    waiting = _waiting(case)
    date_tasks(case, waiting, {move.timer.activity or move.timer.token for move in moves})
    return [move for move in moves if move.timer.role == "deadline"], waiting


def _waiting(case: Docket) -> Mapping[str, Waiting]:
    """What waits in the case, by token. Where every clock sits on a task itself, the tasks say it without the interpreter."""
    if all((timer.activity or timer.token) in case.tasks for timer in case.timers if timer.role in ("deadline", "reminder")):
        return {token: Waiting(token, task.step, "task") for token, task in case.tasks.items()}
    return {token.token: token for token in case.machine.waiting()}


def recounted(
    stale: Iterable[Timer], all_timers: Iterable[Timer], edition_of: Callable[[Timer], Edition], policies: Mapping[str, str]
) -> list[Move]:
    """Counts timers of one case again, deadlines first; returns those whose date or standing (暂定) changed or was kept."""
    deadlines = {timer.activity or timer.token: timer for timer in all_timers if timer.role == "deadline"}
    moves = []
    for timer in sorted(stale, key=lambda timer: timer.role != "deadline"):
        edition = edition_of(timer)
        due = due_of(timer, deadlines.get(timer.activity or timer.token), edition)
        computed = due.last_day
        if due.at is not None and timer.due_at is not None and due.at < timer.due_at and _keeps(timer, edition, policies):
            assert timer.last_day is not None
            timer.rule = {**timer.rule, "kept_day": timer.last_day.isoformat()}
            due = Due(timer.due_at, timer.last_day, due.provisional, due.edition)
        move = Move(timer, timer.due_at, timer.last_day, timer.provisional, computed)
        if timer.due_at != due.at and timer.wake_at is not None:
            timer.wake_at = due.at
        timer.due_at, timer.last_day, timer.provisional, timer.edition = due.at, due.last_day, due.provisional, due.edition
        if move.moved or move.kept or move.was_provisional != timer.provisional:
            moves.append(move)
    return moves


def _keeps(timer: Timer, edition: Edition, policies: Mapping[str, str]) -> bool:
    """Whether an earlier date is not taken: for what counts working days itself; reminders follow their deadline."""
    if "working_days" not in timer.rule or timer.last_day is None:
        return False
    return policies.get(cause_of(edition, policies), "keep") == "keep"


def cause_of(edition: Edition, policies: Mapping[str, str]) -> str:
    """The number of the notice by which an edition came to be, for the record: the one that came in last.

    Not the one published last: a notice may be read in days after its publication, when a later order stands already.
    """
    numbers = {notice.doc for notice in (*edition.notices, *edition.local)}
    return next((doc for doc in reversed(list(policies)) if doc in numbers), edition.id)


# -- a case that is at hand --------------------------------------------------------------------


def bring_up_to_date(case: Case, keep: list[dict[str, Any]] | None = None) -> None:
    """Counts the stale clocks of an open case again, and puts what moved on record; nothing where none is stale.

    What a running publication shall tell people is written at once, or added to `keep` for whoever writes many cases.
    """
    policies = known(case.work.session).policies
    moves, waiting = redate(case, policies)
    if not moves:
        return
    case.record("redated", cause=cause_of(edition_for(case, moves[0].timer), policies), deadlines=[_told(move) for move in moves])
    rows = _rows(case, [move for move in moves if move.moved or move.kept], waiting)
    if keep is not None:
        keep += rows
    else:
        write_moves(case.work, rows)


def write_moves(work: Work, rows: list[dict[str, Any]]) -> None:
    """Adds to the list of what a publication moved. One statement."""
    if rows:
        work.session.execute(_INSERT, rows)


_INSERT = insert(RecountMove.__table__)  # type: ignore[arg-type]


def _told(move: Move) -> dict[str, Any]:
    """A move as the history keeps it."""
    timer = move.timer
    told = {
        "activity": timer.activity_name, "from": move.from_at.isoformat() if move.from_at else None,
        "to": timer.due_at.isoformat() if timer.due_at else None, "provisional": timer.provisional, "edition": timer.edition,
    }  # fmt: skip
    return {**told, "kept": True, "computed_day": move.computed_day.isoformat() if move.computed_day else None} if move.kept else told


def _rows(case: Case, moves: Sequence[Move], waiting: Mapping[str, Waiting]) -> list[dict[str, Any]]:
    """The moves for the publication that is being worked through, so that people get one digest of all; none where none is."""
    work, running, rows = case.work, _running(case.work), []
    if running is None:
        return []
    for move in moves:
        home = move.timer.activity or move.timer.token
        inside = [case.tasks[token] for token, found in waiting.items() if token in case.tasks and home in (token, *found.path)]
        task = min(inside, key=lambda task: task.id, default=None)
        rows.append({
            "recount_id": running, "instance_id": case.instance.id, "number": case.instance.number, "timer_id": move.timer.id,
            "activity": move.timer.activity_name, "unit_id": task.unit_id if task else None, "post": task.post if task else None,
            "assignee_id": task.assignee_id if task else None, "from_day": move.from_day, "to_day": move.timer.last_day,
            "computed_day": move.computed_day, "moved_at": work.now,
        })  # fmt: skip
    return rows


def _running(work: Work) -> int | None:
    """The publication that is being worked through, asked once in a transaction."""
    if "recount" not in work.notes:
        work.notes["recount"] = work.session.scalar(select(Recount.id).where(Recount.state == "counting").order_by(Recount.id.desc()).limit(1))
    found: int | None = work.notes["recount"]
    return found
