"""整改: a unit is put under an order by the office (article 32), puts it right in time or is reported, on real dates of 2026."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from engine.people.actor import Actor
from engine.process.instances import start_by_system
from engine.sharing import rectification
from engine.sharing.rectification import OrderLine
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed
from tests.engine.processes.duties import texts
from tests.engine.processes.oversight import letters, starts, text_of, told
from tests.town import Town

PROCESS = "rectification"
CATALOGUE: Mapping[str, Any] = {
    "rectified_unit": "013",
    "grounds": ["（一）"],
    "facts": "公租房保障对象目录自2025年6月起未更新。",
    "evidence": "目录版本记录（209001/000001 第1版）。",
    "clause": "第十条、第十一条",
    "demand": "十五个工作日内完成目录全面维护并提交报告。",
}


def orders(town: Town, **changed: Any) -> int:
    """The office drafts, reviews and signs an order, which is served on Monday 2026-10-12."""
    case = starts(town, PROCESS, "024", "handler", at="2026-10-12 09:00", **{**CATALOGUE, **changed})
    town.does(case, "Task_Review", review="pass")
    town.does(case, "Task_Sign", signing="sign")
    return case


def receives(town: Town, case: int) -> None:
    town.does(case, "Task_Receive", at="2026-10-12 15:00", received_by="演示签收人", receiver_phone="0419-0000000")
    town.does(
        case, "Task_Plan", at="2026-10-15 10:00", plan="逐条核对目录，更新十二项要素。", plan_officer="演示责任人", plan_day="2026-10-28"
    )


def register(town: Town, reader: Actor | None = None) -> list[OrderLine]:
    with town.store.read() as session:
        return rectification.search(session, reader or town.officer("024", "handler")).lines


def due(town: Town, case: int, step: str) -> date | None:
    return town.view(case, step).due_day


def test_s34_an_order_served_on_12_october_is_due_on_2_november(town: Town) -> None:
    case = orders(town)
    assert due(town, case, "Task_Receive") == date(2026, 10, 13)  # one working day to sign for it
    receives(town, case)
    assert due(town, case, "Task_Report") == date(2026, 11, 2)
    (line,) = register(town)
    assert (line.number, line.unit_code, line.grounds, line.state) == ("整改〔2026〕1号", "013", ("（一）",), "open")
    assert (line.served_at, line.due_day, line.instance_id) == (shanghai("2026-10-12 09:00"), date(2026, 11, 2), case)
    notice = letters(town, case)["rectification_notice"]
    assert (notice.title, notice.number, notice.article) == ("整改通知书", "经发中心整改〔2026〕1号", "第三十二条")
    said = text_of(town, case, "rectification_notice")
    assert "（一）未按要求编制或更新政务信息资源目录" in said and "2026年11月2日前" in said and "目录版本记录" in said
    town.passes_until("2026-10-27 23:59")
    assert town.view(case, "Task_Report").light == "green"
    assert "临近整改时限" not in told(town, "013", "head")
    town.passes_until("2026-10-28 00:00")  # three working days before
    assert town.view(case, "Task_Report").light == "yellow"
    assert "临近整改时限" in told(town, "013", "head")


def test_an_order_over_the_year_end_says_in_its_letter_and_notices_that_the_day_is_not_certain(town: Town) -> None:
    case = starts(town, PROCESS, "024", "handler", at="2026-12-14 09:00", **CATALOGUE)
    town.does(case, "Task_Review", review="pass")
    town.does(case, "Task_Sign", signing="sign")
    assert "于2027年1月5日（暂定）前" in text_of(town, case, "rectification_notice")
    (line,) = register(town)
    assert (line.due_day, line.provisional) == (date(2027, 1, 5), True)
    town.passes_until("2026-12-30 00:00")
    said = texts(town, "013", "head")
    assert any("请于2027年1月5日（暂定）前完成整改" in text for text in said)
    assert any("整改时限临近" in text and "截止日：2027年1月5日（暂定）。" in text for text in said)


def test_s34_unfinished_it_goes_to_the_leading_group_and_on_to_the_city_government(town: Town) -> None:
    case = orders(town)
    receives(town, case)
    group, city = town.officer("001", "leading_group_member"), town.officer("001", "recorder")
    with pytest.raises(NotAllowed):
        town.sheet(case, group)
    town.passes_until("2026-11-02 23:59")
    assert town.sheet(case).current_steps == ["Task_Report"]
    town.passes_until("2026-11-03 00:00")
    assert town.sheet(case).current_steps == ["Task_GroupReview"]
    assert "领导小组审议" in town.inbox(group)
    with pytest.raises(AssertionError):  # the order is out of the unit's hands
        town.task(case, "Task_Report")
    assert due(town, case, "Task_GroupReview") == date(2026, 11, 17)
    report = text_of(town, case, "overdue_report", group)
    for fact in ("经发中心整改〔2026〕1号", "2026年10月12日", "2026年11月2日", "目录版本记录", "逐条核对目录"):
        assert fact in report
    draft = town.sheet(case, group).variables["report_draft"]
    for fact in ("经发中心整改〔2026〕1号", "2026年10月12日", "2026年11月2日", "目录版本记录", "公租房保障对象目录"):
        assert fact in draft
    assert town.sheet(case, city).number == "整改件〔2026〕1号"  # escalated: both see it now
    assert [line.state for line in register(town, group)] == ["overdue"]
    town.does(case, "Task_GroupReview", at="2026-11-05 10:00", reviewed_on="2026-11-05", group_opinion="同意上报市政府。")
    sent = letters(town, case)["government_report"]
    assert (sent.title, sent.unit_name[:3]) == ("关于未按时限完成整改情况的报告", "辽阳市")
    assert "目录版本记录" in text_of(town, case, "government_report") and "上报市政府报告" in told(town, "001", "recorder")
    town.does(
        case, "Task_Record", at="2026-11-10 10:00", instructed_by="演示市领导", instructed_on="2026-11-09",
        instruction="请市住建局限期整改，办公室跟踪。",
    )  # fmt: skip
    assert (town.sheet(case).state, town.sheet(case).outcome_name) == ("completed", "已上报")
    (line,) = register(town, city)
    assert (line.state_label, line.instruction, line.instructed_on) == (
        "已上报市政府", "请市住建局限期整改，办公室跟踪。", date(2026, 11, 9)
    )  # fmt: skip
    assert (line.ended_at, line.reported_at) == (shanghai("2026-11-03 00:00"), shanghai("2026-11-10 10:00"))
    assert "市政府对整改事项的批示" in told(town, "013", "head")


def test_put_right_and_verified_it_is_closed_and_the_office_s_own_time_does_not_count(town: Town) -> None:
    case = orders(town)
    receives(town, case)
    town.does(case, "Task_Report", at="2026-10-30 10:00", report_action="submit", report="目录已全部更新。")
    town.passes_until("2026-11-04 09:00")  # past the last day, but the report was in time
    assert town.sheet(case).current_steps == ["Task_Verify"]
    town.does(case, "Task_Verify", verification="fail", verification_note="两项要素仍未更新。", opinion="继续整改。")
    assert due(town, case, "Task_Report") == date(2026, 11, 5)  # 31 October to 4 November were the office's
    town.does(case, "Task_Report", at="2026-11-05 16:00", report_action="submit", report="两项要素已更新。")
    town.does(case, "Task_Verify", at="2026-11-06 10:00", verification="pass", verification_note="抽查一致。")
    assert town.sheet(case).outcome_name == "已销号"
    assert letters(town, case)["closing_notice"].number == "经发中心整改销号〔2026〕1号"
    assert [line.state for line in register(town)] == ["closed"]
    assert "整改已销号" in told(town, "013", "head")
    assert "领导小组审议" not in town.inbox(town.officer("001", "leading_group_member"))


def test_one_extension_by_the_office_s_head_moves_the_one_clock(town: Town) -> None:
    case = orders(town)
    receives(town, case)
    asked: dict[str, Any] = {"report_action": "extend", "report": None, "extension_reason": "供应商改造接口需要时间。", "extension_asked": 10}
    town.does(case, "Task_Report", at="2026-10-29 10:00", **asked)
    assert "审批延期" in town.inbox(town.officer("024", "head"))
    town.does(case, "Task_Extension", at="2026-10-29 16:00", extension_decision="grant")
    assert due(town, case, "Task_Report") == date(2026, 11, 16)  # ten more working days
    assert town.view(case, "Task_Report").light == "green"
    (line,) = register(town)
    assert (line.extended_days, line.due_day) == (10, date(2026, 11, 16))
    (clock,) = [clock for clock in town.sheet(case).clocks if clock.activity == "限期整改"]
    assert clock.working_days == 25
    with pytest.raises(Invalid):  # there is no second one
        town.does(case, "Task_Report", **asked)
    town.passes_until("2026-11-11 00:00")
    assert town.view(case, "Task_Report").light == "yellow"  # it reminds again, three working days before
    assert any(title.startswith("临期提醒") for title in told(town, "013", "head"))
    town.passes_until("2026-11-17 00:00")
    assert town.sheet(case).current_steps == ["Task_GroupReview"]
    report = text_of(town, case, "overdue_report")
    assert "另准予延期10个工作日" in report and "2026年11月16日" in report


def test_a_refused_extension_changes_nothing(town: Town) -> None:
    case = orders(town)
    receives(town, case)
    town.does(
        case, "Task_Report", at="2026-10-20 10:00", report_action="extend", report=None, extension_reason="人手不足。",
        extension_asked=5,
    )  # fmt: skip
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Extension", at="2026-10-20 15:00", extension_decision="refuse", extension_days=None)
    assert "opinion" in refused.value.fields
    town.does(case, "Task_Extension", extension_decision="refuse", extension_days=None, opinion="理由不充分。")
    assert due(town, case, "Task_Report") == date(2026, 11, 2)
    assert "整改延期申请已审批" in told(town, "013", "head")
    with pytest.raises(Invalid):
        town.does(case, "Task_Report", report_action="extend", report=None, extension_reason="再次申请", extension_asked=5)
    town.does(case, "Task_Report", report="已完成。")
    assert town.sheet(case).current_steps == ["Task_Verify"]


def test_before_it_is_signed_it_may_go_back_or_be_dropped_and_nobody_outside_knows(town: Town) -> None:
    case = starts(town, PROCESS, "024", "supervisor", at="2026-10-12 09:00", **CATALOGUE)
    with pytest.raises(NotAllowed):
        town.sheet(case, town.officer("013", "head"))
    town.does(case, "Task_Review", review="return", opinion="补充证据。")
    town.does(case, "Task_Draft", evidence="补充的目录截图。", promise_no_secrets=True)
    town.does(case, "Task_Review", review="pass")
    town.does(case, "Task_Sign", signing="return", opinion="要求不具体。")
    town.does(case, "Task_Draft", demand="更新十二项要素。", promise_no_secrets=True)
    town.does(case, "Task_Review", review="pass")
    town.does(case, "Task_Sign", signing="drop", opinion="情节轻微，已自行纠正。")
    assert town.sheet(case).outcome == "dropped"
    assert (register(town), letters(town, case)) == ([], {})


def test_several_grounds_at_once_against_a_county(town: Town) -> None:
    case = orders(town, rectified_unit="902", grounds=["（一）", "（三）", "（六）"])
    said = text_of(town, case, "rectification_notice")
    assert "（三）向共享平台提供的数据和本部门所掌握信息不一致" in said and "（六）违反本办法规定的其他行为" in said
    assert "（二）" not in said
    receives(town, case)
    assert "提交整改报告" in town.inbox(town.officer("902", "head"))
    assert [line.unit_code for line in register(town, town.officer("902", "county_liaison"))] == ["902"]
    assert register(town, town.officer("013", "head")) == []


def test_a_notice_nobody_signs_for_is_supervised(town: Town) -> None:
    case = orders(town)
    town.passes_until("2026-10-14 00:00")
    assert len(town.children(case, "supervision")) == 1
    town.passes_until("2026-11-03 00:00")  # and it does not stop the clock
    assert town.sheet(case).current_steps == ["Task_GroupReview"]
    assert town.sheet(town.children(case, "supervision")[0]).outcome_name == "已销号"


def test_only_the_office_orders_and_not_without_a_ground(town: Town) -> None:
    with pytest.raises(NotAllowed):
        starts(town, PROCESS, "013", "handler", at="2026-10-12 09:00", **{**CATALOGUE, "rectified_unit": "007"})
    with pytest.raises(Invalid) as refused:
        starts(town, PROCESS, "024", "handler", **{**CATALOGUE, "grounds": None})
    assert "grounds" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        starts(town, PROCESS, "024", "handler", **{**CATALOGUE, "rectified_unit": "024"})  # nobody rectifies themselves
    assert "rectified_unit" in refused.value.fields


def test_a_supervision_case_gives_unit_grounds_and_facts(town: Town) -> None:
    asked = town.submits(at="2026-02-10 09:30")
    town.passes_until("2026-03-05 00:00")
    (order,) = town.children(asked, "supervision")
    case = starts(town, PROCESS, "024", "head", about={"source": str(order)}, demand="立即答复。")
    sheet = town.sheet(case)
    assert sheet.variables["rectified_unit"] == "013"
    assert sheet.variables["grounds"] == ["（二）", "（六）"]
    assert "共享申请〔2026〕1号" in sheet.variables["facts"] and "督办〔2026〕1号" in sheet.variables["facts"]
    town.does(case, "Task_Review", review="pass")
    town.does(case, "Task_Sign", signing="sign")
    assert [line.source_id for line in register(town)] == [asked]


def test_another_process_may_bring_it_and_the_office_words_it(town: Town) -> None:
    town.passes_until("2026-10-12 09:00")
    with town.store.work() as work:
        case = start_by_system(
            work, PROCESS, unit_code="024",
            variables={"rectified_unit": "013", "suggested_grounds": ["（六）"], "suggested_facts": "未按期报送第三季度报告。"},
        )  # fmt: skip
    assert "拟稿" in town.inbox(town.officer("024", "handler"))
    town.does(case, "Task_Draft", demand="三个工作日内补报。", promise_no_secrets=True)
    assert town.sheet(case).variables["facts"] == "未按期报送第三季度报告。"
    assert town.sheet(case).current_steps == ["Task_Review"]
