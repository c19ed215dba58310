"""A notice from the paste to the explained deadline, in a real browser: two people, the preview, the progress, the paper."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from engine.process.tables import Timer
from engine.process.timekeeping.recounting import recount
from engine.store.clock import MovableClock
from tests.browser.desk import DESK, PHONE, Axe, fits
from tests.engine.timekeeping.year_2027 import TEXT
from tests.town import Town

Officer = Callable[..., Page]
OPENING = "2026-12-18 10:00"
TODAY = "2026-12-21 09:00"


def paste(page: Page, text: str) -> None:
    page.get_by_label("通知全文").fill(text)
    page.get_by_label("发布日期").fill("2026-12-21")
    page.get_by_role("button", name="读取并核对").click()


def proposed(page: Page) -> str:
    """The notice of 2027, read and laid before a second person; returns the path of its page."""
    page.goto("/calendars/import")
    paste(page, TEXT)
    page.get_by_role("button", name="提交另一人确认").click()
    page.wait_for_url(re.compile(r"/calendars/proposals/\d+"))
    return page.url.split("/", 3)[3]


def deadline(town: Town) -> int:
    """The clock of the provider's reply."""
    with town.store.read() as session:
        found = session.scalar(select(Timer.id).where(Timer.role == "deadline", Timer.activity_name == "提供部门答复", Timer.state == "waiting"))
    assert found is not None
    return found


@pytest.fixture
def running(town: Town, clock: MovableClock) -> int:
    """A request whose reply is due over the year's end; its clock."""
    town.submits(at=OPENING)
    return deadline(town)


def test_a_notice_comes_in_is_previewed_published_and_explained(
    town: Town, running: int, clock: MovableClock, officer: Officer, axe: Axe
) -> None:
    clock.to(TODAY)
    editor = officer("024", "process_admin")
    editor.goto("/calendars")
    editor.get_by_role("link", name="录入放假安排").first.click()
    paste(editor, TEXT.replace("1月9日（周六）上班", "1月9日（周日）上班"))
    wrong = editor.get_by_role("alert")
    expect(wrong).to_contain_text("1月9日是周六，不是周日")
    expect(editor.get_by_role("button", name="提交另一人确认")).to_have_count(0)
    paste(editor, TEXT)
    expect(editor.get_by_text("核对无误")).to_be_visible()
    expect(editor.locator(".day-changed").first).to_be_visible()
    assert axe(editor) == []
    editor.get_by_role("button", name="提交另一人确认").click()
    editor.wait_for_url(re.compile(r"/calendars/proposals/\d+"))
    expect(editor.get_by_role("button", name="已对照原文，发布")).to_have_count(0)

    approver = officer("024", "process_approver")
    approver.goto(editor.url)
    foreseen = approver.get_by_role("region", name="时限变化")
    expect(foreseen).to_contain_text("提供部门答复")
    assert axe(approver) == []
    approver.get_by_label("说明").fill("已与原文逐日核对")
    approver.get_by_role("button", name="已对照原文，发布").click()
    approver.wait_for_url(re.compile(r"/calendars/recounts/\d+"))
    expect(approver.get_by_role("status").filter(has_text="正在进行")).to_be_visible()
    recount(town.store)
    expect(approver.get_by_role("status").filter(has_text="已完成")).to_be_visible()  # the page asks again by itself
    expect(approver.get_by_role("region", name="时限变化")).to_contain_text("提供部门答复")
    assert axe(approver) == []

    reader = officer("013", "handler")
    reader.goto(f"/deadlines/{running}")
    expect(reader.locator("dd", has_text=re.compile(r"第\d+版（2026-12-21，国办发明电〔2026〕99号）"))).to_be_visible()
    expect(reader.locator(".day-last .nth")).to_have_text("第10日")
    days = reader.get_by_role("region", name="逐日计算明细")
    expect(days.get_by_role("row", name=re.compile("2027-01-04.*不计.*元旦放假.*国办发明电〔2026〕99号"))).to_be_visible()
    expect(days.get_by_role("row", name=re.compile("第10日"))).to_be_visible()
    expect(reader.get_by_text("暂定")).to_have_count(0)


def test_a_pause_is_shaded_in_the_explanation(town: Town, running: int, clock: MovableClock, officer: Officer) -> None:
    page = officer("013", "handler")
    page.goto("/calendars/what-if?start=2026-04-28&days=10&pauses=2026-05-06..2026-05-08")
    expect(page.locator(".day-paused")).to_have_text([re.compile("7暂停"), re.compile("8暂停")])
    expect(page.locator(".day-last")).to_have_text(re.compile("18第10日"))


def test_the_explanation_prints_as_a_sheet_of_its_own(town: Town, running: int, clock: MovableClock, officer: Officer) -> None:
    page = officer("013", "handler")
    page.goto(f"/deadlines/{running}")
    expect(page.get_by_text("打印时间")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.get_by_text(re.compile("打印时间：2026-12-18"))).to_be_visible()
    expect(page.locator(".month").first).to_be_visible()
    expect(page.get_by_role("region", name="逐日计算明细")).to_be_visible()
    for hidden in (".topbar", ".sidebar", ".actions", ".crumbs"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.locator(".day-last").first.evaluate("cell => getComputedStyle(cell).printColorAdjust") == "exact"


def test_the_calendars_pages_are_accessible_and_fit_a_phone(town: Town, running: int, clock: MovableClock, officer: Officer, axe: Axe) -> None:
    clock.to(TODAY)
    editor = officer("024", "process_admin")
    proposal = proposed(editor)
    reader = officer("013", "handler")
    paths = ("/calendars/years/city/2026", "/calendars/years/city/2027", "/calendars/import", "/calendars/bindings", f"/{proposal}",
             "/calendars/what-if?start=2026-12-21&days=10")
    for size in (DESK, PHONE):
        for page, path in [*((editor, path) for path in paths), (reader, f"/deadlines/{running}")]:
            page.set_viewport_size(size)
            shown = page.goto(path)
            assert shown is not None and shown.ok, path
            assert axe(page) == [], path
            assert fits(page), path
