"""Forms: what is accepted, what is said of the rest, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.process.forms import answered, opinion_needed, prefill, validate
from tests.engine.process.office import choice, form, text


def value_of(field: dict[str, Any], raw: Any, **names: Any) -> Any:
    checked = validate(form({"key": "x", "label": "甲", **field}), {"x": raw}, names)
    return checked.errors.get("x") or checked.values.get("x")


@pytest.mark.parametrize(
    ("field", "raw", "found"),
    [
        ({"type": "text"}, "  好  ", "好"),
        ({"type": "text", "max_length": 2}, "一二三", "“甲”不能超过2字，现有3字"),
        ({"type": "text", "pattern": "[0-9]+", "pattern_message": "只填数字"}, "一", "只填数字"),
        ({"type": "text"}, 5, "“甲”应为文字"),
        ({"type": "text"}, "a\x00b", "“甲”含有无法保存的字符"),
        ({"type": "integer"}, "12", 12),
        ({"type": "integer"}, "1.5", "“甲”应为整数"),
        ({"type": "integer"}, "一", "“甲”应为整数"),
        ({"type": "integer", "min": 1}, "0", "“甲”不能小于1"),
        ({"type": "number", "max": 2}, "2.5", "“甲”不能大于2"),
        ({"type": "number"}, "NaN", "“甲”应为数字"),
        ({"type": "number"}, True, "“甲”应为数字"),
        ({"type": "date"}, "2026-03-02", "2026-03-02"),
        ({"type": "date"}, "2026-02-30", "“甲”应为日期，例如2026-03-02"),
        ({"type": "date", "min": "2026-01-01"}, "2025-12-31", "“甲”不能早于2026-01-01"),
        ({"type": "phone"}, "0419-1234567", "0419-1234567"),
        ({"type": "phone"}, "电话", "“甲”应为电话号码"),
        ({"type": "boolean"}, "on", True),
        ({"type": "boolean"}, "maybe", "“甲”应为是或否"),
        ({"type": "boolean", "required": True, "missing": "须承诺"}, "", "须承诺"),
        ({"type": "choice", "options": [{"value": "a", "label": "甲"}]}, "b", "“甲”没有“b”这一选项"),
        ({"type": "choices", "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]}, ["b", "a", "b"], ["b", "a"]),
        ({"type": "choices", "options": [{"value": "a", "label": "A"}]}, ["a", "z"], "“甲”没有“z”这一选项"),
        ({"type": "fields", "options_from": "items"}, "姓名", ["姓名"]),
        ({"type": "file"}, ["3", "4"], [3, 4]),
        ({"type": "file"}, ["../x"], "“甲”的附件无法识别，请重新上传"),
    ],
)
def test_a_value_or_a_plain_sentence(field: dict[str, Any], raw: Any, found: Any) -> None:
    assert value_of(field, raw, items=["姓名", "住址"]) == found


def test_required_fields_are_named_and_hidden_ones_are_not_asked_for() -> None:
    asked = form(choice("result", "yes", "no", required=True), text("why", required=True, when="result == 'no'"))
    assert validate(asked, {}, {}).errors == {"result": "请填写“result”"}
    assert validate(asked, {"result": "yes"}, {}).errors == {}
    assert set(validate(asked, {"result": "no"}, {}).errors) == {"why"}


def test_a_condition_sees_the_case_and_the_answers_so_far() -> None:
    asked = form(text("a"), text("b", required=True, when="level > 2 and a == 'x'"))
    assert validate(asked, {"a": "x"}, {"level": 3}).errors.keys() == {"b"}
    assert validate(asked, {"a": "x"}, {"level": 1}).errors == {}
    assert validate(asked, {"a": "x"}, {}).errors == {}, "a condition over what the case does not hold is false"


def test_first_values_come_from_the_case() -> None:
    assert prefill(form(text("a", value="method"), text("b", value="missing")), {"method": "联机查询"}) == {"a": "联机查询"}


def test_an_opinion_is_wanted_by_policy_or_by_the_answer() -> None:
    review = form(choice("result", "yes", "no"), opinion_when="result == 'no'")
    assert not opinion_needed(review, "optional", {"result": "yes"}, {})
    assert opinion_needed(review, "optional", {"result": "no"}, {})
    assert opinion_needed(None, "required", {}, {})


def test_answers_are_told_in_words() -> None:
    asked = form({"key": "r", "type": "choice", "label": "结论", "options": [{"value": "agree", "label": "同意"}]},
                 {"key": "p", "type": "boolean", "label": "承诺"})
    assert answered(asked, {"r": "agree", "p": True}, {}) == [("结论", "同意"), ("承诺", "是")]


@given(raw=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.one_of(
    st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text()), st.dictionaries(st.text(), st.text()))))
def test_whatever_is_sent_gives_values_or_sentences_never_an_exception(raw: dict[str, Any]) -> None:
    asked = form(text("a"), {"key": "b", "type": "integer", "label": "B"}, choice("c", "x"), {"key": "d", "type": "date", "label": "D"})
    checked = validate(asked, raw, {})
    assert set(checked.values) <= {"a", "b", "c", "d"}
    assert all(isinstance(message, str) and message for message in checked.errors.values())
