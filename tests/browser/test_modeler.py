"""A process admin changes diagrams in a real browser, without fear: limits, undo, saves, conflicts, a process from nothing.

Scenarios S41 (a limit is tightened), S42 (a limit beyond the law is refused) and S46 (a file goes out and comes back).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.people.accounts import set_password
from engine.process.workshop.drafts import start_draft
from tests.browser.conftest import PASSWORD
from tests.browser.desk import sign_in
from tests.browser.modeler import (
    drag,
    draft_of,
    field,
    findings,
    fold_out,
    is_saved,
    no_findings,
    open_modeler,
    pad,
    process_admin,
    saved,
    select,
    selected,
    shape,
    state,
)
from tests.town import Town

DEADLINE = "BoundaryEvent_ReplyDeadline"


def days_of(town: Town, draft_id: int) -> str:
    """The working days of the reply's deadline, as saved."""
    found = re.search(r'<bpmn:timerEventDefinition id="TimerRule_ReplyDeadline"[^>]*sharing:workingDays="(\d+)"', saved(town, draft_id).package.xml.decode())
    assert found
    return found[1]


def test_a_limit_is_tightened_undone_and_saved_by_itself(town: Town, officer: Callable[..., Page]) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    no_findings(page)
    select(page, DEADLINE)
    expect(page.locator("[data-panel]")).to_contain_text("法定最长10个工作日（第十五条）")
    field(page, "工作日数").fill("5")
    is_saved(page)
    assert days_of(town, draft) == "5"
    no_findings(page)
    page.get_by_role("button", name="撤销").click()
    expect(field(page, "工作日数")).to_have_value("10")
    page.get_by_role("button", name="重做").click()
    expect(field(page, "工作日数")).to_have_value("5")
    page.get_by_role("button", name="立即保存").click()
    is_saved(page)
    page.reload()
    page.locator("#modeler[data-ready=yes]").wait_for()
    select(page, DEADLINE)
    expect(field(page, "工作日数")).to_have_value("5")
    assert days_of(town, draft) == "5"


def test_a_limit_beyond_the_law_is_named_with_its_article(town: Town, officer: Callable[..., Page]) -> None:
    page = open_modeler(officer("024", "process_admin"), draft_of(town, "conditional_share"))
    select(page, DEADLINE)
    field(page, "工作日数").fill("15")
    # At once, beside the field; and a moment later by the server, with the element marked.
    expect(page.locator("#field-time-warning")).to_have_text("超过第十五条规定的10个工作日，只能缩短、不能延长")
    expect(page.locator("[data-findings-summary]")).to_have_text("1个错误", timeout=30_000)
    expect(findings(page)).to_contain_text(["第十五条规定的10个工作日"])
    expect(shape(page, DEADLINE)).to_have_class(re.compile("modeler-error"))
    select(page, "Task_Intake")
    page.keyboard.press("F8")
    expect(page.locator("[data-panel-title]")).to_contain_text("答复时限届满")
    assert selected(page) == DEADLINE
    select(page, "Task_Intake")
    findings(page).get_by_role("button").click()
    assert selected(page) == DEADLINE
    field(page, "工作日数").fill("8")
    no_findings(page)
    expect(shape(page, DEADLINE)).not_to_have_class(re.compile("modeler-error"))


def test_two_people_who_edit_lose_nothing(town: Town, officer: Callable[..., Page], new_page: Callable[[], Page]) -> None:
    draft = draft_of(town, "conditional_share")
    other = town.joins("second", "024", "process_admin")
    set_password(town.store, other.account_id, PASSWORD, actor=None)
    first, second = officer("024", "process_admin"), sign_in(new_page(), "second", PASSWORD)
    open_modeler(first, draft)
    open_modeler(second, draft)
    select(second, DEADLINE)
    field(second, "工作日数").fill("7")
    is_saved(second)
    select(first, DEADLINE)
    field(first, "工作日数").fill("6")
    dialog = first.get_by_role("dialog")
    expect(dialog).to_contain_text("second于")
    expect(state(first)).to_contain_text("未保存")
    assert days_of(town, draft) == "7"
    dialog.get_by_role("button", name="把我的另存为新草稿").click()
    first.wait_for_url(lambda url: not url.endswith(f"/drafts/{draft}"))
    first.locator("#modeler[data-ready=yes]").wait_for()
    fresh = int(first.url.rsplit("/", 1)[1])
    assert fresh != draft
    assert (days_of(town, draft), days_of(town, fresh)) == ("7", "6")
    assert saved(town, fresh).base_id == saved(town, draft).base_id


def test_what_a_broken_line_kept_back_is_saved_when_it_is_whole_again(town: Town, officer: Callable[..., Page]) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    page.context.set_offline(True)
    select(page, DEADLINE)
    field(page, "工作日数").fill("4")
    expect(state(page)).to_have_text("未保存：网络中断，将自动重试")
    page.context.set_offline(False)
    is_saved(page)
    assert days_of(town, draft) == "4"


def test_a_crashed_browser_offers_what_it_could_not_save(town: Town, officer: Callable[..., Page]) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    page.context.set_offline(True)
    select(page, DEADLINE)
    field(page, "工作日数").fill("3")
    expect(state(page)).to_contain_text("网络中断")
    page.close(run_before_unload=False)
    again = page.context.new_page()
    page.context.set_offline(False)
    again.goto(f"/drafts/{draft}")
    expect(again.get_by_role("dialog")).to_contain_text("上次有修改没有保存")
    again.get_by_role("button", name="恢复这些修改").click()
    is_saved(again)
    assert days_of(town, draft) == "3"


def test_an_ended_sign_in_keeps_the_work(town: Town, officer: Callable[..., Page]) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    page.context.clear_cookies(name="sharing_bpm")
    select(page, DEADLINE)
    field(page, "工作日数").fill("2")
    expect(state(page)).to_contain_text("登录已过期")
    again = page.context.new_page()
    sign_in(again, process_admin(town).login, PASSWORD)
    page.get_by_role("button", name="立即保存").click()
    is_saved(page)
    assert days_of(town, draft) == "2"


def test_the_panel_explains_an_operation_and_asks_for_its_parameters(town: Town, officer: Callable[..., Page]) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "Task_Grant")
    panel = page.locator("[data-panel]")
    expect(field(page, "操作")).to_have_value("sharing.grant")
    expect(panel).to_contain_text("授予单位使用资源并登记授权")
    field(page, "操作").select_option("notices.send")
    expect(panel).to_contain_text("向某单位某岗位的每个人发送一条消息")
    for name in ("收件单位（unit）必填", "收件岗位（post）必填", "标题（title）必填", "正文（text）必填"):
        expect(field(page, name)).to_have_value("")
    expect(findings(page).first).to_contain_text("参数", timeout=30_000)
    field(page, "收件单位（unit）必填").select_option("applicant_unit")
    field(page, "收件岗位（post）必填").select_option('"handler"')
    field(page, "标题（title）必填").fill('"已办理"')
    field(page, "正文（text）必填").fill("case.number")
    field(page, "结果存为变量（out）").fill("grant")
    is_saved(page)
    xml = saved(town, draft).package.xml.decode()
    task = re.search('<bpmn:serviceTask id="Task_Grant".*?</bpmn:serviceTask>', xml, re.DOTALL)
    assert task and "sharing.grant" not in task[0] and "in.resource" not in task[0]
    assert 'name="in.post" value="&#34;handler&#34;"' in task[0]


def test_a_process_is_drawn_from_nothing(town: Town, officer: Callable[..., Page]) -> None:
    draft = start_draft(town.store, actor=process_admin(town), key="leave", name="请假审批", rule_set="liaoyang_2018")
    page = open_modeler(officer("024", "process_admin"), draft)
    for element in ("Task_Handle", "EndEvent_Done"):
        select(page, element)
        page.keyboard.press("Delete")
    expect(page.locator("[data-findings-summary]")).to_contain_text("个错误", timeout=30_000)
    # With the mouse: from the library into the lane, then joined by an arrow from the start.
    drag(page, "负责人审批", (160, 0))
    task = selected(page)
    select(page, "StartEvent_Start")
    pad(page, "connect")
    shape(page, task).click()
    expect(page.locator(".djs-connection")).to_have_count(1)
    # With the keyboard: what follows, by the panel.
    select(page, task)
    expect(field(page, "岗位")).to_have_value("head")
    fold_out(page, "在后面追加")
    page.get_by_role("group", name="在后面追加").get_by_role("button", name="网关").press("Enter")
    gateway = selected(page)
    field(page, "名称").fill("同意？")
    is_saved(page)
    pad(page, "append.end-event")
    field(page, "名称").fill("已批准")
    field(page, "结果标识").fill("approved")
    select(page, gateway)
    page.get_by_role("group", name="在后面追加").get_by_role("button", name="结束").click()
    field(page, "名称").fill("未批准")
    field(page, "结果标识").fill("rejected")
    select(page, gateway)
    expect(page.locator("[data-findings-list]")).to_contain_text("既没有条件，也不是默认流向", timeout=30_000)
    field(page, "默认流向").select_option(index=1)
    page.locator("[data-panel] textarea").first.fill("applicant_unit == body(\"platform\")")
    no_findings(page)
    is_saved(page)
    xml = saved(town, draft).package.xml.decode()
    assert xml.count("<bpmn:userTask") == 1 and xml.count("<bpmn:endEvent") == 2
    assert re.search('name="post" value="head"', xml) and 'default="Flow_' in xml
    for _ in range(30):
        if page.get_by_role("button", name="撤销").is_enabled():
            page.get_by_role("button", name="撤销").click()
    expect(shape(page, "Task_Handle")).to_be_visible()
    expect(shape(page, task)).to_have_count(0)


def test_each_typical_step_is_ready_when_it_is_placed(town: Town, officer: Callable[..., Page]) -> None:
    draft = start_draft(town.store, actor=process_admin(town), key="leave", name="请假审批", rule_set="liaoyang_2018")
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "EndEvent_Done")
    page.keyboard.press("Delete")
    select(page, "Task_Handle")
    for step in ("审核任务", "补正", "会签", "发送消息", "等待定时"):
        if not page.get_by_role("group", name="在后面追加").is_visible():
            fold_out(page, "在后面追加")
        page.get_by_role("group", name="在后面追加").get_by_role("button", name=step, exact=True).click()
        expect(page.locator("[data-panel-title]")).not_to_contain_text("办理")
    page.get_by_role("group", name="在后面追加").get_by_role("button", name="结束").click()
    page.get_by_role("button", name="全图").click()
    select(page, "Task_Handle")
    fold_out(page, "督办时限")
    page.get_by_role("button", name="加时限、提醒和升级").click()
    no_findings(page)
    is_saved(page)
    xml = saved(town, draft).package.xml.decode()
    assert xml.count('sharing:role="deadline"') == 1
    for words in ('name="clock" value="pause"', 'sharing:beforeDeadline="2"', 'sharing:afterDeadline="3"', 'calledElement="supervision"',
                  "<bpmn:loopDataInputRef>[applicant_unit]</bpmn:loopDataInputRef>", 'value="notices.send"'):
        assert words in xml, words
    # What BPMN takes for a reference and we for an expression is still there when the file has been read and written again.
    page.reload()
    page.locator("#modeler[data-ready=yes]").wait_for()
    field(page, "编号前缀").fill("请假")
    field(page, "保管期限").fill("十年")
    expect(page.get_by_text("应为年数或天数")).to_be_visible()
    field(page, "保管期限").fill("10y")
    is_saved(page)
    assert 'name="retention" value="10y"' in saved(town, draft).package.xml.decode()
    assert "<bpmn:loopDataInputRef>[applicant_unit]</bpmn:loopDataInputRef>" in saved(town, draft).package.xml.decode()
