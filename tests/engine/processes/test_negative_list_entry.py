"""列入审核: a provider proposes its resource for the negative list (article 9); only law, regulation or central policy lists."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.people.units import unit_id_of
from engine.sharing.catalogue import add_resource, lock_resource
from engine.sharing.negative_list import enter
from engine.store.errors import Invalid
from tests.engine.processes.withheld import TAXES, entry_of, letters, sheet_of, text_of, told
from tests.town import HOUSING, Town

PROCESS = "negative_list_entry"
#: 公交线路实时位置 of 014, marked as withheld without any basis, hence not published.
BUSES = "3070211000014/000002"


def proposes(town: Town, at: str, *, unit: str = "013", resource: str = HOUSING, **answers: object) -> int:
    given: dict[str, Any] = {
        "listed_fields": ["房源地址"], "basis_type": "law", "basis": "某某法", "basis_article": "第八条", "basis_text": "应当保密。",
        "partial_reason": "不能脱敏。", **answers,
    }  # fmt: skip
    return town.starts(PROCESS, unit, "cataloguer", resource=resource, at=at, promise_no_secrets=True, **given)


def reviewed(town: Town, case: int) -> None:
    town.does(case, "Task_FirstReview")
    town.does(case, "Task_LegalReview")


def test_upheld_it_is_listed_withheld_and_everybody_who_had_asked_is_told(town: Town) -> None:
    town.submits(at="2026-09-01 09:30")
    case = proposes(town, "2026-09-24 10:00")
    assert town.view(case, "Task_FirstReview").due_day == date(2026, 10, 15)
    assert sheet_of(town, HOUSING).line.sharing_class == "conditional"  # in review it stays as it is
    reviewed(town, case)
    town.does(case, "Task_Decide", decision="list")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("listed", "已列入")
    entry, sheet = entry_of(town, HOUSING), sheet_of(town, HOUSING)
    assert (entry.state, entry.basis, entry.article) == ("listed", "某某法", "第八条")
    assert (sheet.line.sharing_class, sheet.items, sheet.versions[0].instance_id) == ("withheld", None, case)
    assert letters(town, case) == {"listing_decision": "经发中心列入〔2026〕1号"}
    assert "《某某法》第八条" in text_of(town, case, "listing_decision")
    assert "已列入负面清单" in told(town, "007", "handler") and "已列入负面清单" in told(town, "013", "cataloguer")


def test_a_basis_that_does_not_hold_changes_nothing(town: Town) -> None:
    case = proposes(town, "2026-09-24 10:00")
    reviewed(town, case)
    town.does(case, "Task_Decide", decision="reject", decision_reason="只规定保密义务。")
    assert town.sheet(case).outcome_name == "不予列入"
    assert (sheet_of(town, HOUSING).line.sharing_class, sheet_of(town, HOUSING).version) == ("conditional", 1)
    assert letters(town, case) == {"listing_refusal": "经发中心不予列入〔2026〕1号"}


@pytest.mark.parametrize("kind", ["departmental_rule", "local_rule", "none", None])
def test_s29_nothing_but_law_regulation_or_central_policy_can_be_chosen(town: Town, kind: str | None) -> None:
    given: dict[str, Any] = {"listed_fields": ["线路"], "basis_type": kind} if kind else {"listed_fields": ["线路"], "basis_type": ""}
    with pytest.raises(Invalid) as refused:
        proposes(town, "2026-09-24 10:00", unit="014", resource=BUSES, **given)
    assert "basis_type" in refused.value.fields


def test_s29_what_has_no_basis_is_published_only_with_one(town: Town) -> None:
    case = proposes(town, "2026-09-24 10:00", unit="014", resource=BUSES, listed_fields=["线路", "车辆"])
    reviewed(town, case)
    town.does(case, "Task_Decide", decision="list")
    assert (sheet_of(town, BUSES).line.state, entry_of(town, BUSES).state) == ("published", "listed")


def test_what_is_listed_or_held_is_not_proposed_again(town: Town) -> None:
    with pytest.raises(Invalid) as refused:
        proposes(town, "2026-09-24 10:00", unit="026", resource=TAXES, listed_fields=[])
    assert "已在负面清单" in refused.value.fields["resource_code"]
    case = proposes(town, "2026-09-24 10:00")
    with pytest.raises(Invalid) as refused:
        proposes(town, "2026-09-24 11:00")
    assert town.sheet(case).number in refused.value.fields["resource_code"]


def test_what_came_onto_the_list_meanwhile_is_not_listed_twice(town: Town) -> None:
    """The refusal of a request proposes the same resource while the provider's own proposal is decided."""
    case = proposes(town, "2026-09-24 10:00")
    reviewed(town, case)
    with town.store.work() as work:
        enter(
            work.session, lock_resource(work.session, HOUSING), at=work.now, instance_id=None, note="", state="listed",
            basis_type="law", basis="另一部法", article="第一条", text="", reason="", valid_until=None, closed_at=None,
        )  # fmt: skip
    town.does(case, "Task_Decide", decision="list")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("listed", "已在负面清单中")
    assert entry_of(town, HOUSING).basis == "另一部法"


def test_the_office_s_own_resource_goes_to_the_leading_group(town: Town) -> None:
    town.joins("office-cataloguer", "024", "cataloguer")
    code = "3070211000024/000002"
    with town.store.work() as work:
        add_resource(
            work, code=code, summary="初始编目", class_code="3070211000024", kind="business", name="平台漏洞清单",
            provider_id=unit_id_of(work.session, "024"), format="数据库", sharing_class="conditional", conditions="", method="",
            update_cycle="每日", update_deadline="", open_to_public=False, items=["编号", "等级"], state="published",
        )  # fmt: skip
    case = proposes(town, "2026-09-24 10:00", unit="024", resource=code, listed_fields=["编号"])
    assert town.sheet(case).current_steps == ["Task_LegalReview"]
    town.does(case, "Task_LegalReview")
    assert town.sheet(case).current_steps == ["Task_GroupDecide"]
    town.does(case, "Task_GroupDecide", decision="list", decision_reason="依据成立。")
    assert letters(town, case)["listing_decision"].startswith("府办")


def test_a_late_review_is_supervised_and_lists_nothing(town: Town) -> None:
    case = proposes(town, "2026-09-24 10:00")
    town.passes_until("2026-10-20 00:00")
    assert len(town.children(case, "supervision")) == 1
    assert "负面清单审核逾期" in told(town, "001", "leading_group_member")
    assert sheet_of(town, HOUSING).line.sharing_class == "conditional"
