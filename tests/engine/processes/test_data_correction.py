"""数据校核: a unit doubts data that it obtained (article 20); business goes on, grants stay, consumers fetch anew. Dates of 2026."""

from __future__ import annotations

from datetime import date

import pytest

from calendars.deadline import shanghai_day
from engine.sharing import corrections, grants
from engine.sharing.corrections import CorrectionLine
from engine.store.errors import Invalid
from tests.engine.processes.oversight import letters, starts, text_of, told
from tests.town import HOUSING, Town

PROCESS = "data_correction"
#: 商品房预售许可 of 013, shared unconditionally.
PERMITS = "209001/000002"


def shared(town: Town, unit: str = "007") -> None:
    """The unit obtains 公租房保障对象."""
    case = town.submits(unit, at="2026-02-10 09:30")
    town.reviews(case)
    town.does(case, "Task_Reply")
    town.does(case, "Task_SupplyByPlatform")
    town.does(case, "Task_Accept")


def doubts(town: Town, *, at: str = "2026-03-02 10:00", unit: str = "007", resource: str = HOUSING) -> int:
    return starts(
        town, PROCESS, unit, "handler", at=at, about={"resource_code": resource}, doubt_kind="error",
        doubted_fields=["保障起止"] if resource == HOUSING else ["许可证号"], record_keys="保障编号2026-0101",
        doubt="终止日期早于起始日期。", affected_business="低保审核，2026年3月6日前办结。",
    )  # fmt: skip


def checks(town: Town, resource: str = HOUSING, unit: str = "014") -> list[CorrectionLine]:
    """What the page of the resource tells somebody of another department."""
    with town.store.read() as session:
        return corrections.corrections_of(session, town.officer(unit, "handler"), resource)


def active_grants(town: Town) -> list[str]:
    with town.store.read() as session:
        page = grants.search(session, town.officer("024", "handler"), today=shanghai_day(town.now()), state="active")
    return [line.unit_code for line in page.lines]


def test_under_check_the_resource_says_that_business_goes_on_and_grants_stay(town: Town) -> None:
    shared(town)
    case = doubts(town)
    assert town.view(case, "Task_Check").due_day == date(2026, 3, 9)
    (line,) = checks(town)
    assert line.open and line.number == "校核〔2026〕1号" and line.fields == ("保障起止",)
    assert "受理单位应照常办理（第二十条）" in line.banner
    assert line.instance_id is None, "the case itself is for the two units"
    assert checks(town, unit="007")[0].instance_id == case
    assert "请校核数据" in told(town, "013", "intake")
    assert active_grants(town) == ["007"]


def test_what_was_wrong_is_corrected_and_every_consumer_fetches_it_anew(town: Town) -> None:
    shared(town)
    shared(town, "022")
    case = doubts(town)
    town.does(case, "Task_Check", at="2026-03-05 10:00", finding="corrected", finding_note="录入错误，已更正。", corrected_on="2026-03-05")
    (line,) = checks(town)
    assert (line.open, line.state_label) == (False, "已更正")
    feedback = letters(town, case)["correction_feedback"]
    assert (feedback.number, feedback.article) == ("住建校核〔2026〕1号", "第二十条")
    assert "数据有误，已更正" in text_of(town, case, "correction_feedback")
    assert "数据已更正" in told(town, "007", "handler")
    for unit in ("007", "022"):
        assert "重新获取数据" in town.inbox(town.officer(unit, "handler"))
        town.does(case, "Task_Resync", unit=unit, at="2026-03-06 10:00", resync="updated")
    assert town.sheet(case).outcome_name == "已更正"
    assert sorted(active_grants(town)) == ["007", "022"]


def test_an_unfounded_doubt_is_answered_and_filed(town: Town) -> None:
    case = doubts(town, unit="014", resource=PERMITS)  # unconditional: nobody needs a grant to doubt it
    town.does(case, "Task_Check", at="2026-03-04 10:00", finding="unfounded", finding_note="与许可档案一致。")
    assert checks(town, PERMITS)[0].open, "until the other side has read the answer"
    town.does(case, "Task_Acknowledge", at="2026-03-05 10:00", acknowledgement="accept")
    assert (town.sheet(case).outcome_name, checks(town, PERMITS)[0].state) == ("不成立", "unfounded")


def test_nobody_needs_to_acknowledge_for_ever(town: Town) -> None:
    case = doubts(town, unit="014", resource=PERMITS)
    town.does(case, "Task_Check", at="2026-03-04 10:00", finding="unfounded", finding_note="与许可档案一致。")
    town.passes_until("2026-03-19 00:00")
    assert town.sheet(case).outcome_name == "不成立"


def test_a_doubt_that_stays_is_checked_once_more_by_the_head(town: Town) -> None:
    for finding, outcome in (("unfounded", "unfounded"), ("corrected", "corrected")):
        case = doubts(town, at="2026-03-02 10:00", unit="014", resource=PERMITS)
        town.does(case, "Task_Check", finding="unfounded", finding_note="与许可档案一致。")
        with pytest.raises(Invalid):
            town.does(case, "Task_Acknowledge", acknowledgement="dispute")
        town.does(case, "Task_Acknowledge", acknowledgement="dispute", dispute_reason="与现场公示不一致。")
        assert "负责人复核" in town.inbox(town.officer("013", "head"))
        day = "2026-03-02" if finding == "corrected" else None
        town.does(case, "Task_CheckAgain", finding=finding, finding_note="已到现场核对。", corrected_on=day)
        assert (town.sheet(case).state, town.sheet(case).outcome) == ("completed", outcome)
        assert "已到现场核对" in text_of(town, case, "correction_feedback")


def test_a_provider_that_does_not_check_is_supervised(town: Town) -> None:
    shared(town)
    case = doubts(town)
    town.passes_until("2026-03-10 00:00")
    assert len(town.children(case, "supervision")) == 1
    assert checks(town)[0].open


def test_only_who_obtained_the_data_can_doubt_them(town: Town) -> None:
    for unit, resource, why in (
        ("014", HOUSING, "没有获得"), ("013", PERMITS, "本单位提供"), ("007", "3070211000026/000001", "没有获得"), ("007", "没有", "请选择"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            doubts(town, unit=unit, resource=resource)
        assert why in refused.value.fields["resource_code"]
