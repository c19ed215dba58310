"""What a task's page asks for while somebody fills it in: the draft is saved, and what would come next is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template
from flask.typing import ResponseReturnValue

from engine.process.desk.ahead import ahead
from engine.process.desk.drafts import discard_draft, save_draft
from engine.store.errors import Invalid
from web.context import me, origin, store
from web.json_calls import read_json
from web.screen import moment_exact

page = Blueprint("task_drafts", __name__)

#: Octets of a draft: some forty thousand Chinese characters with their names.
MOST = 256 * 1024


@page.put("/tasks/<int:task_id>/draft")
def save(task_id: int) -> ResponseReturnValue:
    """Saves what was typed so far: `answers`, `opinion`, and `known`, when this window last saw it saved."""
    sent = read_json(MOST)
    answers, opinion = _typed(sent)
    saved = save_draft(store(), task_id, actor=me(), answers=answers, opinion=opinion, known=_known(sent), origin=origin())
    return jsonify(saved_at=saved.at.isoformat(), shown=moment_exact(saved.at)[11:], overtaken=saved.overtaken)


@page.post("/tasks/<int:task_id>/draft/discard")
def discard(task_id: int) -> ResponseReturnValue:
    """Throws the draft away; the form is empty again."""
    discard_draft(store(), task_id, actor=me(), origin=origin())
    flash("已放弃草稿，表单已恢复原样。", "success")
    return redirect(f"/tasks/{task_id}#work", 303)


@page.post("/tasks/<int:task_id>/ahead")
def look_ahead(task_id: int) -> ResponseReturnValue:
    """The steps that would follow, as a part of the page."""
    answers, opinion = _typed(read_json(MOST))
    return render_template("tasks/_ahead.html", ahead=ahead(store(), task_id, actor=me(), answers=answers, opinion=opinion))


def _typed(sent: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    answers, opinion = sent.get("answers", {}), sent.get("opinion", "")
    if not isinstance(answers, dict) or not isinstance(opinion, str):
        raise Invalid(message="提交的内容无法识别，未作任何保存")
    return answers, opinion


def _known(sent: Mapping[str, Any]) -> datetime | None:
    try:
        known = datetime.fromisoformat(str(sent.get("known")))
    except ValueError:
        return None
    return known if known.tzinfo is not None else None
