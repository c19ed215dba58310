"""目录变更: within fifteen working days of a new law or function, within two of a new element (articles 10, 11), on real dates."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from engine.process.sheets.deadline import deadline_sheet
from engine.sharing import grants
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import Invalid
from tests.engine.processes.cataloguing import LAW, PERMITS, changes, reviewed, sheet_of, takes
from tests.engine.processes.oversight import letters, starts, text_of, told
from tests.town import HOUSING, Town

ELEMENT, BY_LAW = "Task_ElementUpdateReview", "Task_LawUpdateReview"


class TestTheLimit:
    @pytest.fixture
    def clock(self) -> MovableClock:
        """The last day of 2025."""
        return MovableClock(shanghai("2025-12-31 10:00"))

    def test_s06_two_working_days_over_new_year(self, town: Town) -> None:
        case = changes(town, at="2025-12-31 15:00")
        task = town.view(case, ELEMENT)
        assert (task.due_day, task.provisional) == (date(2026, 1, 5), False)
        with town.store.read() as session:
            assert task.clock_id is not None
            sheet = deadline_sheet(session, town.officer("013", "head"), task.clock_id)
        assert sheet.explanation is not None
        assert [day.day for day in sheet.explanation.counted] == [date(2026, 1, 4), date(2026, 1, 5)]
        assert (sheet.statutory_max, sheet.clock.article) == (2, "第十一条")

    def test_s08_two_working_days_over_a_make_up_saturday(self, town: Town) -> None:
        case = changes(town, at="2026-02-27 16:00")
        assert town.view(case, ELEMENT).due_day == date(2026, 3, 2)

    def test_it_counts_from_the_day_it_happened_not_from_the_day_it_was_reported(self, town: Town) -> None:
        case = changes(town, at="2026-02-28 09:00", occurred_on="2026-02-27")
        assert town.view(case, ELEMENT).due_day == date(2026, 3, 2)

    def test_fifteen_working_days_after_a_law_or_a_function_changed(self, town: Town) -> None:
        case = changes(town, at="2026-02-12 09:00", occurred_on="2026-02-10", trigger="law")
        task = town.view(case, BY_LAW)
        assert (task.due_day, task.article) == (date(2026, 3, 9), "第十一条")
        clock = next(clock for clock in town.sheet(case).clocks if clock.article == "第十条")
        assert (clock.working_days, clock.statutory) == (15, True)

    def test_a_day_that_lies_ahead_is_no_day_on_which_it_happened(self, town: Town) -> None:
        with pytest.raises(Invalid) as refused:
            changes(town, at="2026-02-10 09:00", occurred_on="2026-02-11")
        assert refused.value.fields == {"occurred_on": "发生日不能晚于今天"}

    def test_who_reports_too_late_is_late_at_once(self, town: Town) -> None:
        case = changes(town, at="2026-02-10 09:00", occurred_on="2026-01-05")
        town.worker_sweeps()
        (supervised,) = town.children(case, "supervision")
        assert town.sheet(supervised).started_at == shanghai("2026-02-10 09:00")
        assert town.view(case, ELEMENT).light == "red"


def test_a_change_that_stays_away_is_supervised_and_can_lead_to_rectification(town: Town) -> None:
    case = changes(town, at="2026-03-10 09:00")  # due 2026-03-12
    town.passes_until("2026-03-11 00:00")
    assert told(town, "013", "head") == ["目录更新临近时限"]
    town.passes_until("2026-03-12 23:59")
    assert town.children(case, "supervision") == []
    town.passes_until("2026-03-13 00:00")
    (supervised,) = town.children(case, "supervision")
    assert "督办跟踪" in town.inbox(town.officer("024", "supervisor"))
    town.passes_until("2026-03-17 00:00")
    assert "资源目录逾期未更新" in told(town, "024", "head")
    assert sheet_of(town, PERMITS).version == 1, "nothing is published because time ran out"
    reviewed(town, case)
    assert (town.sheet(case).outcome, sheet_of(town, PERMITS).version) == ("changed", 2)
    assert town.sheet(supervised).state == "completed"


def test_a_published_change_is_the_next_version_with_what_changed_and_the_case_that_made_it(town: Town) -> None:
    case = changes(town, at="2026-03-10 09:00")
    assert sheet_of(town, PERMITS).line.method == "系统对接"
    reviewed(town, case, at="2026-03-11 10:00")
    sheet = sheet_of(town, PERMITS)
    assert (sheet.version, sheet.line.code, sheet.line.method, sheet.level) == (2, PERMITS, "前置机共享", "一般数据")
    newest = sheet.versions[0]
    assert (newest.instance_id, newest.summary, newest.changed_at) == (case, "改为系统推送", shanghai("2026-03-11 10:00"))
    told_of = {change.label: (change.before, change.after) for change in newest.changes}
    assert told_of["共享方式"] == ("系统对接", "前置机共享")
    assert set(told_of) == {"共享方式", "摘要", "数据分级", "共享范围"}
    notice = text_of(town, case, "change_notice")
    assert letters(town, case)["change_notice"].number == "住建变更〔2026〕1号"
    assert "第十一条" in notice and "前置机共享" in notice


def test_every_consumer_compares_within_five_working_days_and_the_change_does_not_wait_for_them(town: Town) -> None:
    for unit in ("007", "014", "902"):
        takes(town, unit, at="2026-03-09 09:00")
    case = changes(town, at="2026-03-10 09:00")
    reviewed(town, case)
    assert town.sheet(case).outcome == "changed"
    comparisons = town.children(case, "change_comparison")
    assert len(comparisons) == 3
    first = comparisons[0]
    task = town.view(first, "Task_Compare")
    assert (task.unit_name, task.due_day) == ("市民政局（演示）", date(2026, 3, 17))
    assert "比对更新" in town.inbox(town.officer("007", "handler"))
    assert "比对更新" not in town.inbox(town.officer("006", "handler")), "whoever does not use it is not asked"
    assert "共享方式：系统对接 → 前置机共享" in town.sheet(first).variables["change_text"]
    town.does(first, "Task_Compare", comparison="updated")
    assert town.sheet(first).outcome == "compared"
    town.does(comparisons[1], "Task_Compare", comparison="doubt", comparison_note="楼栋编码前后不一致")
    assert "获取方对变更有疑义" in told(town, "013", "cataloguer")
    town.passes_until("2026-03-18 00:00")
    assert len(town.children(comparisons[2], "supervision")) == 1, "the county that does not compare is supervised"


def test_what_is_returned_is_amended_and_reported_again(town: Town) -> None:
    case = changes(town, at="2026-03-10 09:00", trigger="law")
    with pytest.raises(Invalid) as refused:
        town.does(case, BY_LAW, review_finding="return")
    assert set(refused.value.fields) == {"opinion"}
    with pytest.raises(Invalid) as refused:
        town.does(case, BY_LAW, review_finding="pass", checked_accurate=True)
    assert set(refused.value.fields) == {"checked_complete", "checked_compliant", "checked_secrecy"}
    town.does(case, BY_LAW, review_finding="return", opinion="更新时限不明确。")
    town.does(case, "Task_LawUpdateRevise", amend_action="resubmit", update_deadline="次日12时")
    reviewed(town, case, BY_LAW)
    assert sheet_of(town, PERMITS).update_deadline == "次日12时"


def test_a_returned_change_may_be_given_up(town: Town) -> None:
    case = changes(town, at="2026-03-10 09:00")
    town.does(case, ELEMENT, review_finding="return", opinion="数据并未变化。")
    town.does(case, "Task_ElementUpdateRevise", amend_action="give_up")
    assert (town.sheet(case).outcome, sheet_of(town, PERMITS).version) == ("abandoned", 1)
    changes(town, at="2026-03-11 09:00")  # and the entry is free again


def test_data_may_change_though_no_element_does(town: Town) -> None:
    takes(town)
    case = changes(town, at="2026-03-10 09:00")
    reviewed(town, case)
    again = changes(town, at="2026-03-12 09:00", change_summary="补录2025年数据")
    reviewed(town, again)
    assert sheet_of(town, PERMITS).version == 2
    (comparison,) = town.children(again, "change_comparison")
    assert town.sheet(comparison).variables["change_text"].startswith("补录2025年数据")


def test_a_withdrawn_entry_ends_its_grants_and_tells_its_consumers(town: Town) -> None:
    takes(town)
    case = changes(town, at="2026-03-10 09:00", change_type="withdraw", change_summary="职能划出")
    reviewed(town, case)
    sheet = sheet_of(town, PERMITS)
    assert (sheet.line.state, sheet.versions[0].summary, sheet.versions[0].instance_id) == ("withdrawn", "撤销：职能划出", case)
    with town.store.read() as session:
        (grant,) = grants.search(session, town.officer("007", "handler"), today=date(2026, 3, 10), resource=PERMITS).lines
    assert (grant.state, grant.end_reason) == ("ended", "目录已撤销（目录变更〔2026〕1号）")
    (comparison,) = town.children(case, "change_comparison")
    town.does(comparison, "Task_Compare", comparison="stopped", comparison_note="已停用接口并删除缓存。")
    with pytest.raises(Invalid):
        takes(town, "014")
    with pytest.raises(Invalid):
        changes(town, at="2026-03-11 09:00")


def test_to_withhold_it_the_negative_list_decides_and_till_then_the_class_stays(town: Town) -> None:
    case = changes(town, at="2026-03-10 09:00", sharing_class="withheld", update_cycle="每周", **LAW)
    reviewed(town, case)
    (listing,) = town.children(case, "negative_list_entry")
    sheet = sheet_of(town, PERMITS)
    assert (sheet.line.sharing_class, sheet.line.update_cycle, sheet.version) == ("unconditional", "每周", 2)
    with pytest.raises(Invalid) as refused:
        changes(town, at="2026-03-11 09:00")
    assert "目录变更〔2026〕1号" in refused.value.fields["resource_code"], "the second is told of the first"
    for step in ("Task_FirstReview", "Task_LegalReview", "Task_Decide"):
        town.does(listing, step)
    assert town.sheet(case).outcome == "changed"
    sheet = sheet_of(town, PERMITS)
    assert (sheet.line.sharing_class, sheet.items, sheet.versions[0].instance_id) == ("withheld", None, listing)
    assert [change.label for change in sheet.versions[0].changes] == ["共享类型"]


def test_without_a_basis_that_holds_the_class_stays(town: Town) -> None:
    case = changes(town, at="2026-03-10 09:00", sharing_class="withheld", **LAW)
    reviewed(town, case)
    (listing,) = town.children(case, "negative_list_entry")
    town.does(listing, "Task_FirstReview")
    town.does(listing, "Task_LegalReview")
    town.does(listing, "Task_Decide", decision="reject", decision_reason="该条不适用于许可信息。")
    assert (town.sheet(case).outcome, sheet_of(town, PERMITS).line.sharing_class) == ("changed", "unconditional")


def test_s29_a_departmental_rule_cannot_be_chosen_as_a_basis(town: Town) -> None:
    buses = "3070211000014/000002"
    rule = {**LAW, "basis_type": "departmental_rule", "basis": "道路运输管理规定"}
    for basis in (rule, {**LAW, "basis_type": None}):
        with pytest.raises(Invalid) as refused:
            changes(town, buses, "014", at="2026-03-10 09:00", sharing_class="withheld", **basis)
        assert "basis_type" in refused.value.fields
    assert sheet_of(town, buses, town.officer("014", "cataloguer")).line.state == "blocked"
    case = changes(town, buses, "014", sharing_class="unconditional", occurred_on="2026-03-10", update_deadline="实时")
    reviewed(town, case)
    assert (sheet_of(town, buses).line.state, sheet_of(town, buses).line.sharing_class) == ("published", "unconditional")


def test_a_listed_resource_leaves_the_list_by_its_own_way_only(town: Town) -> None:
    diseases = "202001/000003"
    with pytest.raises(Invalid) as refused:
        changes(town, diseases, "017", at="2026-03-23 09:00", sharing_class="conditional", conditions="核验", update_deadline="次日")
    assert "sharing_class" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        changes(town, diseases, "017", change_type="withdraw", occurred_on="2026-03-23")
    assert "change_type" in refused.value.fields
    case = changes(town, diseases, "017", occurred_on="2026-03-23", update_cycle="每周")
    reviewed(town, case)
    sheet = sheet_of(town, diseases)
    assert (sheet.line.update_cycle, sheet.line.sharing_class, sheet.items) == ("每周", "withheld", None)
    assert town.children(case, "negative_list_entry") == []


def test_what_cannot_be_an_element_is_refused_at_its_field(town: Town) -> None:
    for answers, field in (
        ({"identifier": "统一社会信用代码"}, "identifier"),
        ({"items": "许可证号\n项目\n许可证号，字符型"}, "items"),
        ({"sharing_scope": ""}, "sharing_scope"),
    ):
        with pytest.raises(Invalid) as refused:
            changes(town, at="2026-03-10 09:00", **answers)
        assert set(refused.value.fields) == {field}


def test_only_its_own_unit_changes_an_entry(town: Town) -> None:
    with pytest.raises(Invalid) as refused:
        changes(town, PERMITS, "014", at="2026-03-10 09:00")
    assert "不是本单位" in refused.value.fields["resource_code"]


def test_of_two_that_change_one_entry_at_once_the_second_is_told(town: Town) -> None:
    town.passes_until("2026-03-10 09:00")
    gate = threading.Barrier(2)

    def change() -> str:
        gate.wait()
        try:
            changes(town, occurred_on="2026-03-10")
        except Invalid as refused:
            return refused.fields["resource_code"]
        return "started"

    with ThreadPoolExecutor(2) as both:
        answers = sorted(future.result() for future in [both.submit(change), both.submit(change)])
    assert answers[0] == "started"
    assert "正在办理资源目录变更（目录变更〔2026〕1号）" in answers[1]


def test_a_resource_whose_listing_is_disputed_stays_as_it_is_till_the_review_ends(town: Town) -> None:
    diseases = "202001/000003"
    starts(
        town, "negative_list_objection", "007", "handler", at="2026-03-23 09:00", about={"resource_code": diseases},
        ground="insufficient", objection_reason="该条只要求保密，未禁止部门间核验。",
    )  # fmt: skip
    with pytest.raises(Invalid) as refused:
        changes(town, diseases, "017", occurred_on="2026-03-23")
    assert "异议" in refused.value.fields["resource_code"]


def test_a_request_in_progress_does_not_keep_an_entry_from_being_changed(town: Town) -> None:
    town.submits(at="2026-03-10 09:00")
    case = changes(town, HOUSING, occurred_on="2026-03-10")
    reviewed(town, case)
    assert sheet_of(town, HOUSING).version == 2
