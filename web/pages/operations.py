"""运行状况: what failed and may be tried again, and whether the worker is alive."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue

from engine.health import look
from engine.process import queries
from engine.process.incidents import retry_incident
from engine.process.notifying.letters import letter_counts
from web.context import me, origin, store

page = Blueprint("operations", __name__)


@page.get("/operations")
def operations() -> str:
    """The operator's page."""
    with store().read() as session:
        incidents = queries.incidents(session, me())
        workers = queries.heartbeats(session)
        channels = letter_counts(session, me())
    return render_template("operations/page.html", incidents=incidents, workers=workers, channels=channels, health=look(store()))


@page.post("/operations/incidents/<int:incident_id>/retry")
def retry(incident_id: int) -> ResponseReturnValue:
    """Lets the worker try again at once."""
    retry_incident(store(), incident_id, actor=me(), origin=origin())
    flash("已安排重试，结果稍后可见。", "success")
    return redirect("/operations", 303)
