"""Other programs in the browser: an operator's webhook, a process admin who draws a step for a worker and plays it in a dry run."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.process.interpreter.reader import read_diagram
from engine.process.workshop.drafts import newest_id, save_draft, start_draft
from tests.browser.desk import DESK, PHONE, Axe, fits
from tests.browser.modeler import draft_of, field, is_saved, open_modeler, saved, select
from tests.browser.test_dry_run import completes
from tests.town import Town

GRANT = b'name="operation" value="sharing.grant"'


def test_an_operator_enters_a_webhook_tries_it_and_sees_what_became_of_it(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    page = officer("024", "system_admin")
    page.goto("/webhooks")
    page.get_by_label("名称").fill("城市数据共享平台")
    page.get_by_label("接收地址").fill("http://10.0.0.1/hook")
    page.get_by_role("button", name="新增").click()
    expect(page.get_by_text("只能使用 https")).to_be_visible()
    assert axe(page) == []
    page.get_by_label("接收地址").fill("https://platform.example.cn/a-rather-long-path/for-the-events-of-the-sharing-engine/hook")
    page.get_by_label("办件办结或终止").check()
    page.get_by_label("待办产生").check()
    page.get_by_role("button", name="新增").click()
    expect(page.get_by_text("只显示这一次")).to_be_visible()
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert fits(page)
    page.set_viewport_size(DESK)
    town.submits(at="2026-02-10 09:05")
    page.get_by_role("button", name="发送测试事件").click()
    expect(page.get_by_role("cell", name="测试")).to_be_visible()
    expect(page.get_by_text("等待推送").first).to_be_visible()
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert fits(page)
    page.goto("/webhooks")
    assert fits(page)
    assert axe(page) == []


def test_whoever_walks_a_dry_run_plays_the_worker(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    with town.store.read() as session:
        version = newest_id(session, "conditional_share")
    admin = town.officer("024", "process_admin")
    draft = start_draft(town.store, actor=admin, definition_id=version)
    xml = town.diagram("conditional_share").encode()
    save_draft(town.store, draft, actor=admin, revision=1, xml=xml.replace(GRANT, b'name="topic" value="grants"'))
    page = officer("024", "process_admin")
    page.goto(f"/drafts/{draft}/dry-run")
    page.get_by_label("由谁发起").select_option(label="演示钱甲 · 经办 · 市民政局（演示）")
    page.get_by_label("虚拟起始时间").fill("2026-02-10T09:30")
    page.get_by_label("信息资源（名称或代码）").fill("公租房")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="选择公租房保障对象").click()
    page.get_by_role("link", name="填入示例").click()
    page.get_by_role("button", name="开始试运行").click()
    for step in ("部门负责人审签", "受理", "业务审核", "安全审核", "负责人答复"):
        completes(page, step)
    expect(page.get_by_text("“授权共享”等待外部程序")).to_be_visible()
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert fits(page)
    page.set_viewport_size(DESK)
    page.get_by_label("外部程序返回的数据").fill("number = 平台授权2026-1")
    page.get_by_role("button", name="由外部程序办结").click()
    expect(page.get_by_role("heading", name="外部程序办结“授权共享”")).to_be_visible()
    expect(page.locator("#effects")).to_contain_text("授权编号平台授权2026-1")


def test_a_process_admin_gives_a_step_to_a_worker(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "Task_Grant")
    field(page, "操作").select_option("")
    field(page, "外部主题").fill("grants")
    field(page, "外部主题").press("Tab")
    expect(page.locator("[data-panel]")).to_contain_text("交给外部程序的值")
    field(page, "优先级").fill("5")
    is_saved(page)
    assert axe(page) == []
    step = read_diagram(saved(town, draft).package.xml).steps["Task_Grant"]
    assert (step.operation, step.topic, step.properties["priority"]) == (None, "grants", "5")
    assert step.properties["in.applicant_unit"] == "applicant_unit", "what the operation was given goes to the worker"
