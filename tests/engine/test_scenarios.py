"""Stories that an official would try, on the real engine and the shipped diagrams, on both databases.

Dates are Shanghai dates of 2026 under the founding document: ten working days to reply to a conditional request.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from calendars.deadline import shanghai_day
from engine.history import History
from engine.people.actor import Actor
from engine.process.editions import closed_until
from engine.process.inbox import inbox
from engine.process.notifying.reading import notices
from engine.process.sheets.deadline import deadline_sheet
from engine.sharing import catalogue, documents, grants, negative_list, supervision
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, TaskTaken
from tests.town import HOUSING, Town


def days(*names: str) -> list[date]:
    return [date.fromisoformat(f"2026-{name}") for name in names]


# -- A. calendar and clocks -------------------------------------------------------------------


def test_s01_ten_working_days_over_the_spring_festival(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    task = town.view(case, "Task_Intake")
    assert task.due_day == date(2026, 3, 2)
    assert task.due_at == shanghai("2026-03-03 00:00")  # 24:00 of the last day
    assert (task.provisional, task.light) == (False, "green")
    with town.store.read() as session:
        assert task.clock_id is not None
        sheet = deadline_sheet(session, town.officer("013", "intake"), task.clock_id)
    assert sheet.explanation is not None
    counted = [day.day for day in sheet.explanation.counted]
    assert counted == days("02-11", "02-12", "02-13", "02-14", "02-24", "02-25", "02-26", "02-27", "02-28", "03-02")
    festival = {day.day for day in sheet.explanation.skipped}
    assert festival == {date(2026, 2, day) for day in range(15, 24)} | {date(2026, 3, 1)}
    assert (sheet.statutory_max, sheet.clock.article) == (10, "第十五条")


def test_s01_it_turns_yellow_two_working_days_before(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.passes_until("2026-02-26 23:59")
    assert town.view(case, "Task_Intake").light == "green"
    town.passes_until("2026-02-27 00:00")
    assert town.view(case, "Task_Intake").light == "yellow"
    with town.store.read() as session:
        told = [notice.title for notice in notices(session, town.officer("013", "head")).lines]
    assert "共享申请临近答复时限" in told


@pytest.mark.parametrize("submitted", ["2026-02-14 10:00", "2026-02-18 10:00"])
def test_s02_s03_a_make_up_saturday_counts_and_a_holiday_does_not(town: Town, submitted: str) -> None:
    case = town.submits(at=submitted)
    assert town.view(case, "Task_Intake").due_day == date(2026, 3, 6)


def test_s03_who_submits_in_the_holiday_is_told_when_offices_open(town: Town) -> None:
    with town.store.read() as session:
        assert closed_until(session, shanghai("2026-02-18 10:00")) == date(2026, 2, 24)
        assert closed_until(session, shanghai("2026-02-14 10:00")) is None


def test_s10_past_the_published_calendar_a_deadline_is_provisional(town: Town) -> None:
    case = town.submits(at="2026-12-18 10:00")
    task = town.view(case, "Task_Intake")
    assert (task.due_day, task.provisional) == (date(2027, 1, 4), True)
    with town.store.read() as session:
        line = inbox(session, town.officer("013", "intake"), "posts").lines[0]
    assert line.provisional


def test_s12_after_an_outage_what_was_overdue_fires_once_and_is_dated_when_it_was_due(
    town: Town, clock: MovableClock
) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.passes_until("2026-02-28 00:00")
    clock.to("2026-03-03 08:04")  # nobody was awake
    assert town.children(case, "supervision") == []
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda _: town.worker_sweeps(), range(2)))
    town.worker_sweeps()
    (order,) = town.children(case, "supervision")
    with town.store.read() as session:
        (line,) = supervision.search(session, town.officer("024", "supervisor")).lines
        fired = session.scalars(
            select(History).where(History.instance_id == case, History.act == "timer_fired").order_by(History.seq)
        ).all()
        (issued,) = documents.documents_of(session, town.officer("024", "supervisor"), order)
    assert (line.source_id, line.instance_id, line.opened_at) == (case, order, shanghai("2026-03-03 00:00"))
    deadline = [entry for entry in fired if entry.data["role"] == "deadline"]
    assert [(entry.at, entry.recorded_at) for entry in deadline] == [
        (shanghai("2026-03-03 00:00"), shanghai("2026-03-03 08:04"))
    ]
    assert (issued.kind, issued.number) == ("supervision_order", "经发中心督办〔2026〕1号")


# -- B. a request for conditionally shared data -----------------------------------------------


def test_s13_agreed_with_a_condition_it_is_granted_documented_published_and_supplied(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30", valid_until="2027-02-28")
    town.passes_until("2026-03-02 10:00")
    town.reviews(case)
    town.does(case, "Task_Reply", decision="conditional", conditions="按人核验", agreed_fields=["公民身份号码", "保障起止"])
    applicant = town.officer("007", "handler")
    with town.store.read() as session:
        (letter,) = documents.documents_of(session, applicant, case)
        text = documents.document_sheet(session, applicant, letter.id).words
        (grant,) = grants.search(session, applicant, today=shanghai_day(town.now())).lines
        sheet = catalogue.resource_sheet(session, town.officer("014", "handler"), HOUSING)
        told = [notice.text for notice in notices(session, applicant).lines]
    assert (letter.kind, letter.number, letter.article) == ("reply_letter", "住建共享函〔2026〕1号", "第十五条")
    assert "附条件同意共享" in text and "按人核验" in text and "2026年3月2日" in text
    assert (grant.fields, grant.use, grant.method) == (("公民身份号码", "保障起止"), "数据校核", "联机查询")
    assert (grant.conditions, grant.valid_until, grant.instance_id) == ("按人核验", date(2027, 2, 28), case)
    assert [condition.text for condition in sheet.published_conditions] == ["按人核验"]
    assert any(letter.number in notice and grant.number in notice for notice in told)
    supply = town.view(case, "Task_SupplyByPlatform")  # theme data: the platform's unit supplies it
    assert supply.due_day == date(2026, 3, 16)
    assert "平台管理单位供数" in town.inbox(town.officer("024", "platform_operator"))
    town.does(case, "Task_SupplyByPlatform", at="2026-03-05 10:00")
    town.does(case, "Task_Accept")
    assert (town.sheet(case).state, town.sheet(case).outcome_name) == ("completed", "已共享")


def test_s14_a_refusal_without_reasons_is_no_refusal(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.reviews(case)
    with pytest.raises(Invalid) as refused:
        town.does(case, "Task_Reply", decision="refuse", refusal_type="necessity", supply_by=None)
    assert "理由" in refused.value.fields["refusal_reason"]
    assert town.view(case, "Task_Reply").state == "open"
    with town.store.read() as session:
        assert documents.documents_of(session, town.officer("024", "handler"), case) == []


def test_s15_changed_conditions_without_a_basis_change_no_list_and_come_back_to_the_provider(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.reviews(case)
    town.does(
        case, "Task_Reply", at="2026-02-24 10:00", decision="refuse", refusal_type="conditions_changed",
        refusal_reason="共享条件已变更", refusal_basis_type="none", supply_by=None,
    )  # fmt: skip
    (review,) = town.children(case, "negative_list_entry")
    assert listed(town) == []
    town.does(review, "Task_FirstReview", first_finding="not_established")
    town.does(review, "Task_LegalReview", legal_finding="not_established")
    with pytest.raises(Invalid):  # without a basis there is nothing to list, whoever decides
        town.does(review, "Task_Decide", decision=None, decision_without_basis="list")
    town.does(review, "Task_Decide", at="2026-02-25 10:00", decision=None, decision_without_basis="reject")
    assert town.sheet(review).outcome == "rejected"
    assert listed(town) == []
    with town.store.read() as session:
        assert catalogue.resource_sheet(session, town.officer("007", "handler"), HOUSING).line.sharing_class == "conditional"
    again = town.view(case, "Task_ReplyAgain")
    assert (again.unit_name[:9], again.due_day) == ("市住房和城乡建设局", date(2026, 3, 3))


def test_s15_with_a_basis_that_the_office_upholds_the_resource_is_withheld_and_listed(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.reviews(case)
    town.does(
        case, "Task_Reply", decision="refuse", refusal_type="conditions_changed", refusal_reason="法律已修订",
        refusal_basis_type="law", refusal_basis="某法", refusal_article="某条", supply_by=None,
    )  # fmt: skip
    (review,) = town.children(case, "negative_list_entry")
    for step in ("Task_FirstReview", "Task_LegalReview", "Task_Decide"):
        town.does(review, step)
    assert town.sheet(case).outcome_name == "不予共享（已列入负面清单）"
    assert listed(town) == [(HOUSING, "某法", "某条")]
    with town.store.read() as session:
        sheet = catalogue.resource_sheet(session, town.officer("007", "handler"), HOUSING)
        assert sheet.line.sharing_class == "withheld" and sheet.items is None
        assert sheet.versions[0].instance_id == review
    with pytest.raises(Invalid) as refused:
        town.asks()
    assert "不予共享" in refused.value.fields["resource_code"]


def listed(town: Town) -> list[tuple[str, str, str]]:
    """What stands on the negative list about resources of 013."""
    with town.store.read() as session:
        page = negative_list.search(session, town.officer("014", "handler"), provider="013")
    return [(line.resource_code, line.basis, line.article) for line in page.lines]


@pytest.mark.parametrize(
    ("policy", "due"), [("pause", date(2026, 5, 18)), ("restart", date(2026, 5, 21)), ("none", date(2026, 5, 14))]
)
def test_s16_asking_once_for_what_is_missing_stops_the_clock_as_the_diagram_says(town: Town, policy: str, due: date) -> None:
    town.passes_until("2026-04-28 08:00")
    if policy != "pause":
        town.changes("conditional_share", 'sharing:onPause="pause"', f'sharing:onPause="{policy}"')
    case = town.submits(at="2026-04-28 09:30")
    assert town.view(case, "Task_Intake").due_day == date(2026, 5, 14)
    town.does(case, "Task_Intake", at="2026-05-06 10:00", completeness="supplement", supplement_needed="请补充等级保护备案证明")
    (clock,) = [clock for clock in town.sheet(case).clocks if clock.statutory]
    assert (clock.light == "paused", clock.due_at is None) == (policy != "none", policy != "none")
    town.does(case, "Task_Supplement", at="2026-05-08 10:00")
    assert town.view(case, "Task_SupplementReceipt").due_day == due
    with pytest.raises(Invalid) as refused:  # asked once, asked for all
        town.does(case, "Task_SupplementReceipt", completeness="supplement")
    assert "completeness" in refused.value.fields


def test_s16_what_is_not_supplemented_in_time_counts_as_withdrawn(town: Town) -> None:
    case = town.submits(at="2026-04-28 09:30")
    town.does(case, "Task_Intake", at="2026-05-06 10:00", completeness="supplement", supplement_needed="请补充授权书样式")
    town.passes_until("2026-05-12 23:59")  # the fifth working day: Saturday the 9th worked
    assert town.sheet(case).state == "running"
    town.passes_until("2026-05-13 00:00")
    assert (town.sheet(case).state, town.sheet(case).outcome_name) == ("completed", "视为撤回")


def test_s18_silence_reaches_the_office_and_decides_nothing(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.passes_until("2026-03-02 23:59")
    assert town.children(case, "supervision") == []
    town.passes_until("2026-03-03 00:00")
    assert town.view(case, "Task_Intake").light == "red"
    (order,) = town.children(case, "supervision")
    assert "督办跟踪" in town.inbox(town.officer("024", "supervisor"))
    assert "情况说明" in town.inbox(town.officer("013", "head"))
    leader = town.officer("024", "head")
    town.passes_until("2026-03-04 23:59")
    assert "共享申请逾期未答复" not in titles(town, leader)
    town.passes_until("2026-03-05 00:00")
    assert "共享申请逾期未答复" in titles(town, leader)
    with town.store.read() as session:
        assert "发起整改" in notices(session, leader).lines[0].text
    town.passes_until("2026-03-20 00:00")
    assert (town.sheet(case).state, town.sheet(case).current_steps) == ("running", ["Task_Intake"])
    with town.store.read() as session:
        assert grants.search(session, leader, today=shanghai_day(town.now())).lines == []
        (line,) = supervision.search(session, leader).lines
    assert (line.level, line.open) == ("red", True)
    # It can still be done; then the supervision closes by itself and the lateness stays on record.
    town.reviews(case)
    town.does(case, "Task_Reply", at="2026-03-20 10:00")
    sheet = town.sheet(case)
    assert [task.late for task in sheet.done_tasks if task.step == "Task_Reply"] == [True]
    assert town.sheet(order).outcome_name == "已销号"
    with town.store.read() as session:
        (line,) = supervision.search(session, leader).lines
    assert line.closed_at == shanghai("2026-03-20 10:00")


def titles(town: Town, actor: Actor) -> list[str]:
    """The headings of somebody's notices."""
    with town.store.read() as session:
        return [notice.title for notice in notices(session, actor).lines]


def test_s20_of_two_reviewers_who_claim_at_once_one_succeeds(town: Town) -> None:
    reviewers = [town.officer("013", "business_reviewer"), town.joins("second", "013", "business_reviewer")]
    case = town.submits(at="2026-02-10 09:30")
    town.does(case, "Task_Intake")
    together = threading.Barrier(2)

    def claim(reviewer: Actor) -> str:
        together.wait(timeout=30)
        try:
            town.claims(case, "Task_BusinessReview", reviewer)
        except TaskTaken as taken:
            return taken.message
        return "claimed"

    with ThreadPoolExecutor(2) as people:
        said = sorted(people.map(claim, reviewers))
    winner = town.view(case, "Task_BusinessReview").assignee
    assert said == sorted(["claimed", f"该待办已被{winner}签收"])


# -- F. editing diagrams, security ------------------------------------------------------------


def test_s41_a_tighter_limit_binds_the_cases_that_come_after_it(town: Town) -> None:
    early = town.submits(at="2026-11-23 10:00")
    assert town.view(early, "Task_Intake").due_day == date(2026, 12, 7)
    town.passes_until("2026-11-23 11:00")
    town.changes("conditional_share", 'sharing:workingDays="10" sharing:statutoryMax="10"',
                 'sharing:workingDays="5" sharing:statutoryMax="10"')  # fmt: skip
    late = town.submits("022", at="2026-11-23 14:00")
    assert town.view(early, "Task_Intake").due_day == date(2026, 12, 7)
    assert town.view(late, "Task_Intake").due_day == date(2026, 11, 30)
    assert (town.sheet(early).version, town.sheet(late).version) == (1, 2)


def test_s45_a_stranger_sees_catalogue_and_list_but_no_case_and_no_withheld_items(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    stranger = town.officer("014", "handler")
    with pytest.raises(NotAllowed):
        town.sheet(case, stranger)
    for login in (("007", "handler"), ("013", "intake"), ("024", "handler"), ("019", "auditor")):
        assert town.sheet(case, town.officer(*login)).number == "共享申请〔2026〕1号"
    withheld = "202001/000003"
    with town.store.read() as session:
        assert catalogue.resource_sheet(session, stranger, HOUSING).items == ("公民身份号码", "房源地址", "保障起止")
        assert catalogue.resource_sheet(session, stranger, withheld).items is None
        assert catalogue.resource_sheet(session, town.officer("017", "intake"), withheld).items
        (entry,) = negative_list.entries_of(session, stranger, withheld)
        assert (entry.resource_name, entry.article) == ("艾滋病病例个案信息", "第三十九条第二款")
        with pytest.raises(NotFound):
            catalogue.resource_sheet(session, town.officer("007", "handler"), "3070211000014/000002")
