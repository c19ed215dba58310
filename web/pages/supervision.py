"""督办: the supervision cases that missed deadlines have opened."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.people.permissions import require
from engine.sharing import supervision
from web.context import is_swap, me, store
from web.starting import offered

page = Blueprint("supervision", __name__)


@page.get("/supervision")
def search() -> str:
    """The office's list: what is open first of all; only the next lines where htmx asks for them."""
    require(me(), "supervise")
    asked = {"state": request.args.get("state", "open"), "level": request.args.get("level", "")}
    with store().read() as session:
        found = supervision.search(
            session,
            me(),
            open_only=asked["state"] == "open",
            level=asked["level"] or None,
            after=request.args.get("after"),
        )
        if is_swap():
            return render_template("supervision/_rows.html", found=found)
        return render_template(
            "supervision/list.html",
            found=found,
            asked=asked,
            counts=supervision.open_counts(session, me()),
            levels=list(supervision.LEVELS.items()),
            starts=offered(session, "desk"),
        )
