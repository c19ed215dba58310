"""The other processes of the national regulation in the town: their limits and who decides, on real dates of 2026."""

from __future__ import annotations

from datetime import date

import pytest

from calendars.deadline import shanghai_day
from engine.sharing import grants
from engine.store.errors import Invalid
from tests.engine.processes.cataloguing import PERMITS, changes, reviewed, sheet_of, takes
from tests.engine.processes.national import activate
from tests.engine.processes.oversight import letters, starts, text_of, told
from tests.engine.processes.test_data_correction import doubts, shared
from tests.engine.processes.test_misuse import confirms, granted, reports, state_of
from tests.engine.processes.test_negotiation import COORDINATED, TERMS, needs, not_agreed
from tests.engine.processes.test_rectification import CATALOGUE
from tests.town import Town

LAW_REVIEW = "Task_LawUpdateReview"
ORDER = {
    **CATALOGUE, "grounds": ["第三十九条第（一）项"], "breached_duties": ["编制、评估和更新目录（第十三条、第十七条）"], "clause": "第十七条",
}  # fmt: skip


class TestUnconditional:
    def test_the_provider_replies_within_one_working_day(self, town: Town) -> None:
        activate(town, "unconditional_access")
        case = takes(town, at="2026-03-10 09:30")
        task = town.view(case, "Task_Answer")
        assert (task.due_day, task.article) == (date(2026, 3, 11), "第二十一条")
        town.passes_until("2026-03-12 00:00")
        assert len(town.children(case, "supervision")) == 1
        town.does(case, "Task_Answer", access_reply="provide")
        assert town.sheet(case).outcome == "subscribed"

    def test_what_has_nothing_to_do_with_the_duties_is_declined_with_reasons(self, town: Town) -> None:
        activate(town, "unconditional_access")
        case = takes(town, at="2026-03-10 09:30")
        with pytest.raises(Invalid) as refused:
            town.does(case, "Task_Answer", access_reply="decline")
        assert "decline_reason" in refused.value.fields
        town.does(case, "Task_Answer", access_reply="decline", decline_reason="与救助职责无关。")
        assert town.sheet(case).outcome_name == "不予提供"
        assert "无条件共享数据的获取申请未获同意" in told(town, "007", "handler")


class TestNegotiation:
    def test_s30_what_the_regulator_cannot_settle_the_government_decides(self, town: Town) -> None:
        activate(town, "negotiation")
        case = needs(town, "2026-08-03 10:00")
        assert town.view(case, "Task_Position").due_day == date(2026, 8, 17)
        not_agreed(town, case, at="2026-08-17 16:00")
        assert town.view(case, "Task_Coordinate").due_day == date(2026, 8, 31)
        town.does(case, "Task_Coordinate", coordination_outcome="refused", **COORDINATED)
        assert "本级政府决定" in town.inbox(town.officer("001", "recorder"))
        assert "本级政府决定" not in town.inbox(town.officer("001", "leading_group_member"))
        town.does(case, "Task_GroupDecide", group_outcome="share", group_reason="确属履行职责必需。", **TERMS)
        assert town.sheet(case).outcome_name == "已决定"
        assert letters(town, case)["group_decision"].article == "第二十八条"


class TestCatalogue:
    def test_ten_working_days_after_a_law_changed_five_more_by_consent_and_two_for_the_regulator(self, town: Town) -> None:
        activate(town, "catalogue_change")
        case = changes(town, at="2026-02-12 09:00", occurred_on="2026-02-10", trigger="law")
        assert town.view(case, LAW_REVIEW).due_day == date(2026, 3, 2)
        town.passes_until("2026-02-25 00:00")
        with pytest.raises(Invalid) as refused:
            town.does(case, "Task_AskExtension", extension_wish="ask", extension_reason="系统改造。", extension_days=6)
        assert "extension_days" in refused.value.fields
        town.does(case, "Task_AskExtension", extension_wish="ask", extension_reason="系统改造。", extension_days=5)
        town.does(case, "Task_DecideExtension", extension_decision="grant")
        assert town.view(case, LAW_REVIEW).due_day == date(2026, 3, 9)
        assert told(town, "013", "head") == ["延期申请已审批"]
        town.passes_until("2026-03-05 10:00")
        reviewed(town, case, LAW_REVIEW)
        publish = town.view(case, "Task_RegulatorReview")
        assert (publish.due_day, publish.article) == (date(2026, 3, 9), "第十七条")
        assert len(sheet_of(town, PERMITS).versions) == 1  # not published yet
        town.does(case, "Task_RegulatorReview", regulator_finding="return", opinion="摘要不完整。")
        town.does(case, "Task_ReviseAgain", amend_action="resubmit")
        town.does(case, "Task_RegulatorReview", regulator_finding="publish")
        assert town.sheet(case).outcome == "changed"
        assert letters(town, case)["change_notice"].article == "第十七条"


class TestOversight:
    def test_doubted_data_are_checked_within_ten_working_days(self, town: Town) -> None:
        shared(town)
        activate(town, "data_correction")
        case = doubts(town)
        task = town.view(case, "Task_Check")
        assert (task.due_day, task.article) == (date(2026, 3, 16), "第二十六条")

    def test_an_order_names_the_article_of_the_party_and_the_duty_in_words(self, town: Town) -> None:
        activate(town, "rectification")
        case = starts(town, "rectification", "024", "handler", at="2026-10-12 09:00", **ORDER)
        town.does(case, "Task_Review", review="pass")
        town.does(case, "Task_Sign", signing="sign")
        said = text_of(town, case, "rectification_notice")
        assert "第三十九条第（一）项" in said and "编制、评估和更新目录" in said and "处分" in said
        assert "政务数据共享条例" in said and "责令改正" in said

    def test_who_misused_data_is_suspended_and_at_the_end_proves_what_became_of_them(self, town: Town) -> None:
        grant = granted(town)
        activate(town, "misuse")
        case = reports(town, grant)
        confirms(town, case)
        assert state_of(town, grant) == "suspended"
        town.does(case, "Task_Rule", at="2026-03-06 10:00", decision="terminate", decision_note="情节严重。")
        with pytest.raises(Invalid) as refused:
            town.does(case, "Task_Dispose", stopped_on="2026-03-06", disposal="deleted", disposal_note="已删除。", disposal_promise=True)
        assert set(refused.value.fields) == {"disposal_proof"}
        with town.store.read() as session:
            sheet = grants.grant_sheet(session, town.officer("024", "handler"), grant, today=shanghai_day(town.now()))
        assert sheet.state == "ended"
