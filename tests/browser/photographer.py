"""Who takes the pictures: signs people in, and keeps what they see."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Locator, Page, ViewportSize

from engine.store.settings import ROOT
from tests.browser.desk import sign_in

SCREEN: ViewportSize = {"width": 1200, "height": 720}
#: A repository carries its pictures for ever.
LARGEST = 150 * 1024

PICTURES = ROOT / "docs" / "pictures"
GUIDE = ROOT / "docs" / "guide" / "pictures"


class Photographer:
    """Signs people in and keeps what they see."""

    def __init__(self, browser: Browser, address: str, password: str) -> None:
        self.browser = browser
        self.address = address
        self.password = password
        self.pages: dict[str, Page] = {}

    def page(self, login: str, path: str) -> Page:
        """The page at that path as that person sees it."""
        if login not in self.pages:
            context = self.browser.new_context(base_url=self.address, locale="zh-CN", timezone_id="Asia/Shanghai")
            self.pages[login] = sign_in(context.new_page(), login, self.password, SCREEN)
        page = self.pages[login]
        page.goto(path)
        return page

    def keep(self, shown: Page | Locator, target: Path, *, height: int = SCREEN["height"]) -> None:
        """Writes the picture, of a page its upper part. Raises ValueError for one that is too large to carry."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(shown, Page):
            upper: FloatRect = {"x": 0, "y": 0, "width": SCREEN["width"], "height": height}
            picture = shown.screenshot(animations="disabled", clip=upper)
        else:
            picture = shown.screenshot(animations="disabled")
        if len(picture) > LARGEST:
            raise ValueError(f"{target.name} has {len(picture)} bytes, more than {LARGEST}: show less")
        target.write_bytes(picture)
        print(f"{target.relative_to(ROOT)}  {len(picture) // 1024} KiB")
