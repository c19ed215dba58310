"""Official documents: numbered without gaps or doubles, worded by templates that cannot do harm, seen with their case."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.process.interpreter.model import OperationError
from engine.process.tables import Party
from engine.sharing import documents
from engine.store.clock import shanghai
from engine.store.errors import NotAllowed, NotFound
from tests.engine.sharing.registers import Registers

LETTER = """
<h1>{% block title %}关于共享“{{ name }}”的答复函{% endblock %}</h1>
<p>{% block number %}{{ unit.short }}共享函〔{{ year }}〕{{ serial }}号{% endblock %}</p>
<p>依照{{ article }}，答复如下：</p>
{{ text | paragraphs }}
<p>{{ unit.name }}<br>{{ issued_at | day }}</p>
"""


def issue(registers: Registers, case: int, template: str = LETTER, unit: str = "013", **more: Any) -> dict[str, Any]:
    values = {"name": "公租房保障对象", "text": "同意共享。\n\n按人核验。", **more}
    given: dict[str, Any] = registers.call(
        "documents.issue", case, templates={"reply_letter": template}, cited="第十五条", kind="reply_letter", unit=unit, **values
    )
    return given


def text_of(registers: Registers, document: dict[str, Any]) -> str:
    with registers.store.read() as session:
        return documents.document_sheet(session, registers.person("office"), document["id"]).html


def test_a_letter_cites_its_article_and_bears_number_title_and_date(registers: Registers) -> None:
    given = issue(registers, registers.case(), at=shanghai("2026-03-02 16:00"))
    assert given["number"] == "住建共享函〔2026〕1号"
    assert given["title"] == "关于共享“公租房保障对象”的答复函"
    html = text_of(registers, given)
    assert "依照第十五条，答复如下" in html
    assert "<p>同意共享。</p><p>按人核验。</p>" in html
    assert "市住房和城乡建设局<br>2026年3月2日" in html
    assert "<p>住建共享函〔2026〕1号</p>" in html


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
        "{{ '不是日期' | day }}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_template_that_cannot_be_filled_issues_nothing_and_uses_no_number(registers: Registers, broken: str) -> None:
    with pytest.raises(OperationError) as refused:
        issue(registers, registers.case(), template=broken)
    assert refused.value.code == "bad-template"
    assert issue(registers, registers.case())["number"] == "住建共享函〔2026〕1号"


def test_what_is_filled_in_cannot_become_markup(registers: Registers) -> None:
    given = issue(registers, registers.case(), name="<script>alert(1)</script>", text="<b>粗</b> & 细")
    html = text_of(registers, given)
    assert "<script>" not in html and "<b>" not in html
    assert "&lt;b&gt;粗&lt;/b&gt; &amp; 细" in html
    assert given["title"] == "关于共享“<script>alert(1)</script>”的答复函"  # text, escaped again wherever it is shown


def test_without_blocks_the_step_gives_the_title_and_the_unit_the_number(registers: Registers) -> None:
    given = issue(registers, registers.case(), template="<p>{{ number }}：{{ name }}</p>")
    assert (given["title"], given["number"]) == ("制发文书", "住建〔2026〕1号")
    assert text_of(registers, given) == "<p>住建〔2026〕1号：公租房保障对象</p>"


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
        for login in ("outsider", "editor"):
            with pytest.raises(NotAllowed):
                documents.documents_of(session, registers.person(login), case)
            with pytest.raises(NotAllowed):
                documents.document_sheet(session, registers.person(login), given["id"])
        with pytest.raises(NotFound):
            documents.document_sheet(session, registers.person("office"), given["id"] + 1)
