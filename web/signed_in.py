"""Who is behind a request: the token in the cookie, looked up in our own table at every request.

The cookie holds nothing but the token; a dismissal or a lock takes effect with the next click.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, Response, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from engine.people.sign_in import actor_of, rules_of
from web.context import is_swap, settings, somebody, store
from web.json_calls import wants_json

COOKIE = "sharing_bpm"

#: What the web answers without asking who it is.
OPEN_ENDPOINTS = frozenset({"static", "sign_in.form", "sign_in.enter", "health.alive", "health.ready", "metrics.scrape"})

#: What scripts ask for by themselves: it does not keep a session alive.
UNATTENDED = frozenset({"live.desk"})


def cookie_name() -> str:
    """The cookie's name; under https with the prefix that binds it to this very host."""
    return f"__Host-{COOKIE}" if settings().secure_cookies else COOKIE


def token() -> str:
    """The token that the browser brought along; empty without one."""
    return request.cookies.get(cookie_name(), "")


def remember(response: Response, value: str) -> None:
    """Gives the browser its token, until the browser is closed or the sign-in ends."""
    response.set_cookie(cookie_name(), value, httponly=True, samesite="Lax", secure=settings().secure_cookies, path="/")


def forget(response: Response) -> None:
    """Takes the token away from the browser."""
    response.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=settings().secure_cookies, path="/")


def install(app: Flask) -> None:
    """Looks up the person before every request; who is nobody is led to the sign-in, and back afterwards."""

    @app.before_request
    def recognise() -> ResponseReturnValue | None:
        if request.endpoint in ("static", "health.alive", "health.ready", "metrics.scrape") or request.blueprint == "engine_rest":
            return None  # the API has a door of its own, where no cookie counts
        given = token()
        # A page that asks by itself is no sign that somebody sits there.
        there = request.endpoint not in UNATTENDED
        g.actor = actor_of(store(), given, rules=rules_of(settings()), there=there) if given else None
        if somebody() is not None or request.endpoint in OPEN_ENDPOINTS:
            return None
        target = sign_in_address()
        if is_swap():
            return "", 401, {"HX-Redirect": target}
        if wants_json():
            return jsonify(message="登录已失效，请重新登录。未作任何保存。"), 401
        return redirect(target, 303)


def sign_in_address() -> str:
    """The sign-in page, with the way back to where the reader wanted to go (only for pages that can be opened)."""
    if request.method != "GET" or request.path == "/" or is_swap():
        return "/sign-in"
    return f"/sign-in?next={quote(request.full_path.rstrip('?'))}"
