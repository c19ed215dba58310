"""消息: what the engine has told this person, and what they want to be told where."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.notices import mark_read, open_notice
from engine.process.notifying import preferences, reading
from engine.process.notifying.kinds import CHANNELS, KINDS, MODES
from engine.store.errors import Invalid
from web.context import is_swap, me, origin, store

page = Blueprint("notices", __name__)

#: In the page a notice disturbs nobody: it is shown as new, or only kept.
PAGE_MODES = {"at_once": "显示为未读", "off": "不提示"}


@page.get("/notices")
def notices() -> str:
    """The newest first, of one kind or unread only where asked; only the next lines where htmx asks for them."""
    kind, unread = request.args.get("kind", ""), request.args.get("unread") == "1"
    with store().read() as session:
        found = reading.notices(session, me(), kind=kind or None, unread=unread, after=request.args.get("after"))
    shown = {"found": found, "kind": kind, "unread": unread, "kinds": [(key, one.name) for key, one in KINDS.items()]}
    return render_template("notices/_rows.html" if is_swap() else "notices/list.html", **shown)


@page.post("/notices/<int:notice_id>/open")
def open_one(notice_id: int) -> ResponseReturnValue:
    """Marks a notice as read and goes to what it is about."""
    return redirect(open_notice(store(), notice_id, actor=me()), 303)


@page.post("/notices/read")
def read_all() -> ResponseReturnValue:
    """Marks all of the reader's notices as read."""
    mark_read(store(), actor=me())
    return redirect("/notices", 303)


@page.get("/notices/settings")
def settings() -> str:
    """What reaches the reader where, and when."""
    return _settings()


@page.post("/notices/settings")
def save() -> ResponseReturnValue:
    """Keeps it; a refused form comes back as it was typed."""
    modes = {
        (kind, channel): request.form[f"{kind}.{channel}"]
        for kind in KINDS for channel in CHANNELS if f"{kind}.{channel}" in request.form
    }  # fmt: skip
    time = request.form.get("digest_time", "")
    try:
        preferences.set_wishes(
            store(), actor=me(), modes=modes, quiet=request.form.get("quiet") == "true", digest_time=time, origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        if not refusal.fields:
            raise
        return _settings(errors=refusal.fields, digest_time=time), 422
    flash("消息设置已保存。", "success")
    return redirect("/notices/settings", 303)


def _settings(*, errors: dict[str, str] | None = None, digest_time: str | None = None) -> str:
    with store().read() as session:
        found = preferences.wishes(session, me())
    channels = {key: name for key, name in CHANNELS.items() if key in found.channels}
    modes = {channel: PAGE_MODES if channel == "page" else MODES for channel in channels}
    return render_template(
        "notices/settings.html", found=found, kinds=KINDS.values(), channels=channels, modes=modes, errors=errors or {},
        digest_time=found.digest_time if digest_time is None else digest_time,
    )  # fmt: skip
