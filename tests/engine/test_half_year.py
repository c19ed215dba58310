"""The demo's past half year: every story goes through on the real engine, and what it leaves is what a visitor should find."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import func, select

from calendars.deadline import SHANGHAI
from engine.demo.half_year import StoryError, live_half_year, script
from engine.demo.town import town_data
from engine.history_seal import seal, verify
from engine.process.desk.counts import inbox_counts
from engine.process.editions import edition_at
from engine.process.queries import board
from engine.process.tables import Incident, Instance, Task, Timer
from engine.sharing.documents import Document
from engine.sharing.grants import Grant
from engine.sharing.negative_list import NegativeListEntry
from engine.sharing.supervision import SupervisionCase
from engine.store.clock import shanghai
from engine.store.errors import Invalid
from tests.town import HOUSING, Town

TODAY = "2026-11-23 10:30"


def test_half_a_year_is_lived_and_leaves_what_a_visitor_should_find(town: Town) -> None:
    """One long test, because living half a year takes some seconds."""
    cases = live_half_year(town.store, town.clock, shanghai(TODAY))
    cases_are_in_every_state_without_an_incident(town, cases)
    people_worked_in_office_hours_and_timers_fired_when_they_were_due(town)
    the_office_and_the_visitor_find_something_to_do(town)


def cases_are_in_every_state_without_an_incident(town: Town, cases: list[int]) -> None:
    assert town.clock.now() == shanghai(TODAY)
    assert len(cases) == len(script()["stories"])
    with town.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        outcomes = Counter(session.scalars(select(Instance.outcome_name).where(Instance.process_key == "conditional_share")))
        waiting = set(session.scalars(select(Task.step).where(Task.state == "open")))
        claimed = session.scalar(select(func.count()).select_from(Task).where(Task.state == "open", Task.assignee_id.is_not(None)))
        levels = Counter(session.execute(select(SupervisionCase.level, SupervisionCase.closed_at.is_(None))).all())
        kinds = set(session.scalars(select(Document.kind)))
        numbers = session.execute(select(Document.unit_id, Document.kind, Document.year, Document.serial)).all()
        listed = session.scalar(select(func.count()).select_from(NegativeListEntry).where(NegativeListEntry.state == "listed"))
        grants = session.scalar(select(func.count()).select_from(Grant))
    assert outcomes.keys() == {"已共享", "不予共享", "不予共享（已列入负面清单）", "已撤回", "视为撤回", None}
    assert outcomes["已共享"] >= 20 and outcomes[None] >= 15
    assert waiting >= {
        "Task_ApplicantSign", "Task_Amend", "Task_Intake", "Task_Supplement", "Task_SupplementReceipt", "Task_BusinessReview",
        "Task_SecurityReview", "Task_Reply", "Task_ReplyAgain", "Task_RefusalReceipt", "Task_SupplyByPlatform", "Task_Accept",
        "Task_FirstReview", "Task_LegalReview", "Task_Explain", "Task_FollowUp", "Task_Expert", "Task_Minutes", "Task_Decide",
    }  # fmt: skip
    assert claimed and claimed >= 3
    assert {level for level, is_open in levels if is_open} == {"blue", "orange", "red"}
    assert any(not is_open for _, is_open in levels)
    assert kinds >= {
        "reply_letter", "refusal_letter", "listing_decision", "listing_refusal", "supervision_order", "change_notice",
        "catalogue_opinion", "publication_notice", "acceptance_notice", "expert_report", "review_decision_letter",
        "negotiation_minutes", "coordination_opinion",
    }  # fmt: skip
    assert listed == 5 and grants and grants >= outcomes["已共享"]
    series: dict[tuple[int, str, int], list[int]] = {}
    for unit, kind, year, serial in numbers:
        series.setdefault((unit, kind, year), []).append(serial)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in series.values())


def people_worked_in_office_hours_and_timers_fired_when_they_were_due(town: Town) -> None:
    with town.store.read() as session:
        acts = session.scalars(select(Task.completed_at).where(Task.state == "done")).all()
        fired = session.execute(select(Timer.due_at, Timer.fired_at).where(Timer.fired_at.is_not(None))).all()
        edition = edition_at(session, shanghai(TODAY))
    hours = [at.astimezone(SHANGHAI) for at in acts if isinstance(at, datetime)]
    assert all(edition.works(at.date()) and 8 <= at.hour < 18 for at in hours)
    assert fired and all(due == at for due, at in fired)
    while seal(town.store):
        pass
    assert verify(town.store).ok


def the_office_and_the_visitor_find_something_to_do(town: Town) -> None:
    with town.store.read() as session:
        supervisor = town.officer("024", "supervisor")
        rows = board(session, supervisor)
        assert sum(row.overdue for row in rows) >= 3
        assert sum(row.due_soon for row in rows) >= 3
        assert inbox_counts(session, supervisor)["posts"] >= 1
        # The first account of the list, with which a visitor begins.
        assert sum(inbox_counts(session, town.officer("007", "handler")).values()) >= 3


def test_the_stories_name_only_who_and_what_the_town_has() -> None:
    units = {unit["no"] for unit in town_data()["departments"]}
    resources = {resource["code"] for resource in town_data()["resources"]}
    for story in script()["stories"]:
        assert story["applicant"] in units and ("process" in story or story["applicant"] in script()["units"])
        assert story.get("resource", HOUSING) in resources
        for act in story["then"].split():
            step, _, rest = act.partition("+")
            answer = rest.rstrip("!").partition(":")[2]
            assert answer in script()["answers"][step], act


def test_a_story_that_the_engine_does_not_go_along_with_is_told(town: Town) -> None:
    story = {**script()["stories"][0], "ago": 3}
    with pytest.raises(StoryError, match="no open task for reply"):
        live_half_year(town.store, town.clock, shanghai(TODAY), [{**story, "then": "sign+0 reply+1"}])
    with pytest.raises(StoryError, match="is no act"):
        live_half_year(town.store, town.clock, shanghai(TODAY), [{**story, "then": "sign"}])
    with pytest.raises(Invalid):  # the head's return wants an opinion, which this story does not tell
        live_half_year(town.store, town.clock, shanghai("2026-12-23 10:30"), [{**story, "then": "sign+0:return"}])
