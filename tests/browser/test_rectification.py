"""整改 in a real browser: the office orders, the unit answers too late, the leading group reports, the city government instructs."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from tests.browser.test_request import Axe, cast, open_task, person, submit
from tests.web.cast import Cast

assert cast and person  # the cast sits down in browsers of its own

DONE = re.compile("已办结，事项已转入下一环节")


def order(page: Page) -> None:
    """The office drafts an order on two grounds from its desk."""
    page.goto("/supervision")
    page.get_by_role("link", name="发起整改").click()
    page.get_by_label("被整改单位").select_option(label="市住房和城乡建设局")
    page.get_by_label("（一）未按要求编制或更新政务信息资源目录").check()
    page.get_by_label("（三）向共享平台提供的数据").check()
    page.get_by_label("主要事实").fill("公租房保障对象目录自2025年6月起未更新。")
    page.locator("#evidence").fill("目录版本记录第1版。")
    page.get_by_label("整改要求").fill("十五个工作日内完成目录全面维护并提交报告。")
    page.get_by_label("承诺").check()


def test_an_order_that_is_not_carried_out_reaches_the_city_government(
    person: Callable[..., Page], cast: Cast, clock: MovableClock, axe: Axe
) -> None:
    clock.to("2026-10-12 09:00")
    office = person("office")
    order(office)
    assert axe(office) == []
    office.get_by_role("button", name="提交").click()
    expect(office.get_by_text("已发起，事项已转入下一环节")).to_be_visible()
    reviewer = person("office_reviewer")
    open_task(reviewer, "审核")
    reviewer.get_by_label("事实清楚").check()
    submit(reviewer)
    leader = person("office_head")
    open_task(leader, "负责人签发")
    leader.get_by_label("同意签发").check()
    submit(leader)
    expect(leader.get_by_text(DONE)).to_be_visible()
    unit = person("provider_head")
    open_task(unit, "签收整改通知")
    unit.locator("#received_by").fill("吴住建")
    unit.locator("#receiver_phone").fill("0419-2123456")
    submit(unit)
    handler = person("provider")
    open_task(handler, "制定整改方案")
    handler.locator("#plan").fill("逐条核对目录。")
    handler.get_by_label("整改责任人").fill("李住建")
    handler.get_by_label("计划完成日").fill("2026-10-28")
    submit(handler)
    expect(handler.get_by_text(DONE)).to_be_visible()
    unit.goto("/rectifications")
    expect(unit.locator("tbody")).to_contain_text("2026-11-02（周一）")
    assert axe(unit) == []
    open_task(unit, "提交整改报告")
    expect(unit.get_by_label("延期理由")).to_be_hidden()
    unit.get_by_label("申请延期").check()
    expect(unit.get_by_label("延期理由")).to_be_visible()
    expect(unit.locator("#report")).to_be_hidden()
    assert axe(unit) == []
    clock.to("2026-11-03 00:00")
    while fire_due(cast.store):
        pass
    member = person("member")
    open_task(member, "领导小组审议")
    expect(member.get_by_label("上报市政府报告（稿）")).to_have_value(re.compile("经发中心整改〔2026〕1号.*2026年11月2日.*目录版本记录", re.DOTALL))
    assert axe(member) == []
    member.get_by_label("审议日期").fill("2026-11-03")
    member.get_by_label("审议意见").fill("同意上报市政府。")
    submit(member)
    expect(member.get_by_text(DONE)).to_be_visible()
    recorder = person("recorder")
    open_task(recorder, "批示登记")
    recorder.get_by_label("批示领导").fill("演示市领导")
    recorder.get_by_label("批示日期").fill("2026-11-03")
    recorder.get_by_label("批示内容").fill("请抓紧整改。")
    submit(recorder)
    recorder.goto("/rectifications")
    expect(recorder.locator("tbody")).to_contain_text("已上报市政府")
    recorder.locator("tbody").get_by_role("link").first.click()
    expect(recorder.locator(".page-head")).to_contain_text("已上报")
    recorder.get_by_role("link", name="关于未按时限完成整改情况的报告").first.click()
    expect(recorder.locator("article.sheet")).to_contain_text("目录版本记录")
    assert axe(recorder) == []
