"""The register of supervision cases 督办: what was late, whose it was, how far it was raised, when it was closed.

Rows are opened, raised and closed by the supervision process alone, which a missed deadline starts by itself. They date
from when the deadline passed, not from when a worker noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, func, or_, select, true
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.paging import PAGE, Page, make_page
from engine.process.rows import next_number
from engine.process.tables import Instance
from engine.sharing.lists import capped, id_after
from engine.sharing.sight import Sight, sight_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id

#: From the mildest up, after the practice of three-coloured supervision slips.
LEVELS: Mapping[str, str] = {"blue": "蓝色", "orange": "橙色", "red": "红色"}

_Source = aliased(Instance)


class SupervisionCase(Base):
    """A supervision case 督办件. Its process instance holds at most one."""

    __tablename__ = "supervision_case"
    __table_args__ = (Index(None, "source_id", "id"), Index(None, "unit_id", "id"))

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(64), unique=True)
    level: Mapped[str] = mapped_column(String(16))
    """blue · orange · red"""
    source_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    """The case in which a deadline was missed."""
    source_step: Mapped[str] = mapped_column(String(128))
    """What was late there: an element id of its diagram."""
    source_step_name: Mapped[str] = mapped_column(String(200))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    """The unit that was late."""
    opened_at: Mapped[datetime]
    raised_at: Mapped[datetime | None]
    """When it last went up a level."""
    closed_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)
    """The supervision process itself."""


@dataclass(frozen=True, slots=True)
class SupervisionLine:
    """A supervision case in a list, with the case that it watches over."""

    id: int
    number: str
    level: str
    level_label: str
    unit_code: str
    unit_name: str
    source_id: int
    source_number: str
    source_title: str
    source_step_name: str
    opened_at: datetime
    raised_at: datetime | None
    closed_at: datetime | None
    instance_id: int

    @property
    def open(self) -> bool:
        return self.closed_at is None


def search(
    session: Session,
    actor: Actor,
    *,
    open_only: bool = False,
    level: str | None = None,
    unit: str | None = None,
    source_id: int | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[SupervisionLine]:
    """The supervision cases that the reader may see, newest first: all for the office, otherwise their own units'."""
    query = (
        select(SupervisionCase, Unit, _Source.number, _Source.title)
        .join(Unit, Unit.id == SupervisionCase.unit_id)
        .join(_Source, _Source.id == SupervisionCase.source_id)
        .where(_visible(sight_of(actor)))
    )
    if open_only:
        query = query.where(SupervisionCase.closed_at.is_(None))
    for column, value in ((SupervisionCase.level, level), (Unit.code, unit), (SupervisionCase.source_id, source_id)):
        if value:
            query = query.where(column == value)
    if after:
        query = query.where(SupervisionCase.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(SupervisionCase.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: str(row[0].id))


def open_counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many open supervision cases of each level the reader may see; levels with none are there with 0."""
    query = (
        select(SupervisionCase.level, func.count())
        .where(SupervisionCase.closed_at.is_(None), _visible(sight_of(actor)))
        .group_by(SupervisionCase.level)
    )
    return dict.fromkeys(LEVELS, 0) | {level: count for level, count in session.execute(query)}


@operation(
    "sharing.open_supervision",
    parameters={
        "source_instance": "id of the case in which a deadline was missed",
        "source_step": "element id of what was late",
        "source_step_name": "its name; may be empty",
        "unit": "code of the unit that was late",
        "level": "blue | orange | red; blue where empty",
    },
)
def open_supervision(
    call: Call,
    *,
    source_instance: Any,
    source_step: str,
    unit: str,
    level: str | None = None,
    source_step_name: str | None = None,
) -> dict[str, Any]:
    """Enters the supervision case of this process instance and returns its id, number and level; once only.

    Raises OperationError `bad-level` for a level that does not exist.
    """
    session = call.work.session
    level = _known(level or next(iter(LEVELS)))
    row = _row(session, call.instance.id)
    if row is None:
        year = shanghai_day(call.at).year
        row = SupervisionCase(
            number=f"督办〔{year}〕{next_number(session, f'supervision:{year}')}号",
            level=level,
            source_id=int(source_instance),
            source_step=source_step,
            source_step_name=source_step_name or source_step,
            unit_id=unit_of(session, unit).id,
            opened_at=call.at,
            instance_id=call.instance.id,
        )
        session.add(row)
        session.flush()
    return {"id": row.id, "number": row.number, "level": row.level, "level_name": LEVELS[row.level]}


@operation("sharing.raise_supervision", parameters={"level": "orange | red; the next one up where empty"})
def raise_supervision(call: Call, *, level: str | None = None) -> dict[str, Any]:
    """Raises the supervision case of this process instance; it never goes down, and one that is closed stays as it is.

    Raises OperationError `no-supervision` where none was opened, `bad-level`.
    """
    row = _opened(call)
    ladder = list(LEVELS)
    here = ladder.index(row.level)
    wanted = ladder.index(_known(level)) if level else min(here + 1, len(ladder) - 1)
    if wanted > here and row.closed_at is None:
        row.level, row.raised_at = ladder[wanted], call.at
        call.work.session.flush()
    return {"id": row.id, "number": row.number, "level": row.level, "level_name": LEVELS[row.level]}


@operation("sharing.close_supervision", parameters={})
def close_supervision(call: Call) -> dict[str, Any]:
    """Closes the supervision case of this process instance; a second closing changes nothing.

    Raises OperationError `no-supervision` where none was opened.
    """
    row = _opened(call)
    if row.closed_at is None:
        row.closed_at = call.at
        call.work.session.flush()
    return {"id": row.id, "number": row.number, "level": row.level, "level_name": LEVELS[row.level]}


def _row(session: Session, instance_id: int) -> SupervisionCase | None:
    return session.scalar(select(SupervisionCase).where(SupervisionCase.instance_id == instance_id))


def _opened(call: Call) -> SupervisionCase:
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-supervision", "该办件没有对应的督办件")
    return row


def _known(level: str) -> str:
    if level not in LEVELS:
        raise OperationError("bad-level", f"没有“{level}”这一督办级别")
    return level


def _visible(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.all else or_(SupervisionCase.unit_id.in_(sight.unit_ids))


def _line(case: SupervisionCase, unit: Unit, number: str, title: str) -> SupervisionLine:
    return SupervisionLine(
        id=case.id,
        number=case.number,
        level=case.level,
        level_label=LEVELS[case.level],
        unit_code=unit.code,
        unit_name=unit.name,
        source_id=case.source_id,
        source_number=number,
        source_title=title,
        source_step_name=case.source_step_name,
        opened_at=case.opened_at,
        raised_at=case.raised_at,
        closed_at=case.closed_at,
        instance_id=case.instance_id,
    )
