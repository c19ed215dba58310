"""Returning and withdrawing in the town's own processes: a request for conditional sharing, from its applicant to its provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.process.interpreter.going_back import human_steps
from engine.process.interpreter.machine import Machine, Onlooker
from engine.process.interpreter.markings import reachable, reachable_beside
from engine.process.interpreter.reader import read_diagram
from engine.process.returning import return_targets, return_task
from engine.process.withdrawing import give_up, withdraw_start, withdraw_task
from engine.store.errors import Invalid
from tests.machine import ROOT
from tests.town import Town

SHIPPED = sorted((ROOT / "bpmn").glob("*/*/diagram.bpmn"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.parent.name}-{file.parent.name}")
def test_every_scope_of_the_shipped_diagrams_can_be_counted_out(file: Path) -> None:
    """Else nothing could be returned there; and every step that people do is somewhere in it."""
    diagram = read_diagram(file.read_bytes())
    scopes = [diagram.spec.root, *diagram.spec.subprocesses.values()]
    places = set()
    for spec in scopes:
        main, beside = reachable(spec), reachable_beside(spec)
        assert main is not None and beside is not None and len(main) < 500
        places |= {place[0] for marking in main | beside for place in marking}
    machine = Machine.start(diagram, host=Onlooker())
    assert set(human_steps(machine._process)) <= places


def targets(town: Town, case: int, step: str) -> list[str]:
    task = town.task(case, step)
    with town.store.read() as session:
        return [target.step for target in return_targets(session, town._able(task), task.id)]


def sends_back(town: Town, case: int, step: str, to: str) -> None:
    task = town.task(case, step)
    return_task(town.store, task.id, actor=town._able(task), to=to, reason="意见不明确，请补充")


def test_within_the_reply_a_review_is_done_again_while_the_ten_days_run_on(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:30")
    town.reviews(case)
    due = town.task(case, "Task_Reply").due_at
    assert targets(town, case, "Task_Reply")[:2] == ["Task_SecurityReview", "Task_BusinessReview"]
    assert "starter" not in targets(town, case, "Task_Reply"), "nobody escapes the ten working days"
    sends_back(town, case, "Task_Reply", "Task_BusinessReview")
    assert town.task(case, "Task_BusinessReview").due_at == due
    assert [task.step for task in town.sheet(case).open_tasks] == ["Task_BusinessReview"], "the other review stays done"
    town.does(case, "Task_BusinessReview")
    town.does(case, "Task_Reply")
    town.does(case, town.sheet(case).open_tasks[0].step)
    town.does(case, "Task_Accept")
    assert town.sheet(case).state == "completed"


def test_the_head_of_the_applicant_returns_it_to_the_applicant_who_corrects_or_gives_it_up(town: Town) -> None:
    case = town.asks(at="2026-02-10 09:30")
    assert targets(town, case, "Task_ApplicantSign") == ["starter"]
    sends_back(town, case, "Task_ApplicantSign", "starter")
    [task] = town.sheet(case).open_tasks
    town.does(case, task.step, scenario="公租房申请人收入核对")
    sends_back(town, case, "Task_ApplicantSign", "starter")
    row = town.task(case, task.step)
    give_up(town.store, row.id, actor=town.officer("007", "handler"), reason="改走其他渠道")
    assert (town.sheet(case).state, town.sheet(case).outcome) == ("terminated", "withdrawn")


def test_the_applicant_takes_the_request_back_before_the_head_signs_and_the_head_before_it_is_taken_in(town: Town) -> None:
    case = town.asks(at="2026-02-10 09:30")
    withdraw_start(town.store, case, actor=town.officer("007", "handler"))
    town.does(case, town.sheet(case).open_tasks[0].step)
    town.signs(case)
    signed = town.sheet(case).done_tasks[-1].id
    with pytest.raises(Invalid):
        sends_back(town, case, "Task_Intake", "Task_ApplicantSign")
    withdraw_task(town.store, signed, actor=town.officer("007", "head"))
    assert [task.step for task in town.sheet(case).open_tasks] == ["Task_ApplicantSign"]
    town.signs(case)
    assert [task.step for task in town.sheet(case).open_tasks] == ["Task_Intake"]
