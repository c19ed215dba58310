"""What a diagram may do to its own case: extend a running deadline, name its last day beforehand, let a unit see it; and who may start."""

from __future__ import annotations

from datetime import date

import pytest

from engine.process.incidents import CaseFault
from engine.process.notifying.reading import notices
from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.store.clock import shanghai
from engine.store.errors import NotAllowed
from tests.engine.interpreter.diagrams import element, sub, timer
from tests.engine.process.office import Office

EXTENDED = element("extend", operation="cases.extend", out="extension", in_activity="'work'", in_days=5)


def limited(office: Office) -> int:
    """Ten working days for all that happens inside `work`, from 2026-02-10 on; the second step asks for five more."""
    office.deploy(
        "start > sub:work > end", "late > end:missed", "soon > end:told",
        sub("work", "start > user:ask > service:extend > user:reply > end", EXTENDED,
            element("ask", name="申请延期", unit="'B'", post="handler"), element("reply", name="答复", unit="'B'", post="handler")),
        timer("work", "late", role="deadline", workingDays=10), timer("work", "soon", role="reminder", beforeDeadline=2),
    )  # fmt: skip
    return office.start()


def test_an_extension_adds_days_to_the_one_clock(office: Office) -> None:
    case = limited(office)
    assert office.task("ask").due_day == date(2026, 3, 2)
    office.complete("dora", "ask")
    assert office.task("reply").due_day == date(2026, 3, 9)
    said = office.instance(case).variables["extension"]
    assert said == {"days": 5, "due_day": "2026-03-09", "due_text": "2026年3月9日", "old_day": "2026-03-02"}
    (clock,) = office.timers(role="deadline")
    with office.store.read() as session:
        sheet = deadline_sheet(session, office["dora"], clock.id)
    assert sheet.explanation is not None and len(sheet.explanation.counted) == 15
    assert [timer.due_at for timer in office.timers(role="reminder")] == [shanghai("2026-03-05")]


def test_who_was_reminded_already_is_reminded_again(office: Office) -> None:
    case = limited(office)
    office.sweep("2026-02-27 08:00")
    office.complete("dora", "ask")
    assert (office.task("reply").warn_at, office.sweep("2026-03-04 23:59")) == (shanghai("2026-03-05"), 0)
    assert office.sweep("2026-03-05 00:00") == 1
    with office.store.read() as session:
        assert [notice.title for notice in notices(session, office["dora"]).lines] == ["临期提醒：答复"]
    office.sweep("2026-03-10 00:00")
    assert office.instance(case).state == "running" and office.timers(role="deadline")[0].fired_at is not None


@pytest.mark.parametrize(("policy", "last_day"), [("pause", "2026-03-11"), ("restart", "2026-03-18")])
def test_a_clock_that_stood_still_while_it_was_asked_for_is_extended_from_where_it_runs_on(
    office: Office, policy: str, last_day: str
) -> None:
    office.deploy(
        "start > sub:work > end", "late > end:missed",
        sub("work", "start > user:ask > service:extend > user:reply > end", EXTENDED,
            element("ask", unit="'B'", post="handler", clock="pause"), element("reply", unit="'B'", post="handler")),
        timer("work", "late", role="deadline", workingDays=10, onPause=policy),
    )  # fmt: skip
    case = office.start()
    office.clock.to("2026-02-12 10:00" if policy == "pause" else "2026-02-26 10:00")
    office.complete("dora", "ask")
    assert office.instance(case).variables["extension"]["due_day"] == last_day
    assert office.task("reply").due_day == date.fromisoformat(last_day)


def test_what_is_past_cannot_be_extended(office: Office) -> None:
    limited(office)
    office.sweep("2026-03-03 00:00")
    with pytest.raises(CaseFault):
        office.complete("dora", "ask")
    assert office.open_steps() == ["ask"]


def test_a_letter_can_name_the_last_day_of_a_clock_that_begins_after_it(office: Office) -> None:
    office.deploy(
        "start > service:count > sub:work > end", "late > end:missed", sub("work", "start > user:reply > end", element("reply", unit="'B'", post="handler")),
        element("count", operation="cases.due_day", out="last", in_days=10),
        timer("work", "late", role="deadline", workingDays=10),
    )  # fmt: skip
    case = office.start()
    assert office.instance(case).variables["last"] == office.task("reply").due_day.isoformat() == "2026-03-02"  # type: ignore[union-attr]


def test_a_unit_is_let_in_when_the_diagram_says_so(office: Office) -> None:
    office.deploy(
        "start > user:draft > service:serve > user:wait > end",
        element("draft", unit="'A'", post="handler"), element("wait", unit="'A'", post="handler"),
        element("serve", operation="cases.admit", in_unit="'B'"),
    )  # fmt: skip
    case = office.start()
    with office.store.read() as session, pytest.raises(NotAllowed):
        case_sheet(session, office["fritz"], case)
    office.complete("anna", "draft")
    with office.store.read() as session:
        assert case_sheet(session, office["fritz"], case).current_steps == ["wait"]


def test_where_a_body_is_named_only_its_unit_starts(office: Office) -> None:
    office.deploy("start > end", startPosts="handler,supervisor", startBody="leadership_office")
    with pytest.raises(NotAllowed):
        office.start("anna")
    assert office.instance(office.start("gu")).state == "completed"
