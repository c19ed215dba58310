"""What the form editor knows of the diagram, and the changes that touch both."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.form_check import Fault
from engine.process.package import Package
from engine.process.workshop.blank import blank_diagram
from engine.process.workshop.form_edit import (
    FormInUse,
    added,
    case_names,
    findings,
    lines,
    protected,
    readers,
    renamed,
    uses,
    with_form,
    without,
)
from engine.process.workshop.form_text import Unreadable, from_json
from engine.store.errors import Invalid, NotFound
from tests.bpmn.shipped import PROCESSES, package
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.process.office import choice, form, text


def small(forms: dict[str, Any] | None = None, *, article: str = "第九条") -> Package:
    """A start form, a step with an article, and a step without."""
    parts = ("start > user:a > user:b > end", element("a", form="ask", article=article, unit="applicant_unit", post="handler"),
             element("b", form="look", unit="applicant_unit", post="handler"))
    shown = {"start": form(text("why", required=True)), "ask": form(choice("decision", "yes", "no", required=True), text("note")),
             "look": form(text("seen"))} if forms is None else forms
    return Package("test_rules", diagram(*parts, startForm="start", article="第一条"), shown)


def sentences(found: list[Fault]) -> list[str]:
    return [fault.sentence for fault in found]


def test_every_form_knows_its_steps() -> None:
    found = uses(package("liaoyang_2018/conditional_share").xml)
    assert [(use.step, use.name, use.article) for use in found["application"]] == [(None, "发起表单", "第十五条")]
    assert [use.name for use in found["supply"]] == ["业务部门供数", "平台管理单位供数"]
    assert uses(b"<no diagram") == {} and case_names(Package("r", b"<no diagram")) == case_names(Package("r", b""))


@pytest.mark.parametrize("process", PROCESSES)
def test_a_copy_of_a_shipped_process_has_no_finding(process: str) -> None:
    shipped = package(process)
    found = lines(shipped, shipped)
    assert [line.name for line in found if line.faults] == []
    assert {line.name for line in found} == set(shipped.forms) and all(line.title and line.uses for line in found)


def test_names_of_the_case_are_known_and_others_are_named() -> None:
    here = small()
    known = case_names(here)
    asked = form(text("a", when="decision == 'yes'"), text("b", when="decison == 'yes'", value="case.number"))
    assert sentences(findings(asked, known, {})) == ["第2项：“decison”既不是上面的字段，流程图中也没有这一办件数据"]
    assert [fault.severity for fault in findings(asked, known, {})] == ["warning"]
    assert known["decision"] == "decision" and "why" in known


def test_who_reads_an_answer_is_found() -> None:
    found = readers(package("liaoyang_2018/conditional_share").xml)
    assert "箭头“需补正”" in found["completeness"]


def test_what_the_law_wants_stays_whatever_the_form_is_called() -> None:
    base = small()
    assert set(protected(base, base.xml)) == {"start", "ask"}, "a step without an article protects nothing"
    xml, forms = renamed(base, "ask", "question")
    kept = protected(base, xml)
    assert kept["question"]["decision"].article == "第九条"
    weaker = form(choice("decision", "yes", "no"), text("note"))
    gone = form(text("note"))
    hidden = form(text("note"), choice("decision", "yes", "no", required=True, when="note == 'x'"))
    assert sentences(findings(weaker, {}, kept["question"])) == ["第1项：“decision”是法定必填（第九条），不能改为选填"]
    assert sentences(findings(gone, {}, kept["question"])) == ["法定必填的“decision”（decision，第九条）不能删除"]
    assert [fault.severity for fault in findings(hidden, {}, kept["question"])] == ["warning"]
    assert findings(forms["question"], {}, kept["question"]) == []
    assert protected(None, xml) == {}


def test_a_form_is_added_blank_or_as_a_copy() -> None:
    here = small()
    assert added(here, "new_one", " 新表单 ")["new_one"] == {"title": "新表单", "fields": []}
    copy = added(here, "again", "", "ask")
    assert copy["again"] == here.forms["ask"] and copy["again"] is not here.forms["ask"]
    for name, title, source in (("ask", "T", None), ("New", "T", None), ("", "T", None), ("x", "", None), ("x", "T", "nowhere")):
        with pytest.raises(Invalid):
            added(here, name, title, source)


def test_a_new_name_reaches_the_diagram_and_nothing_else_changes() -> None:
    here = small()
    commented = here.xml.replace(b"<bpmn:process", b"<!-- note --><bpmn:process", 1)
    xml, forms = renamed(Package(here.rule_set, commented, here.forms), "start", "begin")
    assert b"note -->" in xml and b'value="begin"' in xml
    assert set(uses(xml)) == {"begin", "ask", "look"} and set(forms) == {"begin", "ask", "look"}
    assert xml.count(b"begin") == 1
    with pytest.raises(Invalid):
        renamed(here, "ask", "look")
    with pytest.raises(NotFound):
        renamed(here, "nothing", "x")


def test_a_form_in_use_cannot_go() -> None:
    here = small()
    with pytest.raises(FormInUse, match="“a”"):
        without(here, "ask")
    spare = Package(here.rule_set, here.xml, {**here.forms, "spare": form()})
    assert set(without(spare, "spare")) == set(here.forms)
    with pytest.raises(NotFound):
        with_form(here, "spare", {})


def test_half_written_forms_are_listed_all_the_same() -> None:
    broken: dict[str, Any] = {"a": {}, "b": {"title": 5, "fields": ["x", {"type": "text"}]}, "c": {"title": "T", "fields": {}}}
    here = Package("r", blank_diagram("leave", "请假", "r"), broken)
    assert [(line.name, bool(line.faults)) for line in lines(here, here)] == [("a", True), ("b", True), ("c", True)]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "第1行第1个字符：缺少值"),
        ('{"title": "T"\n "fields": []}', "第2行第2个字符：缺少逗号或括号"),
        ('{"a": 1,\n}', "第2行第1个字符"),
        ('{"a": NaN}', "第1行第7个字符：“NaN”不是JSON的数"),
        ('{"a": 1,\n "a": 2}', "第2行第2个字符：“a”在同一处写了两次"),
        ("[" * 100_000, "嵌套过深"),
        ('{"a": "b', "文字缺少右引号"),
    ],
)
def test_what_an_expert_writes_wrongly_is_told_with_its_line(written: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told.replace("(", r"\(")):
        from_json(written)


def test_what_an_expert_writes_well_is_read() -> None:
    assert from_json('{"title": "表单", "fields": []}') == {"title": "表单", "fields": []}
