"""The blueprint of `/engine-rest`: the declared routes behind one door, and an answer for everything that is not declared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import MethodNotAllowed, NotFound

from web.api import (
    access,
    cases,
    deadlines,
    definitions,
    deployments,
    engine,
    external_tasks,
    filters,
    history,
    identity,
    jobs,
    messages,
    metrics,
    migrations,
    openapi,
    people,
    refusals,
    removals,
    routing,
    statistics,
    task_acts,
    task_data,
    task_things,
    tasks,
    uncovered,
    variable_instances,
    verbs,
)
from web.api.refusals import ApiError

NAME = "engine_rest"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")

#: The modules that declare routes; importing them is what declares.
RESOURCES = (
    engine,
    identity,
    tasks,
    task_acts,
    task_data,
    task_things,
    verbs,
    external_tasks,
    cases,
    definitions,
    statistics,
    deployments,
    jobs,
    migrations,
    variable_instances,
    history,
    removals,
    deadlines,
    messages,
    people,
    filters,
    metrics,
    openapi,
)

_NAMED = f"{routing.PREFIX}/engine/{engine.NAME}/"
_OPEN = {f"{declared.method} {routing.PREFIX}{declared.path}" for declared in routing.ROUTES if declared.scope is None}


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Serves the API. No cookie counts here, so no request can be forged with one, and no token of a form is asked for."""
    api = Blueprint(NAME, __name__, url_prefix=routing.PREFIX)
    app.extensions["sharing_api_gate"] = access.Gate()
    refusals.install(api)

    @api.before_request
    def recognise() -> None:
        if f"{request.method} {request.url_rule}" not in _OPEN:
            access.recognise()

    for declared in routing.ROUTES:
        api.add_url_rule(
            declared.path, endpoint=declared.endpoint.replace(".", "-"), view_func=partial(_serve, declared), methods=[declared.method],
            provide_automatic_options=False,
        )  # fmt: skip
    api.add_url_rule("/", endpoint="nothing", view_func=_nothing, methods=METHODS, defaults={"rest": ""})
    api.add_url_rule("/<path:rest>", endpoint="nothing", view_func=_nothing, methods=METHODS)
    csrf.exempt(api)
    app.register_blueprint(api)
    app.wsgi_app = partial(_by_engine, app.wsgi_app)  # type: ignore[method-assign]


def _by_engine(behind: Callable[..., Any], environ: dict[str, Any], start_response: Any) -> Any:
    """`/engine/default/…` is `/…`: so clients speak that name the engine they mean, as there may be several in the original."""
    path = environ.get("PATH_INFO", "")
    if path.startswith(_NAMED):
        environ["PATH_INFO"] = routing.PREFIX + path[len(_NAMED) - 1 :]
    return behind(environ, start_response)


def _serve(declared: routing.Route, **parts: str) -> Response:
    if declared.scope is not None:
        access.require_scope(declared.scope)
    return routing.serve(declared, parts)


def _nothing(rest: str) -> Response:
    """What is not declared: what the original knows and we do not (501), another method of an address (405), or nothing (404)."""
    why = uncovered.reason(request.method, rest)
    if why is not None:
        raise refusals.not_covered(why)
    adapter = current_app.url_map.bind("")
    allowed = []
    for method in METHODS:
        try:
            rule, _ = adapter.match(request.path, method=method, return_rule=True)
        except (NotFound, MethodNotAllowed):
            continue
        if not rule.endpoint.endswith(".nothing"):
            allowed.append(method)
    if allowed:
        raise ApiError(405, "MethodNotAllowedException", f"{request.method} is no method of this address", headers={"Allow": ", ".join(allowed)})
    why = uncovered.part_reason(rest)
    if why is not None:
        raise refusals.not_covered(why)
    raise ApiError(404, "NotFoundException", f"no address of this API: {request.path[:200]}")
