"""总览: what is open, due soon and overdue, by unit and process; each number opens its list."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.people.permissions import require
from engine.process import queries
from engine.sharing import supervision
from web.context import is_swap, me, store

page = Blueprint("board", __name__)


@page.get("/board")
def board() -> str:
    """The board of whoever supervises."""
    require(me(), "supervise")
    with store().read() as session:
        rows = queries.board(session, me())
        levels = supervision.open_counts(session, me())
    totals = {name: sum(getattr(row, name) for row in rows) for name in ("open", "due_soon", "overdue")}
    return render_template("board/page.html", rows=rows, totals=totals, supervised=sum(levels.values()))


@page.get("/board/tasks")
def tasks() -> str:
    """The open tasks behind a number of the board."""
    light = {"yellow": "yellow", "red": "red"}.get(request.args.get("light", ""))
    process = request.args.get("process") or None
    with store().read() as session:
        found = queries.open_tasks(
            session,
            me(),
            unit_id=request.args.get("unit", type=int),
            process_key=process,
            light=light,  # type: ignore[arg-type]
            after=request.args.get("after"),
        )
        names = {} if is_swap() else queries.process_names(session)
    template = "inbox/_rows.html" if is_swap() else "board/tasks.html"
    return render_template(template, found=found, tab="board", light=light, names=names, process=process)
