"""A request of the demo town that moves to another version in the middle, and is granted under it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from engine.process.definitions import deploy, in_force
from engine.process.package import Package
from engine.process.tables import Instance, Task, Timer
from engine.process.workshop.migrating.commands import plan_migration, start_migration
from engine.process.workshop.migrating.running import move_waiting
from tests.town import Town

KEY = "conditional_share"


def moves_to(town: Town, *changes: tuple[str, str], **chosen: str) -> int:
    """The process admin changes the diagram's text, and all requests that are under way follow; returns the version's id."""
    with town.store.read() as session:
        now = in_force(session, KEY, town.now())
    text = town.diagram(KEY)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    editor, approver = town.officer("024", "process_admin"), town.officer("024", "process_approver")
    package = Package(now.rule_set, text.encode(), now.forms, now.documents)
    after = deploy(town.store, package, actor=editor, approved_by=approver, reason="调整")
    migration = plan_migration(town.store, actor=editor, from_id=now.id, to_id=after, chosen=chosen, reason="调整")
    start_migration(town.store, migration, actor=approver)
    move_waiting(town.store)
    return after


def state_of(town: Town, case: int) -> list[object]:
    """The rows of tasks and timers."""
    with town.store.read() as session:
        return [
            tuple(getattr(row, column.name) for column in table.__table__.columns if column.name != "definition_id")
            for table in (Task, Timer) for row in session.scalars(select(table).where(table.instance_id == case).order_by(table.id))
        ]  # fmt: skip


def test_a_request_between_its_two_reviews_follows_a_shorter_limit_and_new_names_and_is_granted(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:00")
    town.does(case, "Task_Intake")
    town.does(case, "Task_BusinessReview")
    reviewer = town.officer("013", "security_reviewer")
    town.claims(case, "Task_SecurityReview", reviewer)
    after = moves_to(
        town, ('sharing:role="deadline" sharing:workingDays="10"', 'sharing:role="deadline" sharing:workingDays="8"'),
        ("Task_SecurityReview", "Task_SafetyReview"), Task_SecurityReview="Task_SafetyReview",
    )  # fmt: skip
    with town.store.read() as session:
        assert session.get_one(Instance, case).definition_id == after
    task = town.task(case, "Task_SafetyReview")
    assert task.assignee_id == reviewer.account_id and task.due_day == date(2026, 2, 27)
    town.does(case, "Task_SafetyReview", by=reviewer, security_screening=["no_secrets"], security_finding="pass")
    town.does(case, "Task_Reply")
    town.does(case, "Task_SupplyByPlatform")
    town.does(case, "Task_Accept")
    assert town.sheet(case).outcome == "shared"


def test_a_version_that_only_draws_differently_leaves_every_row_as_it_is(town: Town) -> None:
    """At each stage: signed, in review with one branch done, waiting for the supplement with the clock standing still."""
    asked = town.asks(at="2026-02-10 09:00")
    reviewed = town.submits("006", at="2026-02-10 10:00")
    town.does(reviewed, "Task_Intake")
    town.does(reviewed, "Task_BusinessReview")
    standing = town.submits("022", at="2026-02-10 11:00")
    town.does(standing, "Task_Intake", completeness="supplement", supplement_needed="请补正")
    was = {case: state_of(town, case) for case in (asked, reviewed, standing)}
    note = '<bpmn:textAnnotation id="Note_New"><bpmn:text>说明</bpmn:text></bpmn:textAnnotation></bpmn:process>'
    after = moves_to(town, ("</bpmn:process>", note))
    with town.store.read() as session:
        assert {session.get_one(Instance, case).definition_id for case in was} == {after}
    assert {case: state_of(town, case) for case in was} == was
