"""待办: what waits for me, what waits for my posts, what I have done and what I started."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process import inbox as lists
from engine.process import queries
from engine.process.inbox import InboxLine
from engine.process.paging import Page
from engine.process.queries import CaseLine
from engine.store.errors import NotFound
from web.context import is_swap, me, store
from web.navigation import home, waiting
from web.starting import Start, offered_by_itself

page = Blueprint("inbox", __name__)

TABS = {"mine": "我的待办", "posts": "岗位待办", "done": "已办", "started": "我发起的"}


@page.get("/")
def start() -> ResponseReturnValue:
    """The page that this person begins with."""
    first = home(me())
    return inbox() if first == "/inbox/mine" else redirect(first)


@page.get("/inbox")
def inbox() -> ResponseReturnValue:
    """The first tab; where it is empty but the posts have something, that one."""
    counts = waiting()
    return redirect("/inbox/posts" if counts["posts"] and not counts["mine"] else "/inbox/mine")


@page.get("/inbox/<tab>")
def lines(tab: str) -> str:
    """One tab, most urgent first; only the next lines where htmx asks for them."""
    if tab not in TABS:
        raise NotFound
    after = request.args.get("after")
    found: Page[InboxLine] | Page[CaseLine]
    starts: list[Start] = []
    with store().read() as session:
        if tab == "started":
            found = queries.cases(session, me(), started_by_me=True, after=after)
            starts = [] if is_swap() else offered_by_itself(session)
        else:
            found = lists.inbox(session, me(), cast(lists.Tab, tab), after=after)
    rows = "cases/_rows.html" if tab == "started" else "inbox/_rows.html"
    return render_template(rows if is_swap() else "inbox/page.html", found=found, tab=tab, tabs=TABS, starts=starts)
