"""A page that stays open: a notice appears by itself, the counts follow, and a session that has ended says so."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.people.sign_in import sign_out_everywhere
from engine.process.notices import notify_person
from tests.browser.desk import PHONE, Axe, fits
from tests.town import Town

Officer = Callable[..., Page]

#: A little more than the script waits between two questions.
A_WHILE = 10_500


def tell(town: Town, title: str) -> None:
    person = town.officer("007", "handler")
    with town.store.work() as work:
        notify_person(work, person.account_id, title=title, text="请尽快办理。", kind="urge")


def watching(page: Page) -> Page:
    """The page with a clock that the test moves, after its first question."""
    page.clock.install()
    with page.expect_response(re.compile("/live")):
        page.goto("/inbox/mine")
        page.clock.run_for(A_WHILE)
    return page


def asks_again(page: Page) -> None:
    with page.expect_response(re.compile("/live")):
        page.clock.run_for(A_WHILE)


def test_a_notice_appears_without_reloading_and_leads_to_what_it_is_about(town: Town, officer: Officer, axe: Axe) -> None:
    tell(town, "早先的催办")
    page = watching(officer("007", "handler"))
    bell = page.locator("[data-count=notices]")
    expect(bell).to_have_text("1")
    expect(page.locator(".told")).to_have_count(0)

    tell(town, "催办：部门负责人审签")
    asks_again(page)
    told = page.locator("[data-live] .told")
    expect(told).to_have_text(re.compile("新消息：催办：部门负责人审签"))
    expect(bell).to_have_text("2")
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    assert axe(page) == []

    asks_again(page)
    expect(told).to_have_count(1)  # told once
    told.get_by_role("button", name=re.compile("新消息")).click()
    page.wait_for_url("**/notices")
    expect(page.locator("[data-count=notices]")).to_have_text("1")


def test_counts_of_the_inbox_follow_and_an_empty_bell_shows_no_number(town: Town, officer: Officer) -> None:
    page = watching(officer("007", "head"))
    expect(page.locator("[data-count=notices]")).to_be_hidden()
    posts = page.locator(".tabs [data-count=posts]")
    expect(posts).to_have_text("0")
    town.asks("007")
    asks_again(page)
    expect(posts).to_have_text("1")


def test_a_toast_fits_a_phone_and_can_be_put_away(town: Town, officer: Officer, axe: Axe) -> None:
    page = officer("007", "handler")
    page.set_viewport_size(PHONE)
    watching(page)
    tell(town, "催办：一个很长的标题，长到在手机上要占好几行才能显示得下，然而仍然不应当超出屏幕的宽度")
    asks_again(page)
    expect(page.locator(".told")).to_be_visible()
    assert fits(page)
    assert axe(page) == []
    page.get_by_role("button", name="关闭提示").click()
    expect(page.locator(".told")).to_have_count(0)


def test_a_page_whose_session_has_ended_says_so_and_asks_no_more(town: Town, officer: Officer) -> None:
    page = watching(officer("007", "handler"))
    person = town.officer("007", "handler")
    sign_out_everywhere(town.store, person.account_id, actor=person)
    asks_again(page)
    expect(page.get_by_role("link", name="登录已失效，请重新登录")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(10 * A_WHILE)
    assert asked == []


def test_the_pages_of_notices_have_no_fault(town: Town, officer: Officer, axe: Axe) -> None:
    tell(town, "催办：部门负责人审签")
    page = officer("007", "handler")
    for path in ("/notices", "/notices/settings"):
        for size in (None, PHONE):
            if size:
                page.set_viewport_size(size)
            page.goto(path)
            assert axe(page) == [] and fits(page), path
    page.get_by_label("办件动态：页面").select_option("off")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("消息设置已保存")).to_be_visible()
    expect(page.get_by_label("办件动态：页面")).to_have_value("off")
