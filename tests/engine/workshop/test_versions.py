"""Versions: what is in force, what is coming, what was overtaken, what each changed and how many cases follow it."""

from __future__ import annotations

import pytest

from engine.process.workshop.drafts import start_draft
from engine.process.workshop.versions import changes, process_sheet, processes, version_sheet
from engine.store.errors import NotAllowed, NotFound
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, form, text
from tests.town import Town


def deploy(office: Office, label: str, at: str, key: str = "test") -> int:
    drawn = element("a", form="f", unit="applicant_unit", post="handler")
    return office.deploy("start > user:a > end", drawn, forms={"f": form(text("x", label=label))}, at=at, key=key)


def test_each_version_says_what_it_is_now(office: Office) -> None:
    for label, at in (("1", "2018-11-26"), ("2", "2026-02-01"), ("3", "2026-03-01"), ("4", "2026-03-01")):
        deploy(office, label, at)
    office.start()
    with office.store.read() as session:
        sheet = process_sheet(session, office["petra"], "test", office.clock.now())
    assert [(line.version, line.state, line.running) for line in sheet.versions] == [
        (4, "upcoming", 0), (3, "never", 0), (2, "in_force", 1), (1, "past", 0),
    ]
    assert (sheet.versions[0].deployed_by, sheet.versions[0].approved_by) == ("Petra", "Paul")
    office.clock.to("2026-03-02 09:00")
    office.start()
    with office.store.read() as session:
        sheet = process_sheet(session, office["petra"], "test", office.clock.now())
    assert [(line.state, line.running) for line in sheet.versions] == [("in_force", 1), ("never", 0), ("past", 1), ("past", 0)]


def test_the_list_of_processes_counts_what_goes_on(office: Office) -> None:
    deploy(office, "1", "2018-11-26")
    coming = deploy(office, "2", "2026-03-01")
    deploy(office, "1", "2026-05-01", key="later")
    office.start()
    start_draft(office.store, actor=office["petra"], definition_id=coming)
    start_draft(office.store, actor=office["petra"], key="new", name="新流程", rule_set="test_rules")
    with office.store.read() as session:
        later, test = processes(session, office["paul"], office.clock.now())
    assert (test.key, test.version, test.running, test.drafts, test.proposals) == ("test", 1, 1, 1, 0)
    assert [(line.version, line.effective_at.isoformat()) for line in test.upcoming] == [(2, "2026-02-28T16:00:00+00:00")]
    assert (later.key, later.version, [line.version for line in later.upcoming]) == ("later", None, [1])


def test_a_version_says_what_it_changed_in_the_one_before(office: Office) -> None:
    deploy(office, "1", "2018-11-26")
    deploy(office, "2", "2026-02-01")
    with office.store.read() as session:
        assert changes(session, office["petra"], "test", 1) is None
        found = changes(session, office["petra"], "test", 2)
        assert found is not None
        assert [change.group for change in found[2].changes] == ["forms"]
        for version in (0, 3):
            with pytest.raises(NotFound):
                changes(session, office["petra"], "test", version)


def test_the_steps_of_a_version_are_listed_in_words(town: Town) -> None:
    with town.store.read() as session:
        sheet = version_sheet(session, town.officer("024", "process_admin"), "conditional_share", 1, town.now())
    steps = {step.id: step for step in sheet.steps}
    intake = steps["Task_Intake"]
    assert (intake.kind, intake.unit, intake.post) == ("办理环节", "提供单位", "受理") and intake.form
    deadline = steps["BoundaryEvent_ReplyDeadline"]
    assert (deadline.kind, deadline.limit, deadline.most, deadline.article) == ("定时", "10个工作日", "10", "第十五条")
    assert steps["BoundaryEvent_ReplyReminder"].limit == "时限届满前2个工作日"
    assert steps["Task_Grant"].does not in (None, "sharing.grant"), "an operation has a Chinese name"
    assert not any(step.id.startswith("Gateway_") for step in sheet.steps)


def test_the_versions_are_the_workshops_only(office: Office) -> None:
    deploy(office, "1", "2018-11-26")
    with office.store.read() as session:
        for who in ("anna", "gu", "otto"):
            for look in (lambda: processes(session, office[who], office.clock.now()),
                         lambda: process_sheet(session, office[who], "test", office.clock.now()),
                         lambda: changes(session, office[who], "test", 1)):
                with pytest.raises(NotAllowed):
                    look()
        with pytest.raises(NotFound):
            process_sheet(session, office["petra"], "other", office.clock.now())
        with pytest.raises(NotFound):
            version_sheet(session, office["petra"], "test", 7, office.clock.now())
