"""Claim, put back, complete: who may, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import threading

import pytest

from engine.process.tasks import claim_task, complete_task, unclaim_task
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale, TaskClosed, TaskTaken
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form, text

REVIEW = element("review", name="审核", form="review", unit="'A'", post="handler")
FORMS = {"review": form(choice("result", "yes", "no", required=True), text("why", when="result == 'no'", required=True),
                        opinion_when="result == 'no'")}


@pytest.fixture
def reviewed(office: Office) -> Office:
    office.deploy("start > user:review > end", REVIEW, forms=FORMS)
    office.start()
    return office


def test_two_colleagues_claim_at_once_one_wins_the_other_is_told_who(reviewed: Office) -> None:
    task = reviewed.task("review").id
    said: list[str] = []
    gate = threading.Barrier(2)

    def claim(who: str) -> None:
        gate.wait()
        try:
            claim_task(reviewed.store, task, actor=reviewed[who])
            said.append("ok")
        except TaskTaken as taken:
            said.append(taken.message)

    people = [threading.Thread(target=claim, args=(who,)) for who in ("anna", "ben")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    winner = {reviewed["anna"].account_id: "Anna", reviewed["ben"].account_id: "Ben"}[reviewed.task("review").assignee_id or 0]
    assert sorted(said) == sorted(["ok", f"该待办已被{winner}签收"])


def test_what_is_put_back_may_be_claimed_by_a_colleague(reviewed: Office) -> None:
    reviewed.claim("anna", "review")
    with pytest.raises(TaskTaken):
        unclaim_task(reviewed.store, reviewed.task("review").id, actor=reviewed["ben"])
    unclaim_task(reviewed.store, reviewed.task("review").id, actor=reviewed["anna"])
    reviewed.claim("ben", "review")
    assert reviewed.task("review").assignee_id == reviewed["ben"].account_id
    with pytest.raises(Stale):
        unclaim_task(reviewed.store, reviewed.task("review").id, actor=reviewed["anna"])


def test_putting_back_what_one_never_claimed_is_refused(reviewed: Office) -> None:
    with pytest.raises(Stale, match="未由您签收"):
        unclaim_task(reviewed.store, reviewed.task("review").id, actor=reviewed["anna"])


@pytest.mark.parametrize("who", ["dora", "clara", "gu", "otto", "petra"])
def test_who_does_not_hold_the_post_can_neither_claim_nor_complete(reviewed: Office, who: str) -> None:
    task = reviewed.task("review").id
    with pytest.raises(NotAllowed):
        claim_task(reviewed.store, task, actor=reviewed[who])
    with pytest.raises(NotAllowed):
        complete_task(reviewed.store, task, actor=reviewed[who], answers={"result": "yes"})
    assert reviewed.task("review").assignee_id is None


def test_completing_without_claiming_claims_on_the_way(reviewed: Office) -> None:
    reviewed.complete("ben", "review", result="yes")
    done = reviewed.task("review", state="done")
    assert (done.completed_by, done.assignee_id) == (reviewed["ben"].account_id,) * 2
    assert done.answers == {"result": "yes"}


def test_a_task_is_completed_once(reviewed: Office) -> None:
    task = reviewed.task("review").id
    reviewed.complete("anna", "review", result="yes")
    with pytest.raises(TaskClosed):
        complete_task(reviewed.store, task, actor=reviewed["anna"], answers={"result": "no"})
    with pytest.raises(TaskClosed):
        complete_task(reviewed.store, task, actor=reviewed["ben"], answers={"result": "no"})
    assert reviewed.task("review", state="done").answers == {"result": "yes"}


def test_a_colleague_cannot_complete_what_another_claimed(reviewed: Office) -> None:
    reviewed.claim("anna", "review")
    with pytest.raises(TaskTaken, match="Anna"):
        reviewed.complete("ben", "review", result="yes")


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({}, {"result"}),
        ({"result": "perhaps"}, {"result"}),
        ({"result": "no"}, {"why", "opinion"}),
        ({"result": "no", "why": "  "}, {"why", "opinion"}),
        ({"result": "yes", "extra": "1"}, {"extra"}),
    ],
)
def test_wrong_answers_are_named_field_by_field_and_change_nothing(
    reviewed: Office, answers: dict[str, str], wrong: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        reviewed.complete("anna", "review", **answers)
    assert set(refused.value.fields) == wrong
    assert reviewed.task("review").state == "open"


def test_an_answer_to_a_hidden_field_is_left_out(reviewed: Office) -> None:
    reviewed.complete("anna", "review", result="yes", why="不需要")
    assert reviewed.task("review", state="done").answers == {"result": "yes"}


def test_a_task_that_never_was_is_not_found(reviewed: Office) -> None:
    with pytest.raises(NotFound):
        claim_task(reviewed.store, 4711, actor=reviewed["anna"])


def test_what_is_left_open_in_a_second_round_leaves_nothing_of_the_first(office: Office) -> None:
    office.deploy("start > user:review > xor:again", "again [result == 'no'] > user:review", "again [why == None] > end:clean",
                  "again [default] > end:stale", REVIEW, forms=FORMS)
    case = office.start()
    office.complete("anna", "review", "不行", result="no", why="缺材料")
    office.complete("anna", "review", result="yes")
    assert office.instance(case).outcome == "clean"
