"""文书: an issued document as a page that prints on A4."""

from __future__ import annotations

from flask import Blueprint, render_template
from markupsafe import Markup

from engine.sharing import documents
from web.context import me, store
from web.looks import look_at_part

page = Blueprint("documents", __name__)


@page.get("/documents/<int:document_id>")
def document(document_id: int) -> str:
    """One document, word for word as it was issued."""
    with store().read() as session:
        sheet = documents.document_sheet(session, me(), document_id)
    look_at_part(sheet.line.instance_id)
    # The engine escaped every value when it filled the template; the markup itself was approved with the diagram.
    return render_template("documents/page.html", line=sheet.line, text=Markup(sheet.html))
