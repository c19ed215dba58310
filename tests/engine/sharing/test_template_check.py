"""A document template that could not be filled is refused when it is deployed, by name, and not when a case needs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.process.check import check
from engine.process.definitions import NotDeployable, deploy_in, deployed
from engine.process.package import Package, read_package
from engine.sharing import registry
from engine.store.store import Store
from tests.engine.sharing.wording import template, with_part

assert registry  # imported so that its operations are known

BPMN = Path(__file__).parents[3] / "bpmn/liaoyang_2018"
NEIGHBOURS = {"supervision", "negative_list_entry", "negotiation"}


def package(**documents: bytes | None) -> Package:
    """The request as it ships, with other templates; None takes one away."""
    shipped = read_package(BPMN / "conditional_share", "liaoyang_2018")
    kept = {**shipped.documents, **documents}
    return replace(shipped, documents={kind: file for kind, file in kept.items() if file is not None})


def found(package: Package) -> list[tuple[str, str]]:
    return [(problem.rule, problem.message) for problem in check(package, NEIGHBOURS)]


def test_the_shipped_templates_are_taken_and_come_back_as_they_were(store: Store) -> None:
    assert found(package()) == []
    with store.work() as work:
        number = deploy_in(work, package(), by="init", approved_by="init", reason="", also_known=NEIGHBOURS)
    with store.read() as session:
        assert deployed(session, number).documents == package().documents


def test_a_name_that_the_process_does_not_know_is_told(store: Store) -> None:
    wrong = package(reply_letter=template("{{ recipient }}：{{ validuntil|day }}", title="{{ article }} {{ resourse.name }}"))
    rules, messages = zip(*found(wrong), strict=True)
    assert rules == ("document-broken", "document-broken")
    assert "公文模板“reply_letter”使用了流程中没有的数据“resourse”" in messages[0] and "（Task_" in messages[0]
    assert "“validuntil”" in messages[1]
    with store.work() as work, pytest.raises(NotDeployable, match="validuntil"):
        deploy_in(work, wrong, by="init", approved_by="init", reason="", also_known=NEIGHBOURS)


def test_parameters_forms_and_the_standard_names_are_known() -> None:
    assert found(package(reply_letter=template("{{ unit.name }}{{ year }}{{ serial }}{{ number }}{{ recipient }}{{ scenario }}{{ case_number }}"))) == []


def test_names_that_the_template_makes_itself_are_its_own() -> None:
    words = template("{%p set yes = dict(a='同意') %}", "{%p for one in fields %}", "{{ one }}{{ yes.a }}{{ loop.index }}", "{%p endfor %}")
    assert found(package(reply_letter=words)) == []


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"<h1>HTML</h1>", "无法读取"),
        (template("{{ recipient"), "无法读取"),
        (template("{% if recipient %}"), "无法读取"),
        (template("{{ recipient|safe }}"), "无法读取"),
        (template("{% autoescape false %}{{ recipient }}{% endautoescape %}"), "不能关闭转义"),
        (with_part(template("{{ recipient }}"), "word/vbaProject.bin", b"macro"), "宏"),
        (None, "公文模板“reply_letter”不存在"),
    ],
    ids=["html", "unclosed mark", "unclosed if", "unknown filter", "escaping off", "macro", "missing"],
)
def test_what_cannot_be_filled_is_refused(file: bytes | None, why: str) -> None:
    ((rule, message),) = found(package(reply_letter=file))
    assert rule == ("document-missing" if file is None else "document-broken")
    assert why in message


def test_another_template_is_another_deployment() -> None:
    assert package().digest == package().digest != package(reply_letter=template("{{ recipient }}")).digest
