"""A back-test in a browser: asked for, watched without a reload, its numbers followed to the cases; also on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.definitions import in_force
from engine.process.workshop.back_testing.commands import run_back_tests
from engine.process.workshop.drafts import save_draft, start_draft
from tests.browser.desk import PHONE, fits
from tests.town import Town


def draft_with_five_days(town: Town) -> int:
    admin = town.officer("024", "process_admin")
    with town.store.read() as session:
        version = in_force(session, "conditional_share", town.now())
    draft = start_draft(town.store, actor=admin, definition_id=version.id)
    rule = 'sharing:workingDays="{}" sharing:statutoryMax="10"'
    xml = version.diagram.xml.decode().replace(rule.format(10), rule.format(5))
    save_draft(town.store, draft, actor=admin, revision=1, xml=xml.encode())
    return draft


def test_the_numbers_come_by_themselves_and_lead_to_the_cases(
    town: Town, officer: Callable[..., Page], axe: Callable[[Page], list[str]]
) -> None:
    for day in ("2026-02-10 09:30", "2026-02-25 09:30"):
        town.submits(at=day)
    town.passes_until("2026-03-03 10:00")
    draft = draft_with_five_days(town)
    page = officer("024", "process_admin")
    page.goto(f"/drafts/{draft}/back-tests")
    assert axe(page) == []
    page.get_by_role("button", name="开始回测").click()
    page.wait_for_url(re.compile(r"/back-tests/\d+"))
    expect(page.get_by_role("status")).to_have_text("等待开始")
    assert axe(page) == []
    run_back_tests(town.store)
    expect(page.get_by_role("status")).to_have_text("已完成")  # the page has asked again
    expect(page.get_by_role("progressbar", name="已回放的办件")).to_have_attribute("value", "2")
    page.get_by_role("link", name="截止日变动").click()
    found = page.get_by_role("row", name=re.compile("共享申请"))
    expect(found).to_have_count(2)
    found.first.locator("summary").click()
    expect(found.first).to_contain_text("2026-03-02（周一） → 2026-02-24（周二）")
    assert axe(page) == []
    phone = officer("024", "process_approver", PHONE)
    phone.goto(page.url)
    assert fits(phone)
    phone.goto(f"/drafts/{draft}/back-tests")
    assert fits(phone)
