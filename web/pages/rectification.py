"""整改: the orders of the office, for it and for the units that must put something right."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.sharing import rectification
from web.context import is_swap, me, store
from web.starting import offered

page = Blueprint("rectification", __name__)


@page.get("/rectifications")
def search() -> str:
    """The orders that the reader may see; only the next lines where htmx asks for them."""
    asked = {"state": request.args.get("state", "")}
    with store().read() as session:
        found = rectification.search(session, me(), state=asked["state"] or None, after=request.args.get("after"))
        if is_swap():
            return render_template("rectification/_rows.html", found=found)
        return render_template(
            "rectification/list.html",
            found=found,
            asked=asked,
            states=list(rectification.STATES.items()),
            counts=rectification.counts(session, me()),
            starts=[start for start in offered(session, "desk") if start.key == "rectification"],
        )
