"""更正数据 at a desk and on a phone: which answer, into what, why; and answers that a program has filled in on somebody's task."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from engine.process.outside.task_data import prepare
from tests.browser.desk import DESK, PHONE, Axe, fill_in, fits
from tests.town import Town


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_who_supervises_puts_an_answer_right(town: Town, officer: Callable[..., Page], axe: Axe, size: ViewportSize) -> None:
    case = town.submits(at="2026-02-10 09:30")
    page = officer("024", "supervisor", size)
    page.goto(f"/cases/{case}")
    page.get_by_role("link", name="更正数据").click()
    assert axe(page) == [] and fits(page)
    page.get_by_role("row", name=re.compile("使用期限至")).get_by_role("link", name="更正").click()
    assert axe(page) == [] and fits(page)
    page.get_by_role("button", name="确定更正").click()
    expect(page.get_by_text("请填写更正理由")).to_be_visible()
    assert axe(page) == [] and fits(page)
    fill_in(page, {"使用期限至": "2027-06-30", "更正理由": "申请单位来函更正"})
    page.get_by_role("button", name="确定更正").click()
    page.wait_for_url(f"**/cases/{case}")
    expect(page.get_by_text("改为“2027-06-30”")).to_be_visible()
    assert axe(page) == [] and fits(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_a_program_filled_in_is_told_and_can_be_changed(town: Town, officer: Callable[..., Page], axe: Axe, size: ViewportSize) -> None:
    case = town.asks(at="2026-02-10 09:30")
    task = town.task(case, "Task_ApplicantSign")
    prepare(town.store, task.id, actor=town.officer("007", "head"), values={"sign": "agree"})
    page = officer("007", "head", size)
    page.goto(f"/tasks/{task.id}")
    expect(page.get_by_text("经接口预填，请核对后提交")).to_be_visible()
    expect(page.get_by_label("同意报送")).to_be_checked()
    assert axe(page) == [] and fits(page)
