"""违规使用处理: shared data used for something else (article 18): suspended, then put right or ended. Dates of 2026."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from calendars.deadline import shanghai_day
from engine.sharing import grants
from engine.sharing.misuse import GrantSuspension
from engine.store.errors import Invalid
from tests.engine.processes.oversight import letters, starts, text_of, told
from tests.town import HOUSING, Town

PROCESS = "misuse"


def granted(town: Town, at: str = "2026-02-10 09:30") -> int:
    """市民政局 obtains 公租房保障对象 and gets a grant; returns its id."""
    case = town.submits(at=at)
    town.reviews(case)
    town.does(case, "Task_Reply")
    town.does(case, "Task_SupplyByPlatform")
    town.does(case, "Task_Accept")
    with town.store.read() as session:
        return grants.search(session, town.officer("024", "handler"), today=shanghai_day(town.now())).lines[0].id


def reports(town: Town, grant: int, *, unit: str = "013", post: str = "handler", at: str = "2026-03-02 09:00") -> int:
    return starts(
        town, PROCESS, unit, post, at=at, about={"grant": str(grant)}, misuse_types=["third_party"],
        reported_facts="核验结果出现在第三方网站。", noticed_on="2026-03-01", report_evidence="调用日志。",
    )  # fmt: skip


def state_of(town: Town, grant: int) -> str:
    with town.store.read() as session:
        return grants.grant_sheet(session, town.officer("024", "handler"), grant, today=shanghai_day(town.now())).state


def confirms(town: Town, case: int, **changed: Any) -> None:
    """Accepted, explained, and found to be true on 2026-03-05."""
    town.does(case, "Task_Accept", at="2026-03-03 10:00", acceptance="accept")
    town.does(case, "Task_Statement", at="2026-03-04 10:00", statement="系外包公司所为。", statement_logs="见附件。")
    found: dict[str, Any] = {"verification": "confirmed", "verification_note": "向第三方提供属实。", "suspend_scope": "grant", **changed}
    town.does(case, "Task_Verify", at="2026-03-05 10:00", **found)


def test_confirmed_it_is_suspended_put_right_and_resumed(town: Town) -> None:
    grant = granted(town)
    case = reports(town, grant)
    assert (town.view(case, "Task_Accept").due_day, state_of(town, grant)) == (date(2026, 3, 4), "active")
    confirms(town, case)
    assert state_of(town, grant) == "suspended"
    notice = letters(town, case)["suspension_notice"]
    assert (notice.number, notice.article) == ("经发中心暂停〔2026〕1号", "第十八条")
    assert "共享授权〔2026〕1号" in text_of(town, case, "suspension_notice")
    for unit, post, title in (("007", "head", "共享已暂停"), ("013", "intake", "共享已暂停"), ("024", "platform_operator", "请暂停共享")):
        assert title in told(town, unit, post)
    town.does(case, "Task_Rule", at="2026-03-06 10:00", decision="rectify", decision_note="情节较轻。")
    (order,) = town.children(case, "rectification")
    sheet = town.sheet(order)
    assert sheet.current_steps == ["Task_Draft"] and sheet.variables["rectified_unit"] == "007"
    town.does(order, "Task_Draft", demand="收回已提供的数据。", promise_no_secrets=True)
    assert town.sheet(order).variables["grounds"] == ["（四）"]
    assert town.sheet(order).variables["facts"] == "向第三方提供属实。"
    town.does(order, "Task_Review", review="pass")
    town.does(order, "Task_Sign", signing="sign")
    town.does(order, "Task_Receive", received_by="演示签收人", receiver_phone="0419-0000000")
    town.does(order, "Task_Plan", plan="收回数据。", plan_officer="演示责任人", plan_day="2026-03-10")
    town.does(order, "Task_Report", at="2026-03-10 10:00", report_action="submit", report="已收回。")
    assert state_of(town, grant) == "suspended"
    town.does(order, "Task_Verify", verification="pass", verification_note="已核实。")
    assert state_of(town, grant) == "active"
    assert town.sheet(case).outcome_name == "已恢复共享"
    assert "共享已恢复" in told(town, "007", "head")
    with town.store.read() as session:
        (kept,) = session.scalars(select(GrantSuspension)).all()
    assert (kept.instance_id, kept.grant_id, kept.lifted_at is not None) == (case, grant, True)


def test_a_serious_one_ends_the_grant_and_the_data_are_disposed_of(town: Town) -> None:
    grant = granted(town)
    case = reports(town, grant, unit="024", post="supervisor")
    confirms(town, case)
    town.does(case, "Task_Rule", decision="terminate", decision_note="多次违规。")
    assert state_of(town, grant) == "ended"
    assert "终止" in letters(town, case)["termination_notice"].number
    assert town.view(case, "Task_Dispose").due_day == date(2026, 3, 12)
    town.does(
        case, "Task_Dispose", stopped_on="2026-03-05", disposal="deleted", disposal_note="已删除，两人见证。", disposal_promise=True
    )
    assert town.sheet(case).outcome_name == "已终止共享"


def test_rectification_missed_ends_the_grant_as_well(town: Town) -> None:
    grant = granted(town)
    case = reports(town, grant)
    confirms(town, case)
    town.does(case, "Task_Rule", decision="rectify", decision_note="先行整改。")
    (order,) = town.children(case, "rectification")
    town.does(order, "Task_Draft", demand="收回已提供的数据。", promise_no_secrets=True)
    town.does(order, "Task_Review", review="pass")
    town.does(order, "Task_Sign", signing="sign")
    town.passes_until("2026-04-15 09:00")
    town.does(order, "Task_GroupReview", reviewed_on="2026-04-15", group_opinion="上报。")
    town.does(order, "Task_Record", instructed_by="演示市领导", instructed_on="2026-04-15", instruction="终止共享。")
    assert state_of(town, grant) == "ended"
    assert town.sheet(case).current_steps == ["Task_Dispose"]


def test_silence_does_not_hold_the_verification_up(town: Town) -> None:
    case = reports(town, granted(town))
    town.does(case, "Task_Accept", at="2026-03-03 10:00", acceptance="accept")
    assert "情况说明" in town.inbox(town.officer("007", "head"))
    town.passes_until("2026-03-07 00:00")  # three working days: Friday the 6th was the last
    assert town.sheet(case).current_steps == ["Task_Verify"]


def test_what_is_unfounded_or_not_taken_up_changes_nothing(town: Town) -> None:
    grant = granted(town)
    case = reports(town, grant)
    confirms(town, case, verification="unfounded", verification_note="日志正常。", suspend_scope=None)
    assert (town.sheet(case).outcome_name, state_of(town, grant)) == ("查无实据", "active")
    other = reports(town, grant, at="2026-03-09 09:00")
    town.does(other, "Task_Accept", acceptance="reject", reject_reason="重复反映。", opinion="不予受理。")
    assert (town.sheet(other).outcome_name, state_of(town, grant)) == ("不予受理", "active")


def test_all_grants_of_the_unit_for_the_resource_may_be_suspended_and_no_other(town: Town) -> None:
    first = granted(town)
    second = granted(town, "2026-02-24 09:30")
    case = reports(town, first)
    confirms(town, case, suspend_scope="all")
    assert {state_of(town, first), state_of(town, second)} == {"suspended"}
    with town.store.read() as session:
        page = grants.search(session, town.officer("024", "handler"), today=shanghai_day(town.now()), state="suspended")
    assert {line.resource_code for line in page.lines} == {HOUSING}


def test_a_third_department_has_nothing_to_report_about_this_grant(town: Town) -> None:
    grant = granted(town)
    for unit, given in (("014", grant), ("013", 999)):
        with pytest.raises(Invalid):
            reports(town, given, unit=unit)
