"""时限说明: how a deadline was counted, every day of it, as people check it when it matters to them."""

from __future__ import annotations

from flask import Blueprint, render_template

from engine.process import sheets
from web import day_grid
from web.context import me, store

page = Blueprint("deadlines", __name__)


@page.get("/deadlines/<int:timer_id>")
def deadline(timer_id: int) -> str:
    """How a deadline was counted, day by day."""
    with store().read() as session:
        sheet = sheets.deadline_sheet(session, me(), timer_id)
    explanation = sheet.explanation
    return render_template(
        "deadlines/page.html",
        sheet=sheet,
        explanation=explanation,
        months=day_grid.months(explanation) if explanation else [],
    )
