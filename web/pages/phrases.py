"""常用语: what a person writes into opinions again and again, and what the unit's colleagues share."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.desk import phrases
from engine.store.errors import Invalid
from web.context import is_swap, me, origin, store
from web.navigation import require_working

page = Blueprint("phrases", __name__)


@page.get("/phrases")
def listed() -> str:
    """The person's own phrases, the unit's, and the starter set; as a list to pick from where a script asks."""
    return _page()


@page.post("/phrases")
def add() -> ResponseReturnValue:
    """Keeps a new phrase."""
    require_working(me())
    try:
        phrases.add_phrase(store(), actor=me(), text=request.form.get("text", ""), shared="shared" in request.form, origin=origin())
    except Invalid as refusal:
        return _page(refusal), 422
    flash("已保存常用语。", "success")
    return redirect("/phrases", 303)


@page.post("/phrases/<int:phrase_id>")
def change(phrase_id: int) -> ResponseReturnValue:
    """Changes one of the person's own."""
    require_working(me())
    try:
        phrases.change_phrase(
            store(), phrase_id, actor=me(), text=request.form.get("text", ""), shared="shared" in request.form, origin=origin()
        )
    except Invalid as refusal:
        return _page(refusal, phrase_id), 422
    flash("已修改常用语。", "success")
    return redirect("/phrases", 303)


@page.post("/phrases/<int:phrase_id>/delete")
def delete(phrase_id: int) -> ResponseReturnValue:
    """Deletes one of the person's own."""
    require_working(me())
    phrases.delete_phrase(store(), phrase_id, actor=me(), origin=origin())
    flash("已删除常用语。", "success")
    return redirect("/phrases", 303)


def _page(refusal: Invalid | None = None, at: int | None = None) -> str:
    require_working(me())
    with store().read() as session:
        lines = phrases.phrases(session, me())
    return render_template(
        "phrases/_pick.html" if is_swap() else "phrases/page.html", own=[line for line in lines if line.mine], shared=[line for line in lines if not line.mine],
        starters=phrases.STARTERS, most=phrases.MOST, longest=phrases.LONGEST, wrong=refusal.fields if refusal else {}, at=at, typed=request.form,
    )  # fmt: skip
