"""Headers that every answer carries, and the number by which a request is found again in the logs.

Nothing inline runs or styles: scripts and styles come from the bundle only, so a value that slips through the templates'
escaping still cannot act. The one exception is the modeler's page, which may set `style` attributes.
"""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, g, request
from werkzeug.routing import IntegerConverter, Map

from engine.logs import REQUEST

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

def preview_headers(*, sandboxed: bool) -> dict[str, str]:
    """For an uploaded file that is shown inside a page of ours: nothing in it runs or loads, and only our pages frame it.

    `sandboxed` also takes away the file's origin. Not for a PDF: the browser's own viewer refuses to open one in a sandbox;
    that viewer is no page of ours, and runs nothing with our origin.
    """
    rules = ["default-src 'none'", "style-src 'unsafe-inline'", "img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"]
    if sandboxed:
        rules.append("sandbox")
    return {"Content-Security-Policy": "; ".join(rules), "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff"}


#: bpmn-js places what it draws by `style` attributes that it sets itself; only the modeler's page lets it, and styles only.
MODELER_POLICY = f"{CONTENT_POLICY}; style-src-attr 'unsafe-inline'"
MODELER = "drafts.draft"

#: A number of a request that whoever stands before us (a proxy, another system) may give: it goes into logs and history as it is.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)

#: A bundled file's name changes with its content, so a browser may keep it for ever.
FOR_EVER = "public, max-age=31536000, immutable"


class RowNumber(IntegerConverter):
    """A number in an address: one that no row can have is no address of ours, and no database is asked for it."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def protect(app: Flask, *, https: bool) -> None:
    """Numbers every request, bounds the numbers in addresses, and sets the headers of every answer."""
    app.url_map.converters["int"] = RowNumber

    @app.before_request
    def number() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        REQUEST.set(g.request_id)

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        REQUEST.set("")

    @app.after_request
    def headers(response: Response) -> Response:
        if request.endpoint == MODELER:
            response.headers["Content-Security-Policy"] = MODELER_POLICY
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint == "static" and response.status_code in (200, 304):
            response.headers["Cache-Control"] = FOR_EVER
        else:
            # What one person may see must not wait in a shared computer's cache for the next.
            response.headers.setdefault("Cache-Control", "no-store")
        return response
