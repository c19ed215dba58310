"""迁移 in a real browser: the plan, what would become of each case as one chooses, a second person, progress by itself."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.workshop.migrating.running import move_waiting
from tests.browser.desk import PHONE, Axe, fits
from tests.town import Town

Officer = Callable[..., Page]


def test_a_shorter_limit_is_carried_over_to_a_case_under_way(officer: Officer, town: Town, axe: Axe) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.changes(
        "conditional_share", 'sharing:role="deadline" sharing:workingDays="10"', 'sharing:role="deadline" sharing:workingDays="5"'
    )
    editor = officer("024", "process_admin")
    editor.goto("/migrations")
    editor.get_by_role("link", name="拟定迁移").click()
    editor.get_by_role("button", name="拟定").click()
    preview = editor.locator("section", has_text="逐件预览")
    expect(preview).to_contain_text("由10个工作日改为5个工作日")
    editor.get_by_text("已确定的环节").click()
    editor.get_by_label("“受理”在新版本中的环节").select_option(label="无对应")
    expect(preview).to_contain_text("保持原版本")
    expect(editor.get_by_text("停在“受理”的办件将保持原版本")).to_be_visible()
    editor.get_by_label("“受理”在新版本中的环节").select_option(label="受理")
    expect(preview).to_contain_text("由10个工作日改为5个工作日")
    assert axe(editor) == []
    editor.get_by_label("迁移理由").fill("答复时限缩短")
    editor.get_by_role("button", name="提交，由另一人启动").click()
    expect(editor.get_by_text("等待另一人")).to_be_visible()
    approver = officer("024", "process_approver", PHONE)
    approver.goto(editor.url)
    expect(approver.locator("section", has_text="逐件预览")).to_contain_text("由10个工作日改为5个工作日")
    assert axe(approver) == [] and fits(approver)
    approver.get_by_role("button", name="启动迁移").click()
    expect(approver.get_by_text("等待 1 件")).to_be_visible()
    move_waiting(town.store)
    # Nobody touches the page: it asks by itself.
    expect(approver.get_by_text("已迁移 1 件")).to_be_visible()
    assert town.view(case, "Task_Intake").due_day is not None and fits(approver)
    assert town.sheet(case).version == 2
