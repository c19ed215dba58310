"""A real Chromium in front of a real server, with the test's own database and clock.

The server runs in a thread of the test, so that the test can move the clock between two clicks. Browser tests run on
SQLite: what differs between databases is tested below the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from engine.people.accounts import set_password
from engine.store.clock import MovableClock
from engine.store.settings import Settings, read_settings
from engine.store.store import Store
from tests import machine
from tests.browser.desk import DESK, sign_in
from tests.browser.serving import opened, served
from tests.town import Town

NO_CHROMIUM = "no Chromium on this machine (on Debian: apt-get install chromium chromium-l10n)"

#: What the town's people are given when they first sit down at a browser.
PASSWORD = "Sharing-2026"

def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """The store of the test and of its server."""
    return sqlite_store


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """This test process's Chromium, speaking Chinese."""
    chromium = machine.chromium()
    if chromium is None:
        if machine.CI:
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    with opened(chromium) as running:
        yield running


@pytest.fixture
def new_page(browser: Browser, live_server: str) -> Iterator[Callable[[], Page]]:
    """Opens a page in a browser profile of its own: as many people at their desks as a test needs.

    Paths are relative to the server. A script error or a breach of the content security policy fails the test at its end.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def open_page() -> Page:
        context = browser.new_context(base_url=live_server, locale="zh-CN", timezone_id="Asia/Shanghai", viewport=DESK)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    """One person's page."""
    return new_page()


@pytest.fixture
def town(store: Store, clock: MovableClock) -> Town:
    """The demo town in the database that the browser's server serves; its clock stands at 2026-02-10 09:00."""
    return Town.founded(store, clock)


@pytest.fixture
def officer(town: Town, new_page: Callable[[], Page]) -> Callable[..., Page]:
    """`officer("007", "handler")` is the browser of the first holder of that post, signed in now.

    Sessions end by themselves: when days have passed, ask for the officer again.
    """
    desks: dict[int, Page] = {}

    def sit_down(unit: str, post: str, size: ViewportSize = DESK) -> Page:
        person = town.officer(unit, post)
        if person.account_id not in desks:
            set_password(town.store, person.account_id, PASSWORD, actor=None)
            desks[person.account_id] = new_page()
        page = desks[person.account_id]
        page.goto("/")
        return sign_in(page, person.login, PASSWORD, size) if "/sign-in" in page.url else page

    return sit_down


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of the test's own."""
    environ = {"SHARING_BPM_HOME": str(tmp_path / "home"), "SHARING_BPM_SECRET_KEY": "only for tests, only for tests, only"}
    return read_settings(environ)


@pytest.fixture
def live_server(store: Store, settings: Settings) -> Iterator[str]:
    """The address of our web, served to this test alone."""
    with served(store, settings) as address:
        yield address


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """Finds accessibility faults: `axe(page)` gives a line for each violation, with the element; [] is the goal."""
    script = (machine.ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")

    def violations(page: Page) -> list[str]:
        # Evaluated through the debugger, which the page's content security policy does not bind.
        page.evaluate(script)
        found: dict[str, Any] = page.evaluate("() => axe.run()")
        return [
            f"{fault['id']}: {fault['help']}: {node['target']} {node['html'][:200]}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]

    return violations
