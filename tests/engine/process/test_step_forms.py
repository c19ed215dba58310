"""One form, several steps: what a step hides is neither shown nor taken, and what it only shows keeps the case's value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.process.check import check
from engine.process.definitions import Deployed, deployed
from engine.process.forms import prefill
from engine.process.interpreter.model import Problem
from engine.process.package import Package
from engine.process.restricted import is_restricted
from engine.process.sheets.task import task_form, task_sheet
from engine.process.step_forms import bulk_at, form_at
from engine.process.tasks import complete_task
from engine.store.errors import Invalid
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.process.office import Office, choice, form, text

REVIEW = form(
    choice("result", "yes", "no", required=True), text("reason", required=True, when="result == 'no'"), text("remark", required=True, value="case.number"),
    opinion_when="result == 'no'",
)  # fmt: skip
WHO = {"unit": "'A'", "post": "handler", "form": "review"}
SECOND = {"hiddenFields": "remark", "readonlyFields": "result, reason"}


@pytest.fixture
def shared(office: Office) -> Office:
    """The first step fills in the form; the second reads the result, may not touch it, and sees no remark."""
    office.deploy("start > user:first > user:second > end", element("first", **WHO), element("second", **WHO, **SECOND), forms={"review": REVIEW})
    office.start()
    office.complete("anna", "first", opinion="不同意", result="no", reason="材料不全", remark="甲")
    return office


def version(office: Office) -> Deployed:
    with office.store.read() as session:
        return deployed(session, 1)


def complete(office: Office, **answers: Any) -> None:
    complete_task(office.store, office.task("second").id, actor=office["ben"], answers=answers, opinion="知悉")


def test_the_step_shows_the_form_as_the_diagram_lets_it(shared: Office) -> None:
    with shared.store.read() as session:
        sheet = task_sheet(session, shared["ben"], shared.task("second").id)
        assert task_form(session, shared.task("second").id) == sheet.form
    assert sheet.form is not None
    assert [(field["key"], field.get("fixed", False)) for field in sheet.form["fields"]] == [("result", True), ("reason", True)]
    assert sheet.first_values == prefill(sheet.form, sheet.names) == {}
    assert form_at(version(shared), "first") == REVIEW
    assert form_at(version(shared), "start") is form_at(version(shared), "nowhere") is None


def test_nothing_of_the_form_is_asked_and_the_case_keeps_what_it_has(shared: Office) -> None:
    complete(shared)
    held = shared.instance(1).variables
    assert (held["result"], held["reason"], held["remark"], shared.instance(1).state) == ("no", "材料不全", "甲", "completed")


def test_another_value_for_what_is_only_shown_is_refused_and_the_same_is_taken_for_none(shared: Office) -> None:
    with pytest.raises(Invalid) as refused:
        complete(shared, result="yes", reason="材料不全")
    assert refused.value.fields == {"result": "“result”在本环节只能查看，不能修改"}
    assert shared.open_steps() == ["second"]
    complete(shared, result="no", reason="材料不全")
    assert shared.task("second", state="done").answers == {}


def test_what_is_hidden_cannot_be_posted(shared: Office) -> None:
    with pytest.raises(Invalid) as refused:
        complete(shared, remark="乙")
    assert refused.value.fields == {"remark": "表单中没有“remark”这一项"}


def test_conditions_read_what_is_only_shown_from_the_case(office: Office) -> None:
    ask = form(choice("result", "yes", "no", required=True), text("plan", required=True, when="result == 'no'"))
    office.deploy(
        "start > user:first > user:second > end", element("first", **{**WHO, "form": "ask", "hiddenFields": "plan"}),
        element("second", **{**WHO, "form": "ask", "readonlyFields": "result"}), forms={"ask": ask},
    )  # fmt: skip
    office.start()
    office.complete("anna", "first", result="no")
    with pytest.raises(Invalid) as refused:
        office.complete("anna", "second")
    assert refused.value.fields == {"plan": "请填写“plan”"}
    office.complete("anna", "second", plan="补报")
    assert office.instance(1).variables["plan"] == "补报"


def test_a_step_may_be_done_in_bulk_where_its_form_says_so_and_shows_nothing_of_a_case(office: Office) -> None:
    forms = {"sign": form(choice("result", "yes", "no", required=True), bulk=True), "other": form(text("a"))}
    office.deploy(
        "start > user:a > user:b > user:c > user:d > end", element("a", **{**WHO, "form": "sign"}), element("b", **{**WHO, "form": "other"}),
        element("c", unit="'A'", post="handler"), element("d", **{**WHO, "form": "sign", "readonlyFields": "result"}), forms=forms,
    )  # fmt: skip
    assert [step for step in "abcd" if bulk_at(version(office), step)] == ["a"]


# -- restricted cases ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "level", "restricted"),
    [("", "secret", False), ("level == 'secret'", "secret", True), ("level == 'secret'", "open", False), ("True", "open", True), ("level.name == 'x'", "open", True)],
)
def test_the_process_says_whether_a_case_is_restricted_and_in_doubt_it_is(office: Office, expression: str, level: str, restricted: bool) -> None:
    says = {"restricted": expression} if expression else {}
    office.deploy("start > user:a > end", element("a", unit="'A'", post="handler"), startForm="ask", forms={"ask": form(text("level"))}, **says)
    case = office.start(level=level)
    with office.store.read() as session:
        assert is_restricted(session, office.instance(case)) is restricted


def test_an_expression_of_it_that_cannot_be_read_or_names_nothing_is_refused() -> None:
    for wrong, rule in (("level =", "bad-expression"), ("secret('x')", "unknown-function"), ("levle == 1", "unknown-name")):
        drawn = diagram("start > user:a > end", element("a", unit="'A'", post="handler"), restricted=wrong, startPosts="handler")
        assert only(check(Package("r", drawn), set())).rule == rule


# -- what the check says ---------------------------------------------------------------------------


def found(*, base: Package | None = None, forms: dict[str, Any] | None = None, first: dict[str, str] | None = None, **second: str) -> list[Problem]:
    drawn = diagram("start > user:first > user:second > end", element("first", **{**WHO, **(first or {})}), element("second", name="复核", **{**WHO, **second}))
    return check(Package("r", drawn, {"review": REVIEW} if forms is None else forms), set(), base=base)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, [problem.message for problem in problems]
    return problems[0]


def test_known_fields_pass() -> None:
    assert found(**SECOND) == []


def test_an_unknown_field_is_refused_with_what_was_meant() -> None:
    problem = only(found(readonlyFields="results"))
    assert (problem.rule, problem.element, problem.severity) == ("field-unknown", "second", "error")
    assert problem.message == "环节“复核”（second）的只读的字段（readonlyFields）“results”不在表单“表单”中，是否应为“result”？"


def test_a_field_is_either_hidden_or_shown() -> None:
    assert only(found(readonlyFields="reason", hiddenFields="reason")).rule == "field-right-twice"


def test_rights_over_no_form_do_nothing() -> None:
    problem = only(found(form="", hiddenFields="reason"))
    assert (problem.rule, problem.severity) == ("property-ignored", "warning")


def test_a_required_field_that_no_step_asks_for_is_told_and_refused_where_the_law_is_carried_out() -> None:
    hides = {"hiddenFields": "remark"}
    assert (only(found(first=hides, **hides)).rule, only(found(first=hides, **hides)).severity) == ("field-asked-nowhere", "warning")
    by_law = only(found(first=hides, readonlyFields="remark", article="第三条"))
    assert (by_law.rule, by_law.severity) == ("field-asked-nowhere", "error")
    assert found(**hides) == []


def test_what_the_law_asks_for_can_neither_be_hidden_nor_only_be_shown() -> None:
    drawn = diagram("start > user:first > user:second > end", element("first", **WHO), element("second", name="复核", **WHO, article="第三条"))
    base = Package("r", drawn, {"review": REVIEW})
    for right in ("hiddenFields", "readonlyFields"):
        (problem,) = found(base=base, article="第三条", **{right: "remark"})
        assert (problem.rule, problem.element, problem.article) == ("statutory-field-removed", "second", "第三条")
    was_hidden = replace(base, xml=drawn.replace(b'name="article"', b'name="hiddenFields" value="remark"/><spiffworkflow:property name="article"'))
    assert found(base=was_hidden, article="第三条", hiddenFields="remark") == []


def test_forms_that_are_none_yet_are_told_once() -> None:
    problems = found(forms={"review": {"title": "表单"}}, hiddenFields="remark")
    assert {problem.rule for problem in problems} == {"form-broken", "field-unknown"}
    assert only(found(forms={}, first={"form": ""}, hiddenFields="remark")).rule == "form-missing"
