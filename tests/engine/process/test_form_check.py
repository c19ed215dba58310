"""The check of form definitions: every attribute in its sense, nothing that would silently do nothing, nothing that stalls."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.process.form_check import ATTRIBUTES, FIELDS_MAX, OPTIONS_MAX, check_form, faults_of, names_read
from engine.process.forms import TYPES, prefill, validate
from engine.process.patterns import pattern_fault
from tests.bpmn.shipped import PROCESSES, package
from tests.engine.process.office import choice, form, text


def said(*fields: Any, **more: Any) -> str:
    """What the check says, in one line."""
    return "；".join(check_form({"title": "表单", "fields": list(fields), **more}))


@pytest.mark.parametrize("process", PROCESSES)
def test_every_shipped_form_is_sound(process: str) -> None:
    for name, shipped in package(process).forms.items():
        assert check_form(shipped) == [], name


@pytest.mark.parametrize("broken", [None, [], "表单", {}, {"title": "T"}, {"title": " ", "fields": []}, {"title": 1, "fields": []},
                                    {"title": "T", "fields": {}}])
def test_what_is_no_form_is_told(broken: Any) -> None:
    assert check_form(broken) == ["表单应有标题（title）和字段列表（fields）"]


def test_every_type_can_be_sound() -> None:
    assert set(ATTRIBUTES) == TYPES
    for kind in TYPES - {"note"}:
        options = {"options": [{"value": "a", "label": "A"}]} if "options" in ATTRIBUTES[kind] else {}
        asked = form({"key": "x", "label": "X", "type": kind, **options})
        assert check_form(asked) == []
        validate(asked, {"x": "a"}, {})


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("文字", "字段类型应为"),
        ({"type": "magic", "key": "a", "label": "A"}, "字段类型应为"),
        ({"type": ["text"], "key": "a", "label": "A"}, "字段类型应为"),
        ({"type": "note"}, "说明应有文字"),
        ({"type": "note", "label": "说明", "required": True}, "没有“必填（required）”这一属性"),
        ({"type": "text", "label": "A"}, "字段键（key）应为"),
        ({"type": "text", "key": "A b", "label": "A"}, "字段键（key）应为"),
        ({"type": "text", "key": "a\n", "label": "A"}, "字段键（key）应为"),
        ({"type": "text", "key": 5, "label": "A"}, "字段键（key）应为"),
        ({"type": "text", "key": "x" * 65, "label": "A"}, "字段键（key）应为"),
        ({"type": "text", "key": "opinion", "label": "A"}, "字段键“opinion”另有用途"),
        ({"type": "text", "key": "lambda", "label": "A"}, "字段键“lambda”另有用途"),
        ({"type": "text", "key": "a"}, "没有名称（label）"),
        ({"type": "text", "key": "a", "label": "名" * 201}, "名称（label）不能超过200字"),
        ({"type": "text", "key": "a", "label": "A", "requird": True}, "没有“requird”这一属性"),
        ({"type": "text", "key": "a", "label": "A", "rows": 3}, "没有“行数（rows）”这一属性"),
        ({"type": "boolean", "key": "a", "label": "A", "readonly": True}, "没有“只读（readonly）”这一属性"),
        ({"type": "text", "key": "a", "label": "A", "required": "yes"}, "必填（required）应为true或false"),
        ({"type": "text", "key": "a", "label": "A", "help": 5}, "填写说明（help）应为文字"),
        ({"type": "text", "key": "a", "label": "A", "help": " "}, "填写说明（help）是空的"),
        ({"type": "text", "key": "a", "label": "A", "max_length": 0}, "字数上限（max_length）应为1到"),
        ({"type": "text", "key": "a", "label": "A", "max_length": "60"}, "字数上限（max_length）应为1到"),
        ({"type": "text", "key": "a", "label": "A", "max_length": True}, "字数上限（max_length）应为1到"),
        ({"type": "textarea", "key": "a", "label": "A", "rows": 1.5}, "行数（rows）应为1到"),
        ({"type": "integer", "key": "a", "label": "A", "min": 1.5}, "最小值（min）应为整数"),
        ({"type": "number", "key": "a", "label": "A", "max": "9"}, "最大值（max）应为数字"),
        ({"type": "number", "key": "a", "label": "A", "max": float("nan")}, "最大值（max）应为数字"),
        ({"type": "integer", "key": "a", "label": "A", "max": 10**400}, "最大值（max）应为数字，不超过"),
        ({"type": "integer", "key": "a", "label": "A", "value": "1/0"}, "无法计算"),
        ({"type": "choice", "key": "a", "label": "A", "options_from": "[1][5]"}, "无法计算"),
        ({"type": "integer", "key": "a", "label": "A", "min": 9, "max": 1}, "最小值9大于最大值1"),
        ({"type": "date", "key": "a", "label": "A", "min": "2026-02-30"}, "最小值（min）应为日期"),
        ({"type": "date", "key": "a", "label": "A", "min": "2026-03-02", "max": "2026-03-01"}, "最小值2026-03-02大于最大值2026-03-01"),
        ({"type": "choice", "key": "a", "label": "A"}, "没有选项"),
        ({"type": "choice", "key": "a", "label": "A", "options": []}, "没有选项"),
        ({"type": "choice", "key": "a", "label": "A", "options": "是"}, "选项应为列表"),
        ({"type": "choice", "key": "a", "label": "A", "options": ["是"]}, "选项1应有值（value）和名称（label）"),
        ({"type": "choice", "key": "a", "label": "A", "options": [{"value": "x", "label": ""}]}, "选项“x”应有名称"),
        ({"type": "choice", "key": "a", "label": "A", "options": [{"value": True, "label": "是"}]}, "选项1的值应为文字或整数"),
        ({"type": "select", "key": "a", "label": "A", "options": [{"value": "1", "label": "甲"}, {"value": 1, "label": "乙"}]}, "选项的值“1”重复"),
        ({"type": "choices", "key": "a", "label": "A", "options": [{"value": str(n), "label": "x"} for n in range(OPTIONS_MAX + 1)]}, "不超过500项"),
        ({**choice("a", "x"), "options_from": "items"}, "选项和选项来源只能写一种"),
        ({"type": "choice", "key": "a", "label": "A", "options_from": "5"}, "选项来源应给出列表"),
        ({"type": "choice", "key": "a", "label": "A", "options_from": '[{"label": "x"}]'}, "选项来源应给出列表"),
        ({**choice("a", "x"), "value": '"y"'}, "预填值不合本字段的要求：“a”没有“y”这一选项"),
        ({"type": "integer", "key": "a", "label": "A", "max": 9, "value": "10"}, "预填值不合本字段的要求：“A”不能大于9"),
        ({"type": "date", "key": "a", "label": "A", "value": '"明天"'}, "预填值不合本字段的要求"),
        ({"type": "text", "key": "a", "label": "A", "value": 5}, "预填值（value）应为表达式"),
        ({"type": "text", "key": "a", "label": "A", "value": "x +"}, "预填值（value）“x +”"),
        ({"type": "text", "key": "a", "label": "A", "when": "__import__('os')"}, "不允许"),
        ({"type": "text", "key": "a", "label": "A", "when": 'body("x") == 1'}, "表单里没有函数“body”"),
        ({"type": "text", "key": "a", "label": "A", "when": "a == 1"}, "只能引用上面的字段"),
        ({"type": "text", "key": "a", "label": "A", "readonly": True}, "只读字段应有预填值"),
        ({"type": "text", "key": "a", "label": "A", "missing": "请填写"}, "不是必填"),
        ({"type": "text", "key": "a", "label": "A", "pattern": "["}, "格式（pattern）不是可以识别的正则表达式"),
        ({"type": "text", "key": "a", "label": "A", "pattern": "(a+)+b"}, "重复之中又有重复"),
        ({"type": "text", "key": "a", "label": "A", "pattern_message": "只填数字"}, "没有写格式"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_the_attribute(field: Any, told: str) -> None:
    assert said(field).startswith("第1项：")
    assert told in said(field)


def test_conditions_look_upwards_only() -> None:
    assert said(choice("a", "x"), text("b", when="a == 'x' and level > 1")) == ""
    assert "第1项：显示条件用到的“a”" in said(text("b", when="a == 'x'"), choice("a", "x"))


def test_a_key_may_stand_once() -> None:
    assert said(text("a"), text("a")) == "第2项：字段键“a”重复"


def test_the_form_itself_is_read_too() -> None:
    assert "表单没有“colour”这一属性" in said(text("a"), colour="red")
    assert "须填意见的条件（opinion_when）" in said(text("a"), opinion_when="a ==")
    assert "标题不能超过" in "".join(check_form({"title": "题" * 101, "fields": []}))
    assert "字段不能超过200项" in said(*(text(f"a{number}") for number in range(FIELDS_MAX + 1)))


def test_names_that_come_from_the_case_are_listed() -> None:
    asked = form(text("a", value="resource.method"), text("b", when="a and level", value="a"), opinion_when="b or urgent")
    assert list(names_read(asked)) == [(0, "value", "resource"), (1, "when", "level"), (1, "value", "a"), (None, "opinion_when", "urgent")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["text", "choice", "a", "x > 1", "(a+)+"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*ATTRIBUTES["textarea"], *ATTRIBUTES["choice"], "min", "x"]), inner),
    max_leaves=12,
)


@given(fields=st.lists(JSON, max_size=4), more=st.dictionaries(st.sampled_from(["title", "opinion_when", "x"]), JSON))
def test_whatever_json_holds_is_judged_and_what_passes_can_be_filled_in(fields: list[Any], more: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"title": "表单", "fields": fields, **more}
    faults = faults_of(asked)
    assert all(fault.sentence for fault in faults)
    if not faults:
        json.dumps(asked)
        validate(asked, prefill(asked, {}), {})


@pytest.mark.parametrize("pattern", [
    r"(?s).*\S.*", r"[0-9]{17}[0-9Xx]", r"(13|15|18)[0-9]{9}", r"第.+号", r"[\u4e00-\u9fff]{2,10}", r"(\d{3,4}-)?\d{7,8}",
    r"[\w.-]+@[\w-]+(\.[\w-]+)+", r"([A-Z]{2}[0-9]{4},)*[A-Z]{2}[0-9]{4}", r"\d+-\d+-\d+", r"\d+(\.\d+)?", r"^辽市政发〔\d{4}〕\d+号$",
    r"\d{4}年\d{1,2}月\d{1,2}日", r"(是|否)+",
])  # fmt: skip
def test_patterns_that_people_need_are_taken(pattern: str) -> None:
    assert pattern_fault(pattern) is None


@pytest.mark.parametrize("pattern", [
    "[", "(", "*", "a" * 201, r"(a+)+b", r"(a*)*", r"(a|a)*b", r"(a|ab)*c", r"(\w+\s?)+$", r".*.*.*x", r"(a)\1", r"(?=a)b", r"(?P<x>a)",
    r"(x+x+)+y", r"(([a-z])+.)+[A-Z]([a-z])+$", r"(.*a){12}", r"(?:a?){28}a{28}", "a?" * 30 + "a" * 30, r"(a?b?c?)*d", "(a|a)" * 30,
    "a{0,29}" * 12 + "b", r"(a{1,100}){1,100}b", r"[甲乙]*[乙丙]*[甲乙丙]*x", r"[ab]*[ab]+甲?[ab]+", "(" * 50 + ")" * 50, r"a*+b", r"((a|a)b){20}",
])  # fmt: skip
def test_patterns_that_could_stall_the_server_are_refused(pattern: str) -> None:
    assert pattern_fault(pattern)


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^b]", ".", r"\w", "甲", "[甲乙]", "x"])
TIMES = st.sampled_from(["", "", "*", "+", "?", "{0,9}", "{2}", "{2,}", "{1,50}"])
PATTERNS = st.recursive(
    st.tuples(ATOMS, TIMES).map("".join),
    lambda inner: st.tuples(st.lists(inner, min_size=1, max_size=3).map("".join), st.sampled_from(["", "|a", "|ab"]), TIMES)
    .map(lambda part: f"({part[0]}{part[1]}){part[2]}") | st.lists(inner, min_size=1, max_size=5).map("".join),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None)
@given(pattern=PATTERNS)
def test_what_is_taken_ends_on_any_text(pattern: str) -> None:
    """An exponential one would not: the run's own time limit is what fails then."""
    if pattern_fault(pattern + "!") is None:
        for typed in ("a" * 4000 + "?", "ab" * 2000, "甲乙" * 2000 + "?", "a" * 3999 + "x"):
            assert re.fullmatch(pattern + "!", typed) is None


# -- one form for many tasks ----------------------------------------------------------------------


def test_a_form_may_be_answered_for_many_cases_at_once_unless_it_shows_one() -> None:
    sound = [choice("result", "yes", "no", required=True), text("why", when="result == 'no'"), text("day", value="'今天'")]
    assert said(*sound, bulk=True, opinion_when="result == 'no'") == ""
    assert said(*sound, bulk=False) == ""


@pytest.mark.parametrize(
    ("field", "more", "told"),
    [
        ({"type": "file", "key": "paper", "label": "文件"}, {}, "第1项：允许批量办结的表单不能有附件字段"),
        ({"type": "fields", "key": "items", "label": "数据项", "options_from": "resource.items"}, {}, "选项来源（options_from）不能用办件数据“resource”"),
        (text("name", value="case.title", readonly=True), {}, "预填值（value）不能用办件数据“case”"),
        (text("name", when="given(grant)"), {}, "显示条件（when）不能用办件数据“grant”"),
        (text("name"), {"opinion_when": "resource.kind == 'basic'"}, "须填意见的条件（opinion_when）不能用办件数据“resource”"),
    ],
)
def test_what_differs_between_cases_forbids_bulk(field: dict[str, Any], more: dict[str, Any], told: str) -> None:
    assert said(field, **more) == ""
    assert told in said(field, bulk=True, **more)


def test_bulk_is_yes_or_no() -> None:
    assert said(text("a"), bulk="yes") == "允许批量办结（bulk）应为true或false"


def test_no_definition_may_say_by_itself_that_a_step_only_shows_a_field() -> None:
    assert "没有“fixed”这一属性" in said(text("a", fixed=True))
