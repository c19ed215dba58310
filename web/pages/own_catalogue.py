"""本单位目录: what the reader's own unit has in the catalogue, drafts included, and the way to a new entry."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.sharing import catalogue
from web.context import is_swap, me, store
from web.starting import startable

page = Blueprint("own_catalogue", __name__)


@page.get("/own-catalogue")
def search() -> str:
    """The unit's entries, whatever their state; only the next lines where htmx asks for them."""
    text = request.args.get("text", "")
    with store().read() as session:
        found = catalogue.search(session, me(), text=text, provider=me().unit_code, after=request.args.get("after"))
        if is_swap():
            return render_template("own_catalogue/_rows.html", found=found)
        starts = startable(session, {}, "own_catalogue")
    return render_template("own_catalogue/page.html", found=found, text=text, starts=starts)
