"""The process admin's workshop from end to end in a browser: what is drawn is tried, proposed, agreed to by a second person, and lived.

Scenario S41: the reply limit goes from 10 to 5 working days. And a process drawn from nothing, on which a case is completed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.definitions import in_force
from engine.process.workshop.back_testing.commands import run_back_tests
from engine.process.workshop.back_testing.sheets import KINDS
from engine.process.workshop.drafts import start_draft
from tests.browser.desk import open_task, submit
from tests.browser.modeler import drag, draft_of, field, fold_out, is_saved, no_findings, open_modeler, pad, process_admin, select, selected, shape
from tests.town import Town


def proposed_and_agreed(page: Page, officer: Callable[..., Page], draft: int, reason: str) -> Page:
    """The admin proposes the draft, and the second person agrees; returns the latter's page of the decision."""
    page.goto(f"/drafts/{draft}/propose")
    page.get_by_label("发布理由").fill(reason)
    page.get_by_role("button", name="申请发布").click()
    page.wait_for_url(re.compile(r"/proposals/\d+$"))
    proposal = page.url.rsplit("/", 1)[1]
    other = officer("024", "process_approver")
    other.goto(f"/proposals/{proposal}")
    expect(other.locator("main")).to_contain_text(reason)
    other.get_by_role("button", name="批准并发布").click()
    expect(other.locator("main")).to_contain_text("发布为第")
    return other


def test_a_shorter_limit_is_checked_compared_back_tested_and_deployed(town: Town, officer: Callable[..., Page]) -> None:
    case = town.submits(at="2026-02-10 09:30")
    for step in ("Task_Intake", "Task_BusinessReview", "Task_SecurityReview"):
        town.does(case, step)
    town.does(case, "Task_Reply", at="2026-02-27 10:00")
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "BoundaryEvent_ReplyDeadline")
    field(page, "工作日数").fill("5")
    is_saved(page)
    no_findings(page)
    page.get_by_role("link", name="检查与比较").click()
    expect(page.locator("main")).to_contain_text("没有发现问题")
    expect(page.locator("main")).to_contain_text(re.compile("答复时限.*10.*5.*个工作日"))
    page.get_by_role("link", name="回测").click()
    page.get_by_role("button", name="开始回测").click()
    page.wait_for_url(re.compile(r"/back-tests/\d+"))
    run_back_tests(town.store)
    page.reload()
    # Replied on the ninth working day: in time under ten, late under five.
    expect(page.locator(".totals .total", has_text=KINDS["deadline_missed"])).to_contain_text("1")
    proposed_and_agreed(page, officer, draft, "压减答复时限")
    with town.store.read() as session:
        now = in_force(session, "conditional_share", town.now())
    assert now.version == 2
    assert now.diagram.timers["BoundaryEvent_ReplyDeadline"].working_days == "5"


def test_a_process_drawn_from_nothing_is_deployed_and_a_case_completed_on_it(town: Town, officer: Callable[..., Page]) -> None:
    draft = start_draft(town.store, actor=process_admin(town), key="leave", name="请假审批", rule_set="liaoyang_2018")
    page = open_modeler(officer("024", "process_admin"), draft)
    field(page, "办件标题").fill('unit_name(applicant_unit) + "请假"')
    field(page, "编号前缀").fill("请假")
    is_saved(page)
    for element in ("Task_Handle", "EndEvent_Done"):
        select(page, element)
        page.keyboard.press("Delete")
    drag(page, "负责人审批", (160, 0))
    task = selected(page)
    select(page, "StartEvent_Start")
    pad(page, "connect")
    shape(page, task).click()
    expect(page.locator(".djs-connection")).to_have_count(1)
    select(page, task)
    fold_out(page, "在后面追加")
    page.get_by_role("group", name="在后面追加").get_by_role("button", name="结束").click()
    field(page, "名称").fill("已批准")
    field(page, "结果标识").fill("approved")
    no_findings(page)
    is_saved(page)
    proposed_and_agreed(page, officer, draft, "新设请假审批")
    handler = officer("007", "handler")
    handler.goto("/start/leave")
    handler.get_by_role("button", name="提交").click()
    expect(handler.get_by_text("已发起，事项已转入下一环节")).to_be_visible()
    head = officer("007", "head")
    open_task(head, "负责人审批")
    head.get_by_label(re.compile("意见")).first.fill("同意")
    submit(head)
    expect(head.get_by_text("已办结")).to_be_visible()
    handler.goto("/cases/1")
    expect(handler.locator("main")).to_contain_text("已批准")
    expect(handler.get_by_role("heading", level=1)).to_contain_text("请假")
