"""The form editor in a real browser: fields drawn, tried, saved by themselves, and two people at one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from sqlalchemy import select

from engine.process.check import check
from engine.process.definitions import newest_versions
from engine.process.package import Package
from engine.process.tables import Definition
from engine.process.workshop.drafts import draft_sheet, save_draft, start_draft
from engine.store.store import Store
from tests.browser.desk import DESK, PHONE, Axe, fits, sign_in
from tests.web.cast import PASSWORD, Cast, assemble


@pytest.fixture
def cast(store: Store) -> Cast:
    """The cast in the database that the browser's server serves."""
    return assemble(store)


@pytest.fixture
def draft(cast: Cast) -> int:
    """A draft of the conditional sharing process."""
    with cast.store.read() as session:
        version = session.scalars(select(Definition.id).where(Definition.key == "conditional_share")).one()
    return start_draft(cast.store, actor=cast.actor("editor"), definition_id=version)


@pytest.fixture
def at(cast: Cast, draft: int, new_page: Callable[[], Page]) -> Callable[..., Page]:
    """`at("intake")` opens that form of the draft in a browser of the editor's own."""

    def sit_down(form: str, login: str = "editor", size: ViewportSize = DESK) -> Page:
        page = sign_in(new_page(), login, PASSWORD, size)
        page.goto(f"/drafts/{draft}/forms/{form}")
        expect(page.locator("#edit-form")).to_be_visible()
        return page

    return sit_down


def package(cast: Cast, draft: int) -> Package:
    with cast.store.read() as session:
        return draft_sheet(session, cast.actor("editor"), draft).package


def form_of(cast: Cast, draft: int, name: str) -> dict[str, Any]:
    return dict(package(cast, draft).forms[name])


def field_of(cast: Cast, draft: int, name: str, key: str) -> dict[str, Any]:
    """A field of a form in the draft."""
    return next(dict(field) for field in form_of(cast, draft, name)["fields"] if field.get("key") == key)


def saved(page: Page) -> None:
    """All that was changed is in the draft; after a lost connection the editor waits a while before it tries again."""
    expect(page.locator("#edit-bar [data-state]")).to_have_attribute("data-state", "saved", timeout=15_000)
    expect(page.locator("#edit-bar [role=status]")).to_contain_text("已保存")


def choose(page: Page, label: str) -> None:
    """Chooses a field on the left by its label."""
    page.locator("#edit-fields .edit-item").filter(has=page.get_by_text(label, exact=True)).first.click()


def setting(page: Page, label: str) -> Any:
    """A setting of the chosen field."""
    return page.locator("#edit-properties").get_by_label(label, exact=True)


def labels(page: Page) -> list[str]:
    """The fields on the left, in order."""
    return page.locator("#edit-fields .edit-list .edit-label").all_inner_texts()


def test_a_required_field_is_drawn_tried_and_saved(at: Callable[..., Page], cast: Cast, draft: int, axe: Axe) -> None:
    page = at("intake")
    choose(page, "材料是否齐全")
    page.get_by_label("添加字段").select_option(label="单行文字")
    page.get_by_role("button", name="添加", exact=True).click()
    setting(page, "名称").fill("收件编号")
    setting(page, "字段键").fill("receipt_number")
    setting(page, "字段键").blur()
    setting(page, "必填").check()
    setting(page, "显示条件").fill('completeness == "complete"')
    setting(page, "格式").fill("[0-9]{4}")
    setting(page, "格式提示").fill("应为四位数字")
    saved(page)
    preview = page.locator("#edit-preview")
    expect(preview.get_by_label("收件编号")).to_be_hidden()
    preview.get_by_label("齐全，予以受理").check()
    expect(preview.get_by_label("收件编号")).to_be_visible()
    preview.get_by_role("button", name="校验试填内容").click()
    expect(preview.locator("#problem-receipt_number")).to_have_text("请填写“收件编号”")
    assert axe(page) == []
    preview.get_by_label("收件编号").fill("12")
    preview.get_by_role("button", name="校验试填内容").click()
    expect(preview.locator("#problem-receipt_number")).to_have_text("应为四位数字")
    preview.get_by_label("收件编号").fill("0012")
    preview.get_by_role("button", name="校验试填内容").click()
    expect(preview.get_by_text("校验通过，将记入办件")).to_be_visible()
    expect(preview.locator(".edit-answers")).to_contain_text("0012")
    assert axe(page) == []
    assert field_of(cast, draft, "intake", "receipt_number") == {
        "key": "receipt_number", "type": "text", "label": "收件编号", "required": True, "when": 'completeness == "complete"',
        "pattern": "[0-9]{4}", "pattern_message": "应为四位数字",
    }  # fmt: skip
    with cast.store.read() as session:
        assert check(package(cast, draft), set(newest_versions(session))) == []


def test_what_is_wrong_is_said_while_one_types(at: Callable[..., Page]) -> None:
    page = at("intake")
    choose(page, "需要补正的全部内容")
    setting(page, "显示条件").fill("completeness ==")
    expect(page.locator("#edit-a-when-problem")).to_contain_text("表达式无法读懂")
    expect(page.locator("#edit-bar")).to_contain_text("1 个问题")
    setting(page, "显示条件").fill('completenes == "supplement"')
    expect(page.locator("#edit-a-when-problem")).to_contain_text("“completenes”既不是上面的字段")
    setting(page, "显示条件").fill("")
    page.get_by_label("显示条件：插入名称").select_option('completeness == "supplement"')
    expect(setting(page, "显示条件")).to_have_value('completeness == "supplement"')
    expect(page.locator("#edit-bar")).to_contain_text("没有问题")
    saved(page)


def test_fields_are_moved_by_mouse_and_by_keys_and_all_can_be_undone(at: Callable[..., Page], cast: Cast, draft: int) -> None:
    page = at("intake")
    before = labels(page)
    items = page.locator("#edit-fields .edit-list li")
    items.nth(0).drag_to(items.nth(len(before) - 1))
    dragged = [*before[1:], before[0]]
    expect(page.locator("#edit-fields .edit-list .edit-label")).to_have_text(dragged)
    page.keyboard.press("Control+z")
    expect(page.locator("#edit-fields .edit-list .edit-label")).to_have_text(before)
    items.nth(0).get_by_role("button").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#edit-fields .edit-list .edit-label")).to_have_text([before[1], before[0], *before[2:]])
    expect(items.nth(1).get_by_role("button")).to_be_focused()
    saved(page)
    assert [field["label"] for field in form_of(cast, draft, "intake")["fields"]][:2] == [before[1], before[0]]
    choose(page, before[0])
    page.get_by_role("button", name="复制", exact=True).click()
    assert len(labels(page)) == len(before) + 1
    page.get_by_role("button", name="删除", exact=True).click()
    expect(page.locator("#edit-bar [role=status]")).to_contain_text("已删除")
    page.get_by_role("button", name="撤销").click()
    assert len(labels(page)) == len(before) + 1
    page.get_by_role("button", name="重做").click()
    assert len(labels(page)) == len(before)


def test_typing_is_one_step_back(at: Callable[..., Page]) -> None:
    page = at("intake")
    choose(page, "材料是否齐全")
    setting(page, "名称").press("End")
    setting(page, "名称").press_sequentially("甲乙丙")
    expect(setting(page, "名称")).to_have_value("材料是否齐全甲乙丙")
    page.keyboard.press("Control+z")
    expect(setting(page, "名称")).to_have_value("材料是否齐全")
    page.keyboard.press("Control+y")
    expect(setting(page, "名称")).to_have_value("材料是否齐全甲乙丙")


def test_choices_are_edited_and_conditions_follow_a_new_key(at: Callable[..., Page], cast: Cast, draft: int) -> None:
    page = at("intake")
    choose(page, "材料是否齐全")
    page.get_by_role("button", name="添加选项").click()
    page.get_by_label("选项3的值").fill("complete")
    page.get_by_label("选项3的名称").fill("另一种")
    expect(page.get_by_text("选项的值“complete”重复")).to_be_visible()
    page.get_by_label("选项3的值").fill("other")
    expect(page.locator("#edit-preview").get_by_label("另一种")).to_be_visible()
    expect(page.get_by_text("流程图中引用：")).to_contain_text("需补正")
    setting(page, "字段键").fill("whole")
    setting(page, "字段键").blur()
    saved(page)
    assert field_of(cast, draft, "intake", "whole")["options"][2] == {"value": "other", "label": "另一种"}
    assert field_of(cast, draft, "intake", "supplement_needed")["when"] == 'whole == "supplement"'


def test_what_the_law_requires_is_protected(at: Callable[..., Page], axe: Axe) -> None:
    page = at("application")
    choose(page, "使用依据")
    expect(page.locator("#edit-properties h2")).to_contain_text("法定必填（第十五条）")
    expect(page.get_by_role("button", name="删除", exact=True)).to_be_disabled()
    expect(setting(page, "必填")).to_be_disabled()
    expect(setting(page, "字段键")).not_to_be_editable()
    setting(page, "填写说明").fill("写明条款。")
    saved(page)
    assert axe(page) == []


def test_two_people_at_one_form_are_told_and_decide(at: Callable[..., Page], cast: Cast, draft: int, axe: Axe) -> None:
    mine, theirs = at("intake"), at("intake")
    choose(theirs, "表单设置")
    setting(theirs, "标题").fill("收件受理")
    saved(theirs)
    choose(mine, "材料是否齐全")
    setting(mine, "名称").fill("材料齐全与否")
    dialog = mine.get_by_role("dialog", name="他人已保存过此表单")
    expect(dialog).to_contain_text("冯流程")
    assert axe(mine) == []
    assert form_of(cast, draft, "intake")["title"] == "收件受理", "nothing of theirs is lost"
    dialog.get_by_role("button", name="先不处理").click()
    expect(setting(mine, "名称")).to_have_value("材料齐全与否")
    mine.get_by_role("button", name="处理冲突").click()
    dialog.get_by_role("button", name="保留我的").click()
    saved(mine)
    assert form_of(cast, draft, "intake")["title"] == "受理"
    assert field_of(cast, draft, "intake", "completeness")["label"] == "材料齐全与否"
    choose(theirs, "表单设置")
    setting(theirs, "标题").fill("收件")
    theirs.get_by_role("dialog").get_by_role("button", name="放弃我的").click()
    expect(theirs.locator("#edit-fields")).to_contain_text("材料齐全与否")
    saved(theirs)
    # Kept as a draft of its own, beside theirs.
    beside = at("intake")
    choose(theirs, "表单设置")
    setting(theirs, "标题").fill("收件登记")
    saved(theirs)
    choose(beside, "材料齐全与否")
    setting(beside, "名称").fill("是否齐全")
    beside.get_by_role("dialog").get_by_role("button", name="另存为新草稿").click()
    beside.wait_for_url(lambda address: f"/drafts/{draft}/" not in address)
    fresh = int(beside.url.split("/drafts/")[1].split("/")[0])
    assert field_of(cast, fresh, "intake", "completeness")["label"] == "是否齐全"
    assert form_of(cast, draft, "intake")["title"] == "收件登记", "and theirs is as it was"


def test_a_diagram_saved_meanwhile_is_kept_and_nobody_is_disturbed(at: Callable[..., Page], cast: Cast, draft: int) -> None:
    page = at("intake")
    before = package(cast, draft)
    xml = before.xml.replace("受理".encode(), "收件".encode(), 1)
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=1, xml=xml)
    forms = {**before.forms, "reply": {**before.forms["reply"], "title": "答复意见"}}
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=2, forms=forms)
    choose(page, "材料是否齐全")
    setting(page, "名称").fill("材料齐全与否")
    saved(page)
    after = package(cast, draft)
    assert after.xml == xml and after.forms["reply"]["title"] == "答复意见"
    assert field_of(cast, draft, "intake", "completeness")["label"] == "材料齐全与否"


def test_experts_write_json_and_are_told_the_line(at: Callable[..., Page], cast: Cast, draft: int, axe: Axe) -> None:
    page = at("intake")
    page.get_by_role("button", name="JSON").click()
    text = page.get_by_label("表单定义", exact=True)
    whole = text.input_value()
    text.fill(whole.replace('"title": "受理",', '"title": "受理"'))
    page.get_by_role("button", name="采用").click()
    expect(page.locator("#edit-json-problem")).to_contain_text("第3行")
    assert axe(page) == []
    text.fill(whole.replace("受理", "收件", 1))
    page.get_by_role("button", name="采用").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    saved(page)
    assert form_of(cast, draft, "intake")["title"] == "收件"


def test_a_lost_connection_loses_nothing(at: Callable[..., Page], cast: Cast, draft: int) -> None:
    page = at("intake")
    page.route("**/forms/intake", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    choose(page, "材料是否齐全")
    setting(page, "名称").fill("材料齐全与否")
    expect(page.locator("#edit-bar [role=status]")).to_contain_text("未保存：网络中断，将自动重试")
    # Not even when the browser is closed before it could be sent.
    again = page.context.new_page()
    again.goto(f"/drafts/{draft}/forms/intake")
    again.get_by_role("dialog", name="上次有修改没有保存").get_by_role("button", name="恢复这些修改").click()
    saved(again)
    assert field_of(cast, draft, "intake", "completeness")["label"] == "材料齐全与否"
    page.unroute("**/forms/intake")
    page.keyboard.press("Control+s")
    saved(page)


def test_who_was_signed_out_signs_in_again_and_goes_on(at: Callable[..., Page], cast: Cast, draft: int) -> None:
    page = at("intake")
    session = page.context.cookies()
    page.context.clear_cookies()
    choose(page, "材料是否齐全")
    setting(page, "名称").fill("材料齐全与否")
    expect(page.locator("#edit-bar [role=status]")).to_contain_text("登录已过期，修改保留在本机")
    page.context.add_cookies([{"name": one["name"], "value": one["value"], "url": page.url} for one in session])
    page.get_by_role("button", name="立即保存").click()
    saved(page)
    assert field_of(cast, draft, "intake", "completeness")["label"] == "材料齐全与否"


def test_a_new_form_begins_at_the_list(at: Callable[..., Page], cast: Cast, draft: int, axe: Axe) -> None:
    page = at("intake")
    page.get_by_role("link", name="全部表单").click()
    assert axe(page) == []
    page.get_by_label("标题").fill("补充说明")
    page.get_by_label("表单名称", exact=True).fill("extra_note")
    page.get_by_role("button", name="新建").click()
    expect(page.locator("#edit-fields")).to_contain_text("补充说明")
    page.get_by_label("添加字段").select_option(label="多行文字")
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.locator("#edit-preview").get_by_label("新字段")).to_be_visible()
    saved(page)
    assert form_of(cast, draft, "extra_note") == {"title": "补充说明", "fields": [{"key": "field", "type": "textarea", "label": "新字段"}]}


def test_on_a_phone_and_for_who_only_reads(at: Callable[..., Page], axe: Axe, draft: int) -> None:
    page = at("application", size=PHONE)
    assert fits(page) and axe(page) == []
    choose(page, "使用用途")
    assert fits(page) and axe(page) == []
    page.goto(f"/drafts/{draft}/forms")
    assert fits(page) and axe(page) == []
    reader = at("application", login="approver")
    expect(reader.locator("#edit-bar [role=status]")).to_have_text("只供查看")
    choose(reader, "使用用途")
    expect(setting(reader, "名称")).not_to_be_editable()
    expect(reader.get_by_role("button", name="删除", exact=True)).to_have_count(0)
    assert axe(reader) == []
