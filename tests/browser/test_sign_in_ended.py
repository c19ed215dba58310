"""A sign-in that ends while a page is open: what the page fetches later is no diagram, and it says so instead of failing."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.desk import DESK, diagram
from tests.town import Town


def test_a_diagram_that_comes_into_sight_after_the_sign_in_has_ended(
    town: Town, officer: Callable[..., Page]
) -> None:
    case = town.asks(at="2026-02-10 09:30")
    page = officer("007", "head")
    page.set_viewport_size({"width": DESK["width"], "height": 300})  # the diagram lies below the fold
    page.goto(f"/cases/{case}")
    page.context.clear_cookies()
    page.locator(".diagram").scroll_into_view_if_needed()
    expect(page.locator(".diagram")).to_have_text("流程图暂时无法显示。")
    # Signed in again, it is there.
    again = officer("007", "head")
    again.goto(f"/cases/{case}")
    expect(diagram(again)).to_be_visible()
