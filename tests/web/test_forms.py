"""The renderer of forms: every type of field, what was typed, what applies, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, render_template_string
from werkzeug.datastructures import MultiDict

from engine.process.form_check import check_form
from engine.process.forms import TYPES, validate
from web.forms import FormView, read_posted, show

FORM: dict[str, Any] = {
    "title": "全部字段",
    "opinion_when": 'decision == "no"',
    "fields": [
        {"type": "note", "label": "说明文字"},
        {"key": "name", "type": "text", "label": "名称", "required": True, "max_length": 10, "help": "全称"},
        {"key": "volume", "type": "integer", "label": "数量", "min": 1, "max": 9},
        {"key": "rate", "type": "number", "label": "比例"},
        {"key": "until", "type": "date", "label": "期限"},
        {"key": "decision", "type": "choice", "label": "结论", "options": [{"value": "yes", "label": "同意"}, {"value": "no", "label": "不同意"}]},
        {"key": "reason", "type": "textarea", "label": "理由", "rows": 5, "when": 'decision == "no" and level > 1'},
        {"key": "frequency", "type": "select", "label": "频率", "options": [{"value": "d", "label": "每日"}, {"value": "w", "label": "每周"}]},
        {"key": "checks", "type": "choices", "label": "事项", "options": [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]},
        {"key": "items", "type": "fields", "label": "数据项", "options_from": "resource.items"},
        {"key": "promise", "type": "boolean", "label": "承诺", "required": True},
        {"key": "phone", "type": "phone", "label": "电话", "value": "contact"},
        {"key": "proof", "type": "file", "label": "证明"},
    ],
}  # fmt: skip
NAMES = {"resource": {"items": ["姓名", "性别"]}, "contact": "0419-2123456", "level": 2}

PAGE = '{% import "parts/fields.html" as fields %}{{ fields.problems(form) }}{% for field in form.fields %}{{ fields.one(field) }}{% endfor %}'


def _page(app: Flask, form: FormView) -> str:
    with app.test_request_context():
        return render_template_string(PAGE, form=form)


def test_the_form_of_this_test_has_every_type() -> None:
    assert check_form(FORM) == []
    assert {field["type"] for field in FORM["fields"]} == TYPES


def test_every_field_has_a_label_and_its_own_kind_of_input(app: Flask) -> None:
    page = _page(app, show(FORM, NAMES))
    for key in ("name", "reason", "volume", "rate", "until", "frequency", "phone", "proof"):
        assert f'<label for="{key}">' in page and f'id="{key}"' in page
    assert page.count("<legend>") == 3
    assert 'type="date"' in page and 'inputmode="numeric"' in page and 'type="tel"' in page and 'type="file"' in page
    assert 'maxlength="10"' in page and 'min="1" max="9"' in page and 'rows="5"' in page
    assert 'value="0419-2123456"' in page, "a first value from the case"
    assert "说明文字" in page and "全称" in page


def test_a_field_that_does_not_apply_yet_is_there_but_not_shown() -> None:
    def shown(typed: dict[str, Any] | None) -> bool:
        return next(field.shown for field in show(FORM, NAMES, typed=typed).fields if field.key == "reason")

    assert not shown(None)
    assert not shown({"decision": "yes"})
    assert shown({"decision": "no"})
    assert json.loads(show(FORM, NAMES).facts) == {"level": 2}, "the browser learns what conditions mention, nothing else"


def test_what_was_typed_comes_back_with_the_message_at_the_field(app: Flask) -> None:
    posted = MultiDict(
        [("name", "一个太长太长太长的名称"), ("volume", "十"), ("decision", "no"), ("checks", "b"), ("items", "性别"), ("frequency", "w")]
    )
    raw = read_posted(FORM, posted)
    checked = validate(FORM, raw, NAMES)
    page = _page(app, show(FORM, NAMES, typed=raw, errors=checked.errors))
    assert 'value="一个太长太长太长的名称"' in page and 'value="十"' in page
    assert 'aria-describedby="help-name problem-name" aria-invalid="true"' in page
    assert '<p class="problem" id="problem-volume">“数量”应为整数</p>' in page
    assert 'id="problem-promise"' in page
    for chosen in ('value="no" checked', 'value="b" checked', 'value="性别" checked', 'value="w" selected'):
        assert chosen in page.replace(' id="items"', ""), chosen
    assert page.index('href="#name"') < page.index('href="#volume"') < page.index('href="#promise"'), "in the order of the form"


def test_an_unticked_box_is_an_answer_and_a_missing_field_is_none() -> None:
    assert read_posted(FORM, MultiDict([("name", "甲"), ("csrf_token", "x"), ("unknown", "y")])) == {
        "name": "甲", "checks": [], "items": [], "promise": False, "proof": [],
    }  # fmt: skip
    assert read_posted(None, MultiDict([("name", "甲")])) == {}


def test_what_a_step_only_shows_stands_in_words_without_an_input_and_decides_conditions(app: Flask) -> None:
    fixed = {"decision", "name", "volume", "items", "proof"}
    form = {**FORM, "fields": [{**field, "fixed": True} if field.get("key") in fixed else field for field in FORM["fields"]]}
    names = {**NAMES, "decision": "no", "name": "<b>甲</b>\n乙", "items": ["姓名", "性别"], "proof": [7]}
    shown = show(form, names, errors={"name": "“名称”在本环节只能查看，不能修改"})
    page = _page(app, shown)
    for words in ("不同意", "&lt;b&gt;甲&lt;/b&gt;", "姓名、性别", "1个附件", "（未填写）"):
        assert words in page
    assert not any(f'name="{key}"' in page for key in fixed) and 'name="reason"' in page
    # The summary of problems leads to the field, and the browser knows the value that a condition asks for.
    assert 'href="#name"' in page and 'id="name"' in page and "不能修改" in page
    assert json.loads(shown.facts)["decision"] == "no"
    assert {field.key: field.shown for field in shown.fields}["reason"] is True
    posted = MultiDict([("decision", "yes"), ("phone", "0419-1")])
    assert read_posted(form, posted).keys() == {"phone", "checks", "promise"}
