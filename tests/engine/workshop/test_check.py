"""What a process admin may not do to a shipped process, and what is said of it: element, article, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select

import engine.sharing.registry  # noqa: F401  (makes operations, words and subjects known)
from engine.people.tables import Unit
from engine.process.check import check
from engine.process.definitions import NotDeployable, base_of, deploy_in
from engine.process.interpreter.model import Problem
from engine.process.operations import BROUGHT, SUBJECTS
from engine.process.package import Package
from engine.process.tables import Instance
from engine.process.workshop.checking import held_posts
from engine.sharing.catalogue import Resource
from engine.sharing.grants import Grant
from engine.store.errors import Invalid
from tests.bpmn.shipped import BPMN_FOLDER, PROCESSES, keys_of, package
from tests.engine.interpreter.diagrams import call, diagram, element, multi, script, sub, timer
from tests.engine.process.office import Office
from tests.town import Town

REQUEST = "liaoyang_2018/conditional_share"
KNOWN = keys_of("liaoyang_2018")
TEN_DAYS = 'sharing:workingDays="10" sharing:statutoryMax="10" sharing:article="第十五条"'


def request() -> Package:
    return package(REQUEST)


def rewritten(old: str, new: str, of: Package | None = None) -> Package:
    """A package with one text of its diagram changed; the text must be there."""
    of = of or request()
    changed = of.xml.replace(old.encode(), new.encode())
    assert changed != of.xml
    return replace(of, xml=changed)


def with_form(name: str, edit: Callable[[dict[str, Any]], None]) -> Package:
    """The request with one form edited."""
    forms = deepcopy(dict(request().forms))
    edit(forms[name])
    return replace(request(), forms=forms)


def field(form: dict[str, Any], key: str) -> dict[str, Any]:
    return next(item for item in form["fields"] if item.get("key") == key)


def errors(changed: Package, base: Package | None = None) -> list[Problem]:
    return [problem for problem in check(changed, KNOWN, base=base) if problem.severity == "error"]


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, [problem.message for problem in problems]
    return problems[0]


# -- the guard rails (S42) ----------------------------------------------------------------------


def test_fifteen_days_on_the_ten_day_timer_are_refused_with_element_and_article() -> None:
    found = only(errors(rewritten(TEN_DAYS, TEN_DAYS.replace('workingDays="10"', 'workingDays="15"')), request()))
    assert (found.rule, found.element, found.article) == ("statutory-limit-exceeded", "BoundaryEvent_ReplyDeadline", "第十五条")
    assert "15个工作日" in found.message and "第十五条" in found.message


def test_five_days_on_the_ten_day_timer_are_allowed() -> None:
    assert errors(rewritten(TEN_DAYS, TEN_DAYS.replace('workingDays="10"', 'workingDays="5"')), request()) == []


def test_the_reasons_cannot_be_taken_out_of_the_refusal() -> None:
    def without(form: dict[str, Any]) -> None:
        form["fields"] = [item for item in form["fields"] if item.get("key") != "refusal_reason"]

    found = [problem for problem in errors(with_form("reply", without), request()) if problem.rule == "statutory-field-removed"]
    assert (only(found).element, only(found).article) == ("Task_Reply", "第十五条")
    assert "“理由”" in only(found).message and "负责人答复" in only(found).message


def test_nor_be_left_to_whoever_likes_to_give_them() -> None:
    def optional(form: dict[str, Any]) -> None:
        item = field(form, "refusal_reason")
        item.pop("required")
        item.pop("missing", None)

    found = only(errors(with_form("reply", optional), request()))
    assert (found.rule, found.element, found.article) == ("statutory-field-optional", "Task_Reply", "第十五条")


def test_nor_be_lost_by_another_form() -> None:
    found = errors(rewritten('<spiffworkflow:property name="form" value="reply" />',
                             '<spiffworkflow:property name="form" value="supply" />'), request())
    assert {(problem.rule, problem.element, problem.article) for problem in found} >= {
        ("statutory-field-removed", "Task_Reply", "第十五条")}


def test_a_task_without_anybody_to_do_it_is_refused_with_element_and_article() -> None:
    lane = ('<spiffworkflow:property name="unit" value="provider_unit" />\n            <spiffworkflow:property name="post" value="head" />')
    found = [problem for problem in errors(rewritten(lane, "")) if problem.rule == "no-assignee"]
    assert {problem.element: problem.article for problem in found} == {"Task_ReplyAgain": "第十五条"}
    assert "“重新答复”（Task_ReplyAgain）没有承办单位或岗位，无人可以办理" in only(found).message


def test_a_maximum_cannot_be_raised_before_it_is_used_up() -> None:
    found = only(errors(rewritten(TEN_DAYS, TEN_DAYS.replace('statutoryMax="10"', 'statutoryMax="20"')), request()))
    assert (found.rule, found.element, found.article) == ("statutory-max-raised", "BoundaryEvent_ReplyDeadline", "第十五条")


@pytest.mark.parametrize(("left", "rule"), [
    ('sharing:workingDays="20"', "statutory-max-removed"),
    ('sharing:workingDays="10" sharing:statutoryMax="10"', "statutory-article-removed"),
    ('sharing:duration="P90D" sharing:statutoryMax="10" sharing:article="第十五条"', "statutory-limit-not-fixed"),
    (TEN_DAYS + ' sharing:countFrom="requested_on"', "statutory-clock-changed"),
])  # fmt: skip
def test_a_statutory_limit_cannot_be_talked_away(left: str, rule: str) -> None:
    assert rule in {problem.rule for problem in errors(rewritten(TEN_DAYS, left), request())}


def test_a_statutory_deadline_cannot_be_deleted() -> None:
    root = etree.fromstring(request().xml)
    for node in list(root.iter()):
        if node.get("id") in ("BoundaryEvent_ReplyDeadline", "Flow_ReplyDeadline_ReplySupervision"):
            node.getparent().remove(node)
    found = [problem for problem in errors(replace(request(), xml=etree.tostring(root)), request()) if problem.rule == "statutory-limit-removed"]
    assert (only(found).element, only(found).article) == ("SubProcess_Reply", "第十五条")


def test_drawn_anew_under_another_id_the_limit_still_counts_as_there() -> None:
    assert errors(rewritten("BoundaryEvent_ReplyDeadline", "Event_0x1y2z"), request()) == []


def test_a_pause_that_is_turned_into_a_fresh_start_is_said_and_allowed() -> None:
    """S16: what missing material does to the clock is the installation's own policy."""
    changed = rewritten(TEN_DAYS + ' sharing:onPause="pause"', TEN_DAYS + ' sharing:onPause="restart"')
    assert errors(changed, request()) == []
    assert ("statutory-pause-changed", "第十五条") in {(problem.rule, problem.article) for problem in check(changed, KNOWN, base=request())}


def test_another_rule_set_is_another_law() -> None:
    assert errors(package("national_2025/conditional_share"), request()) == []


def test_what_the_version_before_asked_for_binds_the_next_deployment(office: Office) -> None:
    form = {"title": "答复", "fields": [{"key": "reason", "type": "textarea", "label": "理由", "required": True}]}
    reply = element("reply", name="答复", unit="'B'", post="handler", form="reply", article="第十五条")
    office.deploy("start > user:reply > end", reply, forms={"reply": form})
    weaker = {"title": "答复", "fields": [{"key": "note", "type": "text", "label": "备注"}]}
    with pytest.raises(NotDeployable, match="少了必填项“理由”：它是第十五条所要求的"):
        office.deploy("start > user:reply > end", reply, forms={"reply": weaker})
    with office.store.read() as session:
        base = base_of(session, "test", "test_rules")
        assert base is not None and base.forms == {"reply": form}
        assert base_of(session, "test", "another") is None


# -- who can do it ------------------------------------------------------------------------------


def test_a_post_that_nobody_holds_is_pointed_out(office: Office) -> None:
    with office.store.read() as session:
        held = held_posts(session)
    drawn = Package("r", diagram("start > user:a > user:b > end", element("a", unit="'A'", post="handler", article="第三条"),
                                 element("b", unit="'A'", post="expert", article="第四条")))
    found = only(check(drawn, set(), held=held))
    assert (found.rule, found.element, found.article, found.severity) == ("post-unheld", "b", "第四条", "warning")
    assert "专家" in found.message


def test_an_administrator_s_post_does_no_cases() -> None:
    found = only(check(Package("r", diagram("start > user:a > end", element("a", unit="'A'", post="process_admin"))), set()))
    assert found.rule == "post-works-no-cases"


# -- names --------------------------------------------------------------------------------------

TASK = element("a", name="申请", unit="'A'", post="handler", form="ask")
ASK = {"ask": {"title": "申请", "fields": [{"key": "days", "type": "integer", "label": "天数"}]}}


def said(*parts: object, forms: Any = None, base: Package | None = None, **properties: str) -> list[tuple[str, str, str | None]]:
    drawn = Package("r", diagram(*parts, **{"startPosts": "handler", **properties}), ASK if forms is None else forms)
    return [(p.rule, p.severity, p.element) for p in check(drawn, {"other"}, base=base)]


def branch(condition: str, *more: object, **options: Any) -> list[tuple[str, str, str | None]]:
    return said(f"start > user:a > xor:g [{condition}] > end:long", "g [default] > end", TASK, *more, **options)


def test_a_condition_may_ask_what_a_form_has_answered() -> None:
    assert branch("days > 3") == []


def test_a_slip_of_the_pen_in_a_condition_is_an_error_where_people_start_the_process() -> None:
    assert branch("dais > 3") == [("unknown-name", "error", "g")]


def test_who_asks_whether_there_is_a_value_may_name_what_is_not_there() -> None:
    assert branch("given(urgent) and urgent") == []


def test_scripts_operations_and_calls_give_names() -> None:
    assert said("start > user:a > script:s > call:c > xor:g [total > 1 and result == 'x'] > end:long", "g [default] > end", TASK,
                script("s", "total = days * 2"), call("c", "other", out_result="outcome")) == []


def test_an_item_is_known_inside_its_activity_only() -> None:
    each, inside = multi("s", over="[days]", item="one"), element("b", unit="one", post="handler")
    assert said("start > user:a > sub:s > end", sub("s", "start > user:b > end", inside), TASK, each) == []
    outside = element("c", unit="one", post="handler")
    assert said("start > user:a > sub:s > user:c > end", sub("s", "start > user:b > end", inside), TASK, each, outside) == [
        ("unknown-name", "error", "c")]


def test_a_process_that_others_start_may_be_given_anything_but_what_looks_like_a_slip() -> None:
    assert branch("brought > 3", startPosts="") == []
    assert branch("dayss > 3", startPosts="") == [("unknown-name", "warning", "g")]


def test_a_name_that_is_new_since_the_version_before_is_pointed_out_there() -> None:
    before = Package("r", diagram("start > user:a > xor:g [brought > 3] > end:long", "g [default] > end", TASK), ASK)
    assert branch("brought > 4", startPosts="", base=before) == []
    assert branch("fetched > 4", startPosts="", base=before) == [("unknown-name", "warning", "g")]


def test_a_form_that_names_what_no_case_holds_would_stay_empty() -> None:
    forms = {"ask": {"title": "申请", "fields": [{"key": "days", "type": "integer", "label": "天数", "value": "entitlement"}]}}
    assert said("start > user:a > end", TASK, forms=forms) == [("unknown-name", "error", "a")]


def test_bodies_steps_processes_and_posts_must_exist() -> None:
    assert said("start > user:a > end", element("a", unit='body("ministry_of_truth")', post="handler")) == [("unknown-body", "error", "a")]
    assert said("start > user:a > service:s > end", TASK, element("s", operation="cases.answers", in_step="'b'", out="x")) == [
        ("parameter-element-unknown", "error", "s")]
    assert said("start > user:a > service:s > end", TASK, element("s", operation="cases.start", in_process="'nowhere'", in_units="['A']")) == [
        ("parameter-process-unknown", "error", "s")]
    assert said("start > user:a > service:s > end", TASK, element(
        "s", operation="notices.send", in_unit="'A'", in_post="'king'", in_title="'t'", in_text="'x'")) == [("parameter-post-unknown", "error", "s")]


def test_every_subject_says_what_it_brings(town: Town) -> None:
    """Whatever a real case is about brings only names that the check counts on."""
    found = set()
    with town.store.read() as session:
        grants = list(session.scalars(select(Grant.id)))
        cases = [None, *session.scalars(select(Instance.id))]
        for code, provider in session.execute(select(Resource.code, Unit.code).join(Unit, Unit.id == Resource.provider_id)):
            for (name, find), unit, grant in product(SUBJECTS.items(), {provider, "007", "030"}, [*grants, None]):
                answers = {"resource_code": code, "applicant_unit": unit, "grant": grant, "source": cases[-1], "name": "新的"}
                try:
                    brought = find(session, {key: value for key, value in answers.items() if value is not None})
                except Invalid:
                    continue
                assert set(brought.variables) <= BROUGHT[name], name
                found.add(name)
    assert len(found) > len(SUBJECTS) / 2, found
    assert set(BROUGHT) == set(SUBJECTS)


# -- properties ---------------------------------------------------------------------------------


def test_a_misspelt_property_does_nothing_and_is_named() -> None:
    drawn = Package("r", diagram("start > user:a > end", element("a", unit="'A'", post="handler", limt="5", outcome="x"), artikle="第三条"))
    found = {problem.rule: problem for problem in check(drawn, set())}
    assert {problem.message for problem in check(drawn, set()) if problem.rule == "unknown-property"} == {
        "环节“a”（a）的属性“limt”不起作用，是否应为“limit”？", "流程“测试流程”的属性“artikle”不起作用，是否应为“article”？"}
    assert found["property-ignored"].message == "环节“a”（a）的属性“outcome”写在这类元素上不起作用"


@pytest.mark.parametrize(("properties", "rule"), [
    ({"limit": "0"}, "limit-not-a-number"), ({"limit": "'soon'"}, "limit-not-a-number"),
    ({"limit": "5", "onPause": "sleep"}, "onpause-unknown"), ({"clock": "stop"}, "clock-unknown"),
    ({"limit": "5", "statutoryMax": "a lot", "article": "第三条"}, "statutory-max"),
    ({"limit": "5", "statutoryMax": "9" * 5000, "article": "第三条"}, "statutory-max"),
])  # fmt: skip
def test_a_property_s_value_must_make_sense(properties: dict[str, str], rule: str) -> None:
    drawn = Package("r", diagram("start > user:a > end", element("a", unit="'A'", post="handler", **properties)))
    assert rule in {problem.rule for problem in check(drawn, set()) if problem.severity == "error"}


def test_two_deadlines_on_one_task_are_pointed_out() -> None:
    assert said("start > user:a > end", element("a", unit="'A'", post="handler", limit="5"), "t > end:t2",
                timer("a", "t", workingDays=4, role="deadline")) == [("limit-and-deadline", "warning", "a")]


def test_half_a_diagram_is_told_of_its_limits_and_people_too() -> None:
    """Whoever is still drawing sees all that is wrong, not only the missing arrow."""
    found = {problem.rule for problem in errors(Package("r", diagram("start > user:a", "user:b > end", timer("a", "t", workingDays=15, statutoryMax=10, article="第三条"))))}
    assert {"dead-end", "no-assignee", "statutory-limit-exceeded"} <= found


def test_the_rule_set_of_a_diagram_is_the_one_that_it_belongs_to() -> None:
    assert "rule-set-differs" in {problem.rule for problem in errors(replace(request(), rule_set="national_2025"))}


def test_deploying_the_folder_again_binds_itself(office: Office) -> None:
    """The newest version is the base of the next: the same package twice is no breach."""
    with office.store.work() as work:
        for _ in range(2):
            deploy_in(work, package("liaoyang_2018/supervision"), by="a", approved_by="b", reason="again", effective_at=work.now)
    assert (BPMN_FOLDER / "liaoyang_2018").exists()


@pytest.mark.parametrize("process", PROCESSES)
def test_what_ships_binds_itself_and_breaks_nothing(process: str) -> None:
    assert check(package(process), keys_of(process.partition("/")[0]), base=package(process)) == []


@pytest.mark.parametrize("fields", [[1, None, [], {"type": []}], [{"key": 1, "type": "text", "label": 2, "when": 3}], {"a": 1}, "text"])
def test_a_broken_form_breaks_no_check(fields: Any) -> None:
    drawn = Package("r", diagram("start > user:a > end", TASK, startPosts="handler"), {"ask": {"title": "申请", "fields": fields}})
    found = check(drawn, set(), base=drawn)
    assert {(problem.rule, problem.element) for problem in found} >= {("form-broken", "a")}


@pytest.mark.parametrize("field", [{"key": {}}, {"key": ["a"]}, "text", None])
def test_a_broken_form_beside_a_letter_is_told_all_the_same(field: Any) -> None:
    """The names that a letter may use come from all the forms of its process, the broken ones too."""
    forms = {**request().forms, "supply": {"title": "供数", "fields": [field]}}
    assert "form-broken" in {problem.rule for problem in check(replace(request(), forms=forms), KNOWN)}
