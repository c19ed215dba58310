"""异议审核: a unit disputes an entry of the negative list (article 22), from acceptance to execution, on real dates of 2026."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from engine.process.operations import SUBJECTS
from engine.sharing import catalogue, negative_list, objections
from engine.store.errors import Invalid
from tests.engine.processes.withheld import CASES, TAXES, entry_of, letters, office_entry, sheet_of, text_of, told
from tests.town import Town

PROCESS = "negative_list_objection"


def objects(town: Town, at: str, *, unit: str = "007", resource: str = TAXES, **answers: str) -> int:
    given: dict[str, Any] = {"ground": "insufficient", "objection_reason": "同法第六条要求与其他管理机关共享信息。", **answers}
    return town.starts(PROCESS, unit, "handler", resource=resource, at=at, promise_no_secrets=True, **given)


def accepts(town: Town, case: int, at: str) -> None:
    town.does(case, "Task_Accept", at=at, acceptance="accept", experts=["008", "025"])


def argues(town: Town, case: int, at: str) -> None:
    """Both experts give their opinion."""
    for unit, finding in (("008", "依据不成立，可以共享"), ("025", "部分数据项可以共享")):
        town.does(case, "Task_Expert", at=at, unit=unit, expert_finding=finding, expert_note=f"{unit}的意见")


def reviewed(town: Town, case: int) -> None:
    """All that comes before the office's opinion."""
    accepts(town, case, "2026-09-29 10:00")
    town.does(case, "Task_Evidence", at="2026-10-09 10:00", evidence_position="keep", evidence="企业商业秘密。")
    argues(town, case, "2026-10-13 10:00")


def test_s23_every_date_of_an_objection_that_is_accepted(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    accept = town.view(case, "Task_Accept")
    assert accept.due_day == date(2026, 9, 29)
    review = next(clock for clock in town.sheet(case).clocks if clock.activity == "异议审核")
    assert (review.last_day, review.statutory) == (date(2026, 10, 29), False)
    assert not entry_of(town).under_review
    accepts(town, case, "2026-09-29 16:00")
    assert town.view(case, "Task_Evidence").due_day == date(2026, 10, 12)
    assert (entry_of(town).under_review, entry_of(town).state) == (True, "listed")
    assert sheet_of(town).line.sharing_class == "withheld"
    assert letters(town, case) == {"acceptance_notice": "经发中心异议受理〔2026〕1号"}
    assert "异议已受理" in told(town, "007", "handler")


def test_s24_removed_by_the_decision_it_is_executed_published_and_can_be_asked_for(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    before = sheet_of(town).version
    reviewed(town, case)
    assert "008的意见" in text_of(town, case, "expert_report") and "企业商业秘密" in text_of(town, case, "expert_report")
    town.does(
        case, "Task_Opinion", at="2026-10-29 10:00", review_decision="remove", new_class="conditional", dispute="no",
        review_reason="同法第六条要求共享。",
    )  # fmt: skip
    assert letters(town, case)["review_decision_letter"] == "经发中心异议决定〔2026〕1号"
    assert "移出负面清单，调整为有条件共享" in text_of(town, case, "review_decision_letter")
    execute = town.view(case, "Task_Execute")
    assert (execute.unit_name[:4], execute.due_day) == ("市税务局", date(2026, 11, 2))
    town.does(case, "Task_Execute", at="2026-10-29 15:00", shared_conditions="救助核对；按人核验", shared_method="联机查询")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("removed", "移出")
    entry, sheet = entry_of(town), sheet_of(town)
    assert (entry.state, entry.under_review, entry.basis[:9]) == ("closed", False, "中华人民共和国税收")
    assert (sheet.line.sharing_class, sheet.version, sheet.versions[0].instance_id) == ("conditional", before + 1, case)
    assert sheet.conditions == "救助核对；按人核验"
    with town.store.read() as session:
        (line,) = objections.objections_of(session, entry.id)
    assert (line.unit_name[:4], line.ground_label, line.state_label) == ("市民政局", "依据不足", "移出")
    assert (line.document, line.instance_id) == ("经发中心异议决定〔2026〕1号", case)
    assert "异议审核：移出" in told(town, "007", "handler")
    with town.store.read() as session:  # and the objector may ask for it now
        assert SUBJECTS["resource"](session, {"resource_code": TAXES, "applicant_unit": "007"}).key == TAXES


def test_s26_without_evidence_the_review_goes_on_and_the_office_knows(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    accepts(town, case, "2026-09-29 10:00")
    town.passes_until("2026-10-12 23:59")
    assert town.sheet(case).current_steps == ["Task_Evidence"]
    town.passes_until("2026-10-13 00:00")
    assert sorted(town.sheet(case).current_steps) == ["Task_Expert", "Task_Expert"]
    assert "提供部门未举证" in told(town, "024", "head")
    assert (entry_of(town).state, entry_of(town).under_review) == ("listed", True)
    argues(town, case, "2026-10-14 10:00")
    assert "提供部门未在期限内举证" in text_of(town, case, "expert_report")


def test_upheld_the_entry_stays_and_the_review_is_on_its_record(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    reviewed(town, case)
    town.does(case, "Task_Opinion", review_decision="maintain", dispute="no", review_reason="依据成立。")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("upheld", "维持")
    assert (entry_of(town).state, entry_of(town).under_review) == ("listed", False)
    with town.store.read() as session:
        sheet = negative_list.entry_sheet(session, town.officer("014", "handler"), entry_of(town).id)
    assert [(change.act_label, change.instance_id) for change in sheet.changes] == [("列入", None), ("审核维持", case)]


def test_the_same_ground_is_heard_again_only_with_a_new_basis(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00", new_basis="税收征收管理法第六条")
    reviewed(town, case)
    town.does(case, "Task_Opinion", review_decision="maintain", dispute="no", review_reason="依据成立。")
    for nothing_new in ("", "税收征收管理法第六条"):
        with pytest.raises(Invalid) as refused:
            objects(town, "2026-11-02 10:00", unit="010", new_basis=nothing_new)
        assert "没有新的依据不再受理" in refused.value.fields["new_basis"]
    other_ground = objects(town, "2026-11-02 10:00", unit="010", ground="can_be_masked")
    town.does(other_ground, "Task_Accept", acceptance="refuse", non_acceptance_reason="材料不全", opinion="材料不全")
    assert town.sheet(objects(town, "2026-11-03 10:00", new_basis="国务院关于信息共享的决定")).state == "running"


def test_adjusted_in_part_the_rest_stays_withheld_and_unseen(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00", resource=CASES, ground="too_broad")
    accepts(town, case, "2026-09-28 10:00")
    town.does(case, "Task_Evidence", at="2026-09-29 10:00", evidence_position="partly", evidence="病程可以脱敏。")
    argues(town, case, "2026-09-30 10:00")
    town.does(case, "Task_Opinion", review_decision="adjust", shared_part="病程", dispute="no", review_reason="脱敏后可用。")
    with pytest.raises(Invalid):
        town.does(case, "Task_Execute", shared_conditions="脱敏后提供", shared_method="联机查询")
    town.does(
        case, "Task_Execute", released_fields=["病程"], shared_conditions="脱敏后提供", shared_method="联机查询"
    )
    sheet = sheet_of(town, CASES)
    assert town.sheet(case).outcome == "narrowed"
    assert (sheet.line.sharing_class, sheet.items) == ("conditional", ("病程",))
    assert entry_of(town, CASES).state == "listed"
    with town.store.read() as session:
        owner = catalogue.resource_sheet(session, town.officer("017", "handler"), CASES)
    assert owner.items == ("病例编号", "身份信息", "病程")


def test_a_major_dispute_goes_to_the_leading_group(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    reviewed(town, case)
    town.does(case, "Task_Opinion", at="2026-10-14 10:00", review_decision="maintain", dispute="yes", review_reason="意见不一。")
    decide = town.view(case, "Task_GroupDecide")
    assert decide.due_day == date(2026, 10, 28)  # ten working days, within the review's own limit
    assert "领导小组审定" in town.inbox(town.officer("001", "leading_group_member"))
    town.does(case, "Task_GroupDecide", review_decision="remove", new_class="unconditional", review_reason="应当共享。")
    assert letters(town, case)["review_decision_letter"].startswith("府办异议决定")
    town.does(case, "Task_Execute", shared_method="批量下载")
    assert sheet_of(town).line.sharing_class == "unconditional"


def test_an_objection_may_be_refused_with_reasons(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Accept", acceptance="refuse", opinion="不受理")
    assert "non_acceptance_reason" in refused.value.fields
    town.does(case, "Task_Accept", acceptance="refuse", non_acceptance_reason="与本条目无关。", opinion="不受理")
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("not_accepted", "不予受理")
    assert letters(town, case) == {"non_acceptance_notice": "经发中心异议不受理〔2026〕1号"}
    assert (entry_of(town).state, entry_of(town).under_review) == ("listed", False)
    assert town.sheet(objects(town, "2026-09-28 10:00")).state == "running"  # not heard, so not spent


def test_while_one_objection_runs_the_second_and_the_owner_s_removal_are_told(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    with pytest.raises(Invalid) as refused:
        objects(town, "2026-09-24 11:00", unit="010", ground="can_be_masked")
    assert town.sheet(case).number in refused.value.fields["resource_code"]


def test_the_provider_does_not_object_to_its_own_entry_nor_anybody_to_what_is_not_listed(town: Town) -> None:
    for unit, resource, sentence in (("026", TAXES, "本单位"), ("007", "209001/000001", "不在负面清单")):
        with pytest.raises(Invalid) as refused:
            objects(town, "2026-09-24 10:00", unit=unit, resource=resource)
        assert sentence in refused.value.fields["resource_code"]


def test_the_office_never_reviews_its_own_entry(town: Town) -> None:
    code = office_entry(town)
    case = objects(town, "2026-09-24 10:00", resource=code)
    assert town.sheet(case).current_steps == ["Task_GroupAccept"]
    town.does(case, "Task_GroupAccept", acceptance="accept", experts=["008"])
    assert letters(town, case)["acceptance_notice"].startswith("府办")
    town.does(case, "Task_Evidence", evidence_position="keep", evidence="平台运行数据。")
    town.does(case, "Task_Expert", expert_finding="依据不成立，可以共享", expert_note="没有限制。")
    assert town.sheet(case).current_steps == ["Task_GroupDecide"]
    town.does(case, "Task_GroupDecide", review_decision="remove", new_class="conditional", review_reason="应当共享。")
    town.does(case, "Task_Execute", shared_conditions="按需", shared_method="批量下载")
    assert sheet_of(town, code).line.sharing_class == "conditional"
    offices = {task.unit_name for task in town.sheet(case).done_tasks if task.step not in ("Task_Evidence", "Task_Execute")}
    assert offices == {"辽阳市人民政府办公室（演示）", "市司法局（演示）"}


def test_a_review_that_is_late_is_supervised_and_reaches_the_leading_group(town: Town) -> None:
    case = objects(town, "2026-09-24 10:00")
    accepts(town, case, "2026-09-29 10:00")
    town.does(case, "Task_Evidence", at="2026-10-09 10:00", evidence_position="keep", evidence="企业商业秘密。")
    argues(town, case, "2026-10-13 10:00")
    town.passes_until("2026-10-27 00:00")
    assert "异议审核临近时限" in told(town, "024", "head")
    town.passes_until("2026-10-30 00:00")
    assert len(town.children(case, "supervision")) == 1
    town.passes_until("2026-11-03 00:00")
    assert "异议审核逾期" in told(town, "001", "leading_group_member")
    assert town.sheet(case).current_steps == ["Task_Opinion"]  # late, and still theirs to decide
    town.does(case, "Task_Opinion", review_decision="maintain", dispute="no", review_reason="依据成立。")
    assert town.sheet(town.children(case, "supervision")[0]).outcome_name == "已销号"


def test_of_two_that_object_at_the_same_moment_one_is_told(town: Town) -> None:
    town.passes_until("2026-09-24 10:00")
    together = threading.Barrier(2)

    def object_for(unit: str) -> str:
        together.wait(timeout=30)
        try:
            objects(town, "2026-09-24 10:00", unit=unit)
        except Invalid as refused:
            return refused.fields["resource_code"]
        return "filed"

    with ThreadPoolExecutor(2) as people:
        said = sorted(people.map(object_for, ("007", "010")))
    assert said[0] == "filed" and "办结前不能再次提出变更" in said[1]
