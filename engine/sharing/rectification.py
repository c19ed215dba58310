"""The register of rectification 整改: who must put what right, on which grounds, by when, and how it ended.

Rows are written by the rectification process alone. The grounds and their wording belong to the rule set and stand in
its forms; here they are kept as they were chosen. The last day is read from the case's own clock, so that a pause, an
extension or a new calendar edition never leaves two dates about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars.deadline import shanghai_day
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.case_operations import admit, last_day
from engine.process.clocks import day_in_words
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, Subject, operation, subject
from engine.process.paging import PAGE, Page, make_page
from engine.process.rows import next_number
from engine.process.tables import Instance, Timer
from engine.sharing.letter_marks import chinese_date
from engine.sharing.lists import capped, id_after
from engine.sharing.sight import sight_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json
from engine.store.errors import Invalid

#: What is known of the case that gave the reason for an order.
SOURCE_FACTS = (
    "deadline_day", "source", "source_activity", "source_instance", "source_number", "source_process", "source_title", "source_unit",
    "supervision_number",
)  # fmt: skip
STATES: Mapping[str, str] = {"open": "整改中", "closed": "已销号", "overdue": "逾期未完成", "reported": "已上报市政府"}


class RectificationOrder(Base):
    """A rectification order 整改通知. Its process instance holds at most one."""

    __tablename__ = "rectification_order"
    __table_args__ = (Index(None, "unit_id", "id"), Index(None, "state", "id"))

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(64), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    """The unit that must put it right."""
    grounds: Mapped[list[Any]] = mapped_column(Json)
    """The grounds as numbered in the regulation: （一）, （三）…"""
    facts: Mapped[str] = mapped_column(Text)
    clause: Mapped[str] = mapped_column(String(200))
    demand: Mapped[str] = mapped_column(Text)
    days: Mapped[int]
    """Working days from service, without an extension."""
    extended_days: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))
    """open · closed · overdue · reported"""
    served_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was closed, or when its time ran out."""
    reported_at: Mapped[datetime | None]
    instruction: Mapped[str] = mapped_column(Text, default="")
    """What the city government instructed, on a report."""
    instructed_by: Mapped[str] = mapped_column(String(60), default="")
    instructed_on: Mapped[date | None]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    """The case that gave the reason."""
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order in a list; `due_day` is the last day as its clock stands now, `provisional` whether a notice may still move it."""

    id: int
    number: str
    unit_code: str
    unit_name: str
    grounds: tuple[str, ...]
    facts: str
    demand: str
    state: str
    state_label: str
    served_at: datetime
    due_day: date | None
    provisional: bool
    extended_days: int
    ended_at: datetime | None
    reported_at: datetime | None
    instruction: str
    instructed_by: str
    instructed_on: date | None
    instance_id: int
    source_id: int | None


def search(
    session: Session, actor: Actor, *, state: str | None = None, unit: str | None = None, after: str | None = None,
    limit: int = PAGE,
) -> Page[OrderLine]:
    """The orders that the reader may see, newest first: all for the office, a unit's own for the unit, and those that
    went to the leading group for it and the city government.
    """
    own = select(func.max(Timer.last_day)).where(Timer.instance_id == RectificationOrder.instance_id, *_CLOCK)
    open_ = select(func.count()).where(
        Timer.instance_id == RectificationOrder.instance_id, *_CLOCK, Timer.state == "waiting", Timer.provisional
    )
    query = (
        select(RectificationOrder, Unit, own.scalar_subquery(), open_.scalar_subquery())
        .join(Unit, Unit.id == RectificationOrder.unit_id)
        .where(_visible(actor))
    )
    for column, value in ((RectificationOrder.state, state), (Unit.code, unit)):
        if value:
            query = query.where(column == value)
    if after:
        query = query.where(RectificationOrder.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(RectificationOrder.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: str(row[0].id))


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many orders of each state the reader may see; states with none are there with 0."""
    query = select(RectificationOrder.state, func.count()).where(_visible(actor)).group_by(RectificationOrder.state)
    return dict.fromkeys(STATES, 0) | {state: count for state, count in session.execute(query)}


@subject("rectification", brings=("units", *SOURCE_FACTS))
def cause_of_rectification(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The units that may be put under an order, and what is known of the case that gives the reason (`source`, may be absent).

    The starter's own unit (the office) is not among them: nobody rectifies themselves. A supervision case stands for
    the case that it watches over. Raises Invalid at `source` for a case that does not exist.
    """
    own = answers.get("applicant_unit")
    units = session.execute(select(Unit.code, Unit.name).where(Unit.active).order_by(Unit.code))
    known: dict[str, Any] = {"units": [{"value": code, "label": name} for code, name in units if code != own]}
    if given := str(answers.get("source") or ""):
        source = session.get(Instance, int(given)) if given.isdigit() and len(given) < 19 else None
        if source is None:
            raise Invalid({"source": "没有找到来源办件"})
        known |= _facts_of(source)
    return Subject(known, "", known.get("source_title", "整改"))


def _facts_of(source: Instance) -> dict[str, Any]:
    if source.process_key == "supervision":
        names = ("instance", "number", "title", "process", "activity", "unit")
        facts = {f"source_{name}": source.variables.get(f"source_{name}") for name in names}
        facts["deadline_day"] = source.variables.get("deadline_day")
        facts["supervision_number"] = source.variables.get("supervision", {}).get("number")
        return {name: value for name, value in facts.items() if value is not None}
    return {
        "source_instance": source.id, "source_number": source.number, "source_title": source.title,
        "source_process": source.process_key,
    }


@operation(
    "rectification.open",
    parameters={
        "unit": "code of the unit that must put it right",
        "grounds": "the grounds, as numbered in the regulation",
        "facts": "what was found",
        "clause": "the provisions that were broken",
        "demand": "what must be done",
        "days": "working days from now on",
        "source": "id of the case that gave the reason; may be empty",
    },
)
def open_order(
    call: Call, *, unit: str, grounds: Any, facts: str, clause: str, demand: str, days: Any, source: Any = None
) -> dict[str, Any]:
    """Enters the order of this process instance, served now; once only. Returns its id, number, served and last day.

    From now on the whole unit sees the case.

    Raises OperationError `no-grounds` without a ground, `unknown-unit`.
    """
    session = call.work.session
    row = _row(session, call.instance.id)
    if row is None:
        if not grounds:
            raise OperationError("no-grounds", "整改须写明情形")
        year = shanghai_day(call.at).year
        row = RectificationOrder(
            number=f"整改〔{year}〕{next_number(session, f'rectification:{year}')}号",
            unit_id=unit_of(session, unit).id, grounds=list(grounds), facts=facts, clause=clause, demand=demand,
            days=int(days), state="open", served_at=call.at, source_id=int(source) if source else None,
            instance_id=call.instance.id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        admit(call, unit=unit)
    return {**_value(row), **_due(*last_day(call, days, unit))}


@operation("rectification.extend", parameters={"days": "working days granted"})
def extend_order(call: Call, *, days: Any) -> dict[str, Any]:
    """Notes the extension of the order; the clock itself is `cases.extend`'s. Errors: `no-order`, `extended-before`."""
    row = _opened(call)
    if row.extended_days:
        raise OperationError("extended-before", "整改时限已经延长过一次")
    row.extended_days = int(days)
    call.work.session.flush()
    return _value(row)


@operation("rectification.close", parameters={})
def close_order(call: Call) -> dict[str, Any]:
    """Closes the order: put right and verified. Error: `no-order`."""
    return _end(call, "closed")


@operation("rectification.miss", parameters={})
def miss_order(call: Call) -> dict[str, Any]:
    """Notes that the time has run out; the result has the last day (`due_day`) that was missed. Error: `no-order`."""
    value = _end(call, "overdue")
    last = call.work.session.scalar(select(func.max(Timer.last_day)).where(Timer.instance_id == call.instance.id, *_CLOCK))
    return {**value, **_due(last or shanghai_day(call.at), provisional=False)}  # it has run out: no notice moves it any more


@operation(
    "rectification.report",
    parameters={
        "instruction": "what the city government instructed",
        "instructed_by": "who instructed it",
        "instructed_on": "ISO date of the instruction",
    },
)
def report_order(call: Call, *, instruction: str, instructed_by: str, instructed_on: str) -> dict[str, Any]:
    """Notes the report to the city government and its instruction 批示. Error: `no-order`."""
    row = _opened(call)
    row.state, row.reported_at = "reported", call.at
    row.instruction, row.instructed_by = instruction, instructed_by
    row.instructed_on = date.fromisoformat(instructed_on)
    call.work.session.flush()
    return _value(row)


#: The clock of an order: the one deadline that the diagram itself sets in a case of rectification.
_CLOCK = (Timer.role == "deadline", Timer.kind == "machine")


def _end(call: Call, state: str) -> dict[str, Any]:
    row = _opened(call)
    row.state, row.ended_at = state, call.at
    call.work.session.flush()
    return _value(row)


def _row(session: Session, instance_id: int) -> RectificationOrder | None:
    return session.scalar(select(RectificationOrder).where(RectificationOrder.instance_id == instance_id))


def _opened(call: Call) -> RectificationOrder:
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-order", "该办件没有对应的整改通知")
    return row


def _value(row: RectificationOrder) -> dict[str, Any]:
    served = shanghai_day(row.served_at)
    return {"id": row.id, "number": row.number, "served_day": served.isoformat(), "served_text": chinese_date(served)}


def _due(day: date, provisional: bool) -> dict[str, Any]:
    """A last day for timers, and as letters and sentences write it."""
    return {"due_day": day.isoformat(), "due_text": day_in_words(day, provisional)}


def _visible(actor: Actor) -> ColumnElement[bool]:
    sight = sight_of(actor)
    if sight.all:
        return true()
    own = RectificationOrder.unit_id.in_(sight.unit_ids)
    if permissions.may(actor, "see_escalated"):
        return or_(own, RectificationOrder.state.in_(("overdue", "reported")))
    return own


def _line(order: RectificationOrder, unit: Unit, last_day: date | None, doubtful: int) -> OrderLine:
    return OrderLine(
        id=order.id, number=order.number, unit_code=unit.code, unit_name=unit.name, grounds=tuple(order.grounds),
        facts=order.facts, demand=order.demand, state=order.state, state_label=STATES[order.state],
        served_at=order.served_at, due_day=last_day, provisional=bool(doubtful), extended_days=order.extended_days, ended_at=order.ended_at,
        reported_at=order.reported_at, instruction=order.instruction, instructed_by=order.instructed_by,
        instructed_on=order.instructed_on, instance_id=order.instance_id, source_id=order.source_id,
    )  # fmt: skip
