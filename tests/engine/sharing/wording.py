"""Makes document templates for tests: the least .docx that says something, as a word processor would save it."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from docx import Document
from docx.enum.style import WD_STYLE_TYPE

from engine.sharing.letters import NUMBER_STYLE, TITLE_STYLE


def template(*paragraphs: str, title: str | None = None, number: str | None = None, cells: tuple[str, ...] = ()) -> bytes:
    """A template with these paragraphs, a row of table cells after them, and a title and a number in their styles."""
    document = Document()
    for name, text in ((NUMBER_STYLE, number), (TITLE_STYLE, title)):
        if text is not None:
            document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            document.add_paragraph(text, style=name)
    for text in paragraphs:
        document.add_paragraph(text)
    if cells:
        row = document.add_table(1, len(cells)).rows[0]
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    return saved(document)


def saved(document: object) -> bytes:
    """A python-docx document as its bytes."""
    out = BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def with_part(docx: bytes, name: str, content: bytes) -> bytes:
    """The same file with one part more, or another one in its place."""
    out = BytesIO()
    with ZipFile(BytesIO(docx)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


def part_of(docx: bytes, name: str) -> str:
    with ZipFile(BytesIO(docx)) as package:
        return package.read(name).decode()
