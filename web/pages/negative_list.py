"""负面清单: what is not shared, and the statutory basis for it, open to every department."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.sharing import negative_list
from engine.sharing.holding import holder_of
from engine.sharing.objections import objections_of
from web.context import is_swap, me, store
from web.starting import startable

page = Blueprint("negative_list", __name__)


@page.get("/negative-list")
def search() -> str:
    """The list with its filters; only the next lines where htmx asks for them."""
    asked = {"text": request.args.get("text", ""), "state": request.args.get("state", "")}
    with store().read() as session:
        found = negative_list.search(
            session, me(), text=asked["text"], state=asked["state"] or None, after=request.args.get("after")
        )
    if is_swap():
        return render_template("negative_list/_rows.html", found=found)
    return render_template("negative_list/list.html", found=found, asked=asked, states=list(negative_list.STATES.items()))


@page.get("/negative-list/<int:entry_id>")
def entry(entry_id: int) -> str:
    """One entry with the words of its basis, the objections to it and what happened to it."""
    with store().read() as session:
        sheet = negative_list.entry_sheet(session, me(), entry_id)
        code = sheet.line.resource_code
        return render_template(
            "negative_list/entry.html",
            sheet=sheet,
            objections=objections_of(session, entry_id),
            holder=holder_of(session, code),
            starts=startable(session, {"resource_code": code}, "negative_list") if sheet.line.state == "listed" else [],
        )
