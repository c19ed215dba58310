"""共享情况报告: quarterly reports of departments and counties, the office's yearly one (article 27). Dates of 2026 and 2027."""

from __future__ import annotations

from datetime import date

import pytest

from engine.process.sheets.case import TaskView
from engine.sharing import reports, supervision
from engine.sharing.reports import ReportSheet
from engine.store.clock import shanghai
from tests.engine.processes.duties import opened_for, sweep, texts, units_with
from tests.town import ESTATE, Town

OPENING = "2026-10-12 00:05"
SAID = {"implementation": "按目录共享。", "effect": "减少证明材料。", "problems": "无", "next_steps": "扩大共享范围。"}


def third_quarter(town: Town, unit: str = "007", *, at: str = OPENING) -> int:
    sweep(town, at)
    return opened_for(town, unit, "unit_report", "2026-Q3")


def written(town: Town, case: int, *, at: str) -> None:
    town.does(case, "Task_Fill", at=at, **SAID)


def sheet_of(town: Town, case: int, reader: tuple[str, str] = ("024", "handler"), today: date = date(2026, 11, 1)) -> ReportSheet:
    actor = town.officer(*reader)
    with town.store.read() as session:
        line = next(line for line in reports.search(session, actor, today=today).lines if line.instance_id == case)
        return reports.report_sheet(session, actor, line.id, today=today)


def view(town: Town, case: int, step: str) -> TaskView:
    return town.view(case, step)


def test_s37_every_department_and_county_gets_its_task_fifteen_working_days_ahead(town: Town) -> None:
    sweep(town, "2026-10-11 23:59")
    assert units_with(town, "unit_report", "2026-Q3") == 0
    assert sweep(town, "2026-10-12 00:00") >= 27
    assert units_with(town, "unit_report", "2026-Q3") == 27  # all but the office and the government's own
    task = view(town, opened_for(town, "007", "unit_report", "2026-Q3"), "Task_Fill")
    assert (task.due_day, task.due_at) == (date(2026, 10, 31), shanghai("2026-11-01 00:00"))  # a Saturday, not moved
    assert date(2026, 10, 31).weekday() == 5
    assert opened_for(town, "902", "unit_report", "2026-Q3")


def test_s37_the_reminder_names_the_last_working_day(town: Town) -> None:
    third_quarter(town)
    town.passes_until("2026-10-28 23:59")
    assert not any("最后工作日" in text for text in texts(town, "007", "handler"))
    town.passes_until("2026-10-29 00:00")
    (told,) = [text for text in texts(town, "007", "handler") if "最后工作日" in text]
    assert "2026-10-31" in told and "最后工作日为2026年10月30日" in told


def test_s37_what_is_missing_the_day_after_is_overdue_and_supervised(town: Town) -> None:
    case = third_quarter(town)
    town.passes_until("2026-10-31 23:59")
    assert town.children(case, "supervision") == []
    town.passes_until("2026-11-01 00:00")
    assert len(town.children(case, "supervision")) == 1
    with town.store.read() as session:
        office = town.officer("024", "handler")
        late = reports.search(session, office, today=date(2026, 11, 1), missing_only=True, unit="007")
        orders = supervision.search(session, office, unit="007", open_only=True)
    assert [(line.period, line.missing, line.state_label) for line in late.lines] == [("2026-Q3", True, "逾期未报送")]
    assert [line.source_id for line in orders.lines] == [case]


def test_a_report_is_written_signed_and_accepted(town: Town) -> None:
    request = town.submits("006", ESTATE, at="2026-09-01 09:00")
    town.reviews(request)
    town.does(request, "Task_Reply", at="2026-09-03 09:00")
    case = third_quarter(town, "011")
    written(town, case, at="2026-10-20 09:00")
    town.does(case, "Task_Sign", sign="agree")
    frozen = sheet_of(town, case)
    assert frozen.line.state == "submitted" and not frozen.line.late
    counted = {label: value for label, value, _ in frozen.figures}
    assert (counted["收到共享申请（件）"], counted["已答复（件）"], counted["平均答复用时（工作日）"]) == (1, 1, 2)
    assert frozen.content[0] == ("落实情况", "按目录共享。")
    assert view(town, case, "Task_Accept").due_day == date(2026, 10, 27)
    town.does(case, "Task_Accept", acceptance="accept")
    ended = town.sheet(case)
    assert (ended.state, ended.outcome, sheet_of(town, case).line.state) == ("completed", "accepted", "accepted")


def test_a_county_without_a_head_signs_by_its_liaison(town: Town) -> None:
    case = third_quarter(town, "902")
    written(town, case, at="2026-10-20 09:00")
    assert view(town, case, "Task_SignCounty").post_label == "县区联络员"
    town.does(case, "Task_SignCounty", sign="agree")
    town.does(case, "Task_Accept", acceptance="return", return_reason="使用效果应有数据。")
    town.does(case, "Task_Revise", **SAID)
    town.does(case, "Task_SignRevisionCounty", revision_signed=True)
    town.does(case, "Task_Accept", acceptance="accept")
    assert town.sheet(case).outcome == "accepted"


def test_a_head_may_send_it_back_and_the_office_too(town: Town) -> None:
    case = third_quarter(town)
    written(town, case, at="2026-10-20 09:00")
    town.does(case, "Task_Sign", sign="return", opinion="请补充使用效果")
    written(town, case, at="2026-10-21 09:00")
    town.does(case, "Task_Sign", sign="agree")
    town.does(case, "Task_Accept", acceptance="return", return_reason="请写明问题。")
    assert sheet_of(town, case).line.state == "returned"
    assert view(town, case, "Task_Revise").due_day == date(2026, 10, 28)
    town.does(case, "Task_Revise", **{**SAID, "problems": "接口不稳定。"})
    town.does(case, "Task_SignRevision", revision_signed=True)
    report = sheet_of(town, case)
    assert ("存在问题", "接口不稳定。") in report.content
    assert report.line.submitted_at == shanghai("2026-10-21 09:00")  # when it first came in


def test_late_is_late_though_it_is_accepted(town: Town) -> None:
    case = third_quarter(town)
    written(town, case, at="2026-11-02 09:00")
    town.does(case, "Task_Sign", sign="agree")
    assert town.sheet(town.children(case, "supervision")[0]).state == "completed"  # closed by itself
    assert sheet_of(town, case, today=date(2026, 11, 2)).line.late


def test_the_december_report_sums_up_the_year(town: Town) -> None:
    sweep(town, "2026-12-10 08:00")
    case = opened_for(town, "007", "unit_report", "2026-Q4")
    assert view(town, case, "Task_Fill").due_day == date(2026, 12, 31)
    assert all(year is not None for _, _, year in sheet_of(town, case, today=date(2026, 12, 10)).figures)


def test_in_january_the_office_reports_to_the_city_government(town: Town) -> None:
    sweep(town, "2027-01-11 08:00")
    case = opened_for(town, "024", "city_report", "2026")
    assert view(town, case, "Task_Compile").due_day == date(2027, 1, 31)  # a Sunday
    town.does(case, "Task_Compile", **SAID)
    town.does(case, "Task_Sign", sign="agree")
    town.does(case, "Task_Receive", received=True, instruction="继续推进。")
    assert town.sheet(case).outcome == "reported"


@pytest.mark.parametrize("reader, seen", [(("007", "handler"), True), (("013", "handler"), False), (("024", "head"), True)])
def test_units_see_their_own_reports_and_the_office_sees_all(town: Town, reader: tuple[str, str], seen: bool) -> None:
    case = third_quarter(town)
    with town.store.read() as session:
        lines = reports.search(session, town.officer(*reader), today=date(2026, 10, 12)).lines
    assert (case in [line.instance_id for line in lines]) is seen
