"""报告: what units report on their sharing; the office sees all of them, with what is missing."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from calendars.deadline import shanghai_day
from engine.people import permissions
from engine.sharing import reports
from web.context import is_swap, me, store

page = Blueprint("reports", __name__)


@page.get("/reports")
def search() -> str:
    """The reports that the reader may see; only the next lines where htmx asks for them."""
    asked = {"period": request.args.get("period", ""), "missing": request.args.get("missing", "")}
    today = shanghai_day(store().clock.now())
    with store().read() as session:
        found = reports.search(
            session,
            me(),
            today=today,
            period=asked["period"] or None,
            missing_only=asked["missing"] == "yes",
            after=request.args.get("after"),
        )
        if is_swap():
            return render_template("reports/_rows.html", found=found)
        return render_template(
            "reports/list.html",
            found=found,
            asked=asked,
            periods=reports.periods(session, me()),
            everybody="see_all_cases" in permissions.powers(me()),
        )


@page.get("/reports/<int:report_id>")
def report(report_id: int) -> str:
    """One report: its figures as they were frozen, and what the unit says."""
    with store().read() as session:
        sheet = reports.report_sheet(session, me(), report_id, today=shanghai_day(store().clock.now()))
    return render_template("reports/report.html", sheet=sheet)
