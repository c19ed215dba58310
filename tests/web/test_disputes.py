"""What a department does about withheld data in its browser: object, negotiate, ask the office; and what its owner does."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.cast import HOUSING, STATISTICS, Cast
from tests.web.desk import Desk, text_of

Sit = Callable[[str], Desk]
OBJECTION = {"ground": "insufficient", "objection_reason": "汇总数据不涉及单个对象。", "promise_no_secrets": "true"}


def entry_page(desk: Desk) -> str:
    return text_of(desk.get("/negative-list/1"))


def starts_at(page: str) -> set[str]:
    """The processes that a page offers to start."""
    return {part.split("?")[0].split('"')[0] for part in page.split('href="/start/')[1:]}


def object_to(desk: Desk, **changed: str) -> int:
    desk.get(f"/start/negative_list_objection?resource_code={STATISTICS}")
    response = desk.post("/start/negative_list_objection", {**OBJECTION, "resource_code": STATISTICS, **changed})
    assert response.status_code == 303, text_of(response)
    return int(response.location.rsplit("/", 1)[1])


def test_each_page_offers_what_its_reader_may_do_about_withheld_data(desk: Sit) -> None:
    resource = f"/catalogue/{STATISTICS}"
    asker, owner, reader = desk("asker"), desk("provider"), desk("asker_head")
    assert starts_at(entry_page(asker)) == {"negative_list_objection"}
    assert starts_at(entry_page(owner)) == {"negative_list_removal"}
    assert {"negative_list_objection", "negotiation", "withheld_need"} <= starts_at(text_of(asker.get(resource)))
    assert "conditional_share" not in starts_at(text_of(asker.get(resource)))
    assert "negative_list_removal" in starts_at(text_of(owner.get(resource)))
    assert starts_at(entry_page(reader)) == set()
    assert not {"negative_list_objection", "negotiation", "withheld_need"} & starts_at(text_of(asker.get(f"/catalogue/{HOUSING}")))


def test_an_objection_is_filed_taken_up_and_shown_on_the_list(desk: Sit) -> None:
    asker, office, outsider = desk("asker"), desk("office"), desk("outsider")
    case = object_to(asker)
    assert "异议审核中" not in entry_page(outsider)
    response = office.do("受理审查", acceptance="accept")
    assert response.status_code == 303, text_of(response)
    page = entry_page(outsider)
    assert "异议审核中" in page and "依据不足" in page and f"/cases/{case}" in page
    assert starts_at(page) == set()  # the second is told, and not led into a form in vain
    refused = outsider.post("/start/negative_list_objection", {**OBJECTION, "resource_code": STATISTICS})
    assert refused.status_code == 422 and "办结前不能再次提出变更" in text_of(refused)


def test_nobody_learns_the_items_of_withheld_data_by_starting_a_case_about_it(desk: Sit) -> None:
    asker = desk("asker")
    for process in ("negative_list_objection", "negotiation", "withheld_need"):
        page = text_of(asker.get(f"/start/{process}?resource_code={STATISTICS}"))
        assert "建筑业企业单户统计报表" in page
        assert not [item for item in ("从业人数", "营业收入") if item in page], process
    case = object_to(asker)
    assert "营业收入" not in text_of(asker.get(f"/cases/{case}"))


def test_from_objection_to_request_in_the_browser(desk: Sit, cast: Cast) -> None:
    asker, office, head, owner = (desk(login) for login in ("asker", "office", "office_head", "provider"))
    case = object_to(asker)
    office.do("受理审查", acceptance="accept")
    assert owner.do("举证", evidence_position="agree", evidence="可以共享汇总。").status_code == 303
    decision = {"review_decision": "remove", "new_class": "conditional", "review_reason": "可以共享。", "dispute": "no"}
    assert head.do("办公室审核意见", **decision).status_code == 303
    assert owner.do("执行审核决定", shared_conditions="按需", shared_method="批量下载").status_code == 303
    page = text_of(asker.get(f"/cases/{case}"))
    assert "负面清单异议审核决定书" in page and "移出" in page
    assert "已移出" in entry_page(asker)
    assert "conditional_share" in starts_at(text_of(asker.get(f"/catalogue/{STATISTICS}")))
    assert asker.ask(STATISTICS, requested_fields=["企业名称"]) > case
