"""登录与退出."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from engine.people.sign_in import SignInRefused, rules_of, sign_in, sign_out
from web.context import origin, settings, somebody, store
from web.signed_in import forget, remember, token

page = Blueprint("sign_in", __name__)


@page.get("/sign-in")
def form() -> ResponseReturnValue:
    """The sign-in form."""
    if somebody() is not None:
        return redirect("/")
    return render_template("sign_in/page.html", next=_local(request.args.get("next", "")), login="", message="")


@page.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Signs in with a fresh token; a refused attempt says nothing about which part was wrong."""
    login, target = request.form.get("login", ""), _local(request.form.get("next", ""))
    try:
        given = sign_in(
            store(), login, request.form.get("password", ""), origin(), replaces=token(), rules=rules_of(settings())
        )
    except SignInRefused as refusal:
        return render_template("sign_in/page.html", next=target, login=login, message=refusal.message), 422
    # What was put into the browser before the sign-in, the CSRF token too, is worth nothing after it.
    session.clear()
    response = make_response(redirect(target or "/", 303))
    remember(response, given)
    return response


@page.post("/sign-out")
def leave() -> ResponseReturnValue:
    """Ends the sign-in, here and in the database."""
    sign_out(store(), token(), origin())
    session.clear()
    response = make_response(redirect("/sign-in", 303))
    forget(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _local(address: str) -> str:
    """A path of ours, or nothing: the sign-in leads to no other site."""
    parts = urlsplit(address)
    fine = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if fine and not parts.scheme and not parts.netloc else ""
