"""项目目录: what projects promised to add to the catalogue, and what is still missing."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.sharing import projects
from web.context import is_swap, me, store
from web.starting import offered

page = Blueprint("projects", __name__)

#: The process that enters a project.
PROCESS = "project_catalogue"


@page.get("/projects")
def search() -> str:
    """The projects that the reader may see; only the next lines where htmx asks for them."""
    asked = {"state": request.args.get("state", "")}
    with store().read() as session:
        found = projects.search(session, me(), state=asked["state"] or None, after=request.args.get("after"))
        if is_swap():
            return render_template("projects/_rows.html", found=found)
        return render_template(
            "projects/list.html",
            found=found,
            asked=asked,
            states=list(projects.STATES.items()),
            starts=[start for start in offered(session, "projects") if start.key == PROCESS],
        )
