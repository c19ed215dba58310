"""The register of reports 报告: what each unit reported on its sharing, quarter by quarter, and the office once a year.

A report belongs to one case, which fills it: the figures come from the system's own history and are frozen when the
report is handed in; what people say about them stands beside. An overdue report is one that was due and is not in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, UniqueConstraint, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.editions import current_edition
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.paging import PAGE, Page, make_page
from engine.sharing.figures import LABELS, figures_of, in_words, read_rows
from engine.sharing.lists import capped, id_after
from engine.sharing.sight import Sight, sight_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json
from engine.store.errors import NotAllowed

STATES: Mapping[str, str] = {"open": "待报送", "submitted": "已报送", "returned": "退回修改", "accepted": "已接收"}


class Report(Base):
    """A report of one unit for one period."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("unit_id", "scope", "period"), Index(None, "period", "unit_id"))

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    scope: Mapped[str] = mapped_column(String(16))
    """unit · city (the office's yearly report on all of them)"""
    period: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(100))
    first_day: Mapped[date]
    last_day: Mapped[date]
    due_day: Mapped[date]
    """The statutory calendar day, not moved when it falls on a day off."""
    state: Mapped[str] = mapped_column(String(16))
    """open · submitted · returned · accepted"""
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    """`period` and, where it sums up the year, `year`: key of a figure → number."""
    figures_at: Mapped[datetime]
    """When the figures were drawn; once the report is in they stay as they are."""
    content: Mapped[list[Any]] = mapped_column(Json)
    """What the unit says beside the figures: pairs of heading and text."""
    submitted_at: Mapped[datetime | None]
    """When it first came in."""
    accepted_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report in a list; `missing` where the day is over and it never came in, `late` where it came after the day."""

    id: int
    unit_code: str
    unit_name: str
    scope: str
    period: str
    label: str
    due_day: date
    state: str
    state_label: str
    missing: bool
    late: bool
    submitted_at: datetime | None
    accepted_at: datetime | None
    instance_id: int


@dataclass(frozen=True, slots=True)
class ReportSheet:
    """A report with its figures and what the unit says."""

    line: ReportLine
    figures: tuple[tuple[str, float, float | None], ...]
    """Name, of the period, of the year (None where the report does not sum up the year)."""
    figures_at: datetime
    content: tuple[tuple[str, str], ...]


@operation(
    "reports.draw",
    parameters={
        "scope": "unit | city (all units together)",
        "period": "key of the period, such as 2026-Q3",
        "label": "its name on screens and letters",
        "first_day": "ISO date of its first day",
        "last_day": "ISO date of its last day",
        "due_day": "ISO date by which the report is due",
        "year_from": "ISO date from which the same report sums up the year; empty for none",
    },
)
def draw(
    call: Call, *, scope: str, period: str, label: str, first_day: str, last_day: str, due_day: str,
    year_from: str | None = None,
) -> dict[str, Any]:
    """Enters the report of this case, or draws the figures of one that is not in yet anew, up to now.

    The unit is the one whose case it is. Returns `id`, `figures` by key, `text` (a line each), `drawn_on` and `missing`
    (for the scope city: the names of units that owe a report on these days).
    """
    session = call.work.session
    unit = unit_of(session, call.variables["applicant_unit"])
    first, last = date.fromisoformat(first_day), date.fromisoformat(last_day)
    whose = None if scope == "city" else unit.id
    figures = {"period": _figures(call, whose, first, last)}
    if year_from:
        figures["year"] = _figures(call, whose, date.fromisoformat(year_from), last)
    row = _row(session, call.instance.id)
    if row is None:
        row = Report(
            unit_id=unit.id, scope=scope, period=period, label=label, first_day=first, last_day=last,
            due_day=date.fromisoformat(due_day), state="open", figures=figures, figures_at=call.at, content=[],
            instance_id=call.instance.id,
        )  # fmt: skip
        session.add(row)
    elif row.state in ("open", "returned"):
        row.figures, row.figures_at = figures, call.at
    session.flush()
    return {
        "id": row.id,
        "figures": row.figures,
        "text": figures_text(row.figures),
        "drawn_on": shanghai_day(row.figures_at).isoformat(),
        "missing": _missing_units(session, first, last) if scope == "city" else [],
    }


def _figures(call: Call, unit_id: int | None, first: date, last: date) -> dict[str, float]:
    rows = read_rows(call.work.session, unit_id, first, min(last, shanghai_day(call.at)))
    return figures_of(rows, current_edition(call.work))


def figures_text(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures of a report, a line each; with headings where it sums up the year as well."""
    if "year" not in figures:
        return in_words(figures["period"])
    return f"【本季度】\n{in_words(figures['period'])}\n【全年】\n{in_words(figures['year'])}"


@operation("reports.submit", parameters={"content": "what the unit says, as a list of [heading, text]"})
def submit(call: Call, *, content: list[list[Any]]) -> dict[str, Any]:
    """Freezes the report of this case as it is handed in; `in_time` says whether its day was not over.

    Raises OperationError `no-report` where none was entered.
    """
    row = _known(call)
    row.state, row.content = "submitted", [[str(heading), str(text or "")] for heading, text in content]
    row.submitted_at = row.submitted_at or call.at
    call.work.session.flush()
    return {"id": row.id, "in_time": shanghai_day(row.submitted_at) <= row.due_day}


@operation("reports.return", parameters={})
def give_back(call: Call) -> dict[str, Any]:
    """Marks the report of this case as returned for revision. Raises OperationError `no-report`."""
    row = _known(call)
    row.state = "returned"
    call.work.session.flush()
    return {"id": row.id}


@operation("reports.accept", parameters={})
def accept(call: Call) -> dict[str, Any]:
    """Marks the report of this case as accepted. Raises OperationError `no-report`."""
    row = _known(call)
    row.state, row.accepted_at = "accepted", call.at
    call.work.session.flush()
    return {"id": row.id}


def search(
    session: Session,
    actor: Actor,
    *,
    today: date,
    period: str | None = None,
    unit: str | None = None,
    missing_only: bool = False,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[ReportLine]:
    """The reports that the reader may see, newest first: all for the office, otherwise their own units'."""
    query = _lines().where(_visible(sight_of(actor)))
    if period:
        query = query.where(Report.period == period)
    if unit:
        query = query.where(Unit.code == unit)
    if missing_only:
        query = query.where(Report.submitted_at.is_(None), Report.due_day < today)
    if after:
        query = query.where(Report.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(Report.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row, today), lambda row: str(row[0].id))


def periods(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Key and name of the periods that the reader has reports of, newest first."""
    query = select(Report.period, Report.label).where(_visible(sight_of(actor))).distinct().order_by(Report.period.desc())
    return [(period, label) for period, label in session.execute(query)]


def report_sheet(session: Session, actor: Actor, report_id: int, *, today: date) -> ReportSheet:
    """One report. Raises NotAllowed where there is none that this reader may see, whether or not it exists."""
    row = session.execute(_lines().where(Report.id == report_id, _visible(sight_of(actor)))).one_or_none()
    if row is None:
        raise NotAllowed("没有您可以查看的该报告")
    report, unit = row
    return ReportSheet(
        line=_line(report, unit, today),
        figures=tuple(
            (label, report.figures["period"].get(key, 0), report.figures.get("year", {}).get(key))
            for key, label in LABELS.items()
        ),
        figures_at=report.figures_at,
        content=tuple((heading, text) for heading, text in report.content),
    )


def _missing_units(session: Session, first: date, last: date) -> list[str]:
    """The units of which a report on these days has not come in; a dry run is not told of them, as of all real figures."""
    if getattr(session.info.get("store"), "rehearsing", False):
        return []
    query = (
        select(Unit.name)
        .join(Report, Report.unit_id == Unit.id)
        .where(Report.scope == "unit", Report.first_day >= first, Report.last_day <= last, Report.submitted_at.is_(None))
        .distinct()
        .order_by(Unit.name)
    )
    return list(session.scalars(query))


def _row(session: Session, instance_id: int) -> Report | None:
    return session.scalar(select(Report).where(Report.instance_id == instance_id))


def _known(call: Call) -> Report:
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-report", "该办件没有对应的报告")
    return row


def _visible(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.all else Report.unit_id.in_(sight.unit_ids)


def _lines() -> Select[Report, Unit]:
    return select(Report, Unit).join(Unit, Unit.id == Report.unit_id)


def _line(report: Report, unit: Unit, today: date) -> ReportLine:
    missing = report.submitted_at is None and report.due_day < today
    return ReportLine(
        id=report.id,
        unit_code=unit.code,
        unit_name=unit.name,
        scope=report.scope,
        period=report.period,
        label=report.label,
        due_day=report.due_day,
        state=report.state,
        state_label="逾期未报送" if missing else STATES[report.state],
        missing=missing,
        late=report.submitted_at is not None and shanghai_day(report.submitted_at) > report.due_day,
        submitted_at=report.submitted_at,
        accepted_at=report.accepted_at,
        instance_id=report.instance_id,
    )
