"""A day at the desk in a real browser: drafts that survive, phrases, files looked at in place, the verbs as dialogs, the file on paper."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from sqlalchemy import select

from engine.people.accounts import create_account
from engine.people.signature_images import set_signature
from engine.process.attachments import upload
from engine.process.instances import start_instance
from engine.process.tables import Task
from engine.process.tasks import complete_task
from engine.store.clock import MovableClock
from engine.store.settings import Settings
from engine.store.store import Store
from tests.browser.desk import DESK, PHONE, Axe, fits, open_task, sign_in, submit
from tests.pictures import pdf, png
from tests.web.cast import PASSWORD, Cast, assemble, one_hash
from tests.web.desk import REQUEST
from tests.web.verbs import allow_verbs

Sit = Callable[..., Page]


@pytest.fixture
def cast(store: Store) -> Cast:
    """The cast, with a second officer in the provider's posts, and every verb allowed."""
    found = assemble(store)
    unit = found.actor("provider").unit_id
    found.ids["twin"] = create_account(
        store, "twin", "孙住建", unit, actor=None, password_hash=one_hash(), appointments=[(unit, "intake"), (unit, "handler")]
    )
    allow_verbs(found)
    return found


@pytest.fixture
def person(cast: Cast, new_page: Callable[[], Page]) -> Sit:
    """`person("asker")` opens a browser in which that person signs in."""

    def sit_down(login: str, size: ViewportSize = DESK) -> Page:
        return sign_in(new_page(), login, PASSWORD, size)

    return sit_down


@pytest.fixture
def case(cast: Cast, settings: Settings, clock: MovableClock) -> int:
    """A request with a letter and a picture, at the provider's intake since 2026-02-10."""
    store, asker = cast.store, cast.actor("asker")
    files = [
        upload(store, settings, actor=asker, name=name, stream=io.BytesIO(body)).id
        for name, body in (("申请函.pdf", pdf("Letter")), ("系统截图.png", png(600, 400)))
    ]
    answers = {**REQUEST, "volume": 200, "promise_no_secrets": True, "promise_security": True, "promise_no_third_party": True}
    case = start_instance(
        store, "conditional_share", actor=asker, answers=answers, variables={"resource_code": "209001/000001"}, attachments=files
    )
    clock.to("2026-02-10 09:30")
    with store.read() as session:
        (sign,) = session.scalars(select(Task).where(Task.instance_id == case, Task.state == "open"))
    set_signature(store, png(200, 80), actor=cast.actor("asker_head"))
    complete_task(store, sign.id, actor=cast.actor("asker_head"), answers={"sign": "agree"}, opinion="同意报送。")
    return case


def test_a_draft_survives_a_closed_browser(person: Sit, case: int, axe: Axe) -> None:
    first = person("provider")
    open_task(first, "受理")
    expect(first.get_by_text("填写完整后，这里显示提交后的去向")).to_be_visible()
    first.get_by_label("齐全，予以受理").check()
    expect(first.locator(".ahead")).to_contain_text("“业务审核”")
    expect(first.locator(".ahead")).to_contain_text("周住建")
    first.get_by_label(re.compile("^意见")).fill("已核对。")
    first.locator("summary", has_text="常用语").click()
    assert axe(first) == []
    first.get_by_role("button", name="材料齐全，符合受理条件，同意受理。").click()
    expect(first.locator("#opinion")).to_have_value("已核对。材料齐全，符合受理条件，同意受理。")
    expect(first.get_by_text(re.compile("^草稿已保存"))).to_be_visible(timeout=15_000)
    first.context.close()
    again = person("provider")
    open_task(again, "受理")
    expect(again.get_by_text("已恢复2026-02-10 09:30保存的草稿")).to_be_visible()
    expect(again.locator("#opinion")).to_have_value("已核对。材料齐全，符合受理条件，同意受理。")
    expect(again.get_by_label("齐全，予以受理")).to_be_checked()
    assert axe(again) == []
    submit(again)
    expect(again.get_by_text("已办结，事项已转入下一环节")).to_be_visible()


def test_a_lost_connection_is_told_and_loses_nothing(person: Sit, case: int) -> None:
    page = person("provider")
    open_task(page, "受理")
    page.route("**/draft", lambda route: route.abort())
    page.locator("#opinion").fill("写到一半")
    expect(page.get_by_text(re.compile("^草稿未保存"))).to_be_visible(timeout=15_000)
    page.unroute("**/draft")
    page.locator("#opinion").fill("写到一半，接着写")
    expect(page.get_by_text(re.compile("^草稿已保存"))).to_be_visible(timeout=15_000)
    page.reload()
    expect(page.locator("#opinion")).to_have_value("写到一半，接着写")
    page.get_by_role("button", name="放弃草稿").click()
    expect(page.locator("#opinion")).to_have_value("")


def test_files_are_looked_at_in_place(person: Sit, case: int, axe: Axe) -> None:
    page = person("provider")
    open_task(page, "受理")
    page.get_by_role("link", name="预览系统截图.png").click()
    picture = page.get_by_role("dialog").get_by_role("img", name="系统截图.png")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('dialog img').naturalWidth === 600")
    assert axe(page) == []
    page.get_by_role("button", name="关闭").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with page.expect_response(re.compile("/preview$")) as shown:
        page.get_by_role("link", name="预览申请函.pdf").click()
    assert shown.value.headers["content-type"] == "application/pdf"
    expect(page.locator("dialog iframe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_common_verbs_are_dialogs_over_the_page(person: Sit, case: int, axe: Axe, size: ViewportSize) -> None:
    page = person("provider", size)
    open_task(page, "受理")
    assert fits(page)
    page.get_by_role("button", name="签收").click()
    expect(page.get_by_role("button", name="放回岗位")).to_be_visible()
    page.get_by_role("link", name="加签").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("加签不延长时限")
    assert axe(page) == []
    dialog.get_by_label("孙住建").check()
    dialog.get_by_role("button", name="确定加签").click()
    expect(dialog).to_contain_text("请选择加签方式")
    expect(dialog.get_by_label("孙住建")).to_be_checked()
    dialog.get_by_label("前加签").check()
    dialog.get_by_role("button", name="确定加签").click()
    expect(page.get_by_text("已请孙住建加签。")).to_be_visible()
    signer = person("twin", size)
    signer.goto("/inbox/mine")
    signer.locator("tbody tr", has_text="受理").first.get_by_role("link").first.click()
    signer.get_by_label("同意", exact=True).check()
    signer.locator("#opinion").fill("材料齐全")
    assert axe(signer) == [] and fits(signer)
    signer.get_by_role("button", name="签署").click()
    expect(signer.get_by_text("已办结，事项已转入下一环节")).to_be_visible()
    page.reload()
    page.get_by_role("link", name="转办").click()
    page.get_by_role("dialog").get_by_label("孙住建").check()
    page.get_by_role("dialog").get_by_label("说明").fill("我明天出差")
    page.get_by_role("button", name="确定转办").click()
    expect(page.get_by_text("已转办给孙住建。")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_case_is_urged_shown_and_put_on_paper(person: Sit, case: int, axe: Axe, size: ViewportSize) -> None:
    page = person("asker", size)
    page.goto(f"/cases/{case}")
    page.get_by_role("link", name="催办").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label(re.compile("受理"))).to_be_checked()
    dialog.get_by_role("button", name="确定催办").click()
    expect(page.get_by_text("已催办，对方将收到通知")).to_be_visible()
    page.get_by_role("link", name="抄送").click()
    page.get_by_role("dialog").get_by_label("李民政").check()
    page.get_by_role("button", name="确定抄送").click()
    expect(page.get_by_text("未阅")).to_be_visible()
    assert axe(page) == [] and fits(page)
    page.get_by_role("link", name="办件单").click()
    paper = page.get_by_role("article", name="办件单")
    expect(paper).to_contain_text("同意报送。")
    page.wait_for_function("document.querySelector('.filed-signature').naturalWidth === 200")
    assert axe(page) == [] and fits(page)
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_phrases_and_signature_have_their_page(person: Sit, axe: Axe, size: ViewportSize) -> None:
    page = person("provider", size)
    page.goto("/phrases")
    page.get_by_label("新增常用语").fill("请按期答复。")
    page.get_by_label("与本单位同事共享").first.check()
    page.get_by_role("button", name="保存").first.click()
    expect(page.get_by_text("已保存常用语")).to_be_visible()
    assert axe(page) == [] and fits(page)
    page.get_by_role("link", name="签名图片").click()
    page.get_by_label("上传图片").set_input_files({"name": "签名.png", "mimeType": "image/png", "buffer": png(200, 80)})
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("img", name="您的签名图片")).to_be_visible()
    assert axe(page) == [] and fits(page)
