"""The form editor's pages and calls: rights, conflicts, bad input at every door, and that nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.process.package import Package
from engine.process.tables import Definition
from engine.process.workshop.drafts import discard_draft, draft_sheet, save_draft, start_draft
from engine.process.workshop.form_edit import uses
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

NOTE = {"type": "note", "label": "说明"}


@pytest.fixture
def draft(cast: Cast) -> int:
    """A draft of the conditional sharing process, begun by the editor."""
    with cast.store.read() as session:
        version = session.scalars(select(Definition.id).where(Definition.key == "conditional_share")).one()
    return start_draft(cast.store, actor=cast.actor("editor"), definition_id=version)


@pytest.fixture
def editor(desk: Callable[[str], Desk], draft: int) -> Desk:
    """The editor, at the list of the draft's forms."""
    found = desk("editor")
    assert found.get(f"/drafts/{draft}/forms").status_code == 200
    return found


def package(cast: Cast, draft: int) -> Package:
    with cast.store.read() as session:
        return draft_sheet(session, cast.actor("editor"), draft).package


def state_of(response: TestResponse) -> dict[str, Any]:
    """What the page hands to its script."""
    found = re.search(r'id="edit-state">(.*?)</script>', text_of(response), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


class Editor:
    """The script of the page, as far as the server sees it."""

    def __init__(self, desk: Desk, draft: int, name: str = "intake") -> None:
        self.client: FlaskClient = desk.client
        self.address = f"/drafts/{draft}/forms/{name}"
        self.state = state_of(desk.get(self.address))

    def call(self, method: str, path: str = "", body: Any = None, *, raw: bytes | None = None) -> TestResponse:
        headers = {"X-CSRFToken": self.state["token"], "Accept": "application/json"}
        data = raw if raw is not None else json.dumps(body).encode()
        return self.client.open(self.address + path, method=method, data=data, headers=headers, content_type="application/json")

    def save(self, form: Any, revision: int | None = None) -> TestResponse:
        return self.call("PUT", body={"revision": revision or self.state["revision"], "form": form})

    def preview(self, form: Any, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", "/preview", {"form": form, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})


def test_the_list_says_what_each_form_asks_and_where_it_is_used(editor: Desk, draft: int) -> None:
    page = text_of(editor.get(f"/drafts/{draft}/forms"))
    assert "有条件共享申请" in page and "发起表单" in page and "业务部门供数" in page and "第十五条" in page
    assert page.count("没有问题") == 13


def test_a_form_is_added_copied_renamed_and_deleted(editor: Desk, cast: Cast, draft: int) -> None:
    list_page = f"/drafts/{draft}/forms"
    assert editor.post(list_page, {"name": "extra", "title": "补充材料", "copy_of": ""}).location == f"{list_page}/extra"
    assert editor.post(list_page, {"name": "again", "title": "", "copy_of": "intake"}).status_code == 303
    forms = package(cast, draft).forms
    assert forms["extra"] == {"title": "补充材料", "fields": []} and forms["again"] == forms["intake"]
    assert editor.post(f"{list_page}/intake/rename", {"new_name": "acceptance_check"}).status_code == 303
    after = package(cast, draft)
    assert "intake" not in after.forms and [use.name for use in uses(after.xml)["acceptance_check"]] == ["受理"]
    revision = re.findall(r'name="revision" value="(\d+)"', text_of(editor.get(list_page)))[0]
    assert editor.post(f"{list_page}/extra/delete", {"revision": revision}).status_code == 303
    assert "extra" not in package(cast, draft).forms


def test_a_form_in_use_is_not_deleted(editor: Desk, cast: Cast, draft: int) -> None:
    refused = editor.post(f"/drafts/{draft}/forms/intake/delete", {"revision": "1"})
    assert refused.status_code == 409 and "正用于“受理”，不能删除" in text_of(refused)
    assert "intake" in package(cast, draft).forms


@pytest.mark.parametrize(("typed", "told"), [
    ({"name": "Größe", "title": "T"}, "表单名称应为小写英文"), ({"name": "intake", "title": "T"}, "已有表单“intake”"),
    ({"name": "x", "title": " "}, "请填写表单标题"), ({"name": "x", "title": "T", "copy_of": "nowhere"}, "没有表单“nowhere”"),
    ({"name": "x" * 70, "title": "<b>"}, "不超过64个字符"),
])  # fmt: skip
def test_a_bad_name_is_told_at_its_field_and_nothing_typed_is_lost(editor: Desk, draft: int, typed: dict[str, str], told: str) -> None:
    answer = editor.post(f"/drafts/{draft}/forms", typed)
    assert answer.status_code == 422 and told in text_of(answer)
    assert 'value="&lt;b&gt;"' in text_of(answer) or "<b>" not in typed["title"]
    renamed = editor.post(f"/drafts/{draft}/forms/intake/rename", {"new_name": "reply"})
    assert renamed.status_code == 422 and "已有表单“reply”" in text_of(renamed)


def test_the_editor_saves_into_the_draft(editor: Desk, cast: Cast, draft: int) -> None:
    script = Editor(editor, draft)
    form = {**script.state["form"], "fields": [*script.state["form"]["fields"], NOTE]}
    saved = script.save(form)
    assert saved.status_code == 200 and saved.json is not None and saved.json["revision"] == 2
    assert package(cast, draft).forms["intake"] == form
    assert list(script.state["form"]) == ["title", "fields"], "the members keep their order"


def test_another_form_or_the_diagram_saved_meanwhile_is_no_loss(editor: Desk, cast: Cast, draft: int) -> None:
    script = Editor(editor, draft)
    mine = {**script.state["form"], "fields": [*script.state["form"]["fields"], NOTE]}
    before = package(cast, draft)
    xml = before.xml.replace("受理".encode(), "收件".encode(), 1)
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=1, xml=xml)
    reply = {**before.forms["reply"], "title": "答复意见"}
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=2, forms={**before.forms, "reply": reply})
    told = script.save(mine)
    assert told.status_code == 409 and told.json is not None
    assert told.json["digest"] == script.state["digest"], "this very form is as the editor knows it"
    assert script.save(mine, told.json["revision"]).status_code == 200
    after = package(cast, draft)
    assert (after.xml, after.forms["reply"], after.forms["intake"]) == (xml, reply, mine)


def test_the_same_form_saved_meanwhile_is_a_conflict(editor: Desk, cast: Cast, draft: int) -> None:
    script = Editor(editor, draft)
    before = package(cast, draft).forms
    theirs = {**before["intake"], "title": "收件"}
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=1, forms={**before, "intake": theirs})
    told = script.save({**before["intake"], "title": "我的"})
    assert told.status_code == 409 and told.json is not None
    assert "冯流程" in told.json["message"] and told.json["updated_by"] == "冯流程" and told.json["digest"] != script.state["digest"]
    assert package(cast, draft).forms["intake"] == theirs, "nothing of either side is lost"


def test_the_preview_is_what_officers_see(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft)
    shown = script.preview(script.state["form"])
    assert 'data-field="completeness"' in shown["html"] and "field-off" in shown["html"] and shown["findings"] == []
    form = {"title": "表单", "fields": [{"key": "x", "type": "text", "label": "<b>甲</b>", "required": True, "value": '"首次"'}]}
    assert "&lt;b&gt;" in script.preview(form)["html"] and 'value="首次"' in script.preview(form)["html"]


def test_a_test_entry_is_judged_as_a_real_one(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft)
    form = script.state["form"]
    empty = script.preview(form, answers=[], test=True)
    assert empty["errors"] == 1 and 'id="problem-completeness"' in empty["html"]
    hidden = script.preview(form, answers=[["completeness", "supplement"]], test=True)
    assert "请一次性写明需要补正的全部内容" in hidden["html"]
    whole = script.preview(form, answers=[["completeness", "supplement"], ["supplement_needed", "章"]], test=True)
    assert whole["errors"] == 0 and "校验通过" in whole["html"] and "&#34;completeness&#34;: &#34;supplement&#34;" in whole["html"]
    assert "需要补正" in whole["html"]


def test_choices_of_the_case_are_stood_in_for_until_the_tester_gives_them(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft, "application")
    assert "示例选项甲" in script.preview(script.state["form"])["html"]
    given = script.preview(script.state["form"], case={"resource": '{"items": ["姓名"], "method": "联机查询"}'})
    assert "示例选项甲" not in given["html"] and 'value="姓名"' in given["html"]


@pytest.mark.parametrize("form", [
    None, 5, "x", [], {}, {"title": "T", "fields": 5}, {"title": "T", "fields": [None, 5, [], {}, {"type": "magic"}, {"type": ["x"]}]},
    {"title": "T", "fields": [{"type": "choice", "key": "a", "label": "A", "options_from": "5"}]},
    {"title": "T", "fields": [{"type": "choice", "key": "a", "label": "A", "options_from": '[{"label": "x"}]'}]},
    {"title": "T", "fields": [{"type": "choice", "key": "a", "label": 7, "options": [{"label": "x"}], "when": 5}]},
    {"title": "T", "fields": [{"type": "text", "key": "a", "label": "A", "pattern": "(a+)+b", "max_length": "x", "rows": [], "when": "a.b("}]},
    {"title": "T", "fields": [{"type": "date", "key": "a", "label": "A", "min": "bald"}, {"type": "integer", "key": "a", "label": "A"}]},
    {"title": "T", "opinion_when": "1 +", "fields": [{"type": "note", "label": "x"}] * 300},
])  # fmt: skip
def test_a_half_written_form_is_shown_as_far_as_it_goes(editor: Desk, draft: int, form: Any) -> None:
    script = Editor(editor, draft)
    for more in ({}, {"answers": [["a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]], "test": True}, {"case": {"a": "NaN", "b": "[" * 5000}}):
        shown = script.preview(form, **more)
        assert shown["findings"] and "form" in shown["html"]


def test_expressions_are_read_as_one_types(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft)
    fields = [{"key": "a", "type": "text", "label": "A", "when": "completness == 'x'"}, {"key": "b", "type": "text", "label": "B", "when": "a =="}]
    found = script.preview({"title": "T", "fields": fields})["findings"]
    unknown = next(one for one in found if one["field"] == 0)
    broken = next(one for one in found if one["field"] == 1)
    assert (unknown["attribute"], unknown["severity"]) == ("when", "warning") and "“completness”" in unknown["message"]
    assert (broken["attribute"], broken["severity"]) == ("when", "error") and "第" in broken["message"]


def test_statutory_fields_are_named_and_missed(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft, "reply")
    assert set(script.state["protected"].values()) == {"第十五条"}
    key = next(iter(script.state["protected"]))
    fields = [field for field in script.state["form"]["fields"] if field.get("key") != key]
    found = script.preview({**script.state["form"], "fields": fields})["findings"]
    assert any("法定必填" in one["message"] and "第十五条" in one["message"] for one in found)


def test_json_of_an_expert_is_read_with_the_line_of_a_fault(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft)
    good = script.call("POST", "/read", {"text": '{"title": "T", "fields": []}'})
    assert good.json == {"form": {"title": "T", "fields": []}}
    bad = script.call("POST", "/read", {"text": '{"title": "T",\n "fields": [}\n'})
    assert bad.status_code == 422 and bad.json is not None and bad.json["line"] == 2 and "第2行" in bad.json["message"]


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("POST", "/preview"), ("POST", "/read")])
def test_bad_input_gets_a_sentence_at_every_door(editor: Desk, cast: Cast, draft: int, method: str, path: str) -> None:
    script = Editor(editor, draft)
    for raw in (b"", b"{", b"[]", b"5", b"\xff\xfe", b'{"form": ' + b"[" * 100_000, b"x" * 5_000_000):
        answer = script.call(method, path, raw=raw)
        assert answer.status_code in (413, 422) and answer.json is not None and re.search("[\u4e00-\u9fff]", answer.json["message"])
    assert package(cast, draft).forms["intake"] == script.state["form"]


@pytest.mark.parametrize("body", [
    {}, {"revision": 1}, {"revision": "1", "form": {}}, {"revision": -1, "form": {}}, {"revision": 1, "form": []},
    {"revision": 1, "form": {"title": "x" * 2_000_000}}, {"revision": 1, "form": {"title": "\u0000"}},
    {"revision": 1, "form": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}}}}},
])  # fmt: skip
def test_a_save_that_makes_no_sense_is_refused(editor: Desk, cast: Cast, draft: int, body: dict[str, Any]) -> None:
    script = Editor(editor, draft)
    answer = script.call("PUT", body=body)
    assert answer.status_code == 422 and answer.json is not None and answer.json["message"]
    assert package(cast, draft).forms["intake"] == script.state["form"]


def test_odd_answers_and_data_of_a_case_are_refused(editor: Desk, draft: int) -> None:
    script = Editor(editor, draft)
    for more in ({"answers": "x"}, {"answers": [["a"]]}, {"answers": [["a", 5]]}, {"answers": [["a", "x" * 30_000]]}, {"case": []}, {"case": {"a": 5}}):
        assert script.call("POST", "/preview", {"form": script.state["form"], **more}).status_code == 422


def test_unknown_drafts_and_forms_are_not_found(editor: Desk, draft: int) -> None:
    for path in ("/drafts/99/forms", "/drafts/99/forms/intake", f"/drafts/{draft}/forms/nothing", f"/drafts/{draft}/forms/%2e%2e"):
        assert editor.get(path).status_code == 404
    script = Editor(editor, draft)
    script.address = f"/drafts/{draft}/forms/nothing"
    assert script.save({"title": "T", "fields": []}).status_code == 404
    assert script.call("POST", "/preview", {"form": {}}).status_code == 404
    assert editor.post(f"/drafts/{draft}/forms/nothing/rename", {"new_name": "x"}).status_code == 404


def test_who_approves_may_look_and_try_but_not_change(desk: Callable[[str], Desk], cast: Cast, draft: int) -> None:
    reader = desk("approver")
    page = text_of(reader.get(f"/drafts/{draft}/forms"))
    assert "查看" in page and "新建表单" not in page
    script = Editor(reader, draft)
    assert script.state["editable"] is False
    assert "completeness" in script.preview(script.state["form"])["html"]
    assert script.save({"title": "T", "fields": []}).status_code == 403
    reader.get(f"/drafts/{draft}/forms")
    assert reader.post(f"/drafts/{draft}/forms", {"name": "x", "title": "T"}).status_code == 403
    assert "x" not in package(cast, draft).forms


def test_others_see_nothing_of_it(desk: Callable[[str], Desk], stranger: Desk, draft: int) -> None:
    officer = desk("provider")
    assert officer.get(f"/drafts/{draft}/forms").status_code == 403
    assert officer.get(f"/drafts/{draft}/forms/intake").status_code == 403
    assert stranger.get(f"/drafts/{draft}/forms/intake").status_code == 303


def test_an_ended_draft_is_only_looked_at(editor: Desk, cast: Cast, draft: int) -> None:
    script = Editor(editor, draft)
    discard_draft(cast.store, draft, actor=cast.actor("editor"), revision=1)
    refused = script.save({"title": "T", "fields": []})
    assert refused.status_code == 409 and refused.json is not None and "已放弃" in refused.json["message"]
    assert state_of(editor.get(script.address))["editable"] is False
