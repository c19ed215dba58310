"""What people do at a browser, in the words of the screens: sign in, open a task, fill in its form, send it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from playwright.sync_api import Locator, Page, ViewportSize, expect

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

#: axe(page) lists the accessibility faults of a page.
Axe = Callable[[Page], list[str]]


def sign_in(page: Page, login: str, password: str, size: ViewportSize = DESK) -> Page:
    """Signs the person in and waits for the first page."""
    page.set_viewport_size(size)
    page.goto("/sign-in")
    page.get_by_label("账号").fill(login)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(re.compile("^(?!.*sign-in)"))
    return page


def open_task(page: Page, step: str) -> None:
    """Opens the task of that step from the posts' tab."""
    page.goto("/inbox/posts")
    page.locator("tbody tr", has_text=step).first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def fill_in(page: Page, answers: Mapping[str, Any]) -> None:
    """Fills in fields by their labels: True ticks a box, text is typed or, where there are options, chosen (several: a tuple)."""
    for label, value in answers.items():
        if value is True:
            page.get_by_label(label).first.check()
            continue
        name = re.compile(f"^{re.escape(label)}(必填|选填)?$")
        group = page.get_by_role("group", name=name)
        if group.count():
            for option in value if isinstance(value, tuple) else (value,):
                group.get_by_label(re.compile(rf"^\s*{re.escape(option)}")).check()
            continue
        field = page.locator("main").get_by_label(name)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)


def submit(page: Page) -> None:
    """Sends the form of the task page."""
    page.locator("#work").get_by_role("button", name="提交").click()


def does(page: Page, step: str, answers: Mapping[str, Any]) -> None:
    """Opens the task of that step, fills it in, sends it, and is told that it went on."""
    open_task(page, step)
    fill_in(page, answers)
    submit(page)
    expect(page.get_by_text("已办结，事项已转入下一环节")).to_be_visible()


def diagram(page: Page) -> Locator:
    """The drawn diagram of a page; it is fetched when it comes into sight."""
    page.locator(".diagram").scroll_into_view_if_needed()
    drawn = page.locator(".diagram[data-ready]")
    drawn.wait_for()
    return drawn


def fits(page: Page) -> bool:
    """Whether nothing on the page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
