"""Files that the reader takes along: always as a download, never shown as a page of ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from flask import Response
from werkzeug.datastructures import Headers

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """The content as a file of that name."""
    headers = Headers()
    headers.add("Content-Disposition", "attachment", filename=name)
    return Response(content, mimetype=media_type, headers=headers)


def spreadsheet(name: str, rows: Iterable[Iterable[str]]) -> Response:
    """A table, the heads of its columns first, that Chinese spreadsheets open as it is (`name` without ending).

    With the mark of UTF-8 in front, and no cell that would be taken for a formula: what people typed stays text.
    """
    written = io.StringIO()
    csv.writer(written).writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows)
    return attachment(("\ufeff" + written.getvalue()).encode(), f"{name}.csv", "text/csv")
