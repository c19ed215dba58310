"""A form from the editor to an officer's desk: changed, compared, approved by a second person, filled in by a third."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import select

from engine.process.instances import start_instance
from engine.process.tables import Definition, Instance
from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.browser.desk import Axe, open_task, sign_in, submit
from tests.web.cast import HOUSING, PASSWORD, assemble
from tests.web.desk import REQUEST


def test_a_changed_form_reaches_the_officer(store: Store, clock: MovableClock, new_page: Callable[[], Page], axe: Axe) -> None:
    cast = assemble(store)

    def person(login: str) -> Page:
        return sign_in(new_page(), login, PASSWORD)

    # The process admin asks intake for a receipt number.
    page = person("editor")
    page.goto("/diagrams/conditional_share")
    page.get_by_role("button", name="编辑最新版本").click()
    page.get_by_role("link", name="表单", exact=True).click()
    page.get_by_role("link", name="编辑：受理").click()
    page.locator("#edit-fields .edit-item").filter(has=page.get_by_text("材料是否齐全", exact=True)).click()
    page.get_by_label("添加字段").select_option(label="单行文字")
    page.get_by_role("button", name="添加", exact=True).click()
    settings = page.locator("#edit-properties")
    settings.get_by_label("名称", exact=True).fill("收件编号")
    settings.get_by_label("字段键", exact=True).fill("receipt_number")
    settings.get_by_label("必填", exact=True).check()
    settings.get_by_label("格式", exact=True).fill("[0-9]{4}")
    settings.get_by_label("格式提示", exact=True).fill("收件编号应为四位数字")
    expect(page.locator("#edit-preview").get_by_label("收件编号")).to_be_visible()
    expect(page.locator("#edit-bar [data-state]")).to_have_attribute("data-state", "saved")
    page.get_by_role("link", name="申请发布", exact=True).click()
    expect(page.get_by_text("收件编号").first).to_be_visible()
    assert axe(page) == []
    page.get_by_label("发布理由").fill("收件须编号备查。")
    page.get_by_role("button", name="申请发布").click()
    expect(page.get_by_text("已提交发布申请")).to_be_visible()
    address = page.url
    # A second person agrees.
    approver = person("approver")
    approver.goto(address)
    expect(approver.get_by_text("收件编号").first).to_be_visible()
    approver.get_by_role("button", name="批准并发布").click()
    expect(approver.get_by_text("第2版").first).to_be_visible()
    # A request received after that asks for it; the officer cannot go on without.
    clock.to("2026-02-10 09:30")
    case = start_instance(store, "conditional_share", actor=cast.actor("asker"), answers=dict(REQUEST), variables={"resource_code": HOUSING})
    head = person("asker_head")
    open_task(head, "部门负责人审签")
    head.get_by_label("同意报送").check()
    submit(head)
    expect(head.get_by_text("已办结，事项已转入下一环节")).to_be_visible()
    officer = person("provider")
    open_task(officer, "受理")
    officer.get_by_label("齐全，予以受理").check()
    submit(officer)
    expect(officer.locator("#problem-receipt_number")).to_have_text("请填写“收件编号”")
    officer.get_by_label("收件编号").fill("一号")
    submit(officer)
    expect(officer.locator("#problem-receipt_number")).to_have_text("收件编号应为四位数字")
    officer.get_by_label("收件编号").fill("0012")
    submit(officer)
    expect(officer.get_by_text("已办结，事项已转入下一环节")).to_be_visible()
    with store.read() as session:
        found = session.execute(
            select(Definition.version, Instance.variables).join(Instance, Instance.definition_id == Definition.id).where(Instance.id == case)
        ).one()
    assert (found[0], found[1]["receipt_number"]) == (2, "0012")
