"""待办: what waits for me, what waits for my posts, what I have done and what I started."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process import queries
from engine.store.errors import NotFound
from web.context import is_swap, me, store
from web.navigation import home

page = Blueprint("inbox", __name__)

TABS = {"mine": "我的待办", "posts": "岗位待办", "done": "已办", "started": "我发起的"}


@page.get("/")
def start() -> ResponseReturnValue:
    """The page that this person begins with."""
    return redirect(home(me()))


@page.get("/inbox")
def inbox() -> ResponseReturnValue:
    """The first tab."""
    return redirect("/inbox/mine")


@page.get("/inbox/<tab>")
def lines(tab: str) -> str:
    """One tab, most urgent first; only the next lines where htmx asks for them."""
    if tab == "started":
        return _started()
    if tab not in ("mine", "posts", "done"):
        raise NotFound
    with store().read() as session:
        found = queries.inbox(session, me(), tab, after=request.args.get("after"))
    template = "inbox/_rows.html" if is_swap() else "inbox/page.html"
    return render_template(template, found=found, tab=tab, tabs=TABS)


def _started() -> str:
    with store().read() as session:
        found = queries.cases(session, me(), started_by_me=True, after=request.args.get("after"))
        names = queries.process_names(session)
    template = "cases/_rows.html" if is_swap() else "inbox/page.html"
    return render_template(template, found=found, tab="started", tabs=TABS, names=names)
