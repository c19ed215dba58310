"""What would come next: the real engine's answer, and that it leaves no trace."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.process.desk.ahead import Ahead, ahead
from engine.store.store import Store
from tests.engine.desk.desk import REVIEW, Desk
from tests.engine.interpreter.diagrams import element
from tests.engine.workshop.dry_walks import fingerprint


def look(desk: Desk, who: str = "anna", opinion: str = "", *, task: int | None = None, **answers: Any) -> Ahead:
    return ahead(desk.store, task or desk.task().id, actor=desk.office[who], answers=answers, opinion=opinion)


def untouched(store: Store, before: dict[str, str]) -> bool:
    return fingerprint(store) == before


def test_the_next_step_is_named_with_its_people_and_its_day_and_nothing_is_touched(desk: Desk) -> None:
    desk.opens("start > user:review > user:sign > end", REVIEW, element("sign", name="审签", unit="'A'", post="head", limit="5"))
    before = fingerprint(desk.store)
    told = look(desk, result="yes")
    assert untouched(desk.store, before)
    assert told.problems == () and told.ends is None
    (step,) = told.steps
    assert (step.name, step.unit, step.post, step.people, step.assigned) == ("审签", "单位A", "负责人", ("Clara",), False)
    assert step.due_day == date(2026, 2, 24), "after the Spring Festival"
    desk.completes("anna")
    assert desk.task("sign").due_day == step.due_day, "it came as it was told"


def test_the_way_depends_on_the_answers(desk: Desk) -> None:
    desk.opens(
        "start > user:review > xor:way", "way [result == 'no'] > end:refused", "way [default] > user:file > end", REVIEW,
        element("file", name="归档", unit="'A'", post="handler"), element("refused", name="不予办理"),
    )
    assert [step.name for step in look(desk, result="yes").steps] == ["归档"]
    ended = look(desk, result="no", why="依据不足", opinion="不同意")
    assert ended.ends == "不予办理" and ended.steps == ()


def test_what_is_not_complete_tells_no_way(desk: Desk) -> None:
    desk.opens()
    before = fingerprint(desk.store)
    assert look(desk).problems and look(desk, result="no").problems and look(desk, result="maybe").problems
    assert look(desk, "dora", result="yes").problems, "not theirs"
    assert look(desk, result="yes", task=999).problems
    number = desk.task().id
    assert untouched(desk.store, before)
    desk.completes("anna")
    assert look(desk, result="yes", task=number).problems, "over"


def test_a_diagram_that_fails_behind_the_step_is_no_fault_of_the_look(desk: Desk) -> None:
    desk.opens("start > user:review > user:file > end", REVIEW, element("file", name="归档", unit="'Z'", post="handler"))
    before = fingerprint(desk.store)
    told = look(desk, result="yes")
    assert told.problems and not told.steps
    assert untouched(desk.store, before) and desk.office.incidents() == []


def test_outstanding_signatures_and_steps_beside_are_told(desk: Desk) -> None:
    desk.opens()
    desk.add("anna", "ben")
    told = look(desk, result="yes")
    assert told.held and told.steps == ()
