"""What a removal 销毁 takes of a case and what it leaves; and the cases that must stay although their time has come.

Of the case there stays its row, as the line of the destruction list: number, process, version, unit, dates and outcome. What
was asked, answered, judged, attached and told is deleted. Registers of their own (grants, lists, the numbers of letters) stay.
Other rooms of the engine keep rows about cases that the kernel does not know: they add themselves here when they are imported.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, literal, or_, select
from sqlalchemy.orm import Session

from engine.history import History, HistoryRemoved, HistorySealItem, instance_stream
from engine.outbox import OutboxLetter
from engine.process.event_tables import Signal, SignalDelivery, Subscription
from engine.process.calendar_tables import RecountMove
from engine.process.desk.tables import Copy, TaskDraft
from engine.process.searching import search_text
from engine.process.tables import OPEN_STATES, Attachment, ExternalTask, Incident, Instance, Notice, Party, Task, Timer
from engine.process.workshop.tables import BackTestCase

#: What other rooms delete of a case; called in the transaction that removes it.
CLEARERS: list[Callable[[Session, int], None]] = []
#: Why a register needs a case whose time has come, in Chinese; None where it does not.
KEEPERS: list[Callable[[Session, int], str | None]] = []

#: Rows that go with their case, those first that name others of them.
_ROWS: tuple[Any, ...] = (Copy, RecountMove, Incident, Attachment, Notice, BackTestCase, ExternalTask, Subscription, SignalDelivery, Timer, Task, Party)

#: The session holds none of the rows that are deleted.
_BY_ITSELF = {"synchronize_session": False}

_entry, _item = History.__table__.c, HistorySealItem.__table__.c


def why_kept(session: Session, instance: Instance, now: datetime) -> str | None:
    """Why a case must not be removed now, in Chinese; None where it may be."""
    if instance.removed_at is not None:
        return "办件已销毁"
    if instance.state in OPEN_STATES or instance.ended_at is None:
        return "办件尚未办结"
    if instance.removal_at is None:
        return "办件永久保管"
    if instance.removal_at > now:
        return "办件保管期未满"
    relative = _kept_relative(session, instance, now)
    if relative is not None:
        return f"与仍须保管的办件{relative}关联"
    return next(filter(None, (keeper(session, instance.id) for keeper in KEEPERS)), None)


def _kept_relative(session: Session, instance: Instance, now: datetime) -> str | None:
    """The number of a case above, below or beside it that is under way or still to be kept: one is not understood without the other.

    One query for each generation.
    """
    known, fresh = {instance.id}, {instance.id}
    above = {instance.parent_id, instance.source_id}
    while fresh:
        rows = session.execute(
            select(Instance.id, Instance.number, Instance.ended_at, Instance.removal_at, Instance.removed_at, Instance.parent_id, Instance.source_id)
            .where(or_(Instance.id.in_(above - {None} - known), Instance.parent_id.in_(fresh)), Instance.id.not_in(known))
        ).all()  # fmt: skip
        for row in rows:
            if row.removed_at is None and (row.ended_at is None or row.removal_at is None or row.removal_at > now):
                return str(row.number)
        fresh = {row.id for row in rows}
        known |= fresh
        above = {each for row in rows for each in (row.parent_id, row.source_id)}
    return None


def is_sealed(session: Session, instance_id: int) -> bool:
    """Whether the whole history of a case is sealed: before that it is not removed. One query."""
    unsealed = select(_entry.id).where(_entry.stream == instance_stream(instance_id), ~exists().where(_item.history_id == _entry.id))
    return session.scalar(unsealed.limit(1)) is None


def bury(session: Session, instance_id: int, removal_id: int) -> int:
    """Puts tombstones in the place of the entries of a case; returns how many they were. The caller has the case locked."""
    own = _entry.stream == instance_stream(instance_id)
    graves = (
        select(_entry.id, _entry.stream, _entry.seq, _entry.prev_hash, _entry.hash, _item.seal_id, literal(removal_id))
        .join(HistorySealItem.__table__, _item.history_id == _entry.id).where(own)
    )
    columns = ["history_id", "stream", "seq", "prev_hash", "hash", "seal_id", "removal_id"]
    session.execute(insert(HistoryRemoved).from_select(columns, graves))
    buried = select(HistoryRemoved.history_id).where(HistoryRemoved.stream == instance_stream(instance_id))
    session.execute(delete(HistorySealItem).where(HistorySealItem.history_id.in_(buried)), execution_options=_BY_ITSELF)
    gone = session.execute(delete(History).where(History.stream == instance_stream(instance_id)).returning(History.id), execution_options=_BY_ITSELF)
    return len(gone.all())


def clear(session: Session, instance: Instance) -> list[str]:
    """Deletes what the case held and empties its row; returns the stored names of its files, which are deleted after the transaction."""
    case = instance.id
    for clearer in CLEARERS:
        clearer(session, case)
    tasks = select(Task.id).where(Task.instance_id == case)
    files = list(session.scalars(select(Attachment.stored).where(Attachment.instance_id == case)))
    paths = [f"/cases/{case}", *(f"/tasks/{task}" for task in session.scalars(tasks))]
    # Letters that arrived are forgotten anyway; the dead wait for an operator, perhaps for ever.
    dead = select(OutboxLetter.id, OutboxLetter.payload).where(OutboxLetter.state == "dead")
    letters = [letter for letter, payload in session.execute(dead) if str(payload.get("path", "")).partition("?")[0] in paths]
    session.execute(delete(OutboxLetter).where(OutboxLetter.id.in_(letters)), execution_options=_BY_ITSELF)
    session.execute(delete(TaskDraft).where(TaskDraft.task_id.in_(tasks)), execution_options=_BY_ITSELF)
    thrown = select(Signal.id).where(Signal.instance_id == case)
    session.execute(delete(SignalDelivery).where(SignalDelivery.signal_id.in_(thrown)), execution_options=_BY_ITSELF)
    session.execute(delete(Signal).where(Signal.instance_id == case), execution_options=_BY_ITSELF)
    for table in _ROWS:
        session.execute(delete(table).where(table.instance_id == case), execution_options=_BY_ITSELF)
    instance.title, instance.search, instance.business_key = "", search_text(instance.number), None
    instance.variables, instance.saved, instance.undo = {}, b"", None
    instance.subject_key = instance.starter_id = None
    instance.escalated = False
    return files
