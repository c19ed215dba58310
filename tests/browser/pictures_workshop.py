"""The pictures of the process admin's guide: one change of a limit, from the versions' page to the migration of running cases."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Page

from engine.people.actor import Actor, load_actor
from engine.people.accounts import account_id_of
from engine.process.definitions import in_force
from engine.process.workshop.back_testing.commands import order_back_test, run_back_tests
from engine.process.workshop.drafts import save_draft, start_draft
from engine.process.workshop.proposals import approve, propose
from tests.browser.photographer import GUIDE, Photographer
from tests.engine.workshop.foreign import CORPUS
from tests.town import Town

KEY = "conditional_share"
#: What the admin changes: the provider answers within half the time.
LIMIT = ('sharing:workingDays="10" sharing:statutoryMax="10"', 'sharing:workingDays="5" sharing:statutoryMax="10"')


def workshop(photographer: Photographer, town: Town) -> None:
    """Takes them all; what they show is made by the engine's own commands."""
    admin, second = _person(town, "demo038"), _person(town, "demo039")
    with town.store.read() as session:
        before = in_force(session, KEY, town.now())
    draft = start_draft(town.store, actor=admin, definition_id=before.id)
    xml = before.diagram.xml.decode()
    assert xml.count(LIMIT[0]) == 1
    revision = save_draft(town.store, draft, actor=admin, revision=1, xml=xml.replace(*LIMIT).encode())
    test = order_back_test(town.store, draft, actor=admin, received_from=town.now() - timedelta(days=90), received_until=town.now())
    run_back_tests(town.store)
    _draft_pages(photographer, draft, test)
    _dry_run(photographer, draft)
    _imported(photographer)
    proposal = propose(town.store, draft, actor=admin, revision=revision, reason="各部门已能在五个工作日内答复，缩短答复时限。")
    keep, page = photographer.keep, photographer.page
    keep(page("demo039", f"/proposals/{proposal}"), GUIDE / "proposal.png")
    approve(town.store, proposal, actor=second, note="同意。", seen_base_id=before.id)
    with town.store.read() as session:
        after = in_force(session, KEY, town.now())
    keep(page("demo038", f"/diagrams/{KEY}"), GUIDE / "versions.png", height=420)
    keep(page("demo038", "/diagrams"), GUIDE / "processes.png", height=560)
    keep(page("demo038", f"/migrations/new?from={before.id}&to={after.id}"), GUIDE / "migration.png")


def _draft_pages(photographer: Photographer, draft: int, test: int) -> None:
    keep, page = photographer.keep, photographer.page
    shown = page("demo038", f"/drafts/{draft}")
    limit = shown.locator('[data-element-id="BoundaryEvent_ReplyDeadline"]').first
    limit.wait_for()
    limit.click(force=True)
    shown.get_by_label("工作日数").first.wait_for()
    keep(shown, GUIDE / "modeler.png", height=660)
    shown = page("demo038", f"/drafts/{draft}/forms/application")
    shown.get_by_role("heading", name="预览与试填").wait_for()
    keep(shown, GUIDE / "form_editor.png", height=620)
    keep(page("demo038", f"/drafts/{draft}/documents"), GUIDE / "draft_documents.png", height=420)
    shown = _link(page("demo038", f"/drafts/{draft}/propose"), "检查与比较")
    shown.locator("[data-comparison][data-ready]").wait_for()
    keep(shown, GUIDE / "comparison.png")
    keep(page("demo038", f"/back-tests/{test}"), GUIDE / "back_test.png", height=620)
    keep(page("demo038", f"/drafts/{draft}/propose"), GUIDE / "propose.png", height=640)


def _dry_run(photographer: Photographer, draft: int) -> None:
    shown = photographer.page("demo038", f"/drafts/{draft}/dry-run")
    shown.get_by_label("信息资源（名称或代码）").fill("209001/000001")
    shown.get_by_role("button", name="下一步").click()
    shown.get_by_role("button", name="选择公租房").first.click()
    shown.get_by_text("填入示例", exact=True).first.click()
    shown.get_by_role("button", name="开始试运行").click()
    shown.locator("[data-diagram][data-ready]").wait_for()
    photographer.keep(shown, GUIDE / "dry_run.png", height=640)


def _imported(photographer: Photographer) -> None:
    shown = photographer.page("demo038", "/imports")
    name, data = next(iter(CORPUS.items()))
    shown.locator('input[type="file"]').set_input_files({"name": f"{name}.bpmn", "mimeType": "application/xml", "buffer": data})
    shown.get_by_role("button", name="读取文件").click()
    shown.locator("[data-diagram][data-ready]").wait_for()
    photographer.keep(shown, GUIDE / "import.png", height=640)


def _link(page: Page, name: str) -> Page:
    page.get_by_role("link", name=name).first.click()
    page.wait_for_load_state()
    return page


def _person(town: Town, login: str) -> Actor:
    with town.store.read() as session:
        actor = load_actor(session, account_id_of(session, login))
    assert actor is not None
    return actor
