"""Oversight on the pages: who is offered what, the banner of a check, and a supervision case that becomes an order."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from tests.web.cast import HOUSING, PERMITS, Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]

ORDER = {
    "rectified_unit": "013", "grounds": ["（一）", "（三）"], "facts": "目录未更新。", "clause": "第十一条", "demand": "更新目录。",
    "rectify_days": "15", "promise_no_secrets": "true",
}  # fmt: skip


@pytest.fixture
def late(desk: Desks, cast: Cast, clock: MovableClock) -> int:
    """A supervision case: 013 has let the limit for its reply pass."""
    case = desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    clock.to("2026-03-03 00:00")
    while fire_due(cast.store):
        pass
    page = text_of(desk("supervisor").get("/supervision"))
    found = re.search(r'href="/cases/(\d+)">督办〔2026〕1号', page)
    assert found and int(found[1]) != case
    return int(found[1])


def test_the_desk_of_the_office_offers_rectification_and_inconsistency(desk: Desks) -> None:
    page = text_of(desk("office").get("/supervision"))
    assert 'href="/start/rectification"' in page and 'href="/start/data_inconsistency"' in page
    assert 'href="/start/rectification"' in text_of(desk("office_head").get("/rectifications"))
    assert "/start/rectification" not in text_of(desk("provider_head").get("/rectifications"))
    assert desk("provider").get("/start/rectification").status_code == 403


def test_a_supervision_case_offers_rectification_with_its_source_filled_in(desk: Desks, late: int) -> None:
    person = desk("office")
    assert f'href="/start/rectification?source={late}"' in text_of(person.get(f"/cases/{late}"))
    form = text_of(person.get(f"/start/rectification?source={late}"))
    assert '<option value="013" selected>' in form
    assert re.search(r'value="（二）"[^>]*checked', form) and not re.search(r'value="（一）"[^>]*checked', form)
    assert "共享申请〔2026〕1号" in form and "督办〔2026〕1号" in form
    assert f'name="source" value="{late}"' in form
    started = person.post("/start/rectification", {**ORDER, "source": str(late)})
    assert started.status_code == 303
    assert "来源办件" in text_of(person.get(started.location))
    assert "发起整改" not in text_of(desk("provider_head").get(f"/cases/{late}")), "the late unit is offered nothing"


def test_an_order_is_listed_for_the_office_and_for_its_unit_alone(desk: Desks) -> None:
    person = desk("office")
    person.get("/start/rectification")
    refused = person.post("/start/rectification", {**ORDER, "grounds": []})
    assert refused.status_code == 422 and "请至少选择一种情形" in text_of(refused)
    case = person.post("/start/rectification", ORDER).location
    assert desk("provider_head").get(case).status_code == 403, "a draft is nobody's business"
    reviewer = desk("office_reviewer")
    assert reviewer.do("审核", review="pass").status_code == 303
    assert desk("office_head").do("负责人签发", signing="sign").status_code == 303
    for login, sees in (("office", True), ("provider_head", True), ("outsider", False), ("member", False)):
        page = text_of(desk(login).get("/rectifications"))
        assert ("整改〔2026〕1号" in page) is sees, login
    assert "整改通知书" in text_of(desk("provider_head").get(case))


def test_a_doubt_puts_its_banner_on_the_resource_for_everybody(desk: Desks) -> None:
    asker = desk("asker")
    assert "提出数据校核" in text_of(asker.get(f"/catalogue/{PERMITS}"))
    assert "提出数据校核" not in text_of(asker.get(f"/catalogue/{HOUSING}")), "nobody doubts what they never obtained"
    asker.get(f"/start/data_correction?resource_code={PERMITS}")
    case = asker.post(
        "/start/data_correction",
        {"resource_code": PERMITS, "doubt_kind": "error", "doubted_fields": ["许可证号"], "record_keys": "2026-1", "doubt": "号码有误。",
         "promise_no_secrets": "true"},
    ).location  # fmt: skip
    for login in ("outsider", "provider", "auditor"):
        page = text_of(desk(login).get(f"/catalogue/{PERMITS}"))
        assert "受理单位应照常办理（第二十条）" in page, login
    assert f'href="{case}"' not in text_of(desk("outsider").get(f"/catalogue/{PERMITS}"))
    desk("provider").do("核实", finding="corrected", finding_note="已更正。", corrected_on="2026-02-11")
    assert "照常办理" not in text_of(desk("outsider").get(f"/catalogue/{PERMITS}"))
