"""A process admin draws signals: thrown at the end, awaited on the way and on the edge of a task, and what begins the process."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.interpreter.reader import sketch
from engine.process.workshop.drafts import start_draft
from tests.browser.desk import Axe
from tests.browser.modeler import field, findings, is_saved, no_findings, open_modeler, pad, process_admin, saved, select, selected
from tests.town import Town


def becomes(page: Page, element: str, kind: str) -> None:
    """Changes the type of an element by its menu."""
    select(page, element)
    pad(page, "replace")
    page.locator(".djs-popup").get_by_text(kind, exact=True).click()


def test_signals_are_drawn_and_named_like_messages(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    draft = start_draft(town.store, actor=process_admin(town), key="flood", name="汛情处置", rule_set="liaoyang_2018")
    page = open_modeler(officer("024", "process_admin"), draft)
    becomes(page, "EndEvent_Done", "信号结束事件")
    end = selected(page)
    expect(findings(page)).to_contain_text(["没有写明抛出哪个信号"], timeout=30_000)
    field(page, "抛出的信号").fill("警报解除")
    page.get_by_role("button", name="添加一个值").click()
    field(page, "带去的数据：value_1的表达式").fill("1 + 1")
    field(page, "带去的数据：第1项的名字").fill("level")
    no_findings(page)
    assert axe(page) == []
    select(page, "Task_Handle")
    pad(page, "append.intermediate-event")
    becomes(page, selected(page), "信号中间捕获事件")
    caught = selected(page)
    field(page, "等待的信号").fill("警报解除")
    is_saved(page)
    xml = saved(town, draft).package.xml
    steps = sketch(xml).steps
    assert (steps[end].signal, steps[end].properties["in.level"], steps[end].kind) == ("警报解除", "1 + 1", "end")
    assert (steps[caught].signal, steps[caught].kind) == ("警报解除", "signal")
    assert len(re.findall(rb"<bpmn:signal ", xml)) == 1, "one name, one signal"
    page.get_by_role("button", name="撤销").click()
    expect(field(page, "等待的信号")).to_have_value("")
    page.get_by_role("button", name="重做").click()
    start = next(step.id for step in steps.values() if step.kind == "start")
    becomes(page, start, "消息开始事件")
    field(page, "等待的消息").fill("汛情报告")
    is_saved(page)
    assert sketch(saved(town, draft).package.xml).steps[selected(page)].message == "汛情报告"
    becomes(page, selected(page), "信号开始事件")
    field(page, "等待的信号").fill("警报解除")
    expect(findings(page).filter(has_text="会再次启动本流程")).to_have_count(1, timeout=30_000)
