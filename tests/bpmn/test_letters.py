"""Every shipped letter as a reader gets it: laid out as official documents are, and opened in a real word processor."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from engine.sharing.letter_text import plain, read
from engine.sharing.letters import NUMBER_STYLE, TITLE_STYLE, Letter, faults, fill
from tests import machine
from tests.bpmn.letter_values import VALUES, values_for
from tests.bpmn.letters import asked
from tests.bpmn.shipped import PROCESSES, package, rule_sets

LETTERS = [(process, kind) for process in PROCESSES for kind in package(process).documents]
every_letter = pytest.mark.parametrize(("process", "kind"), LETTERS)

NO_WORD_PROCESSOR = "no LibreOffice or no pdftotext on this machine (on Debian: apt-get install libreoffice-writer poppler-utils)"


@cache
def letter(process: str, kind: str) -> Letter:
    template = package(process).documents[kind]
    return fill(template, values_for(process, asked(template)), title="")


def converted(folder: Path, documents: Mapping[tuple[str, str], bytes], kind: str) -> dict[tuple[str, str], Path]:
    """Letter → file of that kind as LibreOffice makes it of the document. LibreOffice starts once for all."""
    program = machine.word_processor()
    if program is None:
        if machine.CI:
            pytest.fail(NO_WORD_PROCESSOR)
        pytest.skip(NO_WORD_PROCESSOR)
    files = {one: folder / f"{number}.docx" for number, one in enumerate(documents)}
    for one, file in files.items():
        file.write_bytes(documents[one])
    made = folder / "made"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    convert = [str(program), profile, "--headless", "--convert-to", kind, "--outdir", str(made), *map(str, files.values())]
    subprocess.run(convert, check=True, capture_output=True, timeout=300)
    return {one: made / f"{file.stem}.{kind}" for one, file in files.items()}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], str]:
    """Letter → its text as LibreOffice prints it, without spaces and line ends."""
    files = converted(tmp_path_factory.mktemp("letters"), {one: letter(*one).docx for one in LETTERS}, "pdf")
    return {one: _text(file) for one, file in files.items()}


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], bytes]:
    """Letter → its template after an administrator opened it in LibreOffice and saved it again."""
    templates = {(process, kind): package(process).documents[kind] for process, kind in LETTERS}
    return {one: file.read_bytes() for one, file in converted(tmp_path_factory.mktemp("templates"), templates, "docx").items()}


def _text(pdf: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True, timeout=60)
    return re.sub(r"\s", "", done.stdout)


@every_letter
def test_it_opens_in_a_word_processor_with_number_title_and_article(
    printed: Mapping[tuple[str, str], str], process: str, kind: str
) -> None:
    text, made = printed[process, kind], letter(process, kind)
    for expected in (made.number, made.title, VALUES["article"], VALUES["unit"]["name"], "2026年3月2日", "—1—"):
        assert re.sub(r"\s", "", expected) in text
    assert not re.search(r"\{[{%#]|[%#}]\}|None|Undefined", text)


@every_letter
def test_the_screen_shows_the_words_of_the_file(printed: Mapping[tuple[str, str], str], process: str, kind: str) -> None:
    # The order in which columns are read differs, a table's head stands again on its next page, and a comma that hangs
    # over the margin is not read back; no word is missing.
    shown = re.sub(r"\W", "", plain(read(letter(process, kind).docx)))
    assert Counter(shown) - Counter(printed[process, kind]) == Counter()


@every_letter
def test_its_template_can_be_edited_in_a_word_processor(
    edited: Mapping[tuple[str, str], bytes], process: str, kind: str
) -> None:
    values = values_for(process, asked(package(process).documents[kind]))
    assert list(faults(edited[process, kind], values.keys())) == []
    again, made = fill(edited[process, kind], values, title=""), letter(process, kind)
    assert (again.title, again.number, plain(read(again.docx))) == (made.title, made.number, plain(read(made.docx)))


@every_letter
def test_it_is_laid_out_as_official_documents_are(process: str, kind: str) -> None:
    document = Document(BytesIO(letter(process, kind).docx))
    (section,) = document.sections
    sizes = [section.page_width, section.page_height, section.top_margin, section.bottom_margin, section.left_margin, section.right_margin]
    assert [round(size.mm) for size in sizes if size is not None] == [210, 297, 37, 35, 28, 26]
    assert document.settings.odd_and_even_pages_header_footer
    by_style = {paragraph.style.name: paragraph for paragraph in document.paragraphs if paragraph.style is not None}
    look = {name: document.styles[name] for name in ("发文机关标志", NUMBER_STYLE, TITLE_STYLE, "公文正文", "Normal")}
    assert str(look["发文机关标志"].font.color.rgb) == "FF0000"
    assert look[NUMBER_STYLE].element.find(f".//{qn('w:pBdr')}/{qn('w:bottom')}").get(qn("w:color")) == "FF0000"
    assert (look[TITLE_STYLE].font.size, look[TITLE_STYLE].paragraph_format.alignment) == (Pt(22), WD_ALIGN_PARAGRAPH.CENTER)
    assert look["Normal"].paragraph_format.line_spacing == Pt(28)
    assert look["公文正文"].element.find(f".//{qn('w:ind')}").get(qn("w:firstLineChars")) == "200"
    body = document.styles.element.find(f"{qn('w:docDefaults')}//{qn('w:rFonts')}").get(qn("w:eastAsia"))
    assert (body, document.styles.element.find(f"{qn('w:docDefaults')}//{qn('w:sz')}").get(qn("w:val"))) == ("仿宋_GB2312", "32")
    assert abs(section.page_width - section.left_margin - section.right_margin - Mm(156)) < Mm(0.1)  # type: ignore[operator]
    in_order = [name for name in by_style if name in ("发文机关标志", NUMBER_STYLE, TITLE_STYLE, "主送机关", "公文正文", "发文机关署名", "成文日期")]
    assert in_order[:3] == ["发文机关标志", NUMBER_STYLE, TITLE_STYLE] and in_order[-2:] == ["发文机关署名", "成文日期"]
    assert by_style["发文机关标志"].text == by_style["发文机关署名"].text == VALUES["unit"]["name"]


@pytest.mark.parametrize("name", rule_sets())
def test_each_kind_has_a_number_of_its_own(name: str) -> None:
    """Two kinds that shared a wording would give the same number to two documents of a unit."""
    worded: dict[str, set[str]] = {}
    for process, kind in LETTERS:
        if process.startswith(f"{name}/"):
            worded.setdefault(letter(process, kind).number, set()).add(kind)
    assert {number: kinds for number, kinds in worded.items() if len(kinds) > 1} == {}
