"""文书: an issued document as a page that prints on A4, and as the file that left the house."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, render_template, send_file
from flask.typing import ResponseReturnValue

from engine.sharing import documents
from web.context import me, store
from web.looks import look_at_part

page = Blueprint("documents", __name__)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@page.get("/documents/<int:document_id>")
def document(document_id: int) -> str:
    """One document, word for word as it was issued."""
    with store().read() as session:
        sheet = documents.document_sheet(session, me(), document_id)
    look_at_part(sheet.line.instance_id)
    return render_template("documents/page.html", line=sheet.line, text=sheet.text)


@page.get("/documents/<int:document_id>.docx")
def file(document_id: int) -> ResponseReturnValue:
    """The document's file, always as a download."""
    with store().read() as session:
        found = documents.document_file(session, me(), document_id)
    look_at_part(found.instance_id)
    return send_file(BytesIO(found.docx), mimetype=DOCX, as_attachment=True, download_name=found.name)
