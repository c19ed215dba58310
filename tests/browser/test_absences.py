"""Going on leave in a browser: the form, what the deputy sees, and coming back; at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.desk import PHONE, Axe
from tests.town import Town


def test_going_on_leave_and_coming_back(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    page = officer("007", "handler")
    page.goto("/absences")
    page.get_by_role("button", name="登记请假").click()
    expect(page.get_by_role("alert")).to_contain_text("尚未登记")
    assert axe(page) == []
    page.locator("#starts").fill("2026-02-10")
    page.locator("#ends").fill("2026-02-13")
    page.get_by_label("事由").fill("年休假")
    for select in page.locator("select[name^='substitute']").all():
        select.select_option(label="演示陈己")
    page.get_by_role("button", name="登记请假").click()
    expect(page.get_by_text("已登记请假代理。")).to_be_visible()
    expect(page.get_by_role("row", name="年休假")).to_contain_text("演示陈己")
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert axe(page) == []
    page.get_by_role("button", name="销假").click()
    expect(page.get_by_text("已销假")).to_be_visible()


def test_a_head_enters_it_for_somebody_who_fell_ill(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    page = officer("007", "head")
    page.goto("/absences")
    page.get_by_label("请假人").select_option(label="演示钱甲（民政）")
    page.get_by_role("button", name="选择请假人").click()
    page.locator("#starts").fill("2026-02-10")
    page.get_by_label("事由").fill("病假")
    page.get_by_role("button", name="登记请假").click()
    row = page.get_by_role("row", name="演示钱甲")
    expect(row).to_contain_text("销假时")
    expect(row).to_contain_text("同岗位其他人员")
    assert axe(page) == []
