"""For load balancers: does the process live, and may it be sent work?"""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from engine.health import look
from web.context import store

page = Blueprint("health", __name__)


@page.get("/healthz")
def alive() -> ResponseReturnValue:
    """200 as long as the process answers; it asks nothing else, so that a slow database gets nobody restarted."""
    return jsonify(status="ok")


@page.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 when the database is reached, its schema is current and a worker has beaten lately; else 503, and which is not."""
    found = look(store())
    return jsonify(found.as_json()), 200 if found.ready else 503
