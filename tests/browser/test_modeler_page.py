"""The modeler's page around the diagram: Chinese throughout, files out and in, on a phone, for everybody, with bpmn.io's mark in sight."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from lxml import etree
from playwright.sync_api import Page, expect

from engine.process.workshop.drafts import save_draft
from tests.browser.desk import PHONE, Axe, fits
from tests.browser.modeler import (
    draft_of,
    field,
    findings,
    is_saved,
    no_findings,
    open_modeler,
    process_admin,
    saved,
    select,
    words_on_screen,
)
from tests.town import Town

#: What may stand in Latin letters: names of standards, files and keys, and the words of the diagrams' language, which people type.
LATIN = re.compile(
    r"BPMN|SVG|PNG|\.bpmn|PT1H|P1D|Ctrl|Shift|Delete|F8|days = .*|[a-z_]+(\.[a-z_]+)?\(.*?\)|（[a-z_.]+）|报错 [a-z-]+|"
    r"\b(outcome|loopCounter|source_closed|timeDuration|resource|number|id|title|name|code|items|method)\b"
)

#: Foreign words of other tools and of whoever extends BPMN, which no editor of ours knows.
FOREIGN = """
      <bpmn:extensionElements>
        <spiffworkflow:properties>
          <spiffworkflow:property name="form" value="intake" />
        </spiffworkflow:properties>
        <spiffworkflow:preScript>a = 1</spiffworkflow:preScript>
        <zeebe:taskDefinition xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" type="审核" retries="3"><zeebe:header key="k" value="v" /></zeebe:taskDefinition>
      </bpmn:extensionElements>
"""


def test_everything_around_the_diagram_is_chinese(town: Town, officer: Callable[..., Page]) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    seen = words_on_screen(page)
    for element in ("Task_Intake", "Task_Grant", "Gateway_Reply", "BoundaryEvent_ReplyDeadline", "EndEvent_Shared", "StartEvent_Apply",
                    "CallActivity_Negotiation", "Flow_Reply_IssueReply", "Lane_Office", "SubProcess_Reply", "Participant_conditional_share"):  # fmt: skip
        select_any(page, element)
        seen |= words_on_screen(page)
        if page.locator('.djs-context-pad .entry[data-action="replace"]').count():
            page.locator('.djs-context-pad .entry[data-action="replace"]').click()
            page.locator(".djs-popup").wait_for()
            seen |= words_on_screen(page)
            page.keyboard.press("Escape")
    page.get_by_role("button", name="缩略图").click()
    page.get_by_role("button", name="快捷键").click()
    seen |= words_on_screen(page)
    page.keyboard.press("Escape")
    select(page, "Task_Intake")
    page.keyboard.press("Control+f")
    page.locator(".djs-search-container").wait_for()
    seen |= words_on_screen(page)
    page.keyboard.press("Escape")
    page.locator(".djs-search-container").wait_for(state="hidden")
    select(page, "Task_Intake")
    page.keyboard.press("Control+a")
    expect(page.locator("[data-panel-title]")).to_have_text("选中了多个元素")
    seen |= words_on_screen(page)
    assert page.evaluate("document.documentElement.dataset.untranslated") is None
    own = identifiers(saved(town, draft).package.xml)
    left = {words for words in seen if any(word not in own for word in re.findall("[A-Za-z_]{2,}", LATIN.sub("", words)))}
    assert left == set()


def identifiers(xml: bytes) -> set[str]:
    """The names that the diagram itself uses: ids, variables, keys of forms and processes. None of them is an English sentence."""
    texts = [value for node in etree.fromstring(xml).iter(etree.Element) for value in (*node.attrib.values(), node.text or "")]
    return {word for text in texts for word in re.findall("[A-Za-z_]+", str(text)) if "_" in word or word.islower()}


def select_any(page: Page, element: str) -> None:
    """Selects an element where nothing else lies on it: at its edge."""
    page.evaluate(
        """(id) => {
            const shape = document.querySelector(`.djs-element[data-element-id="${id}"] .djs-hit`);
            for (const type of ['mousedown', 'mouseup', 'click']) shape.dispatchEvent(new MouseEvent(type, {bubbles: true, button: 0}));
        }""",
        element,
    )
    expect(page.locator(f'.djs-element.selected[data-element-id="{element}"]').first).to_be_attached()


def test_a_file_goes_out_and_comes_back_with_nothing_lost(town: Town, officer: Callable[..., Page], tmp_path: Path) -> None:
    draft = draft_of(town, "conditional_share")
    xml = saved(town, draft).package.xml.decode()
    own = re.search('<bpmn:userTask id="Task_Intake" name="受理">.*?</bpmn:extensionElements>', xml, re.DOTALL)
    assert own
    marked = xml.replace(own[0], f'<bpmn:userTask id="Task_Intake" name="受理" xmlns:tool="urn:tool" tool:colour="red">{FOREIGN}')
    save_draft(town.store, draft, actor=process_admin(town), revision=1, xml=marked.encode())
    page = open_modeler(officer("024", "process_admin"), draft)
    select(page, "BoundaryEvent_ReplyDeadline")
    field(page, "名称").fill("答复期满")
    is_saved(page)
    with page.expect_download() as download:
        page.locator("[data-menu] summary").click()
        page.get_by_role("button", name="流程图文件（.bpmn）").click()
    assert re.fullmatch(r"有条件共享申请_\d{8}\.bpmn", download.value.suggested_filename)
    file = tmp_path / "exported.bpmn"
    download.value.save_as(file)
    assert content_of(file.read_bytes()) == content_of(marked.replace('name="答复时限届满"', 'name="答复期满"').encode())
    # Back again, over a draft that has gone on.
    field(page, "名称").fill("又改了")
    is_saved(page)
    page.locator("[data-import]").set_input_files(file)
    page.get_by_role("dialog").get_by_role("button", name="替换").click()
    select(page, "BoundaryEvent_ReplyDeadline")
    expect(field(page, "名称")).to_have_value("答复期满")
    expect(page.locator(".modeler-state")).not_to_contain_text("即将保存")
    is_saved(page)
    assert content_of(saved(town, draft).package.xml) == content_of(file.read_bytes())


def test_an_edit_changes_nothing_else_of_a_diagram(town: Town, officer: Callable[..., Page]) -> None:
    for process in ("data_correction", "withheld_need", "rectification"):
        draft = draft_of(town, process)
        before = content_of(saved(town, draft).package.xml)
        page = officer("024", "process_admin")
        page.goto(f"/drafts/{draft}")
        page.locator("#modeler[data-ready=yes]").wait_for()
        field(page, "编号前缀").fill("另编")
        is_saved(page)
        after = content_of(saved(town, draft).package.xml)
        assert len(set(before) - set(after)) == len(set(after) - set(before)) == 1, process


def content_of(xml: bytes) -> list[str]:
    """Everything that a file says of its process: elements with their attributes and texts, in no order of their own."""
    root = etree.fromstring(xml)
    for drawn in root.findall("{*}BPMNDiagram"):
        root.remove(drawn)
    lines = []
    for node in root.iter(etree.Element):
        attributes = sorted((str(name), value) for name, value in node.attrib.items())
        around = node.getparent()
        place = "" if around is None else str(around.get("id") or around.tag)
        lines.append(f"{place} {node.tag} {attributes} {(node.text or '').strip()}")
    return sorted(lines)


def test_a_file_from_elsewhere_is_sent_to_the_import(town: Town, officer: Callable[..., Page], tmp_path: Path) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    foreign = tmp_path / "foreign.bpmn"
    foreign.write_text('<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p"/></definitions>', encoding="utf-8")
    page.locator("[data-import]").set_input_files(foreign)
    expect(page.get_by_role("dialog").get_by_role("link", name="前往导入")).to_be_visible()
    page.get_by_role("button", name="关闭").click()
    broken = tmp_path / "broken.bpmn"
    broken.write_text(saved(town, draft).package.xml.decode().replace("</bpmn:process>", ""), encoding="utf-8")
    page.locator("[data-import]").set_input_files(broken)
    page.get_by_role("dialog").get_by_role("button", name="替换").click()
    expect(page.get_by_role("alert")).to_contain_text("不是可以打开的流程图")
    select(page, "Task_Intake")


def test_pictures_go_out_with_chinese_names(town: Town, officer: Callable[..., Page]) -> None:
    page = open_modeler(officer("024", "process_admin"), draft_of(town, "negotiation"))
    for button, ending, start in (("矢量图", "svg", b"<?xml"), ("图片", "png", b"\x89PNG")):
        with page.expect_download() as download:
            page.locator("[data-menu] summary").click()
            page.get_by_role("button", name=button).click()
        assert re.fullmatch(rf".*[\u4e00-\u9fff]_\d{{8}}\.{ending}", download.value.suggested_filename)
        assert Path(download.value.path()).read_bytes().startswith(start)


def test_the_page_is_for_everybody_and_fits_a_phone(town: Town, officer: Callable[..., Page], axe: Axe) -> None:
    draft = draft_of(town, "conditional_share")
    page = open_modeler(officer("024", "process_admin"), draft)
    for element in ("Task_Intake", "Task_IssueReply", "BoundaryEvent_ReplyDeadline", "CallActivity_Negotiation", "Gateway_Reply"):
        select_any(page, element)
        folded = page.locator("[data-panel] details:not([open]) > summary")
        while folded.count():
            folded.first.click()
        assert outside_the_canvas(axe(page)) == []
    mark = page.locator(".bjs-powered-by")
    box = mark.bounding_box()
    assert box is not None
    on_top = "([x, y]) => document.elementFromPoint(x, y).closest('.bjs-powered-by') !== null"
    for x in (box["x"] + 2, box["x"] + box["width"] - 2):
        for y in (box["y"] + 2, box["y"] + box["height"] - 2):
            assert page.evaluate(on_top, [x, y]), "bpmn.io's mark must never be covered"
    page.set_viewport_size(PHONE)
    page.reload()
    page.locator("#modeler[data-ready=yes]").wait_for()
    assert fits(page)
    select_any(page, "BoundaryEvent_ReplyDeadline")
    expect(field(page, "工作日数")).to_be_visible()
    field(page, "工作日数").fill("6")
    is_saved(page)
    assert outside_the_canvas(axe(page)) == []
    no_findings(page)
    expect(findings(page)).to_have_count(0)


def outside_the_canvas(faults: list[str]) -> list[str]:
    """What bpmn-js draws inside its canvas is its own."""
    return [fault for fault in faults if "djs-" not in fault and "bjs-" not in fault]
