"""What a unit did in a period, in figures: read from the system's own history, so that nobody types what is known.

`read_rows` fetches, `figures_of` counts and is a pure function of the rows. The same figures stand in reports and
feed the yearly evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from calendars.deadline import end_of, shanghai_day, start_of
from calendars.edition import Edition
from engine.process.tables import Instance, Task, Timer
from engine.sharing.catalogue import Resource, ResourceVersion
from engine.sharing.documents import Document
from engine.sharing.grants import Grant
from engine.sharing.supervision import SupervisionCase

#: Key → what it counts, in the order in which reports list them.
LABELS: Mapping[str, str] = {
    "items": "目录内信息资源（项）",
    "updates": "期内更新（次）",
    "updates_on_time": "其中按时更新（次）",
    "requests": "收到共享申请（件）",
    "replies": "已答复（件）",
    "reply_days": "平均答复用时（工作日）",
    "refusals": "其中不予共享（件）",
    "requested": "提出共享申请（件）",
    "grants": "新获共享授权（项）",
    "overdue": "逾期督办（件）",
    "corrections": "收到数据校核（件）",
    "corrections_done": "其中已办结（件）",
}

#: Letters by which a provider answers a request, and of these the one that refuses.
REPLIES, REFUSAL = ("reply_letter", "refusal_letter"), "refusal_letter"
REQUEST, CORRECTION = "conditional_share", "data_correction"


@dataclass(frozen=True, slots=True)
class Update:
    """A version of a resource that came into force in the period; `late` where a task of its case was."""

    late: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request: when the request reached the provider, when the letter was issued."""

    received_at: datetime
    issued_at: datetime
    refused: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """All that the figures of a unit and period are counted from."""

    items: int
    updates: tuple[Update, ...]
    requests: int
    replies: tuple[Reply, ...]
    requested: int
    grants: int
    overdue: int
    corrections: int
    corrections_done: int


def figures_of(rows: Rows, edition: Edition) -> dict[str, float]:
    """The figures under the keys of LABELS. `reply_days` is 0 where nothing was answered."""
    return {
        "items": rows.items,
        "updates": len(rows.updates),
        "updates_on_time": sum(not update.late for update in rows.updates),
        "requests": rows.requests,
        "replies": len(rows.replies),
        "reply_days": _average(_working_days(reply, edition) for reply in rows.replies),
        "refusals": sum(reply.refused for reply in rows.replies),
        "requested": rows.requested,
        "grants": rows.grants,
        "overdue": rows.overdue,
        "corrections": rows.corrections,
        "corrections_done": rows.corrections_done,
    }


def in_words(figures: Mapping[str, float]) -> str:
    """One line for each figure, in the order of LABELS."""
    return "\n".join(f"{label}：{figures[key]:g}" for key, label in LABELS.items() if key in figures)


def _working_days(reply: Reply, edition: Edition) -> int:
    """The day of receipt is not counted, the day of the answer is."""
    return edition.working_days_between(shanghai_day(reply.received_at), shanghai_day(reply.issued_at))


def _average(values: Iterable[int]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 1) if found else 0


def read_rows(session: Session, unit_id: int | None, first: date, last: date) -> Rows:
    """The rows of one unit, or of all where `unit_id` is None, from the first day to the last, both included (Shanghai).

    None in a dry run: who only edits diagrams is not told what units did in real cases.
    """
    if getattr(session.info.get("store"), "rehearsing", False):
        return Rows(0, (), 0, (), 0, 0, 0, 0, 0)
    start, end = start_of(first), end_of(last)
    own = Resource.provider_id == unit_id if unit_id is not None else true()
    resources = select(Resource.code).where(own)
    items = select(func.count()).select_from(Resource).where(own, Resource.state != "withdrawn")
    overdue = select(func.count()).select_from(SupervisionCase).where(
        SupervisionCase.opened_at >= start, SupervisionCase.opened_at < end,
        SupervisionCase.unit_id == unit_id if unit_id is not None else true(),
    )  # fmt: skip
    granted = select(func.count()).select_from(Grant).where(
        Grant.granted_at >= start, Grant.granted_at < end, Grant.unit_id == unit_id if unit_id is not None else true()
    )
    about_ours = Instance.subject_key.in_(resources)
    by_us = Instance.unit_id == unit_id if unit_id is not None else true()
    return Rows(
        items=session.scalar(items) or 0,
        updates=_updates(session, own, start, end),
        requests=_started(session, REQUEST, about_ours, start, end),
        replies=_replies(session, about_ours, start, end),
        requested=_started(session, REQUEST, by_us, start, end),
        grants=session.scalar(granted) or 0,
        overdue=session.scalar(overdue) or 0,
        corrections=_started(session, CORRECTION, about_ours, start, end),
        corrections_done=_started(session, CORRECTION, about_ours & (Instance.state == "completed"), start, end),
    )


def _started(session: Session, process: str, which: ColumnElement[bool], start: datetime, end: datetime) -> int:
    query = select(func.count()).select_from(Instance).where(
        Instance.process_key == process, which, Instance.started_at >= start, Instance.started_at < end
    )
    return session.scalar(query) or 0


def _updates(session: Session, own: ColumnElement[bool], start: datetime, end: datetime) -> tuple[Update, ...]:
    late = select(Task.id).where(Task.instance_id == ResourceVersion.instance_id, Task.late).exists()
    query = (
        select(late)
        .select_from(ResourceVersion)
        .join(Resource, Resource.id == ResourceVersion.resource_id)
        .where(own, ResourceVersion.version > 1, ResourceVersion.changed_at >= start, ResourceVersion.changed_at < end)
    )
    return tuple(Update(bool(was_late)) for was_late in session.scalars(query))


def _replies(session: Session, about_ours: ColumnElement[bool], start: datetime, end: datetime) -> tuple[Reply, ...]:
    """The first answer of each request; it was received when the clock of the reply began, or else when it was asked."""
    clock = (
        select(func.min(Timer.started_at))
        .where(Timer.instance_id == Document.instance_id, Timer.role == "deadline", Timer.kind == "machine")
        .scalar_subquery()
    )
    query = (
        select(Document.instance_id, clock, Instance.started_at, Document.issued_at, Document.kind)
        .join(Instance, Instance.id == Document.instance_id)
        .where(about_ours, Document.kind.in_(REPLIES), Document.issued_at >= start, Document.issued_at < end)
        .order_by(Document.id)
    )
    found: dict[int, Reply] = {}
    for instance_id, received, asked, issued, kind in session.execute(query):
        found.setdefault(instance_id, Reply(received or asked, issued, kind == REFUSAL))
    return tuple(found.values())
