"""待办: what waits for me, what waits for my posts, what I have done, what was copied to me and what I started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.actor import Actor
from engine.process.desk import followed
from engine.process.desk.bulk import BULK_MAX
from engine.process.desk.copies import acknowledge_copy
from engine.process.desk.filters import (
    DUES, TABS, Options, Question, drop_filter, keep_filter, kept_filters, lights_of, options, read_question,
)
from engine.process.filtering import Asked
from engine.process.inbox import Tab, inbox as tasks_of
from engine.process.paging import Page
from engine.store.errors import Invalid, NotFound
from web.context import is_swap, me, origin, store
from web.lists import TO_DO, address_of, list_of, read_list, task_address
from web.navigation import home, waiting
from web.starting import offered_by_itself

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

page = Blueprint("inbox", __name__)

ROWS = {"copies": "inbox/_copies.html", "started": "inbox/_started.html"}
#: How many pages of a list are turned for the next task: of one's own some may only wait for signatures.
_TRIES = 10


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
def lines(tab: str) -> ResponseReturnValue:
    """One tab, most urgent first; only the next lines where htmx asks for them. The address is the filter."""
    if tab not in TABS:
        raise NotFound
    given = request.args.to_dict(flat=False)
    after = given.pop("after", [None])[0]
    with store().read() as session:
        found = options(session)
        try:
            question = read_question(found, tab, given, store().clock.now())
        except Invalid as refusal:
            if is_swap():
                raise
            return _refused(session, tab, found, refusal)
        shown = _page_of(session, me(), tab, question.asked, after)
        if is_swap():
            return render_template(ROWS.get(tab, "inbox/_rows.html"), found=shown, tab=tab, trail=list_of(tab, question.given))
        return _whole(session, tab, found, question, shown)


@page.get("/inbox/next")
def next_task() -> ResponseReturnValue:
    """The most urgent task of the list that one came from; the list itself where nothing is left in it."""
    text = request.args.get("list", "mine")
    tab, given = read_list(text)
    which: Tab = next((known for known in TO_DO if known == tab), "mine")
    with store().read() as session:
        asked = read_question(options(session), which, given if which == tab else {}, store().clock.now()).asked
        after = None
        for _ in range(_TRIES):
            found = tasks_of(session, me(), which, asked, after=after, limit=10)
            to_do = next((line for line in found.lines if not line.held), None)
            if to_do is not None:
                return redirect(task_address(to_do.task_id, text))
            if (after := found.next) is None:
                break
    flash("这个列表中没有待办了。", "success")
    return redirect(address_of(text))


@page.post("/inbox/filters")
def keep() -> ResponseReturnValue:
    """Keeps the filter of the list that one is at under a name."""
    text = request.form.get("list", "")
    tab, given = read_list(text)
    keep_filter(store(), actor=me(), name=request.form.get("name", ""), tab=tab, given=given, shared="shared" in request.form)
    flash("筛选已保存。", "success")
    return redirect(address_of(text), 303)


@page.post("/inbox/filters/<int:filter_id>/delete")
def drop(filter_id: int) -> ResponseReturnValue:
    """Deletes a filter of one's own."""
    drop_filter(store(), filter_id, actor=me())
    flash("筛选已删除。", "success")
    return redirect(address_of(request.form.get("list", "")), 303)


@page.post("/copies/<int:copy_id>/read")
def read(copy_id: int) -> ResponseReturnValue:
    """The receipt for a copy, with a remark if wanted."""
    acknowledge_copy(store(), copy_id, actor=me(), remark=request.form.get("remark", ""), origin=origin())
    flash("已阅知。", "success")
    return redirect(address_of(request.form.get("list", "copies")), 303)


def _page_of(session: Session, actor: Actor, tab: str, asked: Asked, after: str | None) -> Page[Any]:
    if tab == "started":
        return followed.started(session, actor, asked, after=after)
    if tab == "copies":
        return followed.copies(session, actor, asked, after=after)
    which: Tab = "posts" if tab == "posts" else "done" if tab == "done" else "mine"
    return tasks_of(session, actor, which, asked, after=after)


def _whole(
    session: Session, tab: str, found: Options, question: Question, shown: Page[Any], errors: dict[str, str] | None = None
) -> str:
    return render_template(
        "inbox/page.html",
        found=shown,
        tab=tab,
        tabs=TABS,
        trail=list_of(tab, question.given),
        bulk_max=BULK_MAX,
        question=question,
        options=found,
        lights=lights_of(tab),
        dues=DUES,
        kept=kept_filters(session, me()),
        starts=offered_by_itself(session) if tab == "started" else [],
        errors=errors or {},
    )


def _refused(session: Session, tab: str, found: Options, refusal: Invalid) -> ResponseReturnValue:
    """The tab without lines: with what is wrong in its address, and the form as it was filled in."""
    given = {name: values[-1] for name, values in request.args.to_dict(flat=False).items() if values[-1]}
    return _whole(session, tab, found, Question(given), Page([], None), refusal.fields), 422
