"""Leave and substitution 请假代理: who may enter what, what goes to whom and comes back, and that no limit changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from engine.people.absences import stand_in
from engine.people.accounts import deactivate, dismiss
from engine.people.tables import Absence
from engine.process.desk.standing_in import come_back, release_left, settle, take_leave
from engine.process.tasks import claim_task
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from tests.engine.desk.desk import Desk

NOON, EVENING = "2026-02-11 12:00", "2026-02-13 18:00"


class Leaves:
    """What people do about leaves."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.office, self.store = desk, desk.office, desk.store

    def takes(
        self, who: str, substitute: str | Mapping[str, str] | None = None, *, by: str | None = None, starts: str = "2026-02-10 09:00",
        ends: str | None = EVENING, take_open: bool = True, reason: str = "年休假", post: str = "handler",
    ) -> int:  # fmt: skip
        """`who` goes on leave; the substitute has the post in unit A."""
        covers = {(self.office.units["A"], post): self.desk.id(substitute)} if isinstance(substitute, str) else {}
        made = take_leave(
            self.store, self.desk.id(who), actor=self.office[by or who], starts_at=shanghai(starts), ends_at=shanghai(ends) if ends else None,
            reason=reason, take_open=take_open, substitutes=covers,
        )  # fmt: skip
        settle(self.store)
        return made

    def is_back(self, absence: int, who: str) -> None:
        come_back(self.store, absence, actor=self.office[who])
        settle(self.store)

    def refused(self, who: str, substitute: str | None = None, **how: Any) -> dict[str, str]:
        with pytest.raises(Invalid) as wrong:
            self.takes(who, substitute, **how)
        return wrong.value.fields

    def state(self, absence: int) -> str:
        with self.store.read() as session:
            return session.get_one(Absence, absence).state


@pytest.fixture
def leaves(desk: Desk) -> Leaves:
    return Leaves(desk)


def test_what_is_in_hand_goes_to_the_substitute_and_what_is_unfinished_comes_back(desk: Desk, leaves: Leaves) -> None:
    case = desk.opens()
    desk.office.claim("anna", "review")
    due = desk.task().due_at
    absence = leaves.takes("anna", "ben")
    task = desk.task()
    assert (task.assignee_id, task.for_id, task.due_at) == (desk.id("ben"), desk.id("anna"), due)
    assert desk.entry(case, "stand_in").data == {"name": "审核", "task": task.id, "from": "Anna", "to": "Ben"}
    assert desk.told("ben", "absence") == ["请假代理：Anna"]
    leaves.is_back(absence, "anna")
    task = desk.task()
    assert (task.assignee_id, task.for_id, task.due_at, leaves.state(absence)) == (desk.id("anna"), None, due, "over")
    assert desk.acts(case) == ["started", "claimed", "stand_in", "came_back"]


def test_what_was_done_in_somebodys_stead_names_both(desk: Desk, leaves: Leaves) -> None:
    case = desk.opens()
    desk.office.claim("anna", "review")
    absence = leaves.takes("anna", "ben")
    desk.completes("ben")
    done = desk.task("review", "done")
    assert (done.completed_by, done.for_id) == (desk.id("ben"), desk.id("anna"))
    assert desk.entry(case, "completed").data["for"] == "Anna"
    leaves.is_back(absence, "anna")
    assert desk.task("review", "done").for_id == desk.id("anna")


def test_the_worker_lets_a_planned_leave_begin_and_end(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    absence = leaves.takes("anna", "ben", starts=NOON)
    assert (leaves.state(absence), desk.task().assignee_id) == ("planned", desk.id("anna"))
    desk.clock.to(NOON)
    assert settle(desk.store) == 1
    assert (leaves.state(absence), desk.task().assignee_id) == ("running", desk.id("ben"))
    desk.clock.to(EVENING)
    assert settle(desk.store) == 1
    assert (leaves.state(absence), desk.task().assignee_id) == ("over", desk.id("anna"))
    assert settle(desk.store) == 0
    assert desk.told("ben", "absence") == ["请假代理：Anna", "请假代理：Anna", "代理结束：Anna"]


def test_without_being_asked_to_the_open_tasks_stay(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    leaves.takes("anna", "ben", take_open=False)
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("anna"), None)


def test_what_is_given_to_somebody_on_leave_goes_to_the_substitute(desk: Desk, leaves: Leaves) -> None:
    eve = desk.office.joins("eve", "A", "handler")
    case = desk.opens()
    leaves.takes("ben", "eve")
    given = desk.transfer("anna", "ben")
    assert (given.name, given.instead_of) == ("Eve", "Ben")
    assert (desk.task().assignee_id, desk.task().for_id) == (eve.account_id, desk.id("ben"))
    assert {"to": "Eve", "for": "Ben"}.items() <= desk.entry(case, "transferred").data.items()


def test_a_chain_of_substitutes_resolves_and_unrolls(desk: Desk, leaves: Leaves) -> None:
    desk.office.joins("eve", "A", "handler")
    desk.opens()
    desk.office.claim("anna", "review")
    first = leaves.takes("anna", "ben")
    second = leaves.takes("ben", "eve")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("eve"), desk.id("anna"))
    leaves.is_back(second, "ben")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("ben"), desk.id("anna"))
    leaves.is_back(first, "anna")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("anna"), None)


def test_where_nobody_stands_in_the_others_of_the_post_may_claim_it(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    absence = leaves.takes("anna")
    assert (desk.task().assignee_id, desk.task().for_id) == (None, desk.id("anna"))
    assert "待签收：审核" in desk.told("ben")
    claim_task(desk.store, desk.task().id, actor=desk.office["ben"])
    leaves.is_back(absence, "anna")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("ben"), None)


def test_a_signature_and_a_held_completion_find_their_way(desk: Desk, leaves: Leaves) -> None:
    desk.office.joins("eve", "A", "handler")
    case = desk.opens()
    desk.add("anna", "ben", signing="after")
    desk.completes("anna")
    leaves.takes("ben", "eve")
    leaves.takes("anna", "eve")
    assert desk.signature("eve").for_id == desk.id("ben")
    assert desk.task().assignee_id == desk.id("anna"), "what only waits for signatures stays with who completed it"
    desk.sign("eve", "disagree", "缺材料")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("eve"), desk.id("anna"))
    desk.completes("eve", "已补")
    assert desk.office.open_steps(case) == ["file"]
    assert desk.entry(case, "completed").data["for"] == "Anna"


def test_a_delegate_on_leave_keeps_the_task_and_its_owner_is_told(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.delegate("anna", "ben")
    desk.office.joins("eve", "A", "handler")
    leaves.takes("ben", "eve")
    assert desk.task().assignee_id == desk.id("ben")
    assert desk.told("anna", "absence") == ["受委派人请假：审核"]
    desk.take_back("anna")
    leaves.takes("anna", "eve")
    assert desk.task().assignee_id == desk.id("eve")


def test_what_is_handed_back_to_an_owner_on_leave_is_their_substitutes(desk: Desk, leaves: Leaves) -> None:
    desk.office.joins("eve", "A", "handler")
    desk.opens()
    desk.delegate("anna", "clara")
    leaves.takes("anna", "eve")
    desk.hand_back("clara")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("eve"), desk.id("anna"))


def test_what_is_handed_back_while_nobody_is_there_waits_for_the_post_and_comes_back(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.delegate("anna", "clara")
    absence = leaves.takes("anna")
    desk.hand_back("clara")
    assert (desk.task().assignee_id, desk.task().for_id) == (None, desk.id("anna"))
    leaves.is_back(absence, "anna")
    assert (desk.task().assignee_id, desk.task().for_id) == (desk.id("anna"), None)


def test_a_substitute_who_lost_the_post_drops_out(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    leaves.takes("anna", "ben", starts=NOON)
    dismiss(desk.store, desk.id("ben"), desk.office.units["A"], "handler", actor=None)
    desk.clock.to(NOON)
    settle(desk.store)
    assert desk.task().assignee_id is None
    with desk.store.read() as session:
        assert stand_in(session, desk.id("anna"), desk.office.units["A"], "handler", desk.clock.now()).account_id is None


def test_what_somebody_had_who_left_the_post_goes_back_to_it(desk: Desk, leaves: Leaves) -> None:
    case = desk.opens()
    desk.office.claim("anna", "review")
    assert release_left(desk.store) == 0
    dismiss(desk.store, desk.id("anna"), desk.office.units["A"], "handler", actor=None)
    assert (release_left(desk.store), release_left(desk.store)) == (1, 0)
    assert desk.entry(case, "released").data["from"] == "Anna"
    desk.completes("ben")
    assert desk.office.open_steps(case) == ["file"]


def test_a_substitute_who_leaves_in_between_gives_back_to_whoever_is_there(desk: Desk, leaves: Leaves) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    absence = leaves.takes("anna", "ben")
    deactivate(desk.store, desk.id("ben"), actor=None)
    assert release_left(desk.store) == 1
    assert desk.task().assignee_id is None
    leaves.is_back(absence, "anna")
    assert desk.task().assignee_id == desk.id("anna")
    desk.completes("anna")


@pytest.mark.parametrize("how", [
    {"ends": "2026-02-10 08:00"}, {"starts": NOON, "ends": NOON}, {"starts": "2026-02-09 23:00"}, {"reason": " "}, {"reason": "病" * 201},
])  # fmt: skip
def test_a_period_that_is_past_or_empty_and_a_missing_reason_are_refused(leaves: Leaves, how: dict[str, Any]) -> None:
    assert leaves.refused("anna", "ben", **how)


def test_a_substitute_needs_the_very_post_and_is_somebody_else(desk: Desk, leaves: Leaves) -> None:
    key = f"substitute:{desk.office.units['A']}:handler"
    assert leaves.refused("anna", "anna")[key] == "不能由本人代理"
    assert "Clara没有“经办”岗位的权限" in leaves.refused("anna", "clara")[key]
    assert "Dora没有" in leaves.refused("anna", "dora")[key]
    assert "Clara没有“经办”这一办理岗位" in leaves.refused("clara", "ben")[key]
    with pytest.raises(NotFound):
        take_leave(desk.store, 4711, actor=desk.office["gu"], starts_at=desk.clock.now(), ends_at=None, reason="病假", take_open=True,
                   substitutes={})  # fmt: skip


def test_leaves_of_one_person_do_not_overlap(leaves: Leaves) -> None:
    leaves.takes("anna", "ben", starts=NOON, ends=EVENING)
    assert "重叠" in leaves.refused("anna", "ben", ends=None)["starts_at"]
    assert "重叠" in leaves.refused("anna", starts="2026-02-13 17:59", ends=None)["starts_at"]
    leaves.takes("anna", starts=EVENING, ends=None)


def test_a_loop_is_refused_and_names_the_chain_but_one_after_the_other_is_none(desk: Desk, leaves: Leaves) -> None:
    desk.office.joins("eve", "A", "handler")
    key = f"substitute:{desk.office.units['A']}:handler"
    leaves.takes("anna", "ben")
    leaves.takes("ben", "eve")
    assert leaves.refused("eve", "anna")[key] == "代理关系形成循环：Eve→Anna→Ben→Eve"
    leaves.takes("eve", "anna", starts=EVENING, ends=None)


def test_two_who_enter_each_other_at_once_make_no_loop(desk: Desk, leaves: Leaves) -> None:
    said: list[str] = []
    gate = threading.Barrier(2)

    def enter(who: str, substitute: str) -> None:
        gate.wait()
        try:
            leaves.takes(who, substitute)
            said.append("ok")
        except Invalid as refused:
            said.append(next(iter(refused.fields.values())))

    people = [threading.Thread(target=enter, args=pair) for pair in (("anna", "ben"), ("ben", "anna"))]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(one[:9] for one in said) == ["ok", "代理关系形成循环："]


def test_oneself_the_head_and_who_supervises_may_enter_a_leave_and_end_it(desk: Desk, leaves: Leaves) -> None:
    for stranger in ("ben", "dora", "fritz", "otto"):
        with pytest.raises(NotAllowed):
            leaves.takes("anna", "ben", by=stranger)
    ill = leaves.takes("anna", "ben", by="clara", ends=None)
    assert desk.told("anna", "absence") == ["已为您登记请假"]
    for stranger in ("ben", "fritz", "otto"):
        with pytest.raises(NotAllowed):
            leaves.is_back(ill, stranger)
    leaves.is_back(ill, "gu")
    with pytest.raises(Stale):
        leaves.is_back(ill, "anna")
    leaves.takes("dora", by="gu")
    with pytest.raises(NotFound):
        leaves.is_back(4711, "anna")


def test_a_leave_that_has_not_begun_is_taken_back(desk: Desk, leaves: Leaves) -> None:
    planned = leaves.takes("anna", "ben", starts=NOON)
    leaves.is_back(planned, "anna")
    assert (leaves.state(planned), desk.told("ben", "absence")) == ("over", ["请假代理：Anna", "取消请假：Anna"])
    desk.clock.to(NOON)
    assert settle(desk.store) == 0
