"""What a process admin does in the modeler, in the words of its page: select, fill in, place steps, read the findings."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from engine.people.actor import Actor
from engine.process.definitions import in_force
from engine.process.workshop.drafts import DraftSheet, draft_sheet, start_draft
from tests.town import Town


def process_admin(town: Town) -> Actor:
    """The one who edits diagrams."""
    return town.officer("024", "process_admin")


def draft_of(town: Town, key: str) -> int:
    """A draft that begins as a copy of the version in force."""
    with town.store.read() as session:
        version = in_force(session, key, town.now()).id
    return start_draft(town.store, actor=process_admin(town), definition_id=version)


def saved(town: Town, draft_id: int) -> DraftSheet:
    """The draft as the database has it."""
    with town.store.read() as session:
        return draft_sheet(session, process_admin(town), draft_id)


def open_modeler(page: Page, draft_id: int) -> Page:
    """Opens the draft, waits until it is drawn and checked for the first time."""
    page.goto(f"/drafts/{draft_id}")
    page.locator("#modeler[data-ready=yes]").wait_for()
    expect(page.locator("[data-findings-summary]")).not_to_have_text("正在检查…", timeout=60_000)
    return page


def shape(page: Page, element: str) -> Locator:
    """What is drawn for an element."""
    return page.locator(f'.djs-element[data-element-id="{element}"]').first


def select(page: Page, element: str) -> None:
    """Clicks an element; the panel shows it. The canvas swallows the click that ends a drag, so a second one may be needed."""
    chosen = page.locator(f'.djs-element.selected[data-element-id="{element}"]')
    shape(page, element).locator(".djs-hit").first.click()
    chosen.or_(shape(page, element)).first.wait_for()
    if not chosen.count():
        shape(page, element).locator(".djs-hit").first.click()
    expect(chosen.first).to_be_visible()


def field(page: Page, label: str) -> Locator:
    """A field of the panel by its label."""
    return page.locator("[data-panel]").get_by_label(label, exact=True)


def fold_out(page: Page, section: str) -> None:
    """Opens a folded section of the panel."""
    page.locator("[data-panel] summary", has_text=section).click()


def state(page: Page) -> Locator:
    """How the save stands, in words."""
    return page.locator(".modeler-state")


def is_saved(page: Page) -> None:
    """Waits until everything is on the server."""
    expect(state(page)).to_contain_text("已保存", timeout=15_000)


def findings(page: Page) -> Locator:
    """The findings of the check as it stands."""
    return page.locator("[data-findings-list] li")


def no_findings(page: Page) -> None:
    """Waits until the check finds nothing."""
    expect(page.locator("[data-findings-summary]")).to_have_text("没有发现问题", timeout=30_000)


def drag(page: Page, entry: str, to: tuple[float, float]) -> None:
    """Drags a step from the library to a place, in pixels from the middle of the start event."""
    start = shape(page, "StartEvent_Start").bounding_box()
    assert start is not None
    x, y = start["x"] + start["width"] / 2 + to[0], start["y"] + start["height"] / 2 + to[1]
    page.locator(".djs-palette").get_by_role("button", name=entry).hover()
    page.mouse.down()
    page.mouse.move(x - 150, y - 20, steps=4)
    page.mouse.move(x, y, steps=8)
    expect(page.locator(".djs-element.new-parent")).to_have_count(1)
    page.mouse.up()


def pad(page: Page, action: str) -> None:
    """Clicks an entry of the pad beside the selected element."""
    page.locator(f'.djs-context-pad .entry[data-action="{action}"]').click()


def selected(page: Page) -> str:
    """The id of the selected element."""
    element = page.locator(".djs-element.selected").first.get_attribute("data-element-id")
    assert element is not None
    return element


#: What is on the screen around the diagram: its texts, and what is read out or shown on pointing at something.
WORDS = """() => {
  const found = new Set();
  for (const node of document.querySelectorAll('.modeler *, .djs-popup-parent *, .djs-popup *, dialog *')) {
    if (node.closest('svg, script, code, .bjs-powered-by, textarea, select')) continue;
    for (const name of ['title', 'aria-label', 'placeholder']) if (node.getAttribute(name)) found.add(node.getAttribute(name));
    for (const child of node.childNodes) if (child.nodeType === Node.TEXT_NODE && child.data.trim()) found.add(child.data.trim());
  }
  return [...found];
}"""


def words_on_screen(page: Page) -> set[str]:
    """Every text around the diagram; the diagram's own texts and what people type are not among them."""
    return set(page.evaluate(WORDS))
