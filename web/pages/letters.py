"""待投信件: what did not leave by mail, short message or robot, and what the operator does about it. Never what it says."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.notifying import letters as letters_
from web.context import is_swap, me, origin, store

page = Blueprint("letters", __name__)

STATES = {"dead": "投递失败", "waiting": "等待投递"}


@page.get("/operations/letters")
def letters() -> str:
    """The dead, or those that wait; only the next lines where htmx asks for them."""
    state, channel = request.args.get("state", "dead"), request.args.get("channel", "")
    state = state if state in STATES else "dead"
    with store().read() as session:
        found = letters_.letters(session, me(), cast(letters_.State, state), channel=channel or None, after=request.args.get("after"))
        counts = [] if is_swap() else letters_.letter_counts(session, me())
    shown = {"found": found, "counts": counts, "state": state, "channel": channel, "states": STATES}
    return render_template("letters/_rows.html" if is_swap() else "letters/page.html", **shown)


@page.post("/operations/letters/<int:letter_id>/redeliver")
def redeliver(letter_id: int) -> ResponseReturnValue:
    """Has one dead letter tried again."""
    letters_.redeliver(store(), letter_id, actor=me(), origin=origin())
    flash("已安排重新投递，结果稍后可见。", "success")
    return redirect("/operations/letters", 303)


@page.post("/operations/letters/redeliver")
def redeliver_channel() -> ResponseReturnValue:
    """Has all that failed of a channel tried now."""
    count = letters_.redeliver_channel(store(), request.form.get("channel", ""), actor=me(), origin=origin())
    flash(f"已安排重新投递{count}封信件，结果稍后可见。" if count else "该渠道没有需要重新投递的信件。", "success")
    return redirect("/operations/letters", 303)


@page.post("/operations/letters/<int:letter_id>/give-up")
def give_up(letter_id: int) -> ResponseReturnValue:
    """Gives a letter up, with a reason."""
    letters_.give_up(store(), letter_id, actor=me(), reason=request.form.get("reason", ""), origin=origin())
    flash("已放弃该信件，理由已记录。", "success")
    return redirect("/operations/letters", 303)
