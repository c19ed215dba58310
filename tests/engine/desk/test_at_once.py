"""Two people use two verbs at the same moment: one wins, the other is told what happened, and nothing is half done."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from engine.process.desk.standing_in import settle
from engine.process.desk.urging import urge_task
from engine.process.instances import suspend_instance, terminate_instance
from engine.store.errors import Refused
from tests.engine.desk.desk import Desk
from tests.engine.desk.test_standing_in import Leaves


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Lets several people act at the same moment; what each was told, `ok` for who got through."""
    said = ["" for _ in acts]
    gate = threading.Barrier(len(acts))

    def run(place: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
            said[place] = "ok"
        except Refused as refused:
            said[place] = refused.message

    people = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return said


def test_a_transfer_and_a_completion(desk: Desk) -> None:
    case = desk.opens()
    task = desk.task().id
    said = at_once(lambda: desk.transfer("anna", "ben", task=task), lambda: desk.completes("anna", task=task))
    assert said.count("ok") == 1
    assert any(one in ("该待办已被Ben签收", "该待办已办结或已撤销，无需重复办理。") for one in said), said
    assert len([act for act in desk.acts(case) if act in ("transferred", "completed")]) == 1


def test_two_colleagues_give_the_same_task_away(desk: Desk) -> None:
    eve = desk.office.joins("eve", "A", "handler")
    desk.opens()
    task = desk.task().id
    said = at_once(lambda: desk.transfer("anna", "eve", task=task), lambda: desk.delegate("ben", "clara", task=task))
    assert said.count("ok") == 1
    assert desk.row(task).assignee_id in (eve.account_id, desk.id("clara"))
    assert any("已被" in one for one in said), said


def test_the_last_two_signatures_move_the_case_once(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben", "clara")
    desk.completes("anna")
    assert at_once(lambda: desk.sign("ben"), lambda: desk.sign("clara")) == ["ok", "ok"]
    assert (desk.office.open_steps(case), desk.acts(case).count("completed")) == (["file"], 1)


def test_a_signature_and_the_completion_that_waits_for_it(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben")
    assert at_once(lambda: desk.sign("ben"), lambda: desk.completes("anna")) == ["ok", "ok"]
    assert (desk.office.open_steps(case), desk.acts(case).count("completed")) == (["file"], 1)


def test_a_signature_is_given_while_it_is_taken_away(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben")
    desk.completes("anna")
    said = at_once(lambda: desk.sign("ben"), lambda: desk.remove("anna", "ben"))
    assert said.count("ok") == 1
    assert (desk.office.open_steps(case), desk.acts(case).count("completed")) == (["file"], 1)


def test_handing_back_and_taking_back(desk: Desk) -> None:
    case = desk.opens()
    desk.delegate("anna", "clara")
    said = at_once(lambda: desk.hand_back("clara"), lambda: desk.take_back("anna"))
    assert said.count("ok") == 1
    assert desk.task().assignee_id == desk.id("anna")
    assert len([act for act in desk.acts(case) if act in ("handed_back", "taken_back")]) == 1


def test_one_person_urges_from_two_windows(desk: Desk) -> None:
    desk.opens()
    task = desk.task().id
    said = at_once(*[lambda: urge_task(desk.store, task, actor=desk.office["gu"])] * 2)
    assert said.count("ok") == 1 and any("不能重复催办" in one for one in said)
    assert desk.row(task).urges == 1


@pytest.mark.parametrize("stop", [suspend_instance, terminate_instance])
def test_the_office_stops_a_case_while_a_signer_signs(desk: Desk, stop: Callable[..., None]) -> None:
    case = desk.opens()
    desk.add("anna", "ben")
    desk.completes("anna")
    said = at_once(lambda: desk.sign("ben"), lambda: stop(desk.store, case, actor=desk.office["gu"], reason="核查"))
    assert said[1] == "ok"
    assert desk.office.instance(case).state == ("suspended" if stop is suspend_instance else "terminated")
    assert desk.acts(case).count("completed") == int(said[0] == "ok"), "the signature moved the case, or was not given at all"


def test_two_workers_let_one_leave_begin(desk: Desk) -> None:
    case = desk.opens()
    desk.office.claim("anna", "review")
    Leaves(desk).takes("anna", "ben", starts="2026-02-11 12:00")
    desk.clock.to("2026-02-11 12:00")
    assert at_once(lambda: settle(desk.store), lambda: settle(desk.store)) == ["ok", "ok"]
    assert desk.acts(case).count("stand_in") == 1
    assert desk.told("ben", "absence") == ["请假代理：Anna"] * 2
