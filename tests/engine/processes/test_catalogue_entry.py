"""目录编制发布: compiled by one, reviewed item by item by another, signed, collected and published (articles 8, 9, 11, 13, 17)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.sharing import catalogue
from engine.store.errors import Invalid, NotFound
from tests.engine.processes.cataloguing import LAW, compiles, reviewed, sheet_of, takes
from tests.engine.processes.oversight import letters, text_of, told
from tests.town import HOUSING, Town

#: The first code of 013's own business data.
FIRST = "3070211000013/000001"


def passes(town: Town, case: int) -> None:
    """The department itself is satisfied: reviewed, free of secrets, signed."""
    reviewed(town, case, "Task_Review")
    town.does(case, "Task_SecrecyReview", secrecy_finding="pass", secrecy_no_secrets=True)
    town.does(case, "Task_HeadApprove", head_decision="approve")


def amends(town: Town, case: int, **answers: Any) -> None:
    """The cataloguer amends what came back and reports it again."""
    town.does(case, "Task_Revise", amend_action="resubmit", promise_no_secrets=True, **answers)


def is_published(town: Town, case: int) -> None:
    passes(town, case)
    town.does(case, "Task_Collect", collection="accept")


def found(town: Town, text: str) -> list[str]:
    with town.store.read() as session:
        return [line.code for line in catalogue.search(session, town.officer("006", "handler"), text=text).lines]


def test_from_the_cataloguer_to_the_platform_with_every_limit(town: Town) -> None:
    case = compiles(town, at="2026-03-10 09:00")
    review = town.view(case, "Task_Review")
    assert (review.unit_name, review.due_day) == ("市住房和城乡建设局（演示）", date(2026, 3, 17))
    assert town.view(case, "Task_SecrecyReview").due_day == date(2026, 3, 17)
    assert found(town, "维修资金") == [], "a draft is nobody else's business"
    with pytest.raises(NotFound):
        sheet_of(town, FIRST)
    reviewed(town, case, "Task_Review", at="2026-03-11 09:00")
    assert "部门负责人审签" not in town.inbox(town.officer("013", "head")), "both reviews come first"
    town.does(case, "Task_SecrecyReview", secrecy_finding="pass", secrecy_no_secrets=True)
    assert town.view(case, "Task_HeadApprove").due_day == date(2026, 3, 13)
    town.does(case, "Task_HeadApprove", head_decision="approve")
    assert town.view(case, "Task_Collect").due_day == date(2026, 3, 18)
    town.does(case, "Task_Collect", at="2026-03-12 09:00", collection="accept")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("published", "已发布")
    sheet = sheet_of(town, FIRST)
    assert (sheet.line.code, sheet.version, sheet.items) == (FIRST, 1, ("公民身份号码", "房屋坐落", "账户余额"))
    assert (sheet.item_types["账户余额"], sheet.identifier, sheet.source_label) == ("数值型", "公民身份号码", "依照法定职责采集")
    assert (sheet.versions[0].summary, sheet.versions[0].instance_id) == ("首次发布", case)
    assert found(town, "维修资金") == [FIRST]
    assert told(town, "013", "cataloguer") == ["资源目录已发布"]
    assert set(letters(town, case)) == {"catalogue_opinion", "publication_notice"}
    assert "第十一条" in text_of(town, case, "catalogue_opinion") and FIRST in text_of(town, case, "publication_notice")
    assert town.sheet(case).subject_key == FIRST


def test_codes_go_on_from_what_the_catalogue_holds_and_are_never_given_twice(town: Town) -> None:
    theme = compiles(town, at="2026-03-10 09:00", kind="theme", theme_class="209001")
    assert town.sheet(theme).subject_key == "209001/000003"
    town.does(theme, "Task_Review", review_finding="return", opinion="应属业务信息资源。")
    town.does(theme, "Task_SecrecyReview", secrecy_finding="pass", secrecy_no_secrets=True)
    town.does(theme, "Task_Revise", amend_action="give_up")
    assert town.sheet(theme).outcome == "returned"
    again = compiles(town, kind="theme", theme_class="209001")
    assert town.sheet(again).subject_key == "209001/000004"
    with pytest.raises(NotFound):
        sheet_of(town, "209001/000003")


def test_whatever_is_amended_the_code_stays(town: Town) -> None:
    case = compiles(town, at="2026-03-10 09:00")
    town.does(case, "Task_Review", review_finding="return", opinion="信息项缺开户日期。")
    town.does(case, "Task_SecrecyReview", secrecy_finding="return", opinion="账户余额应当脱敏。")
    amends(town, case, name="维修资金账户状态", items="公民身份号码\n房屋坐落\n开户日期，日期型")
    is_published(town, case)
    sheet = sheet_of(town, FIRST)
    assert (sheet.line.name, sheet.items, sheet.version) == ("维修资金账户状态", ("公民身份号码", "房屋坐落", "开户日期"), 1)


@pytest.mark.parametrize("step", ["Task_HeadApprove", "Task_Collect"])
def test_head_and_office_may_send_it_back_and_must_say_why(town: Town, step: str) -> None:
    case = compiles(town, at="2026-03-10 09:00")
    reviewed(town, case, "Task_Review")
    town.does(case, "Task_SecrecyReview", secrecy_finding="pass", secrecy_no_secrets=True)
    answer: dict[str, Any] = {"head_decision": "return", "collection": "return"}
    if step == "Task_Collect":
        town.does(case, "Task_HeadApprove", head_decision="approve")
        del answer["head_decision"]
    else:
        del answer["collection"]
    with pytest.raises(Invalid) as refused:
        town.does(case, step, **answer)
    assert set(refused.value.fields) == {"opinion"}
    town.does(case, step, opinion="更新时限不明确。", **answer)
    amends(town, case)
    is_published(town, case)
    assert town.sheet(case).outcome == "published"


def test_without_confirming_each_point_nothing_passes(town: Town) -> None:
    case = compiles(town, at="2026-03-10 09:00")
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Review", review_finding="pass")
    assert set(refused.value.fields) == {"checked_accurate", "checked_complete", "checked_compliant", "checked_secrecy"}
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_SecrecyReview", secrecy_finding="pass")
    assert set(refused.value.fields) == {"secrecy_no_secrets"}


def test_the_same_data_from_another_source_is_pointed_out_to_the_reviewer(town: Town) -> None:
    twin = "公民身份号码\n房源地址\n保障起止\n房屋面积"  # three of its four items are those of 公租房保障对象
    case = compiles(town, "010", at="2026-03-10 09:00", name="住房保障人员", items=twin)
    similar = town.sheet(case).variables["similar"]
    assert similar[0]["value"] == HOUSING and similar[0]["shared"] == ["公民身份号码", "房源地址", "保障起止"]
    with pytest.raises(Invalid) as refused:
        reviewed(town, case, "Task_Review")
    assert set(refused.value.fields) == {"one_source"}
    reviewed(town, case, "Task_Review", one_source="lawful")
    distinct = compiles(town, "010", name="技工院校名录", items="院校名称\n统一社会信用代码\n专业", identifier="统一社会信用代码")
    assert town.sheet(distinct).variables["similar"] == []


def test_what_cannot_be_an_element_is_refused_at_its_field(town: Town) -> None:
    for answers, field in (
        ({"identifier": "统一社会信用代码"}, "identifier"),
        ({"items": "房屋坐落\n房屋坐落", "identifier": "none"}, "items"),
        ({"conditions": None}, "conditions"),
        ({"name": "公租房保障对象"}, "name"),
        ({"kind": "basic"}, "basic_class"),
        ({"promise_no_secrets": False}, "promise_no_secrets"),
    ):
        with pytest.raises(Invalid) as refused:
            compiles(town, at="2026-03-10 09:00", **answers)
        assert field in refused.value.fields, answers
    case = compiles(town)
    town.does(case, "Task_Review", review_finding="return", opinion="缺标识。")
    town.does(case, "Task_SecrecyReview", secrecy_finding="pass", secrecy_no_secrets=True)
    with pytest.raises(Invalid) as refused:
        amends(town, case, items="房屋坐落")
    assert set(refused.value.fields) == {"identifier"}
    assert town.view(case, "Task_Revise").state == "open"


def test_s29_withheld_only_with_a_basis_that_the_office_upholds(town: Town) -> None:
    for basis in ({"basis_type": "departmental_rule"}, {"basis_type": None}):
        with pytest.raises(Invalid) as refused:
            compiles(town, "014", at="2026-03-23 09:00", name="公交线路实时客流", sharing_class="withheld", **{**LAW, **basis})
        assert "basis_type" in refused.value.fields
    case = compiles(town, "014", name="公交线路实时客流", sharing_class="withheld", **LAW)
    is_published(town, case)
    (listing,) = town.children(case, "negative_list_entry")
    assert town.sheet(case).state == "running" and found(town, "实时客流") == []
    town.does(listing, "Task_FirstReview")
    town.does(listing, "Task_LegalReview")
    town.does(listing, "Task_Decide", decision="reject", decision_reason="客流不是统计调查资料。")
    assert found(town, "实时客流") == []
    assert town.sheet(case).variables["listing_reason"] == "客流不是统计调查资料。"
    amends(
        town, case, sharing_class="unconditional", method="系统对接", sharing_scope="全市各政务部门", update_deadline="实时"
    )
    is_published(town, case)
    code = str(town.sheet(case).subject_key)
    assert (sheet_of(town, code).line.sharing_class, sheet_of(town, code).version) == ("unconditional", 1)
    takes(town, resource=code, requested_fields=["房屋坐落"])


def test_withheld_with_a_basis_that_holds_is_listed_and_published_without_its_items(town: Town) -> None:
    case = compiles(town, at="2026-03-23 09:00", sharing_class="withheld", **LAW)
    is_published(town, case)
    (listing,) = town.children(case, "negative_list_entry")
    for step in ("Task_FirstReview", "Task_LegalReview", "Task_Decide"):
        town.does(listing, step)
    sheet = sheet_of(town, FIRST)
    assert (town.sheet(case).outcome, sheet.line.state, sheet.line.sharing_class) == ("published", "published", "withheld")
    assert (sheet.items, sheet.item_types, sheet.version) == (None, {}, 1)
    assert sheet.versions[0].instance_id == listing
    assert "账户余额" not in text_of(town, case, "publication_notice")


def test_a_review_that_stays_away_is_supervised(town: Town) -> None:
    case = compiles(town, at="2026-03-10 09:00")
    town.passes_until("2026-03-18 00:00")
    assert len(town.children(case, "supervision")) == 2, "one for each of the two reviews"
    assert town.sheet(case).state == "running"
