"""有条件共享 under the national regulation (articles 21 and 22), activated with an effective date: what came before keeps the old limits."""

from __future__ import annotations

from datetime import date

import pytest

from engine.process.definitions import deployed
from engine.process.tables import Instance
from engine.store.errors import Invalid
from tests.engine.processes.national import activate
from tests.engine.processes.oversight import letters, told
from tests.town import Town

SHARE = "conditional_share"


@pytest.fixture
def national(town: Town) -> Town:
    """The town, where requests follow the national regulation."""
    activate(town, SHARE)
    return town


def asked(town: Town) -> int:
    """S01: 民政局 asks for 公租房保障对象 on Tuesday 2026-02-10; the reply is due on 2026-03-02."""
    return town.submits(at="2026-02-10 09:30")


def due(town: Town, case: int, step: str) -> date | None:
    return town.view(case, step).due_day


def asks_for_more(town: Town, case: int, *, days: int = 10, at: str = "2026-02-26 09:00") -> None:
    town.does(case, "Task_AskExtension", at=at, extension_wish="ask", extension_reason="数据量大，需要逐项核验。", extension_days=days)


def test_a_case_received_the_day_before_keeps_the_old_limits(town: Town) -> None:
    activate(town, SHARE, effective="2026-02-11 00:00")
    before, after = asked(town), town.submits(at="2026-02-11 09:30")
    for case in (before, after):
        town.reviews(case)
        town.does(case, "Task_Reply", supply_by="2026-03-10")
    assert due(town, before, "Task_SupplyByPlatform") == date(2026, 3, 3)  # ten working days, our own default
    assert due(town, after, "Task_SupplyByPlatform") == date(2026, 3, 17)  # twenty, the law's
    with town.store.read() as session:
        versions = [session.get_one(Instance, case).definition_id for case in (before, after)]
        assert [deployed(session, version).rule_set for version in versions] == ["liaoyang_2018", "national_2025"]


def test_s13_what_is_agreed_to_on_2_march_is_supplied_by_30_march(national: Town) -> None:
    case = asked(national)
    assert due(national, case, "Task_Intake") == date(2026, 3, 2)
    national.reviews(case)
    national.does(case, "Task_Reply", at="2026-03-02 10:00", decision="conditional", conditions="按人核验", supply_by="2026-03-20")
    assert due(national, case, "Task_SupplyByPlatform") == date(2026, 3, 30)
    letter = letters(national, case)["reply_letter"]
    assert (letter.title, letter.article) == ("共享答复函", "第二十一条")
    national.does(case, "Task_SupplyByPlatform")
    national.does(case, "Task_Accept")
    assert national.sheet(case).outcome_name == "已共享"


def test_the_provider_may_ask_once_for_more_time_before_the_limit_and_the_asking_unit_is_told(national: Town) -> None:
    case = asked(national)
    national.passes_until("2026-02-24 23:59")
    assert "提出延期" not in national.inbox(national.officer("013", "head"))
    national.passes_until("2026-02-25 00:00")  # five of the ten working days are gone
    assert "提出延期" in national.inbox(national.officer("013", "head"))
    asks_for_more(national, case)
    assert "审批延期" in national.inbox(national.officer("024", "head"))
    national.does(case, "Task_DecideExtension", at="2026-02-27 09:00", extension_decision="grant")
    assert due(national, case, "Task_Intake") == date(2026, 3, 16)
    assert "共享申请延期答复" in told(national, "007", "handler")
    assert "延期申请已审批" in told(national, "013", "head")
    national.passes_until("2026-03-16 23:59")
    assert national.view(case, "Task_Intake").light == "yellow"
    assert national.children(case, "supervision") == []
    assert "提出延期" not in national.inbox(national.officer("013", "head"))  # once
    national.passes_until("2026-03-17 00:00")
    assert len(national.children(case, "supervision")) == 1


def test_no_more_than_ten_working_days_can_be_asked_for(national: Town) -> None:
    case = asked(national)
    national.passes_until("2026-02-25 00:00")
    with pytest.raises(Invalid) as refused:
        asks_for_more(national, case, days=11)
    assert "extension_days" in refused.value.fields


def test_what_the_regulator_does_not_grant_leaves_the_limit_alone(national: Town) -> None:
    case = asked(national)
    national.passes_until("2026-02-25 00:00")
    asks_for_more(national, case)
    national.does(case, "Task_DecideExtension", at="2026-02-27 09:00", extension_decision="refuse", opinion="理由不充分。")
    assert due(national, case, "Task_Intake") == date(2026, 3, 2)
    assert "共享申请延期答复" not in told(national, "007", "handler")


def test_an_extension_decided_after_the_limit_extends_nothing(national: Town) -> None:
    case = asked(national)
    national.passes_until("2026-02-25 00:00")
    asks_for_more(national, case)
    national.passes_until("2026-03-03 00:00")
    assert len(national.children(case, "supervision")) == 2  # of the reply, and of the regulator's own delay
    national.does(case, "Task_DecideExtension", at="2026-03-03 09:00", extension_decision="grant")
    assert due(national, case, "Task_Intake") == date(2026, 3, 2)
    assert "共享申请延期答复" not in told(national, "007", "handler")


def test_a_reply_ends_the_question_of_more_time(national: Town) -> None:
    case = asked(national)
    national.passes_until("2026-02-25 00:00")
    national.reviews(case)
    national.does(case, "Task_Reply", decision="refuse", refusal_type="necessity", refusal_reason="超出履行职责需要。")
    assert "提出延期" not in national.inbox(national.officer("013", "head"))
    assert "审批延期" not in national.inbox(national.officer("024", "head"))


def test_material_is_asked_for_once_and_the_clock_stops(national: Town) -> None:
    case = national.submits(at="2026-04-28 10:00")
    national.does(case, "Task_Intake", at="2026-05-06 10:00", completeness="supplement", supplement_needed="职责依据。")
    national.does(case, "Task_Supplement", at="2026-05-08 10:00")
    assert due(national, case, "Task_SupplementReceipt") == date(2026, 5, 18)
