"""The yearly evaluation 年度评价: automatic scores from the system's own figures, corrected by the office with a reason.

Which indicators count, how much each weighs and how it is scored stands in the rule set (`evaluation` in its
`rule_set.json`): each score is an expression over the figures, between 0 and 100. Grades are data too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, ForeignKey, Select, String, Text, UniqueConstraint, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.definitions import deployed
from engine.process.editions import current_edition
from engine.process.interpreter.expressions import evaluate
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.paging import PAGE, Page, make_page
from engine.sharing.duties import DIAGRAMS
from engine.sharing.figures import figures_of, read_rows
from engine.sharing.lists import capped, id_after
from engine.sharing.schedule import section_of
from engine.sharing.sight import Sight, sight_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json

STATES: Mapping[str, str] = {"open": "评价中", "concluded": "已公布"}


class Evaluation(Base):
    """One unit's evaluation of one year."""

    __tablename__ = "evaluation"
    __table_args__ = (UniqueConstraint("unit_id", "period"),)

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    period: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(100))
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    scores: Mapped[list[Any]] = mapped_column(Json)
    """Each indicator with `label`, `weight`, `score` (0 to 100) and `points` (of its weight)."""
    automatic: Mapped[float] = mapped_column(Float)
    """The weighted sum, 0 to 100."""
    adjustment: Mapped[float] = mapped_column(Float)
    """What the office added or took away."""
    reason: Mapped[str] = mapped_column(Text)
    """Why."""
    total: Mapped[float] = mapped_column(Float)
    grade: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    """open · concluded"""
    opened_at: Mapped[datetime]
    concluded_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


@dataclass(frozen=True, slots=True)
class Score:
    """How a unit did by one indicator."""

    label: str
    weight: float
    score: float
    points: float


@dataclass(frozen=True, slots=True)
class EvaluationLine:
    """An evaluation in the register; `total` and `grade` are provisional until it is concluded."""

    id: int
    unit_name: str
    label: str
    automatic: float
    adjustment: float
    reason: str
    total: float
    grade: str
    scores: tuple[Score, ...]
    state: str
    state_label: str
    instance_id: int


def score(figures: Mapping[str, float], indicators: Sequence[Mapping[str, Any]]) -> list[Score]:
    """Every indicator's score by its expression over the figures, kept between 0 and 100, and its weighted points."""
    found = []
    for indicator in indicators:
        value = min(100.0, max(0.0, float(evaluate(indicator["score"], figures))))
        weight = float(indicator["weight"])
        found.append(Score(indicator["label"], weight, round(value, 1), round(value * weight / 100, 1)))
    return found


def grade_of(total: float, grades: Sequence[Mapping[str, Any]]) -> str:
    """The name of the first grade whose `from` the total reaches; they stand from the best down."""
    return str(next(grade["label"] for grade in grades if total >= grade["from"]))


@operation(
    "evaluation.score",
    parameters={
        "period": "key of the year",
        "label": "its name",
        "first_day": "ISO date of its first day",
        "last_day": "ISO date of its last day; figures are read up to today at most",
    },
)
def draw(call: Call, *, period: str, label: str, first_day: str, last_day: str) -> dict[str, Any]:
    """Enters the evaluation of this case's unit with its automatic scores.

    Returns `id`, `scores`, `lines` (in words), `automatic`, `total` and `grade`. Raises OperationError `no-indicators`
    where the rule set has no evaluation.
    """
    session = call.work.session
    unit = unit_of(session, call.variables["applicant_unit"])
    rules = _rules(call)
    last = min(date.fromisoformat(last_day), shanghai_day(call.at))
    figures = figures_of(read_rows(session, unit.id, date.fromisoformat(first_day), last), current_edition(call.work))
    scores = score(figures, rules["indicators"])
    automatic = round(sum(one.points for one in scores), 1)
    row = Evaluation(
        unit_id=unit.id, period=period, label=label, figures=figures,
        scores=[{"label": s.label, "weight": s.weight, "score": s.score, "points": s.points} for s in scores],
        automatic=automatic, adjustment=0.0, reason="", total=automatic, grade=grade_of(automatic, rules["grades"]),
        state="open", opened_at=call.at, concluded_at=None, instance_id=call.instance.id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return _value(row)


@operation(
    "evaluation.adjust", parameters={"adjustment": "points to add (or, below zero, to take away)", "reason": "why"}
)
def adjust(call: Call, *, adjustment: Any = 0, reason: str | None = None) -> dict[str, Any]:
    """Corrects the automatic total, which is kept; the result stays between 0 and 100. Raises OperationError `no-evaluation`."""
    row = _known(call)
    row.adjustment, row.reason = float(adjustment or 0), (reason or "").strip()
    row.total = round(min(100.0, max(0.0, row.automatic + row.adjustment)), 1)
    row.grade = grade_of(row.total, _rules(call)["grades"])
    call.work.session.flush()
    return _value(row)


@operation("evaluation.conclude", parameters={})
def conclude(call: Call) -> dict[str, Any]:
    """Makes the result of this case final and public. Raises OperationError `no-evaluation`."""
    row = _known(call)
    row.state, row.concluded_at = "concluded", call.at
    call.work.session.flush()
    return _value(row)


def search(
    session: Session, actor: Actor, *, period: str | None = None, after: str | None = None, limit: int = PAGE
) -> Page[EvaluationLine]:
    """The evaluations that the reader may see, newest first: all for the office, otherwise their own units'."""
    query = _lines().where(_visible(sight_of(actor)))
    if period:
        query = query.where(Evaluation.period == period)
    if after:
        query = query.where(Evaluation.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(Evaluation.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: str(row[0].id))


def periods(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Key and name of the years that the reader has evaluations of, newest first."""
    query = select(Evaluation.period, Evaluation.label).where(_visible(sight_of(actor))).distinct()
    return sorted(((period, label) for period, label in session.execute(query)), reverse=True)


def _rules(call: Call) -> Mapping[str, Any]:
    """Indicators and grades of the rule set that the case follows."""
    found = section_of(DIAGRAMS, deployed(call.work.session, call.instance.definition_id).rule_set, "evaluation")
    if not found:
        raise OperationError("no-indicators", "规则集没有评价指标")
    rules: Mapping[str, Any] = found
    return rules


def _known(call: Call) -> Evaluation:
    row = call.work.session.scalar(select(Evaluation).where(Evaluation.instance_id == call.instance.id))
    if row is None:
        raise OperationError("no-evaluation", "该办件没有对应的评价")
    return row


def _value(row: Evaluation) -> dict[str, Any]:
    """An evaluation as the expressions and forms of a diagram see it."""
    lines = [f"{s['label']}（{s['weight']:g}分）：{s['points']:g}分" for s in row.scores]
    return {
        "id": row.id, "scores": row.scores, "lines": lines, "text": "\n".join(lines), "automatic": row.automatic,
        "adjustment": row.adjustment, "reason": row.reason, "total": row.total, "grade": row.grade,
    }  # fmt: skip


def _visible(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.all else Evaluation.unit_id.in_(sight.unit_ids)


def _lines() -> Select[Evaluation, Unit]:
    return select(Evaluation, Unit).join(Unit, Unit.id == Evaluation.unit_id)


def _line(row: Evaluation, unit: Unit) -> EvaluationLine:
    return EvaluationLine(
        id=row.id,
        unit_name=unit.name,
        label=row.label,
        automatic=row.automatic,
        adjustment=row.adjustment,
        reason=row.reason,
        total=row.total,
        grade=row.grade,
        scores=tuple(Score(**given) for given in row.scores),
        state=row.state,
        state_label=STATES[row.state],
        instance_id=row.instance_id,
    )
