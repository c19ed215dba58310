"""Starting cases: by people, by the calendar; numbers, parties, titles; who may see them; the record of it all."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine.history_seal import verify
from engine.process.instances import start_by_system, start_instance
from engine.process.queries import cases
from engine.process.sheets.case import case_sheet
from engine.process.sheets.task import task_sheet
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form
from tests.engine.process.office import text as text_field

ASK = form(text_field("why", required=True), title="申请")
PARTS = ("start > user:judge > end:done", element("judge", name="审批", unit="to_unit", post="head", form="judge", article="第一条"))
FORMS = {"ask": ASK, "judge": form(choice("verdict", "yes", "no", required=True))}


@pytest.fixture
def asked(office: Office) -> Office:
    office.deploy(
        "start > script:to > user:judge > end:done", element("to", body="<bpmn:script>to_unit = 'B'</bpmn:script>"), PARTS[1],
        forms=FORMS, startForm="ask", numberPrefix="申请", title="'请示：' + why", parties="other='B'",
    )
    return office


def test_cases_are_numbered_without_gaps_within_prefix_and_year(asked: Office) -> None:
    with pytest.raises(Invalid):
        asked.start(why="")
    first, second = asked.start(why="一"), asked.start(why="二")
    assert [asked.instance(i).number for i in (first, second)] == ["申请〔2026〕1号", "申请〔2026〕2号"]
    asked.clock.to("2027-01-04 09:00")
    assert asked.instance(asked.start(why="三")).number == "申请〔2027〕1号"


def test_the_title_comes_from_the_diagram(asked: Office) -> None:
    assert asked.instance(asked.start(why="公租房")).title == "请示：公租房"


def test_only_the_posts_of_the_diagram_may_start_it(asked: Office) -> None:
    for who in ("clara", "otto", "petra"):
        with pytest.raises(NotAllowed):
            asked.start(who, why="x")
    with pytest.raises(NotAllowed):
        start_instance(asked.store, "test", actor=asked["anna"], answers={"why": "x"}, unit_id=asked.units["B"])
    with pytest.raises(NotFound):
        asked.start(key="unknown", why="x")


def test_the_parties_see_the_case_and_nobody_else_does(asked: Office) -> None:
    case = asked.start(why="一")
    with asked.store.read() as session:
        for who in ("anna", "ben", "clara", "dora", "fritz", "gu"):
            assert case_sheet(session, asked[who], case).number == "申请〔2026〕1号"
            assert [line.instance_id for line in cases(session, asked[who]).lines] == [case]
        for who in ("otto", "petra", "paul"):
            with pytest.raises(NotAllowed):
                case_sheet(session, asked[who], case)
            assert cases(session, asked[who]).lines == []


def test_the_sheet_of_a_task_says_who_may_work_on_it(asked: Office) -> None:
    asked.start(why="一")
    task = asked.task("judge").id
    with asked.store.read() as session:
        assert task_sheet(session, asked["fritz"], task).may_work
        assert not task_sheet(session, asked["dora"], task).may_work
        with pytest.raises(NotAllowed):
            task_sheet(session, asked["otto"], task)


def test_the_record_tells_who_when_what_and_under_which_article(asked: Office) -> None:
    case = asked.start(why="一")
    asked.clock.to("2026-02-11 10:00")
    asked.claim("fritz", "judge")
    asked.complete("fritz", "judge", "照准", verdict="yes")
    with asked.store.read() as session:
        lines = case_sheet(session, asked["anna"], case).timeline
    assert [(line.act, line.actor, line.article) for line in lines] == [
        ("started", "Anna", None), ("claimed", "Fritz", None), ("completed", "Fritz", "第一条"),
    ]
    assert lines[-1].at == shanghai("2026-02-11 10:00")
    assert (lines[-1].title, lines[-1].opinion) == ("办结“审批”", "照准")
    assert verify(asked.store).ok


def test_the_calendar_starts_a_case_for_a_unit(office: Office) -> None:
    office.deploy("start > user:report > end", element("report", unit="applicant_unit", post="head"), key="report")
    with office.store.work() as work:
        case = start_by_system(work, "report", unit_code="B", variables={"period": "2026Q1"}, at=shanghai("2026-02-10"))
    found = office.instance(case)
    assert (found.starter_id, found.variables["period"], found.started_at) == (None, "2026Q1", shanghai("2026-02-10"))
    assert office.task("report").unit_id == office.units["B"]
    with pytest.raises(NotFound), office.store.work() as work:
        start_by_system(work, "report", unit_code="Z", variables={})


def test_a_record_that_was_tampered_with_is_found(asked: Office) -> None:
    case = asked.start(why="一")
    asked.complete("fritz", "judge", verdict="yes")
    with asked.store.engine.begin() as connection:
        connection.execute(text("UPDATE instance SET history_seq = history_seq - 1 WHERE id = :id"), {"id": case})
    verdict = verify(asked.store)
    assert not verdict.ok and f"instance:{case}" in str(verdict.first_broken)
