"""What a view needs from its surroundings: the store, the settings, who is asking and from where.

Kept apart from `app.py` so that the pages need not import the factory that imports them.
"""

from __future__ import annotations

from typing import cast

from flask import current_app, g, request

from engine.people.actor import Actor
from engine.store.settings import Settings
from engine.store.store import Origin, Store


def store() -> Store:
    """The database of this application."""
    return cast(Store, current_app.extensions["sharing_store"])


def settings() -> Settings:
    """What the installation has set."""
    return cast(Settings, current_app.extensions["sharing_settings"])


def me() -> Actor:
    """Who is asking. Only for pages behind the sign-in, where somebody always is."""
    return cast(Actor, g.actor)


def somebody() -> Actor | None:
    """Who is asking, or None before the sign-in."""
    return cast("Actor | None", g.get("actor"))


def origin() -> Origin:
    """From where this request came, for the history."""
    return Origin(address=request.remote_addr or "", request_id=str(g.get("request_id", "")))


def is_swap() -> bool:
    """True when htmx asks for a part of a page rather than the page."""
    return request.headers.get("HX-Request") == "true"
