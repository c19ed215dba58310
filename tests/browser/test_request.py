"""The core path in a real browser: a request from its start to the grant, and to the office's desk when nobody answers.

Every page on the way is looked at by axe, at a desk's width and at a phone's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.browser.desk import DESK, PHONE, Axe, diagram, fits, open_task, sign_in, submit
from tests.web.cast import HOUSING, PASSWORD, Cast, assemble


@pytest.fixture
def cast(store: Store) -> Cast:
    """The cast in the database that the browser's server serves."""
    return assemble(store)


@pytest.fixture
def person(cast: Cast, new_page: Callable[[], Page]) -> Callable[..., Page]:
    """`person("asker")` opens a browser in which that person signs in."""

    def sit_down(login: str, size: ViewportSize = DESK) -> Page:
        return sign_in(new_page(), login, PASSWORD, size)

    return sit_down


def ask_for_housing(page: Page) -> None:
    """Finds the housing resource and sends a complete request for it."""
    page.get_by_role("link", name="资源目录").click()
    page.get_by_label("名称或代码").fill("公租房")
    page.get_by_role("button", name="查询").click()
    page.get_by_role("link", name="公租房保障对象").click()
    page.get_by_role("link", name="申请共享").click()
    for item in ("姓名", "保障方式"):
        page.get_by_label(item, exact=True).check()
    for label, text in (
        ("使用依据", "《社会救助暂行办法》第五条"), ("应用场景", "低保家庭住房状况核验"), ("使用范围", "社会救助科"),
        ("预计调用量", "200"), ("使用期限至", "2027-02-28"), ("接入系统", "低保信息系统"),
    ):  # fmt: skip
        page.get_by_label(re.compile(f"^{label}")).fill(text)
    page.locator("#safety_officer").fill("钱民政")
    page.locator("#safety_phone").fill("0419-2123456")
    page.get_by_label("行政依据").check()
    page.get_by_label("更新频率").select_option("每日")
    for promise in page.get_by_label("承诺").all():
        promise.check()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("已发起，事项已转入下一环节")).to_be_visible()


def submitted(person: Callable[..., Page], clock: MovableClock) -> Page:
    """A request that its head has signed on 2026-02-10 at 09:30; returns the applicant's page."""
    asker = person("asker")
    ask_for_housing(asker)
    clock.to("2026-02-10 09:30")
    head = person("asker_head")
    open_task(head, "部门负责人审签")
    head.get_by_label("同意报送").check()
    submit(head)
    expect(head.get_by_text("已办结，事项已转入下一环节")).to_be_visible()
    return asker


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_request_is_agreed_and_granted(person: Callable[..., Page], clock: MovableClock, axe: Axe, size: ViewportSize) -> None:
    submitted(person, clock)
    intake = person("provider", size)
    intake.goto("/inbox/posts")
    expect(intake.get_by_text("剩余10个工作日")).to_be_visible()
    assert axe(intake) == []
    open_task(intake, "受理")
    assert axe(intake) == []
    expect(intake.get_by_label("需要补正的全部内容")).to_be_hidden()
    intake.get_by_label("需要补正", exact=True).check()
    expect(intake.get_by_label("需要补正的全部内容")).to_be_visible()
    submit(intake)
    expect(intake.locator("#problem-supplement_needed")).to_have_text("请一次性写明需要补正的全部内容")
    assert axe(intake) == []
    intake.get_by_label("齐全，予以受理").check()
    submit(intake)
    reviewer = person("provider_reviewer", size)
    open_task(reviewer, "业务审核")
    reviewer.get_by_label("建议同意").check()
    reviewer.get_by_label("相当").check()
    submit(reviewer)
    open_task(reviewer, "安全审核")
    reviewer.get_by_label("申请的数据项不涉及国家秘密").check()
    reviewer.get_by_label("通过", exact=True).check()
    submit(reviewer)
    head = person("provider_head", size)
    open_task(head, "答复")
    expect(head.locator("main")).to_contain_text("数据项与履行职责是否相当：相当")
    head.get_by_label("附条件同意").check()
    head.get_by_label("附加条件").fill("按人核验")
    head.get_by_label("预计供数日").fill("2026-03-16")
    assert axe(head) == []
    submit(head)
    expect(head.get_by_text("已办结，事项已转入下一环节")).to_be_visible()
    asker = person("asker", size)
    asker.goto("/cases/1")
    expect(asker.get_by_text("按人核验").first).to_be_visible()
    assert axe(asker) == []
    asker.get_by_role("link", name=re.compile("答复函")).first.click()
    expect(asker.locator("article.sheet")).to_contain_text("第十五条")
    assert axe(asker) == []
    asker.goto(f"/catalogue/{HOUSING}")
    expect(asker.get_by_text("已公布的共享条件")).to_be_visible()
    assert axe(asker) == []


def test_silence_reaches_the_office_and_every_day_is_explained(
    person: Callable[..., Page], cast: Cast, clock: MovableClock, axe: Axe
) -> None:
    submitted(person, clock)
    clock.to("2026-03-03 00:00")
    fire_due(cast.store)
    clock.to("2026-03-03 08:30")
    office = person("supervisor")
    office.get_by_role("link", name="督办", exact=True).click()
    expect(office.get_by_role("cell", name="市住房和城乡建设局")).to_be_visible()
    assert axe(office) == []
    office.get_by_role("link", name="总览").click()
    assert axe(office) == []
    office.get_by_role("link", name=re.compile("市住房和城乡建设局，有条件共享申请：逾期1项")).click()
    expect(office.get_by_text("已逾期1个工作日")).to_be_visible()
    office.get_by_role("link", name=re.compile("公租房保障对象")).click()
    expect(diagram(office).locator(".diagram-step-now")).to_have_count(1)
    office.goto("/cases/1")
    office.get_by_role("link", name="提供部门答复：逐日计算").click()
    expect(office.locator(".day-last")).to_have_text("2第10日")
    expect(office.locator(".day-counted")).to_have_count(9)
    assert axe(office) == []


def test_two_people_reach_for_one_task(person: Callable[..., Page], cast: Cast, clock: MovableClock) -> None:
    submitted(person, clock)
    quick, slow = person("provider"), person("provider")
    quick.goto("/inbox/posts")
    slow.goto("/inbox/posts")
    quick.get_by_role("button", name=re.compile("^签收：")).click()
    expect(quick.get_by_text("已签收")).to_be_visible()
    quick.get_by_role("link", name="办理").last.click()
    quick.get_by_label("齐全，予以受理").check()
    submit(quick)
    expect(quick.get_by_text("已办结，事项已转入下一环节")).to_be_visible()
    slow.get_by_role("button", name=re.compile("^签收：")).click()
    expect(slow.get_by_role("alert")).to_contain_text("已办结")


def test_the_lists_read_well_on_a_phone(person: Callable[..., Page], axe: Axe) -> None:
    page = person("office", PHONE)
    for path in ("/inbox/mine", "/inbox/started", "/catalogue", f"/catalogue/{HOUSING}", "/negative-list", "/negative-list/1", "/cases",
                 "/notices", "/board", "/supervision", "/nowhere"):  # fmt: skip
        page.goto(path)
        assert axe(page) == [], path
        assert fits(page), f"{path} is wider than the phone"
    page.get_by_role("button", name="展开菜单").click()
    page.get_by_role("link", name="资源目录").click()
    expect(page.get_by_role("heading", name="政务信息资源目录")).to_be_visible()


def test_the_sign_in_is_clear_of_faults(new_page: Callable[[], Page], cast: Cast, axe: Axe) -> None:
    page = new_page()
    page.goto("/sign-in")
    assert axe(page) == []
    page.get_by_label("账号").fill("asker")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    assert axe(page) == []
