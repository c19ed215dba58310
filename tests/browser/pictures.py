"""Makes the pictures of the README and of the guide: `python -m tests.browser.pictures`, then look at what changed.

The demo town lives its half year up to a fixed day, a few more requests follow, and a real Chromium photographs what the
town's people see. The same day and the same seed give the same pictures, so a new one shows what a change has changed.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from engine.demo.load import load_demo
from engine.process.definitions import deploy_rule_set
from engine.process.editions import load_shipped_notices
from engine.sharing.duties import open_due
from engine.store.clock import MovableClock, shanghai
from engine.store.migrate import upgrade
from engine.store.settings import Settings, read_settings
from engine.store.store import Store
from tests import machine
from tests.browser.desk import diagram
from tests.browser.photographer import GUIDE, PICTURES, Photographer
from tests.browser.pictures_workshop import workshop
from tests.browser.serving import opened, served
from tests.database import sqlite_url
from tests.engine.timekeeping.year_2027 import TEXT
from tests.town import RULES, Town

#: The day on which the demo town's half year ends.
LIVED_UNTIL = "2026-11-23 09:30"
#: When what officers see is taken.
TAKEN = "2026-12-09 09:10"


def live(home: Path, settings: Settings) -> Town:
    """The demo town after its half year."""
    upgrade(sqlite_url(home / "town.db"))
    clock = MovableClock(shanghai(LIVED_UNTIL))
    store = Store(sqlite_url(home / "town.db"), clock)
    with store.work() as work:
        load_shipped_notices(work)
        deploy_rule_set(work, RULES, shanghai("2018-11-26"))
    load_demo(store, settings)
    return Town(store, clock)


def live_on(town: Town) -> None:
    """Some requests more, left alone, so that one desk has work of every light."""
    for unit, resource, at in (
        ("017", "3070211000006/000001", "2026-11-24 10:05"),
        ("010", "101001/000001", "2026-11-25 09:40"),
        ("014", "3070211000006/000001", "2026-11-26 15:20"),
        ("022", "101001/000001", "2026-12-02 14:10"),
        ("007", "3070211000006/000001", "2026-12-07 11:30"),
    ):
        town.submits(unit, resource, at=at)
    town.passes_until(TAKEN)


def over_the_year_end(town: Town) -> None:
    """Requests whose replies are due when the holiday notice of the next year decides, which is read in on 21 December."""
    for unit, resource, at in (
        ("017", "3070211000006/000001", "2026-12-16 10:05"),
        ("010", "101001/000001", "2026-12-18 09:40"),
        ("014", "3070211000006/000001", "2026-12-18 14:10"),
        ("022", "101001/000001", "2026-12-18 15:20"),
    ):
        town.submits(unit, resource, at=at)
    town.passes_until("2026-12-21 09:00")


def follow(page: Page, name: str) -> Page:
    """Clicks the first link of that name."""
    page.get_by_role("link", name=re.compile(name)).first.click()
    page.wait_for_load_state()
    return page


def oversight(photographer: Photographer) -> None:
    """What the supervisor and the office see."""
    page, keep = photographer.page, photographer.keep
    keep(page("demo037", "/board"), GUIDE / "board.png", height=600)
    keep(page("demo037", "/supervision"), GUIDE / "supervision.png", height=560)
    keep(follow(page("demo037", "/supervision"), "^督办〔"), GUIDE / "supervised.png", height=640)
    keep(page("demo034", "/rectifications"), GUIDE / "rectifications.png", height=480)
    keep(page("demo034", "/start/rectification"), GUIDE / "order.png")
    keep(page("demo034", "/negative-list"), GUIDE / "negative_list.png", height=480)
    case = follow(page("demo034", "/cases?process=conditional_share&state=completed&text=常住人口"), "申请共享")
    keep(case, GUIDE / "case.png", height=560)
    address = case.url
    case.goto(f"{address}/print")
    keep(case, GUIDE / "file.png")
    case.goto(address)
    case.locator('a[href^="/documents/"]').first.click()
    keep(case, GUIDE / "letter.png")


def work(photographer: Photographer) -> None:
    """What officers see who ask for data, and who answer."""
    page, keep = photographer.page, photographer.keep
    keep(page("demo004", "/inbox/posts"), PICTURES / "inbox.png", height=570)
    keep(page("demo001", "/catalogue/101001/000001"), GUIDE / "resource.png")
    keep(page("demo001", "/start/conditional_share?resource_code=101001/000001"), GUIDE / "request.png")
    task = page("demo004", "/inbox/posts")
    task.locator("tbody tr", has_text="受理").first.get_by_role("link").first.click()
    task.locator("#work").scroll_into_view_if_needed()
    keep(task, GUIDE / "task.png", height=620)
    task.get_by_role("link", name="加签").click()
    task.get_by_role("dialog").wait_for()
    keep(task, GUIDE / "added_signature.png", height=620)
    task.keyboard.press("Escape")
    drawn = diagram(task)
    drawn.evaluate("element => element.scrollIntoView({block: 'center'})")
    keep(drawn, GUIDE / "diagram.png")
    keep(follow(task, "提供部门答复：逐日计算"), GUIDE / "deadline.png")
    keep(follow(page("demo001", "/negative-list"), "规模以上工业企业"), GUIDE / "entry.png")
    keep(page("demo001", "/own-catalogue"), GUIDE / "own_catalogue.png", height=560)
    keep(page("demo001", "/absences"), GUIDE / "absences.png")
    keep(page("demo001", "/notices/settings"), GUIDE / "notices.png", height=620)


def calendar(photographer: Photographer) -> None:
    """The year that everybody sees, and what a notice would move before it is published: made up, as next year's is still to come."""
    photographer.keep(photographer.page("demo004", "/calendars/years/city/2026"), GUIDE / "calendar.png", height=640)
    page = photographer.page("demo038", "/calendars/import")
    page.get_by_label("通知全文").fill(TEXT)
    page.get_by_label("发布日期").fill("2026-12-21")
    page.get_by_role("button", name="读取并核对").click()
    page.get_by_role("button", name="提交另一人确认").click()
    page.wait_for_url(re.compile(r"/calendars/proposals/\d+"))
    shown = photographer.page("demo039", page.url).get_by_role("heading", name="发布后在办时限的变化")
    shown.evaluate("element => window.scrollTo(0, element.getBoundingClientRect().top + window.scrollY - 80)")
    photographer.keep(shown.page, GUIDE / "calendar_preview.png", height=560)


def duties(photographer: Photographer) -> None:
    """What the office sees when reports have come due by themselves."""
    photographer.keep(photographer.page("demo034", "/reports"), GUIDE / "reports.png", height=480)


def interfaces(photographer: Photographer) -> None:
    """What people see who let another system in."""
    page, keep = photographer.page, photographer.keep
    tokens = page("demo047", "/tokens")
    tokens.get_by_label("名称").fill("统一工作台")
    tokens.get_by_label("查询").check()
    tokens.get_by_label("办理待办").check()
    tokens.get_by_role("button", name="创建").click()
    tokens.wait_for_load_state()
    tokens.goto("/tokens")  # the token itself is in no picture
    keep(tokens, GUIDE / "tokens.png", height=640)
    hooks = page("demo047", "/webhooks")
    hooks.get_by_label("名称").fill("数据共享平台")
    hooks.get_by_label("接收地址").fill("https://platform.example.cn/sharing/events")
    for kind in ("办件发起", "办件办结或终止", "待办产生", "待办退回"):
        hooks.get_by_label(kind).check()
    hooks.evaluate("window.scrollTo(0, 0)")
    keep(hooks, GUIDE / "webhooks.png")
    listed = page("demo047", "/interfaces")
    listed.locator("summary", has_text="GET /task/count").first.click()
    keep(listed, GUIDE / "interfaces.png", height=640)


def main() -> int:
    """Takes all pictures anew; 1 on a machine without Chromium."""
    chromium = machine.chromium()
    if chromium is None:
        print("no Chromium on this machine", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = read_settings({"SHARING_BPM_HOME": folder, "SHARING_BPM_SECRET_KEY": "only for the pictures, only for them"})
        town = live(home, settings)
        with served(town.store, settings) as address, opened(chromium) as browser:
            photographer = Photographer(browser, address, settings.demo_password)
            oversight(photographer)
            interfaces(photographer)
            live_on(town)
            work(photographer)
            town.passes_until("2026-12-14 09:00")
            open_due(town.store)
            photographer.pages.clear()  # everybody has been away for days and signs in anew
            duties(photographer)
            over_the_year_end(town)
            photographer.pages.clear()
            calendar(photographer)
            workshop(photographer, town)
        town.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
