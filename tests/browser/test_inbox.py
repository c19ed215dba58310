"""The inbox at a real keyboard and on a phone: moving, opening, claiming, selecting, many at once, and word of what is new."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from engine.people.accounts import set_password
from engine.people.actor import Actor
from engine.process.desk.filters import TABS
from tests.browser.conftest import PASSWORD
from tests.browser.desk import PHONE, Axe, fits, sign_in
from tests.engine.desk.crowd import checks, crowd
from tests.town import Town


@pytest.fixture
def reader(town: Town) -> Actor:
    """Somebody with three posts, and a crowd of cases around them: more than a page of tasks."""
    actor = town.joins("reader", "007", "handler", "head", "intake")
    set_password(town.store, actor.account_id, PASSWORD, actor=None)
    crowd(town.store, actor, [town.joins("other", "007", "handler")], size=180)
    return actor


def row(page: Page) -> int:
    """In which row the focus stands."""
    return int(page.evaluate("[...document.querySelectorAll('[data-row]')].findIndex((row) => row.contains(document.activeElement))"))


def test_the_keyboard_moves_selects_opens_and_claims(reader: Actor, page: Page) -> None:
    sign_in(page, "reader", PASSWORD)
    page.goto("/inbox/posts")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert row(page) == 1
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-said]")).to_have_text("已选2件")
    page.keyboard.press("a")
    expect(page.locator("[data-said]")).to_have_text("已选50件")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="批量签收")).to_be_disabled()
    page.keyboard.press("c")
    expect(page.get_by_role("status").filter(has_text="已签收")).to_be_visible()
    assert row(page) == 0, "the focus stands in what was the next row"
    first = page.locator("[data-row] .main a").first.get_attribute("href")
    page.keyboard.press("o")
    page.wait_for_url(f"**{first}")
    page.go_back()
    page.keyboard.press("/")
    page.keyboard.type("jc?")
    expect(page.get_by_label("关键词")).to_have_value("jc?")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_help_opens_with_a_question_mark_and_takes_the_keys(reader: Actor, page: Page, axe: Axe) -> None:
    sign_in(page, "reader", PASSWORD)
    page.goto("/inbox/mine")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="键盘快捷键")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("j")
    assert row(page) == -1
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"/tasks/\d+\?list=mine"))


def test_rows_that_came_later_are_reached_and_selected_like_the_first(reader: Actor, page: Page) -> None:
    sign_in(page, "reader", PASSWORD)
    page.goto("/inbox/posts")
    page.locator("[data-row] .main a").nth(49).focus()
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(50)).to_be_visible()
    page.keyboard.press("j")
    assert row(page) == 50
    page.keyboard.press("x")
    expect(page.locator("[data-said]")).to_have_text("已选1件")


def test_many_are_claimed_at_once_and_the_report_names_each(reader: Actor, page: Page, axe: Axe) -> None:
    sign_in(page, "reader", PASSWORD)
    page.goto("/inbox/posts?q=gzf")
    for place in (0, 2):
        page.locator("[name=id]").nth(place).check()
    page.get_by_role("button", name="批量签收").click()
    expect(page.get_by_text("已签收2件。")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("link", name="返回列表").click()
    page.wait_for_url("**/inbox/posts?q=gzf")


def test_many_are_completed_with_one_form(town: Town, reader: Actor, page: Page, axe: Axe) -> None:
    checks(town.store, reader, 3)
    sign_in(page, "reader", PASSWORD)
    page.goto("/inbox/posts?process=checks")
    page.keyboard.press("a")
    page.get_by_role("button", name="批量办结").click()
    page.get_by_label("不同意").check()
    assert axe(page) == []
    page.get_by_role("button", name="办结这3件").click()
    expect(page.get_by_text("未办结3件")).to_be_visible()
    expect(page.get_by_label("不同意")).to_be_checked()
    page.get_by_label(re.compile("^理由")).fill("不符")
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert fits(page)
    page.get_by_role("button", name="办结这3件").click()
    expect(page.get_by_text("已办结3件。")).to_be_visible()
    page.get_by_role("link", name="返回列表").click()
    expect(page.get_by_text("没有符合筛选条件的事项")).to_be_visible()


def test_a_count_that_grows_offers_the_list_anew(reader: Actor, page: Page) -> None:
    sign_in(page, "reader", PASSWORD)
    page.goto("/inbox/mine")
    page.evaluate("const mark = document.querySelector('[data-count=mine]'); mark.textContent = parseInt(mark.textContent) + 2")
    expect(page.locator("[data-news]")).to_have_text("有2件新待办，点此刷新")
    page.get_by_role("link", name="点此刷新").click()
    expect(page.locator("[data-news] > span")).to_be_hidden()


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_reads_well_and_fits_a_phone(reader: Actor, page: Page, axe: Axe, tab: str) -> None:
    sign_in(page, "reader", PASSWORD)
    page.goto(f"/inbox/{tab}?q=g")
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    page.reload()
    expect(page.get_by_label("事项", exact=True)).to_be_hidden()
    page.get_by_role("button", name=re.compile("更多条件")).click()
    expect(page.get_by_label("事项", exact=True)).to_be_visible()
    assert fits(page) and axe(page) == []


def test_on_a_phone_the_bar_for_many_comes_with_the_first_choice(reader: Actor, page: Page) -> None:
    sign_in(page, "reader", PASSWORD, PHONE)
    page.goto("/inbox/posts")
    bar = page.get_by_role("button", name="批量签收")
    expect(bar).to_be_hidden()
    page.locator("[name=id]").first.check()
    expect(bar).to_be_in_viewport()
    assert fits(page)
