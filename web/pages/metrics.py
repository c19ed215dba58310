"""`/metrics` for Prometheus: not public. Whoever is on this machine, or an operator's token.

An address of this machine proves nothing behind a proxy, as all the world arrives from it. So it counts only while the
installation itself is one of this machine (`SHARING_BPM_BASE_URL`).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request

from engine.metrics import of_installation, written
from engine.people.permissions import require
from engine.store.errors import NotAllowed
from engine.store.settings import LOOPBACK
from web.api import access, refusals
from web.context import me, settings, store
from web.measuring import Measures

page = Blueprint("metrics", __name__)


@page.get("/metrics")
def scrape() -> Response:
    """The text that Prometheus reads."""
    try:
        if not _is_at_home():
            access.recognise()
            access.require_scope("operate")
            require(me(), "operate")
    except refusals.ApiError as error:
        refused = refusals.answer(error.status, error.kind, error.message)
        refused.headers.extend(error.headers)
        return refused
    except NotAllowed as refusal:
        return refusals.answer(403, "AuthorizationException", refusal.message)
    measures: Measures = current_app.extensions["sharing_measures"]
    text = written([*of_installation(store()), *measures.metrics()])
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _is_at_home() -> bool:
    try:
        near = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        near = False
    return near and urlsplit(settings().base_url).hostname in LOOPBACK
