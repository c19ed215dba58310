"""A process admin rehearses a draft in the browser: from the start to the grant, back again, and on into silence."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.workshop.drafts import newest_id, start_draft
from tests.browser.desk import DESK, PHONE, Axe, diagram, fits
from tests.town import Town


def completes(page: Page, step: str) -> None:
    """Fills the form of the chosen task with samples and completes it."""
    expect(page.locator("#work")).to_be_visible()
    page.get_by_role("link", name="填入示例").click()
    page.get_by_role("button", name="办结此环节").click()
    expect(page.get_by_role("heading", name=f"办结“{step}”")).to_be_visible()


def test_a_draft_is_rehearsed_to_its_grant_then_back_and_into_silence(
    town: Town, officer: Callable[..., Page], axe: Axe
) -> None:
    with town.store.read() as session:
        version = newest_id(session, "conditional_share")
    draft = start_draft(town.store, actor=town.officer("024", "process_admin"), definition_id=version)
    page = officer("024", "process_admin")
    page.goto(f"/drafts/{draft}/dry-run")
    page.get_by_label("由谁发起").select_option(label="演示钱甲 · 经办 · 市民政局（演示）")
    page.get_by_label("虚拟起始时间").fill("2026-02-10T09:30")
    page.get_by_label("信息资源（名称或代码）").fill("公租房")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="选择公租房保障对象").click()
    page.get_by_role("button", name="开始试运行").click()
    expect(page.get_by_role("alert")).to_contain_text("填写内容有误")
    page.get_by_role("link", name="填入示例").click()
    assert axe(page) == []
    page.get_by_role("button", name="开始试运行").click()
    completes(page, "部门负责人审签")
    expect(page.locator("#effects")).to_contain_text("2026年3月2日24时前办结")
    expect(diagram(page).locator(".diagram-token")).to_have_text("1")
    completes(page, "受理")
    expect(diagram(page).locator(".diagram-token")).to_have_count(2)
    assert axe(page) == []
    before_reviews = page.url
    for step in ("业务审核", "安全审核", "负责人答复"):
        completes(page, step)
    effects = page.locator("#effects")
    expect(effects).to_contain_text("共享授权〔2026〕1号")
    effects.get_by_text("共享答复函").first.click()
    expect(effects.locator("details[open] .note")).to_contain_text("同意共享。")
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert fits(page)
    page.set_viewport_size(DESK)
    page.get_by_role("link", name="撤销上一步").click()
    expect(page.get_by_role("heading", name="办结“安全审核”")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="办结“安全审核”")).to_be_visible()
    page.goto(before_reviews)
    for _ in range(3):
        page.get_by_role("button", name="推进到下一个定时").click()
        expect(page.get_by_role("heading", name="推进到下一个定时")).to_be_visible()
    expect(effects).to_contain_text("督办单")
    page.get_by_role("link", name="督办件〔2026〕1号").click()
    expect(page.get_by_text("（已发布的第1版）")).to_be_visible()
    assert axe(page) == []
