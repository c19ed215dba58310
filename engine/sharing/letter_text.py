"""An issued document as text for a screen: its paragraphs and tables with as much of their look as reading needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from docx import Document
from docx.styles.style import ParagraphStyle
from docx.table import Table as DocxTable
from docx.text.paragraph import Paragraph as DocxParagraph

from engine.sharing.letters import TITLE_STYLE

_ALIGNED = {"center": "center", "right": "right", "end": "right"}
_RULE = "w:pPr/w:pBdr/w:bottom"


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one look."""

    text: str
    bold: bool
    red: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. `align` is left, center or right."""

    runs: tuple[Run, ...]
    role: str
    """title, heading or text."""
    align: str
    indented: bool
    ruled: bool
    """Whether a line is drawn below it."""

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, as wide as `columns`."""

    paragraphs: tuple[Paragraph, ...]
    columns: int
    head: bool
    """Whether it names its row or its column."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, row by row."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def text(self) -> str:
        return "\n".join("\t".join(part.text for cell in row for part in cell.paragraphs) for row in self.rows)


Block = Paragraph | Table


def read(docx: bytes) -> tuple[Block, ...]:
    """The body of a document that was issued here, in order; empty paragraphs are left out."""
    document = Document(BytesIO(docx))
    return tuple(_blocks(document.iter_inner_content()))


def plain(blocks: tuple[Block, ...]) -> str:
    """The words alone, a line for each paragraph or row."""
    return "\n".join(block.text for block in blocks)


def _blocks(content: Iterator[DocxParagraph | DocxTable]) -> Iterator[Block]:
    for item in content:
        if isinstance(item, DocxTable):
            yield Table(tuple(_cells(row._tr, item) for row in item.rows))
        elif item.text.strip():
            yield _paragraph(item)


def _cells(row: Any, table: DocxTable) -> tuple[Cell, ...]:
    # python-docx's row.cells repeats a merged cell; the elements themselves do not.
    found = []
    for element in row.tc_lst:
        inner = [DocxParagraph(p, table) for p in element.p_lst]
        head = bool(inner) and _centred_head(inner[0])
        found.append(Cell(tuple(map(_paragraph, inner)), element.grid_span, head))
    return tuple(found)


def _centred_head(paragraph: DocxParagraph) -> bool:
    return paragraph.style is not None and paragraph.style.name == "表头"


def _paragraph(paragraph: DocxParagraph) -> Paragraph:
    chain = list(_styles(paragraph))
    elements = [paragraph._p, *(style.element for style in chain)]
    # As written, not through python-docx: it knows the values of Word only, and LibreOffice says `start` and `end`.
    align = next((found[0] for element in elements if (found := element.xpath("w:pPr/w:jc/@w:val"))), "")
    indent = next((found[0] for element in elements if (found := element.xpath("w:pPr/w:ind/@w:firstLine"))), "0")
    return Paragraph(
        tuple(_run(run, chain) for run in paragraph.runs if run.text),
        _role(elements, chain),
        _ALIGNED.get(align, "left"),
        indent != "0",
        any(element.xpath(_RULE) for element in elements),
    )


def _role(elements: list[Any], chain: list[ParagraphStyle]) -> str:
    if any(style.name == TITLE_STYLE for style in chain):
        return "title"
    return "heading" if any(element.xpath("w:pPr/w:outlineLvl") for element in elements) else "text"


def _run(run: Any, chain: list[ParagraphStyle]) -> Run:
    fonts = [run.font, *(style.font for style in chain)]
    bold = next((font.bold for font in fonts if font.bold is not None), False)
    colour = next((font.color.rgb for font in fonts if font.color is not None and font.color.rgb is not None), None)
    return Run(run.text, bold, colour is not None and colour[0] > 0xA0 and max(colour[1], colour[2]) < 0x60)


def _styles(paragraph: DocxParagraph) -> Iterator[ParagraphStyle]:
    """The paragraph's style and those that it builds on."""
    style = paragraph.style
    while isinstance(style, ParagraphStyle):
        yield style
        style = style.base_style
