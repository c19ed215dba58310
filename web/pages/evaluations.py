"""评价: how each unit's sharing was evaluated, year by year; units see their own."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.sharing import evaluation
from web.context import is_swap, me, store

page = Blueprint("evaluations", __name__)


@page.get("/evaluations")
def search() -> str:
    """The evaluations that the reader may see; only the next lines where htmx asks for them."""
    asked = {"period": request.args.get("period", "")}
    with store().read() as session:
        found = evaluation.search(session, me(), period=asked["period"] or None, after=request.args.get("after"))
        if is_swap():
            return render_template("evaluations/_rows.html", found=found)
        return render_template(
            "evaluations/list.html", found=found, asked=asked, periods=evaluation.periods(session, me())
        )
