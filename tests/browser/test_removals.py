"""保管与销毁 in a real browser: what may go, a list, a second person on a phone, progress by itself, and what is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from engine.history_seal import seal
from engine.process.instances import terminate_instance
from engine.process.removing.running import remove_waiting
from tests.browser.desk import PHONE, Axe, fits
from tests.town import Town

Officer = Callable[..., Page]


def test_a_list_is_proposed_at_the_desk_and_approved_on_a_phone(officer: Officer, town: Town, axe: Axe, tmp_path: Path) -> None:
    rule = '<spiffworkflow:property name="ruleSet"'
    town.changes("conditional_share", rule, f'<spiffworkflow:property name="retention" value="10y"/>{rule}')
    cases = [town.submits(at=f"2026-02-10 09:{30 + number}") for number in range(3)]
    for case in cases:
        terminate_instance(town.store, case, actor=town.officer("024", "supervisor"), reason="重复提出")
    town.clock.to("2036-02-11 09:00")
    supervisor = officer("024", "supervisor")
    supervisor.goto("/removals")
    assert axe(supervisor) == []
    supervisor.get_by_role("link", name="逐件查看").click()
    supervisor.get_by_role("checkbox").first.check()
    supervisor.get_by_role("button", name="所选办件继续保管").click()
    expect(supervisor.get_by_text("1件办件继续保管")).to_be_visible()
    assert axe(supervisor) == []
    supervisor.goto("/removals")
    supervisor.get_by_label("鉴定意见").fill("已无查考价值")
    supervisor.get_by_role("button", name="提出销毁").click()
    expect(supervisor.get_by_text("须由另一人审批")).to_be_visible()
    head = officer("024", "head", PHONE)
    for path in ("/removals", "/removals/due", "/removals/1"):
        head.goto(path)
        assert axe(head) == [] and fits(head), path
    head.get_by_label("审批意见").fill("同意")
    head.get_by_role("button", name="批准销毁2件").click()
    supervisor.reload()
    expect(supervisor.get_by_text("销毁中")).to_be_visible()
    while seal(town.store):
        pass
    remove_waiting(town.store, tmp_path)
    expect(supervisor.get_by_text("已销毁 2 件")).to_be_visible()
    supervisor.get_by_role("link", name="刷新清册").click()
    expect(supervisor.get_by_role("cell", name="公租房保障对象")).to_have_count(0)
    assert axe(supervisor) == [] and fits(supervisor)
    supervisor.goto(f"/cases/{cases[-1]}")
    expect(supervisor.get_by_text("销毁清册（第1号）")).to_be_visible()
