"""A task's page while it is filled in: the draft, phrases, the way ahead, the precedents and the file on paper."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest

from engine.store.clock import MovableClock
from tests.pictures import png
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


@pytest.fixture
def number(desk: Desks, clock: MovableClock) -> int:
    """The task of the provider's intake."""
    desk("asker").ask()
    clock.to("2026-02-10 09:30")
    desk("asker_head").do("部门负责人审签", sign="agree", opinion="同意报送。")
    return desk("provider").task("受理")


def test_a_draft_survives_and_goes_with_the_completion(desk: Desks, number: int) -> None:
    person = desk("provider")
    person.get(f"/tasks/{number}")
    saved = person.as_json("PUT", f"/tasks/{number}/draft", {"answers": {"completeness": "complete"}, "opinion": "材料齐", "known": None})
    assert saved.status_code == 200 and saved.get_json()["overtaken"] is False
    again = text_of(desk("provider").get(f"/tasks/{number}"))
    assert "已恢复2026-02-10 09:30保存的草稿" in again and ">材料齐<" in again
    assert re.search(r'name="completeness" value="complete"[^>]* checked', again)
    assert "材料齐" not in text_of(desk("provider_head").get(f"/tasks/{number}")), "nobody else sees it"
    assert person.post(f"/tasks/{number}/draft/discard").status_code == 303
    assert "保存的草稿" not in text_of(person.get(f"/tasks/{number}"))
    person.as_json("PUT", f"/tasks/{number}/draft", {"answers": {}, "opinion": "材料齐"})
    assert person.post(f"/tasks/{number}", {"completeness": "complete"}).status_code == 303
    late = person.as_json("PUT", f"/tasks/{number}/draft", {"answers": {}, "opinion": "晚了"})
    assert late.status_code == 409 and "已办结" in late.get_json()["message"]


@pytest.mark.parametrize("sent", [[], "x", {"answers": [], "opinion": ""}, {"answers": {}, "opinion": 5}])
def test_what_is_no_draft_is_refused_in_a_sentence(desk: Desks, number: int, sent: object) -> None:
    person = desk("provider")
    person.get(f"/tasks/{number}")
    refused = person.as_json("PUT", f"/tasks/{number}/draft", sent)
    assert refused.status_code == 422 and "未作任何保存" in refused.get_json()["message"]
    large = person.as_json("PUT", f"/tasks/{number}/draft", {"answers": {}, "opinion": "字" * 300_000})
    assert large.status_code == 413


def test_the_way_ahead_is_told_and_nothing_is_done(desk: Desks, number: int) -> None:
    person = desk("provider")
    person.get(f"/tasks/{number}")
    told = text_of(person.as_json("POST", f"/tasks/{number}/ahead", {"answers": {"completeness": "complete"}, "opinion": ""}))
    assert "业务审核" in told and "安全审核" in told and "周住建" in told and "截止2026-03-02" in told
    hint = text_of(person.as_json("POST", f"/tasks/{number}/ahead", {"answers": {}, "opinion": ""}))
    assert "填写完整后" in hint and "转入" not in hint
    assert person.task("受理") == number


def test_phrases_are_kept_shared_and_picked(desk: Desks) -> None:
    person = desk("provider")
    assert "材料齐全，符合受理条件" in text_of(person.get("/phrases"))
    assert person.post("/phrases", {"text": "请按期答复。", "shared": "1"}).status_code == 303
    refused = person.post("/phrases", {"text": "请按期答复。"})
    assert refused.status_code == 422 and "您已有相同的常用语" in text_of(refused)
    picked = text_of(desk("provider_head").get("/phrases", headers={"HX-Request": "true"}))
    assert 'data-phrase="请按期答复。"' in picked and "<html" not in picked
    assert desk("provider_head").post("/phrases/1", {"text": "改"}).status_code == 404
    changed = person.post("/phrases/1", {"text": "<script>alert(1)</script>"})
    assert changed.status_code == 303
    assert "<script>alert(1)" not in text_of(person.get("/phrases"))
    assert person.post("/phrases/1/delete").status_code == 303
    assert desk("auditor").get("/phrases").status_code == 403


def test_the_file_on_paper_carries_opinions_and_signatures(desk: Desks, cast: Cast, number: int) -> None:
    head = desk("asker_head")
    head.get("/signature")
    refused = head.post("/signature", {"image": (io.BytesIO(b"<svg/>"), "签名.png")})
    assert refused.status_code == 422 and 'id="problem-image"' in text_of(refused)
    assert head.post("/signature", {"image": (io.BytesIO(png(200, 80)), "签名.png")}).status_code == 303
    assert "data:image/png;base64," in text_of(head.get("/signature"))
    paper = text_of(desk("provider").get("/cases/1/print"))
    assert "有条件共享申请办件单" in paper and "同意报送。" in paper and "第" in paper
    source = f"/cases/1/signatures/{cast.ids['asker_head']}"
    assert f'src="{source}"' in paper
    image = desk("provider").get(source)
    assert image.mimetype == "image/png" and "sandbox" in image.headers["Content-Security-Policy"]
    assert desk("outsider").get(source).status_code == 403
    assert desk("provider").get(f"/cases/1/signatures/{cast.ids['outsider']}").status_code == 404, "had no hand in the case"
    assert head.post("/signature/remove").status_code == 303
    assert source not in text_of(desk("provider").get("/cases/1/print"))


def test_earlier_cases_of_the_same_resource_stand_beside_the_form(desk: Desks, clock: MovableClock) -> None:
    first = desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="return", opinion="依据不足")
    office = desk("office_head")
    office.get(f"/cases/{first}")
    office.post(f"/cases/{first}/terminate", {"reason": "使用部门撤回"})
    clock.to("2026-02-12 09:00")
    desk("asker").ask()
    page = text_of(desk("asker_head").get(f"/tasks/{desk('asker_head').task('部门负责人审签')}"))
    assert "同一资源的已办办件" in page and f'href="/cases/{first}"' in page
