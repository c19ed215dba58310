"""信息资源目录: find a resource, read its elements and conditions, start a request for it."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from calendars.deadline import shanghai_day
from engine.process import queries
from engine.sharing import catalogue, elements, grants, negative_list
from engine.sharing.corrections import corrections_of
from engine.sharing.holding import holder_of
from engine.sharing.inconsistencies import inconsistencies_of
from web.context import is_swap, me, store
from web.starting import offered, startable

page = Blueprint("catalogue", __name__)


@page.get("/catalogue")
def search() -> str:
    """The list with its filters; only the next lines where htmx asks for them."""
    asked = {name: request.args.get(name, "") for name in ("text", "kind", "sharing_class", "provider")}
    with store().read() as session:
        found = catalogue.search(
            session,
            me(),
            text=asked["text"],
            kind=asked["kind"] or None,
            sharing_class=asked["sharing_class"] or None,
            provider=asked["provider"] or None,
            after=request.args.get("after"),
        )
        if is_swap():
            return render_template("catalogue/_rows.html", found=found)
        providers = catalogue.providers(session)
    return render_template(
        "catalogue/list.html",
        found=found,
        asked=asked,
        providers=providers,
        kinds=list(elements.KINDS.items()),
        sharing_classes=list(elements.SHARING_CLASSES.items()),
    )


@page.get("/catalogue/<path:code>")
def resource(code: str) -> str:
    """One resource with all that the regulation wants stated about it, what was granted of it, and its cases."""
    actor, now = me(), store().clock.now()
    with store().read() as session:
        sheet = catalogue.resource_sheet(session, actor, code)
        return render_template(
            "catalogue/resource.html",
            sheet=sheet,
            starts=startable(session, {"resource_code": code}),
            listing=negative_list.entries_of(session, actor, code),
            grants=grants.search(session, actor, resource=code, today=shanghai_day(now)).lines,
            grant_starts=offered(session, "grant"),
            renewals=offered(session, "own_grant"),
            checks=corrections_of(session, actor, code),
            contradictions=inconsistencies_of(session, actor, code),
            holder=holder_of(session, code),
            found=queries.cases(session, actor, subject_key=code),
        )
