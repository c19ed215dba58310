"""整改 in a real browser, put right in time: notice, receipt, plan, report, verification and closing (article 32)."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.desk import DESK, PHONE, Axe, diagram, does, fill_in, fits, open_task
from tests.town import Town


def test_an_order_is_put_right_and_closed(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    town.passes_until("2026-10-12 09:00")
    office = officer("024", "handler")
    office.get_by_role("link", name="整改", exact=True).click()
    office.get_by_role("link", name="发起整改").click()
    answers = {
        "被整改单位": "市住房和城乡建设局（演示）",
        "情形": ("（一）未按要求编制", "（六）违反本办法"),
        "主要事实": "公租房保障对象目录自2025年6月起未更新。",
        "证据": "目录版本记录。",
        "整改要求": "完成目录全面维护。",
        "承诺：本件及附件不涉及国家秘密": True,
    }
    fill_in(office, answers)
    assert axe(office) == []
    office.get_by_role("button", name="提交").click()
    expect(office.get_by_text("已发起，事项已转入下一环节")).to_be_visible()
    case = office.url
    does(officer("024", "reviewer"), "审核", {"审核结论": "事实清楚"})
    does(officer("024", "head"), "负责人签发", {"签发意见": "同意签发"})
    head = officer("013", "head")
    open_task(head, "签收整改通知")
    assert axe(head) == []
    does(head, "签收整改通知", {"签收人": "演示签收人", "联系电话": "0419-0000000"})
    town.passes_until("2026-10-15 10:00")
    unit = officer("013", "handler")
    does(unit, "制定整改方案", {"整改方案": "逐条核对目录。", "整改责任人": "演示责任人", "计划完成日": "2026-10-28"})
    head = officer("013", "head")
    head.goto("/inbox/posts")
    expect(head.locator("tbody tr", has_text="提交整改报告")).to_contain_text("2026-11-02（周一）")
    town.passes_until("2026-10-30 10:00")
    head = officer("013", "head")
    open_task(head, "提交整改报告")
    expect(head.get_by_label("延期理由")).to_be_hidden()
    expect(diagram(head).locator(".diagram-step-now").first).to_be_visible()
    does(head, "提交整改报告", {"办理方式": "已完成整改", "整改报告": "十二项要素已全部更新。"})
    office = officer("024", "reviewer")
    open_task(office, "复核")
    expect(office.locator("main")).to_contain_text("十二项要素已全部更新。")
    assert axe(office) == []
    does(office, "复核", {"复核结论": "整改合格", "复核情况": "抽查一致。"})
    unit = officer("013", "handler")
    unit.goto(case)
    expect(unit.locator(".page-head")).to_contain_text("已销号")
    unit.get_by_role("link", name=re.compile("整改销号通知")).first.click()
    expect(unit.locator("article.sheet")).to_contain_text("销号")
    for size in (DESK, PHONE):
        unit.set_viewport_size(size)
        for path in (case, "/rectifications"):
            unit.goto(path)
            assert axe(unit) == [], path
            assert fits(unit), f"{path} is wider than {size['width']} px"
    expect(unit.locator("tbody")).to_contain_text("已销号")
