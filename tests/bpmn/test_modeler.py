"""A widespread BPMN modeler opens every shipped diagram without a complaint, and what it saves means the same."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from engine.process.interpreter.reader import read_diagram
from tests import machine
from tests.bpmn.shipped import NAMES, PROCESSES, diagram, package, tree

pytestmark = pytest.mark.browser

MODELER = machine.ROOT / "node_modules/bpmn-js/dist/bpmn-modeler.production.min.js"

#: Opens a file, moves some of its tasks a little, and saves it.
EDIT = """async ([xml, tasks]) => {
  const modeler = new BpmnJS({ container: "#canvas" });
  const { warnings } = await modeler.importXML(xml);
  const registry = modeler.get("elementRegistry");
  for (const id of tasks) modeler.get("modeling").moveElements([registry.get(id)], { x: 3, y: 2 });
  return { warnings: warnings.map((warning) => warning.message), xml: (await modeler.saveXML({ format: true })).xml };
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page with the modeler on it."""
    chromium = machine.chromium()
    if chromium is None or not MODELER.exists():
        if machine.CI:
            pytest.fail("Chromium or the browser's libraries (npm ci) are missing")
        pytest.skip("no Chromium, or the browser's libraries are not installed (npm ci)")
    flags = ["--no-first-run", "--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page()
        page.set_content('<div id="canvas" style="width: 1200px; height: 700px"></div>')
        page.add_script_tag(path=MODELER)
        yield page
        browser.close()


@pytest.mark.parametrize("process", PROCESSES)
def test_limits_posts_forms_and_articles_survive_an_edit_elsewhere(process: str, page: Page) -> None:
    tasks = [element.get("id") for element in tree(process).iterfind(".//bpmn:userTask", NAMES)]
    saved = page.evaluate(EDIT, [package(process).xml.decode(), tasks])
    assert saved["warnings"] == []
    mine, back = diagram(process), read_diagram(saved["xml"].encode())
    assert (back.steps, back.flows, back.timers, back.properties) == (mine.steps, mine.flows, mine.timers, mine.properties)
