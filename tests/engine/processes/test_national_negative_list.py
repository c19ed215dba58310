"""What is not shared under the national regulation (articles 14 and 15): only express provisions of law count, policies no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from engine.sharing.negative_list import search
from engine.store.errors import Invalid
from tests.engine.processes.national import activate
from tests.engine.processes.oversight import letters, starts, text_of
from tests.town import HOUSING, Town

LISTING: Mapping[str, Any] = {
    "listed_fields": ["房源地址"], "basis_type": "state_council_decision", "basis": "国务院关于某事项的决定", "basis_article": "第三项",
    "basis_text": "不得向其他部门提供。", "explicit_provision": True, "partial_reason": "无法拆分。",
}  # fmt: skip


@pytest.fixture
def national(town: Town) -> Town:
    """The town, where entries of the negative list follow the national regulation."""
    activate(town, "negative_list_entry", "negative_list_objection", "negative_list_removal")
    return town


def proposes(town: Town, **changed: Any) -> int:
    return starts(town, "negative_list_entry", "013", "cataloguer", about={"resource_code": HOUSING}, **{**LISTING, **changed})


def basis_types(town: Town) -> list[str]:
    with town.store.read() as session:
        lines = search(session, town.officer("024", "handler"), text="公租房").lines
        return [line.basis_type_label for line in lines]


def test_a_decision_of_the_state_council_that_says_so_expressly_is_a_basis(national: Town) -> None:
    case = proposes(national)
    assert national.view(case, "Task_FirstReview").due_day == date(2026, 3, 2)
    for step in ("Task_FirstReview", "Task_LegalReview", "Task_Decide"):
        national.does(case, step)
    assert basis_types(national) == ["国务院决定"]
    assert letters(national, case)["listing_decision"].article == "第十四条"
    assert "国务院决定" in text_of(national, case, "listing_decision")


@pytest.mark.parametrize(
    ("field", "answer"), [("basis_type", "central_policy"), ("basis_type", "departmental_rule"), ("explicit_provision", False)]
)
def test_a_policy_a_rule_and_a_provision_that_is_not_express_are_none(national: Town, field: str, answer: Any) -> None:
    with pytest.raises(Invalid) as refused:
        proposes(national, **{field: answer})
    assert field in refused.value.fields


def test_an_entry_of_the_founding_document_is_judged_by_the_regulation_in_force_when_it_is_objected_to(national: Town) -> None:
    case = starts(
        national, "negative_list_objection", "007", "handler", at="2026-09-24 09:00",
        about={"resource_code": "3070211000026/000001"}, ground="insufficient",
        objection_reason="只规定保密，没有明确规定不予共享。", new_basis="税收征收管理法第六条",
    )  # fmt: skip
    assert national.view(case, "Task_Accept").due_day == date(2026, 9, 29)
    national.does(case, "Task_Accept", acceptance="accept", experts=["008"])
    assert letters(national, case)["acceptance_notice"].article == "第十五条"
    assert "政务数据共享条例" in text_of(national, case, "acceptance_notice")
