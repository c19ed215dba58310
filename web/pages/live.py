"""What an open page asks for every few seconds; its script is web/islands/app/live.js.

Asking is no sign that somebody sits there: it does not keep a session alive (`web.signed_in`).
"""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from engine.process.desk.live import live
from web.context import me, store

page = Blueprint("live", __name__)


@page.get("/live")
def desk() -> ResponseReturnValue:
    """Counts and new notices as JSON; 304 where nothing has changed since the answer whose tag the script sends along."""
    since = request.args.get("since", "")
    with store().read() as session:
        found = live(session, me(), int(since) if since.isascii() and since.isdigit() and len(since) <= 18 else None)
    answer = jsonify(found.as_json())
    answer.add_etag()
    return answer.make_conditional(request)
