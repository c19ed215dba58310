"""What the API answers when it does not do what was asked: `{"type", "message", "code"}`, as clients of the original expect.

The engine's refusals keep their Chinese sentences; `type` is the name that a program looks at. Beyond the original,
`fields` says by key what is wrong with answers of a form.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from engine.process.incidents import CaseFault
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Refused, Stale
from web.context import somebody

log = logging.getLogger(__name__)

#: `code` of the original for "somebody else was quicker"; 0 stands for everything that has none.
OPTIMISTIC_LOCKING = 1


class ApiError(Exception):
    """A refusal of the API itself, before or beside the engine."""

    def __init__(
        self, status: int, kind: str, message: str, *, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        self.status, self.kind, self.message = status, kind, message
        self.headers, self.more = dict(headers or {}), dict(more or {})
        super().__init__(message)


def bad_request(message: str) -> ApiError:
    """400: what was sent cannot be understood."""
    return ApiError(400, "InvalidRequestException", message)


def missing(what: str, number: object) -> ApiError:
    """404 for an id that is not there, or not for this account: the two answer alike."""
    return ApiError(404, "InvalidRequestException", f"No matching {what} with id {str(number)[:200]}")


def not_covered(sentence: str) -> ApiError:
    """501: the original knows it, we do not."""
    return ApiError(501, "NotImplementedException", sentence)


#: Refusal → status and type; the nearest class in a refusal's ancestry decides.
_TABLE: dict[type[Exception], tuple[int, str]] = {
    NotAllowed: (403, "AuthorizationException"),
    NotFound: (404, "InvalidRequestException"),
    NotRunning: (400, "SuspendedEntityInteractionException"),
    Stale: (409, "OptimisticLockingException"),
    Invalid: (400, "InvalidRequestException"),
    CaseFault: (500, "ProcessEngineException"),
    Refused: (409, "ProcessEngineException"),
}


def answer(status: int, kind: str, message: str, more: Mapping[str, Any] | None = None) -> Response:
    """The body of a refusal; `more` is what a kind of it has besides."""
    code = OPTIMISTIC_LOCKING if kind == "OptimisticLockingException" else 0
    response = jsonify({"type": kind, "message": message, "code": code, **(more or {})})
    response.status_code = status
    return response


def install(api: Blueprint) -> None:
    """Registers the table for every route of the blueprint."""

    @api.errorhandler(ApiError)
    def of_ours(error: ApiError) -> Response:
        response = answer(error.status, error.kind, error.message, error.more)
        response.headers.extend(error.headers)
        return response

    @api.errorhandler(Refused)
    def refused(refusal: Refused) -> Response:
        status, kind = next(_TABLE[cls] for cls in type(refusal).__mro__ if cls in _TABLE)
        if isinstance(refusal, NotAllowed):
            person = somebody()
            log.warning("request %s refused: %s %s for %s", g.get("request_id"), request.method, request.path, person and person.login)
        fields = refusal.fields if isinstance(refusal, Invalid) else {}
        message = "；".join(fields.values()) if fields else refusal.message
        return answer(status, kind, message, {"fields": fields} if fields else None)

    @api.errorhandler(413)  # by its number too: the pages have a handler for it, which would win
    @api.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response:
        kinds = {413: "InvalidRequestException", 405: "MethodNotAllowedException"}
        return answer(error.code or 500, kinds.get(error.code or 500, "RestException"), error.description or error.name)

    @api.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        log.exception("request %s failed: %s %s", g.get("request_id"), request.method, request.path, exc_info=error)
        return answer(500, "RestException", f"系统暂时无法处理，请稍后重试或将请求编号{g.get('request_id', '')}告知系统管理员")
