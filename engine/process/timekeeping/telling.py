"""One digest for everybody whose open work a publication has moved: what changed, from when to when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import date

from sqlalchemy import select

from engine.people.tables import Account, Appointment
from engine.process.calendar_tables import Recount, RecountMove
from engine.process.notices import notify_person
from engine.process.notifying.restricting import restricted_of
from engine.process.tables import Timer
from engine.store.store import Work

#: Lines of a digest; the page of the publication has the rest.
LINES = 30


def tell_everybody(work: Work, run: Recount) -> int:
    """Sends the digests of a publication; returns how many people got one. Whoever has claimed the task, else all of the post."""
    moves = work.session.scalars(select(RecountMove).where(RecountMove.recount_id == run.id).order_by(RecountMove.to_day, RecountMove.id)).all()
    doubtful = set(work.session.scalars(
        select(RecountMove.id).join(Timer, Timer.id == RecountMove.timer_id).where(RecountMove.recount_id == run.id, Timer.provisional)
    ))
    concerned: dict[int, list[RecountMove]] = {}
    holders = _holders(work, {(move.unit_id, move.post) for move in moves if move.unit_id is not None and move.assignee_id is None})
    for move in moves:
        people = [move.assignee_id] if move.assignee_id is not None else holders.get((move.unit_id, move.post), [])
        for account_id in people:
            concerned.setdefault(account_id, []).append(move)
    restricted = restricted_of(work.session, {move.instance_id for move in moves})
    for account_id, own in concerned.items():
        telling = [move for move in own if move.instance_id not in restricted]
        notify_person(
            work, account_id, kind="calendar", title=f"日历更新：{len(own)}项待办的截止日有变化", text=_text(run, own, doubtful),
            outside=_text(run, telling, doubtful, left_out=len(own) - len(telling)) if len(telling) < len(own) else None,
        )  # fmt: skip
    return len(concerned)


def _holders(work: Work, posts: Iterable[tuple[int | None, str | None]]) -> dict[tuple[int | None, str | None], list[int]]:
    """The active holders of posts. One query."""
    wanted = set(posts)
    if not wanted:
        return {}
    rows = work.session.execute(
        select(Appointment.unit_id, Appointment.post, Appointment.account_id).join(Account, Account.id == Appointment.account_id)
        .where(Account.active, Appointment.unit_id.in_({unit for unit, _ in wanted})).order_by(Appointment.account_id)
    )
    found: dict[tuple[int | None, str | None], list[int]] = {}
    for unit_id, post, account_id in rows:
        if (unit_id, post) in wanted:
            found.setdefault((unit_id, post), []).append(account_id)
    return found


def _text(run: Recount, moves: list[RecountMove], doubtful: Set[int], *, left_out: int = 0) -> str:
    """What changed, a line each. `left_out` are those of which nothing may leave but that they are there."""
    lines = [f"依据{run.cause}，下列待办的截止日重新推算："]
    for move in moves[:LINES]:
        now = _day(move.to_day) + ("（暂定）" if move.id in doubtful else "")
        if move.from_day == move.to_day:
            lines.append(f"{move.number}“{move.activity}”：保留原截止日{now}（按新日历为{_day(move.computed_day)}）")
        else:
            lines.append(f"{move.number}“{move.activity}”：{_day(move.from_day)} → {now}")
    if len(moves) > LINES:
        lines.append(f"另有{len(moves) - LINES}项，请在待办中查看。")
    if left_out:
        lines.append(f"另有{left_out}项，请登录系统查看。")
    return "\n".join(lines)


def _day(value: date | None) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if value else "暂停计时"
