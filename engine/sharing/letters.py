"""How an official document is worded: a word processor's file with Jinja's marks, filled by a sandbox.

A template is a .docx that is deployed with the diagram. What stands in a paragraph of the style `公文标题` is the document's
title, what stands in one of the style `发文字号` its number. A template sees the case's variables, the parameters of the step
and NAMES. Whatever is filled in is escaped, and a name that does not exist is an error: an official document with a hole
in it must not leave the house.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from docx.document import Document as Docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from docxtpl import DocxTemplate
from jinja2 import TemplateError
from lxml import etree

from engine.sharing.letter_marks import ENVIRONMENT, printable

#: Names of the paragraph styles that say what the document is called and how it is numbered.
TITLE_STYLE, NUMBER_STYLE = "公文标题", "发文字号"
#: How a number is written where the template does not say.
PLAIN_NUMBER = "{{ unit.short }}〔{{ year }}〕{{ serial }}号"
#: What every template may name.
NAMES: Mapping[str, str] = {
    "unit": "the issuer: code, name, short",
    "article": "the article that the step cites",
    "year": "of issue, in Shanghai",
    "serial": "running number of the unit, kind and year",
    "number": "the number as it is written where no paragraph of the template says it otherwise",
    "issued_at": "instant of issue",
    "case_number": "number of the case",
    "case_title": "title of the case",
}
#: A letter is text; what is larger is something else.
BYTES_MAX, UNPACKED_MAX = 2 * 1024 * 1024, 20 * 1024 * 1024
#: What a document is made of. Programs, embedded files and pages of other kinds are not among it.
PARTS = re.compile(r".*\.(xml|rels|png|jpe?g)", re.IGNORECASE)
#: The only fields that a word processor may work out by itself when somebody opens the document.
FIELDS = re.compile(r"\s*(PAGE|NUMPAGES|SECTIONPAGES)\b")

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BROKEN = (
    TemplateError, OpcError, BadZipFile, etree.LxmlError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    OSError, RecursionError,
)  # fmt: skip


class BadTemplate(Exception):
    """The template cannot be filled; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A filled template: title and number as plain text, the document as the bytes of a .docx."""

    title: str
    number: str
    docx: bytes


class _Template(DocxTemplate):  # type: ignore[misc]  # docxtpl has no type hints
    """docxtpl's template, which would repair broken XML in silence; ours says so."""

    def init_docx(self, reload: bool = True) -> None:
        super().init_docx(reload)
        # LibreOffice names the relationship in its own way; python-docx would add a second part of the same name.
        for link in self.docx.part.package.rels.values():
            if not link.is_external and link.target_part.partname == "/docProps/core.xml":
                link._reltype = RELATIONSHIP_TYPE.CORE_PROPERTIES

    def fix_tables(self, xml: str) -> Any:
        etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
        return super().fix_tables(xml)


def fill(template: bytes, names: Mapping[str, Any], *, title: str) -> Letter:
    """Fills a template; `title` is its title where no paragraph has that style.

    Raises BadTemplate for a template that is broken, asks for a name that does not exist or tries what the sandbox forbids.
    """
    known = printable(dict(names))
    try:
        _refuse_harm(template)
        known["number"] = ENVIRONMENT.from_string(PLAIN_NUMBER).render(known)
        filled = _Template(BytesIO(template))
        filled.render(known, ENVIRONMENT, autoescape=True)
        document: Docx = filled.docx
        found = _in_style(document, TITLE_STYLE) or title
        number = _in_style(document, NUMBER_STYLE) or known["number"]
        core = document.core_properties
        core.title, core.author = found[:255], str(known["unit"]["name"])[:255]
        core.created = core.modified = known["issued_at"]
        out = BytesIO()
        filled.save(out)
    except _BROKEN as error:
        raise BadTemplate(f"文书模板无法填写：{error}") from error
    return Letter(found, number, out.getvalue())


def faults(template: bytes, known: Set[str]) -> Iterator[str]:
    """Why a template must not be deployed, in Chinese: it cannot be read, or names what is neither in `known` nor in NAMES."""
    try:
        _refuse_harm(template)
        asked = _Template(BytesIO(template)).get_undeclared_template_variables(ENVIRONMENT)
    except _BROKEN as error:
        yield f"无法读取：{error}"
        return
    for name in sorted(asked - known - NAMES.keys() - ENVIRONMENT.globals.keys()):
        yield f"使用了流程中没有的数据“{name}”"


def _refuse_harm(template: bytes) -> None:
    """Raises ValueError for a file that is no plain document: too large, with programs, embedded files or links outside."""
    if len(template) > BYTES_MAX:
        raise ValueError("文件过大")
    with ZipFile(BytesIO(template)) as package:
        parts = [part for part in package.infolist() if not part.is_dir()]
        if sum(part.file_size for part in parts) > UNPACKED_MAX:
            raise ValueError("文件过大")
        for part in parts:
            if not PARTS.fullmatch(part.filename):
                raise ValueError(f"含有不允许的内容{part.filename}（宏、嵌入文件等）")
            if part.filename.lower().endswith((".xml", ".rels")):
                _refuse_harmful_xml(part.filename, package.read(part))


def _refuse_harmful_xml(name: str, xml: bytes) -> None:
    tree = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    if tree.getroottree().docinfo.internalDTD is not None:
        raise ValueError(f"{name}含有DOCTYPE声明")
    if name.endswith(".rels") and any(link.get("TargetMode") == "External" for link in tree):
        raise ValueError(f"{name}引用了文件以外的内容")
    for element in tree.iter(f"{_W}instrText", f"{_W}fldSimple"):
        instruction = (element.text if element.tag.endswith("instrText") else element.get(f"{_W}instr")) or ""
        if not FIELDS.match(instruction):
            raise ValueError(f"含有不允许的域“{instruction.strip()}”")


def _in_style(document: Docx, style: str) -> str:
    """The text of the paragraphs in a style, on one line."""
    found = (paragraph.text for paragraph in document.paragraphs if paragraph.style is not None and paragraph.style.name == style)
    return " ".join(" ".join(found).split())
