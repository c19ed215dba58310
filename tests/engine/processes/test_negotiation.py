"""协商协调: a unit needs what is not shared (article 15): negotiation, coordination by the office, the leading group's decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from calendars.deadline import shanghai_day
from engine.sharing import grants
from engine.store.errors import Invalid
from tests.engine.processes.withheld import CASES, TAXES, letters, office_entry, sheet_of, text_of, told
from tests.town import Town

PROCESS = "negotiation"
TERMS: Mapping[str, Any] = {
    "agreed_text": "是否欠税", "agreed_conditions": "核验式返回，不提供明细", "agreed_method": "联机查询", "agreed_until": "2027-07-31",
}  # fmt: skip
MET: Mapping[str, Any] = {"met_on": "2026-08-10", "attendees": "双方经办", "discussion": "就保护措施交换意见。"}
COORDINATED: Mapping[str, Any] = {
    "coordinated_on": "2026-08-25", "coordination_attendees": "办公室、双方负责人", "coordination_text": "建议以核验方式提供。",
}  # fmt: skip


def needs(town: Town, at: str, *, unit: str = "007", resource: str = TAXES) -> int:
    return town.starts(
        PROCESS, unit, "handler", resource=resource, at=at, needed_content="纳税信用和欠税情况", duty_basis="《社会救助暂行办法》",
        why_needed="核对申请家庭收入，没有其他途径。", use="数据校核", safeguards=["核验式返回，不提供明细"], wanted_until="2027-07-31",
        promise_no_secrets=True, promise_no_third_party=True,
    )  # fmt: skip


def not_agreed(town: Town, case: int, *, at: str) -> None:
    town.does(case, "Task_Position", position="refuse", position_note="保密义务。")
    town.does(case, "Task_Minutes", negotiation_outcome="not_agreed", **MET)
    town.does(case, "Task_Confirm", at=at, confirmation="confirm")


def granted(town: Town) -> list[grants.GrantLine]:
    with town.store.read() as session:
        return grants.search(session, town.officer("007", "handler"), today=shanghai_day(town.now())).lines


def test_s30_ten_working_days_to_negotiate_and_ten_to_coordinate(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    assert town.view(case, "Task_Position").due_day == date(2026, 8, 17)
    not_agreed(town, case, at="2026-08-17 16:00")
    coordinate = town.view(case, "Task_Coordinate")
    assert (coordinate.due_day, coordinate.unit_name[:5]) == (date(2026, 8, 31), "市经济发展")
    assert letters(town, case) == {"negotiation_minutes": "民政协商纪要〔2026〕1号"}
    assert "未达成一致" in text_of(town, case, "negotiation_minutes")
    town.does(case, "Task_Coordinate", coordination_outcome="withhold", **COORDINATED)
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("withheld", "维持不予共享")
    assert granted(town) == []


def test_agreed_the_one_unit_is_granted_and_the_entry_stays(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    town.does(case, "Task_Position", position="partly", position_note="可以核验。")
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Minutes", negotiation_outcome="agreed", agreed_until=None, **MET)
    assert {"agreed_text", "agreed_conditions", "agreed_method", "agreed_until"} <= refused.value.fields.keys()
    town.does(case, "Task_Minutes", negotiation_outcome="agreed", **MET, **TERMS)
    town.does(case, "Task_Confirm", confirmation="return", opinion="请补充使用岗位。")
    town.does(case, "Task_Minutes", negotiation_outcome="agreed", **MET, **TERMS)
    town.does(case, "Task_Confirm", at="2026-08-12 10:00", confirmation="confirm")
    assert town.sheet(case).outcome_name == "达成共享"
    assert "是否欠税" in text_of(town, case, "negotiation_minutes")
    (grant,) = granted(town)
    assert (grant.resource_code, grant.fields, grant.unit_code, grant.instance_id) == (TAXES, ("是否欠税",), "007", case)
    assert (grant.valid_until, grant.conditions) == (date(2027, 7, 31), "核验式返回，不提供明细")
    assert sheet_of(town).line.sharing_class == "withheld"
    assert "已达成共享" in told(town, "007", "handler")
    assert "请按协商结果供数" in told(town, "026", "intake")


def test_silence_is_no_refusal_the_office_coordinates(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    town.passes_until("2026-08-13 00:00")
    assert "协商期限临近" in told(town, "007", "handler")
    town.passes_until("2026-08-17 23:59")
    assert town.sheet(case).current_steps == ["Task_Position"]
    town.passes_until("2026-08-18 00:00")
    assert town.sheet(case).current_steps == ["Task_Coordinate"]
    assert "协商期满未果" in told(town, "026", "head")
    town.does(case, "Task_Coordinate", at="2026-08-25 10:00", coordination_outcome="share", **COORDINATED, **TERMS)
    assert town.sheet(case).outcome_name == "达成共享"
    assert letters(town, case) == {"coordination_opinion": "经发中心协调〔2026〕1号"}
    assert len(granted(town)) == 1


@pytest.mark.parametrize(("outcome", "count"), [("share", 1), ("withhold", 0)])
def test_what_one_side_does_not_accept_the_leading_group_decides(town: Town, outcome: str, count: int) -> None:
    case = needs(town, "2026-08-03 10:00", resource=CASES)
    not_agreed(town, case, at="2026-08-17 16:00")
    town.does(case, "Task_Coordinate", at="2026-08-25 10:00", coordination_outcome="refused", **COORDINATED)
    decide = town.view(case, "Task_GroupDecide")
    assert (decide.due_day, decide.article) == (date(2026, 9, 8), "第五条")
    terms: dict[str, Any] = {**TERMS, "agreed_text": None, "agreed_fields": ["病程"]} if outcome == "share" else {"agreed_until": None}
    town.does(case, "Task_GroupDecide", group_outcome=outcome, group_reason="权衡履职需要。", **terms)
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("decided", "已决定")
    assert letters(town, case)["group_decision"] == "府办共享决定〔2026〕1号"
    assert [grant.fields for grant in granted(town)] == [("病程",)] * count
    assert sheet_of(town, CASES).line.sharing_class == "withheld"


def test_the_office_does_not_coordinate_its_own_dispute(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00", resource=office_entry(town))
    not_agreed(town, case, at="2026-08-10 10:00")
    assert town.sheet(case).current_steps == ["Task_GroupDecide"]


def test_what_is_shared_needs_no_negotiation(town: Town) -> None:
    for unit, resource, sentence in (("007", "209001/000001", "不在不予共享之列"), ("026", TAXES, "本单位")):
        with pytest.raises(Invalid) as refused:
            needs(town, "2026-08-03 10:00", unit=unit, resource=resource)
        assert sentence in refused.value.fields["resource_code"]


def test_two_units_may_negotiate_about_the_same_resource(town: Town) -> None:
    first, second = needs(town, "2026-08-03 10:00"), needs(town, "2026-08-03 10:30", unit="010")
    assert {town.sheet(case).state for case in (first, second)} == {"running"}


def refused_request(town: Town) -> int:
    """A request for conditionally shared data that its provider refused as unnecessary."""
    case = town.submits(at="2026-08-03 09:30")
    town.reviews(case)
    town.does(case, "Task_Reply", decision="refuse", refusal_type="necessity", refusal_reason="必要性不足", supply_by=None)
    return case


def test_a_refused_request_may_be_negotiated_and_then_supplied(town: Town) -> None:
    case = refused_request(town)
    town.does(case, "Task_RefusalReceipt", at="2026-08-05 10:00", refusal_answer="negotiate")
    (talks,) = town.children(case, PROCESS)
    assert town.view(talks, "Task_Position").due_day == date(2026, 8, 19)
    town.does(talks, "Task_Position", position="partly", position_note="只提供保障起止。", offered_fields=["保障起止"])
    terms: dict[str, Any] = {**TERMS, "agreed_text": None, "agreed_fields": ["保障起止"]}
    town.does(talks, "Task_Minutes", negotiation_outcome="agreed", **MET, **terms)
    town.does(talks, "Task_Confirm", confirmation="confirm")
    (grant,) = granted(town)
    assert (grant.fields, grant.instance_id) == (("保障起止",), talks)
    town.does(case, "Task_SupplyByPlatform")
    town.does(case, "Task_Accept")
    assert town.sheet(case).outcome_name == "已共享"


def test_a_refused_request_that_talks_do_not_change_stays_refused(town: Town) -> None:
    case = refused_request(town)
    town.does(case, "Task_RefusalReceipt", at="2026-08-05 10:00", refusal_answer="negotiate")
    (talks,) = town.children(case, PROCESS)
    not_agreed(town, talks, at="2026-08-10 10:00")
    town.does(talks, "Task_Coordinate", coordination_outcome="withhold", **COORDINATED)
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("refused", "协商后维持不予共享")


def test_a_refusal_that_is_accepted_ends_the_request(town: Town) -> None:
    case = refused_request(town)
    town.does(case, "Task_RefusalReceipt")
    assert (town.sheet(case).outcome_name, town.children(case, PROCESS)) == ("不予共享", [])


def test_the_asking_unit_learns_no_items_but_those_that_it_is_offered(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00", resource=CASES)
    town.does(case, "Task_Position", position="partly", position_note="可以核验。", offered_fields=["病程"])
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Minutes", negotiation_outcome="agreed", **MET, **TERMS, agreed_fields=["身份信息"])
    assert "agreed_fields" in refused.value.fields
    terms: dict[str, Any] = {**TERMS, "agreed_text": None, "agreed_fields": ["病程"]}
    town.does(case, "Task_Minutes", negotiation_outcome="agreed", **MET, **terms)
    town.does(case, "Task_Confirm", confirmation="confirm")
    assert [grant.fields for grant in granted(town)] == [("病程",)]
    asker = town.sheet(case, town.officer("007", "handler"))
    assert not [fact for fact in asker.facts if "身份信息" in fact.value]
    assert not [fact for task in asker.done_tasks for fact in task.facts if "身份信息" in fact.value]
