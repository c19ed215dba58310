"""移出审核: a provider asks that its own entry be taken off the negative list (article 22), on real dates of 2026."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.store.errors import Invalid, NotAllowed
from tests.engine.processes.withheld import TAXES, entry_of, letters, office_entry, sheet_of, text_of, told
from tests.town import Town

PROCESS = "negative_list_removal"


def applies(town: Town, at: str, *, unit: str = "026", post: str = "cataloguer", resource: str = TAXES, **answers: str) -> int:
    given: dict[str, Any] = {
        "change_kind": "reassessed", "basis_change": "保密义务不等于不予共享。", "new_class": "conditional",
        "shared_conditions": "按人核验", "shared_method": "联机查询", **answers,
    }  # fmt: skip
    return town.starts(PROCESS, unit, post, resource=resource, at=at, promise_no_secrets=True, **given)


def first_reviewed(town: Town, case: int) -> None:
    town.does(case, "Task_FirstReview", first_finding="remove", first_note="可以共享。")


def test_approved_the_entry_is_closed_and_those_who_had_asked_are_told(town: Town) -> None:
    objection = town.starts(
        "negative_list_objection", "007", "handler", resource=TAXES, at="2026-09-01 10:00", ground="insufficient",
        objection_reason="第六条要求共享。", promise_no_secrets=True,
    )  # fmt: skip
    town.does(objection, "Task_Accept", acceptance="refuse", non_acceptance_reason="材料不全。", opinion="材料不全。")
    before = sheet_of(town).version
    case = applies(town, "2026-09-24 10:00")
    assert town.view(case, "Task_FirstReview").due_day == date(2026, 10, 15)
    first_reviewed(town, case)
    town.does(case, "Task_Decide", at="2026-10-12 10:00", decision="remove", decision_reason="可以共享。")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("removed", "移出")
    sheet = sheet_of(town)
    assert (sheet.line.sharing_class, sheet.conditions, sheet.line.method) == ("conditional", "按人核验", "联机查询")
    assert (sheet.version, sheet.versions[0].instance_id, entry_of(town).state) == (before + 1, case, "closed")
    assert letters(town, case) == {"removal_decision": "经发中心移出〔2026〕1号"}
    assert "调整为有条件共享" in text_of(town, case, "removal_decision")
    assert "已移出负面清单" in told(town, "007", "handler")
    assert "已移出负面清单" in told(town, "026", "cataloguer")
    assert "已移出负面清单" not in told(town, "014", "handler")  # never asked for it


def test_refused_the_entry_stays(town: Town) -> None:
    case = applies(town, "2026-09-24 10:00")
    first_reviewed(town, case)
    with pytest.raises(Invalid):
        town.does(case, "Task_Decide", decision="keep", decision_reason=None)
    town.does(case, "Task_Decide", decision="keep", decision_reason="尚无修订。")
    assert (town.sheet(case).outcome_name, entry_of(town).state) == ("维持", "listed")
    assert letters(town, case) == {"removal_refusal": "经发中心不予移出〔2026〕1号"}
    assert sheet_of(town).line.sharing_class == "withheld"


def test_only_its_own_listed_resource_and_only_by_its_cataloguer(town: Town) -> None:
    with pytest.raises(Invalid) as refused:
        applies(town, "2026-09-24 10:00", unit="007")
    assert "不是本单位" in refused.value.fields["resource_code"]
    with pytest.raises(Invalid) as refused:
        applies(town, "2026-09-24 10:00", resource="3070211000026/000002")
    assert "不在负面清单" in refused.value.fields["resource_code"]
    with pytest.raises(NotAllowed):
        applies(town, "2026-09-24 10:00", post="head")


def test_while_it_runs_an_objection_is_told_to_wait(town: Town) -> None:
    case = applies(town, "2026-09-24 10:00")
    with pytest.raises(Invalid) as refused:
        town.starts(
            "negative_list_objection", "007", "handler", resource=TAXES, ground="lapsed", objection_reason="已修订",
            promise_no_secrets=True,
        )  # fmt: skip
    assert town.sheet(case).number in refused.value.fields["resource_code"]


def test_the_office_s_own_entry_is_decided_by_the_leading_group(town: Town) -> None:
    code = office_entry(town)
    case = applies(town, "2026-09-24 10:00", unit="024", resource=code, new_class="unconditional")
    assert town.sheet(case).current_steps == ["Task_GroupDecide"]
    town.does(case, "Task_GroupDecide", decision="remove", decision_reason="可以共享。")
    assert letters(town, case)["removal_decision"].startswith("府办")
    assert sheet_of(town, code).line.sharing_class == "unconditional"


def test_an_office_that_does_not_decide_is_supervised_and_nothing_changes(town: Town) -> None:
    case = applies(town, "2026-09-24 10:00")
    town.passes_until("2026-10-16 00:00")
    assert len(town.children(case, "supervision")) == 1
    town.passes_until("2026-10-20 00:00")
    assert "移出审核逾期" in told(town, "001", "leading_group_member")
    assert (town.sheet(case).state, entry_of(town).state) == ("running", "listed")
