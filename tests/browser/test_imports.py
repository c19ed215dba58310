"""Diagrams drawn elsewhere in a real browser: every step and arrow of them is shown, and the draft opens in the modeler."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree
from playwright.sync_api import Page, expect

from engine.process.interpreter.document import index
from tests.browser.desk import DESK, PHONE, Axe, diagram, fits
from tests.browser.modeler import open_modeler, saved
from tests.engine.workshop.foreign import CORPUS
from tests.town import Town


def choose(page: Page, name: str) -> None:
    """Uploads a file of the corpus and waits for its review."""
    page.goto("/imports")
    page.get_by_label("BPMN 2.0 文件").set_input_files({"name": f"{name}.bpmn", "mimeType": "application/xml", "buffer": CORPUS[name]})
    page.get_by_role("button", name="读取文件").click()
    expect(page.get_by_role("heading", name="建立草稿")).to_be_visible()


def test_every_step_and_arrow_of_a_foreign_file_is_shown(town: Town, officer: Callable[..., Page]) -> None:
    page = officer("024", "process_admin")
    for name in sorted(CORPUS):
        choose(page, name)
        drawn = diagram(page)
        xml = page.evaluate("JSON.parse(document.querySelector('#imported-diagram').textContent)")
        document = index(xml.encode())
        shown = set(drawn.evaluate("box => [...box.querySelectorAll('[data-element-id]')].map(one => one.dataset.elementId)"))
        assert {*document.elements, *document.flows} - shown == set(), name
        notes = {note.get("id") for note in etree.fromstring(xml.encode()).iter("{*}textAnnotation")}
        assert notes - shown == set(), name


def test_a_foreign_file_is_reviewed_kept_and_opened_in_the_modeler(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    page = officer("024", "process_admin")
    choose(page, "pools")
    diagram(page)
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    assert fits(page)
    page.set_viewport_size(DESK)
    page.get_by_label("流程标识").fill("reviews")
    page.get_by_role("button", name="建立草稿").click()
    expect(page.get_by_text("已建立草稿")).to_be_visible()
    expect(page.get_by_text("填在泳道“HR Department”上").first).to_be_visible()
    assert axe(page) == []
    draft_id = int(page.url.rsplit("/", 1)[1])
    open_modeler(page, draft_id)
    expect(page.locator('.djs-element[data-element-id="g2"]').first).to_be_visible()
    sheet = saved(town, draft_id)
    assert (sheet.key, sheet.imported is not None) == ("reviews", True)
