"""时限说明: how a deadline was counted, every day of it, as people check it when it matters to them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from engine.process.sheets.deadline import deadline_sheet
from engine.store.errors import NotFound
from web import day_grid
from web.context import me, store

page = Blueprint("deadlines", __name__)


@page.get("/deadlines/<int:timer_id>")
def deadline(timer_id: int) -> str:
    """How a deadline was counted, day by day."""
    with store().read() as session:
        sheet = deadline_sheet(session, me(), timer_id)
    explanation = sheet.explanation
    return render_template(
        "deadlines/page.html",
        sheet=sheet,
        now=store().clock.now(),
        explanation=explanation,
        months=day_grid.months(explanation) if explanation else [],
    )


@page.get("/deadlines/<int:timer_id>.json")
def deadline_json(timer_id: int) -> Response:
    """The same for programs: every counted and skipped day, the pauses, the edition."""
    with store().read() as session:
        sheet = deadline_sheet(session, me(), timer_id)
    if sheet.explanation is None:
        raise NotFound("该时限是固定日期，没有逐日计算")
    shown = {"case": sheet.number, "activity": sheet.clock.activity, "article": sheet.clock.article, "state": sheet.clock.state}
    kept = sheet.kept_day.isoformat() if sheet.kept_day else None
    last_day = sheet.clock.last_day.isoformat() if sheet.clock.last_day else None
    by_hand = {"last_day": last_day, "by": sheet.set_by, "at": sheet.set_at.isoformat()} if sheet.set_by and sheet.set_at else None
    more = {"provisional": sheet.clock.provisional, "kept_day": kept, "statutory_max": sheet.statutory_max, "set_by_hand": by_hand}
    return jsonify({**shown, **sheet.explanation.as_json(), **more})
