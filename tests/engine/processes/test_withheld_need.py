"""需求论证: a unit needs what is not shared and asks the office (article 21); experts argue, the office judges."""

from __future__ import annotations

from datetime import date

import pytest

from engine.people.units import unit_id_of
from engine.sharing import negative_list
from engine.sharing.catalogue import add_resource
from engine.store.errors import Invalid
from tests.engine.processes.withheld import TAXES, entry_of, letters, office_entry, sheet_of, text_of, told
from tests.town import Town

PROCESS = "withheld_need"


def needs(town: Town, at: str, *, unit: str = "007", resource: str = TAXES) -> int:
    return town.starts(
        PROCESS, unit, "handler", resource=resource, at=at, needed_content="欠税情况", duty_basis="《社会救助暂行办法》",
        why_needed="核对申请家庭收入。", use="数据校核", safeguards=["脱敏后提供"], wanted_until="2027-07-31",
        promise_no_secrets=True, promise_no_third_party=True,
    )  # fmt: skip


def argued(town: Town, case: int) -> None:
    """Accepted, stated by the provider, argued by both experts."""
    town.does(case, "Task_Accept", acceptance="accept", experts=["008", "025"])
    for unit in ("008", "025"):
        town.does(case, "Task_Expert", unit=unit, expert_finding="依据不成立，可以共享", expert_note=f"{unit}的意见")
    town.does(case, "Task_Statement", statement_position="withhold", statement="纳税人情况保密。")


def test_its_dates_and_that_experts_and_provider_are_heard_at_once(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    assert town.view(case, "Task_Accept").due_day == date(2026, 8, 6)
    town.does(case, "Task_Accept", at="2026-08-05 10:00", acceptance="accept", experts=["008", "025"])
    assert sorted(town.sheet(case).current_steps) == ["Task_Expert", "Task_Expert", "Task_Statement"]
    assert {task.due_day for task in town.sheet(case).open_tasks} == {date(2026, 8, 12)}
    review = next(clock for clock in town.sheet(case).clocks if clock.activity == "论证和审核")
    assert review.last_day == date(2026, 8, 31)


def test_what_can_be_shared_is_changed_by_its_provider_and_the_entry_closed(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    argued(town, case)
    before = sheet_of(town).version
    town.does(case, "Task_Opinion", at="2026-08-20 10:00", review_outcome="share", review_reason="依据不成立。")
    assert letters(town, case) == {"review_opinion": "经发中心需求审核〔2026〕1号"}
    assert "008的意见" in text_of(town, case, "review_opinion") and "纳税人情况保密" in text_of(town, case, "review_opinion")
    assert town.view(case, "Task_Execute").due_day == date(2026, 8, 24)
    town.does(
        case, "Task_Execute", shared_class="conditional", shared_conditions="按人核验", shared_method="联机查询"
    )
    assert (town.sheet(case).outcome, town.sheet(case).outcome_name) == ("shareable", "可以共享")
    assert (sheet_of(town).line.sharing_class, sheet_of(town).version) == ("conditional", before + 1)
    assert entry_of(town).state == "closed"
    assert "已变更为共享类" in told(town, "007", "handler")


def test_what_the_law_withholds_stays_listed_and_the_judgement_is_published(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    argued(town, case)
    town.does(case, "Task_Opinion", review_outcome="withhold", review_reason="依据成立。")
    assert town.sheet(case).outcome_name == "依法不能共享"
    with town.store.read() as session:
        sheet = negative_list.entry_sheet(session, town.officer("014", "handler"), entry_of(town).id)
    assert [(change.act_label, change.instance_id) for change in sheet.changes][-1] == ("审核维持", case)
    assert "依法不能共享" in told(town, "007", "handler")


def unlisted(town: Town) -> str:
    """A resource that is withheld though nobody ever put it on the list; returns its code."""
    code = "3070211000026/000009"
    with town.store.work() as work:
        add_resource(
            work, code=code, summary="初始编目", class_code="3070211000026", kind="business", name="发票开具明细",
            provider_id=unit_id_of(work.session, "026"), format="数据库", sharing_class="withheld", conditions="", method="",
            update_cycle="每日", update_deadline="", open_to_public=False, items=["销方", "税额"], state="published",
        )  # fmt: skip
    return code


@pytest.mark.parametrize(("decision", "state"), [("list", "listed"), ("reject", "shared")])
def test_what_is_not_on_the_list_yet_is_proposed_for_it_and_shared_where_no_basis_holds(
    town: Town, decision: str, state: str
) -> None:
    code = unlisted(town)
    case = needs(town, "2026-08-03 10:00", resource=code)
    argued(town, case)
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Opinion", review_outcome="withhold", review_reason="商业秘密。")
    assert {"review_basis_type", "review_basis", "review_article"} <= refused.value.fields.keys()
    town.does(
        case, "Task_Opinion", review_outcome="withhold", review_reason="商业秘密。", review_basis_type="law",
        review_basis="税收征收管理法", review_article="第八条",
    )  # fmt: skip
    (listing,) = town.children(case, "negative_list_entry")
    for step in ("Task_FirstReview", "Task_LegalReview"):
        town.does(listing, step)
    town.does(listing, "Task_Decide", decision=decision)
    if state == "listed":
        assert (town.sheet(case).outcome, entry_of(town, code).basis) == ("withheld", "税收征收管理法")
    else:
        town.does(case, "Task_Execute", shared_class="unconditional", shared_method="批量下载")
        assert (town.sheet(case).outcome, sheet_of(town, code).line.sharing_class) == ("shareable", "unconditional")


def test_a_need_may_be_refused_with_reasons_and_the_second_at_once_is_told(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    with pytest.raises(Invalid) as refused:
        needs(town, "2026-08-03 11:00", unit="010")
    assert town.sheet(case).number in refused.value.fields["resource_code"]
    town.does(case, "Task_Accept", acceptance="refuse", non_acceptance_reason="已有其他途径。", opinion="不受理")
    assert (town.sheet(case).outcome_name, letters(town, case)) == (
        "不予受理", {"non_acceptance_notice": "经发中心需求不受理〔2026〕1号"},
    )  # fmt: skip
    assert "使用需求不予受理" in told(town, "007", "handler")


def test_the_office_s_own_resource_is_judged_by_the_leading_group(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00", resource=office_entry(town))
    town.does(case, "Task_GroupAccept", acceptance="accept", experts=["008"])
    town.does(case, "Task_Expert", expert_finding="依据不成立，可以共享", expert_note="可以共享。")
    town.does(case, "Task_Statement", statement_position="share", statement="可以共享。")
    assert town.sheet(case).current_steps == ["Task_GroupReview"]
    town.does(case, "Task_GroupReview", review_outcome="withhold", review_reason="日志含有弱点信息。")
    assert letters(town, case)["review_opinion"].startswith("府办")


def test_a_late_review_is_supervised(town: Town) -> None:
    case = needs(town, "2026-08-03 10:00")
    argued(town, case)
    town.passes_until("2026-09-01 00:00")
    assert len(town.children(case, "supervision")) == 1
    town.passes_until("2026-09-03 00:00")
    assert "论证审核逾期" in told(town, "001", "leading_group_member")
    assert town.sheet(case).current_steps == ["Task_Opinion"]
