"""Two versions side by side in a real browser: coloured, moving together, led by the list, by keyboard too, and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from engine.process.workshop.drafts import draft_sheet, newest_id, save_draft, start_draft
from tests.browser.desk import PHONE, Axe, fits
from tests.town import Town


def changed_draft(town: Town) -> tuple[int, int]:
    """The newest request, and a draft of it with a shorter limit, another name, one step more and one less."""
    editor = town.officer("024", "process_admin")
    with town.store.read() as session:
        version = newest_id(session, "conditional_share")
    assert version is not None
    draft = start_draft(town.store, actor=editor, definition_id=version)
    with town.store.read() as session:
        text = draft_sheet(session, editor, draft).package.xml.decode()
    text = text.replace('sharing:workingDays="10" sharing:statutoryMax="10"', 'sharing:workingDays="5" sharing:statutoryMax="10"')
    text = text.replace('name="业务审核"', 'name="业务复核"')
    # A step that is called otherwise and has another id is a new one; the old one is gone.
    text = text.replace("Task_RemindReply", "Task_Added").replace('id="Task_Added" name="提醒提供部门"', 'id="Task_Added" name="另行提醒"')
    save_draft(town.store, draft, actor=editor, revision=1, xml=text.encode())
    return version, draft


def side(page: Page, which: str) -> Locator:
    return page.locator(f"[data-side={which}]")


def transform(page: Page, which: str) -> str:
    found = side(page, which).locator("g.viewport").get_attribute("transform")
    assert found is not None
    return found


def view_of(page: Page, which: str) -> list[int]:
    """Scale in thousandths, and where the picture begins, in pixels."""
    numbers = [float(number) for number in re.findall(r"-?[0-9.]+", transform(page, which))]
    return [round(numbers[0] * 1000), round(numbers[4]), round(numbers[5])]


def test_a_comparison_is_seen_moved_and_followed(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    version, draft = changed_draft(town)
    page = officer("024", "process_admin")
    page.goto(f"/drafts/{draft}")
    page.goto(f"/comparisons?before=v{version}&after=d{draft}")
    expect(page.locator("[data-comparison][data-ready]")).to_be_attached()
    expect(page.get_by_role("button", name="“提供部门答复”答复时限 10 → 5 个工作日")).to_be_visible()
    expect(side(page, "before").locator("[data-element-id=Task_RemindReply].diff-removed")).to_have_count(1)
    expect(side(page, "after").locator("[data-element-id=Task_Added].diff-added")).to_have_count(1)
    for which in ("before", "after"):
        expect(side(page, which).locator("[data-element-id=Task_BusinessReview].diff-changed")).to_have_count(1)
        expect(side(page, which).locator(".bjs-powered-by")).to_be_visible()
    assert axe(page) == []

    whole = view_of(page, "after")
    assert view_of(page, "before") == whole
    page.get_by_role("button", name="放大").click()
    assert view_of(page, "after") == view_of(page, "before") != whole
    before_the_wheel = transform(page, "after")
    side(page, "after").hover()
    page.mouse.wheel(0, 200)
    expect(side(page, "after").locator("g.viewport")).not_to_have_attribute("transform", before_the_wheel)
    assert view_of(page, "before") == view_of(page, "after")
    page.get_by_role("button", name="全图").click()
    assert view_of(page, "before") == whole

    line = page.get_by_role("button", name=re.compile("“业务审核”的名称 业务审核 → 业务复核"))
    line.focus()
    page.keyboard.press("Enter")
    for which in ("before", "after"):
        task = side(page, which).locator("[data-element-id=Task_BusinessReview]")
        expect(task).to_have_class(re.compile("diff-flash"))
        box, frame = task.bounding_box(), side(page, which).bounding_box()
        assert box and frame
        assert abs(box["x"] + box["width"] / 2 - frame["x"] - frame["width"] / 2) < 40
    expect(page.locator("[data-told]")).to_have_text("已在流程图中标出。")
    expect(side(page, "after").locator(".diff-flash")).to_have_count(0)

    side(page, "after").locator("[data-element-id=Task_BusinessReview]").click()
    expect(page.locator(".diff-pointed")).to_contain_text("业务复核")


def test_on_a_phone_one_diagram_stands_above_the_other(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    version, draft = changed_draft(town)
    page = officer("024", "process_approver")
    page.set_viewport_size(PHONE)
    page.goto(f"/comparisons?before=v{version}&after=d{draft}")
    expect(page.locator("[data-comparison][data-ready]")).to_be_attached()
    before, after = side(page, "before").bounding_box(), side(page, "after").bounding_box()
    assert before and after and before["y"] + before["height"] <= after["y"]
    assert fits(page)
    assert axe(page) == []


def test_a_finding_of_a_new_process_leads_to_its_element(town: Town, officer: Callable[..., Page]) -> None:
    draft = start_draft(town.store, actor=town.officer("024", "process_admin"), key="leave", name="请假", rule_set="liaoyang_2018")
    with town.store.read() as session:
        text = draft_sheet(session, town.officer("024", "process_admin"), draft).package.xml.decode()
    match = re.search(r'<bpmn:endEvent id="([^"]+)"', text)
    assert match is not None
    changed = text.replace(f'<bpmn:endEvent id="{match[1]}"', f'<bpmn:userTask id="{match[1]}"').replace("</bpmn:endEvent>", "</bpmn:userTask>")
    save_draft(town.store, draft, actor=town.officer("024", "process_admin"), revision=1, xml=changed.encode())
    page = officer("024", "process_admin")
    page.goto(f"/comparisons?after=d{draft}")
    expect(page.locator("[data-comparison][data-ready]")).to_be_attached()
    page.locator(f"#findings button[data-element={match[1]}]").first.click()
    expect(side(page, "after").locator(f"[data-element-id={match[1]}]").first).to_have_class(re.compile("diff-flash"))
