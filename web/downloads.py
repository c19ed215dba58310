"""Files that the reader takes along: always as a download, never shown as a page of ours."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import Headers


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """The content as a file of that name."""
    headers = Headers()
    headers.add("Content-Disposition", "attachment", filename=name)
    return Response(content, mimetype=media_type, headers=headers)
