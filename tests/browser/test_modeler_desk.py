"""A process admin draws what an officer may do at the desk: a ballot from its template, verbs, fields that a step only shows."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.workshop.drafts import save_draft, start_draft
from engine.process.workshop.proposals import approve, propose
from tests.browser.desk import Axe
from tests.browser.modeler import draft_of, field, fold_out, is_saved, no_findings, open_modeler, process_admin, saved, select, selected
from tests.town import Town

BALLOT = {
    "title": "请假表决",
    "fields": [
        {"key": "stance", "type": "choice", "label": "表决", "required": True,
         "options": [{"value": "agree", "label": "同意"}, {"value": "disagree", "label": "不同意"}]},
        {"key": "days", "type": "integer", "label": "天数"},
    ],
}  # fmt: skip


def leave(town: Town) -> int:
    """A new process with a form that asks for a vote."""
    draft = start_draft(town.store, actor=process_admin(town), key="leave", name="请假审批", rule_set="liaoyang_2018")
    save_draft(town.store, draft, actor=process_admin(town), revision=saved(town, draft).revision, forms={"ballot": BALLOT})
    return draft


def follow_with(page: Page, step: str) -> None:
    """Appends a typical step with the panel's buttons."""
    group = page.get_by_role("group", name="在后面追加")
    if not group.is_visible():
        fold_out(page, "在后面追加")
    group.get_by_role("button", name=step, exact=True).click()


def test_a_ballot_is_drawn_from_its_template_checked_and_deployed(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    draft = leave(town)
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "EndEvent_Done")
    page.keyboard.press("Delete")
    select(page, "Task_Handle")
    follow_with(page, "票签")
    expect(page.locator("[data-panel-title]")).to_contain_text("票签")
    ballot = selected(page)
    for label, value in (("表决方式", "ratio"), ("表决字段", "stance"), ("哪个选项算同意", "agree"), ("通过比例", "2/3"), ("结果存为变量", "signed")):
        expect(field(page, label)).to_have_value(value)
    expect(field(page, "提前结束的条件")).to_have_count(0)
    expect(field(page, "指定经办人")).to_have_value("signer")
    axe(page)
    follow_with(page, "网关")
    gateway = selected(page)
    for name, code in (("已批准", "approved"), ("未批准", "rejected")):
        select(page, gateway)
        follow_with(page, "结束")
        field(page, "名称").fill(name)
        field(page, "结果标识").fill(code)
    select(page, gateway)
    field(page, "默认流向").select_option(index=2)
    page.locator("[data-panel] textarea").first.fill("signed.passed")
    # What makes no sense is said at once, and a click leads to it.
    select(page, ballot)
    field(page, "通过比例").fill("3/2")
    finding = page.locator("[data-findings-list] li", has_text="应当大于0、不大于1")
    expect(finding).to_have_count(1, timeout=30_000)
    select(page, gateway)
    finding.get_by_role("button").first.click()
    expect(page.locator("[data-panel-title]")).to_contain_text("票签")
    field(page, "通过比例").fill("1/2")
    no_findings(page)
    is_saved(page)
    sheet = saved(town, draft)
    xml = sheet.package.xml.decode()
    for words in ('name="countersign" value="ratio"', 'name="ratio" value="1/2"', "holders(applicant_unit, &#34;head&#34;)", 'name="assignee" value="signer"'):
        assert words in xml or words.replace("&#34;", '"') in xml, words
    proposal = propose(town.store, draft, actor=process_admin(town), revision=sheet.revision, reason="试行票签")
    assert approve(town.store, proposal, actor=town.officer("024", "process_approver"), seen_base_id=None) > 0


def test_verbs_targets_and_field_rights_are_ticked_and_the_process_says_what_holds_elsewhere(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "Task_Reply")
    fold_out(page, "办理动作")
    expect(field(page, "可用动作")).to_have_value("")
    field(page, "可用动作").select_option(label="本环节另行规定")
    actions = page.get_by_role("group", name="本环节的动作")
    for verb in ("委派", "抄送"):
        actions.get_by_label(verb, exact=True).uncheck()
    actions.get_by_label("退回", exact=True).check()
    page.get_by_role("group", name="可以退回到").get_by_label("上一环节").check()
    fold_out(page, "字段权限")
    axe(page)
    is_saved(page)
    task = re.search(r'<bpmn:userTask id="Task_Reply".*?</bpmn:userTask>', saved(town, draft).package.xml.decode(), re.DOTALL)
    assert task is not None
    verbs = re.search(r'name="actions" value="([^"]+)"', task[0])
    assert verbs is not None and set(verbs[1].split(",")) == {"return", "withdraw", "transfer", "add_signer", "urge"}
    assert 'name="returnTo" value="previous"' in task[0]
    no_findings(page)
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("group", name="可以退回到").get_by_label("上一环节")).not_to_be_checked()
