"""消息: what the engine has told this person."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process import queries
from engine.process.notices import mark_read
from web.context import is_swap, me, store

page = Blueprint("notices", __name__)


@page.get("/notices")
def notices() -> str:
    """The newest first; only the next lines where htmx asks for them."""
    with store().read() as session:
        found = queries.notices(session, me(), after=request.args.get("after"))
    return render_template("notices/_rows.html" if is_swap() else "notices/list.html", found=found)


@page.post("/notices/<int:notice_id>/open")
def open_notice(notice_id: int) -> ResponseReturnValue:
    """Marks a notice as read and goes to what it is about."""
    mark_read(store(), actor=me(), notice_ids=[notice_id])
    instance = request.form.get("instance_id", "")
    return redirect(f"/cases/{int(instance)}" if instance.isdigit() else "/notices", 303)


@page.post("/notices/read")
def read_all() -> ResponseReturnValue:
    """Marks all of the reader's notices as read."""
    mark_read(store(), actor=me())
    return redirect("/notices", 303)
