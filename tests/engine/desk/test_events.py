"""What the desk does is told to who listens outside: each act exactly once, without names, and nothing of what was refused or undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from engine.outbox import OutboxLetter
from engine.people.accounts import dismiss
from engine.process.desk.copies import copy_case
from engine.process.desk.standing_in import come_back, release_left, settle, take_leave
from engine.process.desk.urging import urge_task
from engine.process.events import KINDS
from engine.process.instances import resume_instance, suspend_instance
from engine.process.outside.webhooks import add_webhook
from engine.process.returning import return_task
from engine.process.tasks import claim_task, complete_in, unclaim_task
from engine.process.timekeeping.recounting import recount
from engine.process.timekeeping.setting import let_count, set_due
from engine.process.withdrawing import give_up, withdraw_start, withdraw_task
from engine.store.clock import shanghai
from engine.store.errors import Refused
from tests.engine.desk.desk import Desk
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import form, text
from tests.engine.timekeeping.acts import national, publish

Told = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def told(desk: Desk) -> Told:
    """What has been told since this was last asked, oldest first. The webhook asks for everything."""
    add_webhook(desk.store, actor=desk.office["otto"], name="共享平台", url="https://platform.example.cn/hook")
    seen = 0

    def told() -> list[dict[str, Any]]:
        nonlocal seen
        query = select(OutboxLetter).where(OutboxLetter.channel == "webhook", OutboxLetter.id > seen).order_by(OutboxLetter.id)
        with desk.store.read() as session:
            letters = list(session.scalars(query))
        seen = max([seen, *(letter.id for letter in letters)])
        return [letter.payload for letter in letters]

    return told


def kinds(told: Told) -> list[str]:
    return [event["kind"] for event in told()]


def test_each_act_of_the_desk_is_told_once(desk: Desk, told: Told) -> None:
    case = desk.opens()
    assert kinds(told) == ["case.started", "task.opened"]
    task, store, anna, ben = desk.task(), desk.store, desk.office["anna"], desk.office["ben"]
    facts = {"id": str(task.id), "step": "review", "name": "审核"}

    claim_task(store, task.id, actor=anna)
    claim_task(store, task.id, actor=anna)  # once more: nothing happens
    unclaim_task(store, task.id, actor=anna)
    desk.transfer("anna", "ben", "请办")
    desk.delegate("ben", "clara")
    desk.hand_back("clara")
    desk.delegate("ben", "clara")
    desk.take_back("ben")
    urge_task(store, task.id, actor=anna, note="急")
    events = told()
    assert [(event["kind"], event["task"].get("how")) for event in events] == [
        ("task.claimed", None), ("task.unclaimed", None), ("task.assigned", "transferred"), ("task.assigned", "delegated"),
        ("task.assigned", "handed_back"), ("task.assigned", "delegated"), ("task.assigned", "taken_back"), ("task.urged", None),
    ]  # fmt: skip
    assert all(facts.items() <= event["task"].items() and event["case"]["id"] == str(case) for event in events)

    desk.add("ben", "anna", "clara", signing="beside", note="请核")
    desk.remove("ben", "clara")
    desk.completes("ben")
    desk.sign("anna", "agree", "无误")
    events = told()
    assert [event["kind"] for event in events] == [
        "signature.added", "signature.added", "signature.removed", "task.held", "signature.given", "task.completed", "task.opened",
    ]  # fmt: skip
    mine = str(desk.signature("anna").id)
    assert events[0]["signature"] == {"id": mine, "signing": "beside"} and events[0]["task"] == facts
    assert events[2]["signature"]["id"] == events[1]["signature"]["id"] != mine
    assert events[4]["signature"] == {"id": mine, "signing": "beside"} and events[4]["task"] == facts

    withdraw_task(store, task.id, actor=ben, reason="再核")
    assert kinds(told) == ["task.withdrawn", "task.cancelled"]
    return_task(store, task.id, actor=ben, to="starter", reason="缺材料")
    first, *rest = told()
    assert first["kind"] == "task.returned" and first["task"] == {**facts, "to": "start", "toName": first["task"]["toName"]}
    assert [event["kind"] for event in rest] == ["task.opened"], "the form of the start, as a task; the other ended by its return"
    suspend_instance(store, case, actor=desk.office["gu"], reason="核查")
    resume_instance(store, case, actor=desk.office["gu"], reason="核查完毕")
    give_up(store, desk.task("start").id, actor=anna, reason="不办了")
    events = told()
    assert [event["kind"] for event in events] == ["case.suspended", "case.resumed", "task.cancelled", "case.ended"]
    assert events[-1]["outcome"] == {"key": "withdrawn", "name": "已撤回"}


def test_what_is_told_names_nobody_and_nothing_that_was_written(desk: Desk, told: Told) -> None:
    desk.opens()
    desk.transfer("anna", "ben", "绝密附言")
    desk.add("ben", "anna", signing="before", note="绝密附言")
    desk.sign("anna", "disagree", "绝密意见")
    desk.completes("ben", result="no", why="绝密理由", opinion="绝密意见")
    events = told()
    everything = repr(events)
    assert {"task.assigned", "signature.added", "signature.given", "task.completed"} <= {event["kind"] for event in events}
    assert "绝密" not in everything and not any(name in everything for name in ("Anna", "Ben", "anna", "ben"))
    assert len({event["id"] for event in events}) == len(events) and {event["kind"] for event in events} <= KINDS.keys()


def test_a_signer_who_disagrees_afterwards_gives_it_back(desk: Desk, told: Told) -> None:
    desk.opens()
    desk.add("anna", "ben", signing="after")
    desk.completes("anna")
    desk.sign("ben", "disagree", "不妥")
    assert kinds(told)[2:] == ["signature.added", "task.held", "signature.given", "task.given_back"]


def test_leave_and_those_who_left_are_told(desk: Desk, told: Told) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    anna, unit = desk.office["anna"], desk.office.units["A"]
    leave = take_leave(desk.store, desk.id("anna"), actor=anna, starts_at=shanghai("2026-02-10 09:00"), ends_at=None, reason="年休假",
                       take_open=True, substitutes={(unit, "handler"): desk.id("ben")})  # fmt: skip
    settle(desk.store)
    come_back(desk.store, leave, actor=anna)
    settle(desk.store)
    dismiss(desk.store, desk.id("anna"), unit, "handler", actor=None)
    release_left(desk.store)
    assert [event["task"].get("how") for event in told() if event["kind"] == "task.assigned"] == ["stand_in", "came_back", "released"]


def test_a_start_that_is_taken_back_is_told(desk: Desk, told: Told) -> None:
    case = desk.opens()
    withdraw_start(desk.store, case, actor=desk.office["anna"], reason="改正")
    assert kinds(told)[2:] == ["case.withdrawn", "task.cancelled", "task.opened"]


def test_what_was_refused_or_rehearsed_is_told_to_nobody(desk: Desk, told: Told) -> None:
    case = desk.opens()
    task, store = desk.task(), desk.store
    told()
    refused: list[Callable[[], object]] = [
        lambda: claim_task(store, task.id, actor=desk.office["dora"]),
        lambda: unclaim_task(store, task.id, actor=desk.office["anna"]),
        lambda: desk.transfer("anna", "dora"),
        lambda: desk.delegate("anna", "anna"),
        lambda: desk.hand_back("anna"),
        lambda: desk.add("anna", "anna"),
        lambda: desk.add("anna", "ben", "dora"),
        lambda: desk.completes("anna", result="no"),
        lambda: return_task(store, task.id, actor=desk.office["anna"], to="file", reason="x"),
        lambda: withdraw_task(store, task.id, actor=desk.office["anna"]),
    ]
    for act in refused:
        with pytest.raises(Refused):
            act()
    with store.rehearsal(desk.clock.now()) as work:
        work.actor = desk.office["anna"]
        complete_in(work, task.id, actor=desk.office["anna"], answers={"result": "yes"})
    copy_case(store, case, actor=desk.office["anna"], people=[desk.id("ben")])
    assert told() == []


def test_a_deadline_that_a_notice_moves_is_told(desk: Desk, told: Told) -> None:
    desk.clock.to("2026-12-18 10:00")
    desk.opens("start > user:review > end", element("review", name="审核", unit="'A'", post="handler", limit="10"))
    task = desk.task()
    told()
    desk.clock.to("2026-12-21 09:00")
    publish(desk.office, national(desk.office))
    recount(desk.store)
    recount(desk.store)
    (event,) = told()
    assert task.due_at is not None
    assert (event["kind"], event["deadline"]) == ("deadline.moved", {
        "activity": "审核", "from": task.due_at.isoformat(), "to": desk.row(task.id).due_at.isoformat(), "provisional": False,  # type: ignore[union-attr]
    })  # fmt: skip


def test_a_deadline_that_is_set_by_hand_is_told_and_a_refused_one_is_not(desk: Desk, told: Told) -> None:
    desk.opens()
    (timer,) = [timer for timer in desk.office.timers() if timer.role == "deadline"]
    told()
    gu, later = desk.office["gu"], shanghai("2026-03-02 00:00")
    set_due(desk.store, timer.id, actor=gu, due=later, reason="案情复杂")
    let_count(desk.store, timer.id, actor=gu, reason="已查明")
    with pytest.raises(Refused):
        set_due(desk.store, timer.id, actor=gu, due=shanghai("2026-02-01 00:00"), reason="过去")
    there, back = told()
    assert timer.due_at is not None and there["kind"] == back["kind"] == "deadline.moved"
    assert (there["deadline"]["from"], there["deadline"]["to"], there["deadline"]["activity"]) == (timer.due_at.isoformat(), later.isoformat(), "审核")
    assert (back["deadline"]["from"], back["deadline"]["to"]) == (later.isoformat(), timer.due_at.isoformat())


def test_of_a_restricted_case_ids_are_told_and_no_names(desk: Desk, told: Told) -> None:
    desk.office.deploy(
        "start > user:review > end", element("review", name="绝密事项", unit="'A'", post="handler"), forms={"ask": form(text("wish"))},
        startForm="ask", restricted="wish == '涉密'", actions="transfer, add_signer",
    )  # fmt: skip
    desk.office.start("anna", wish="涉密")
    desk.transfer("anna", "ben")
    desk.add("ben", "anna")
    events = told()
    assert [event["kind"] for event in events[-2:]] == ["task.assigned", "signature.added"]
    assert all(event["restricted"] for event in events) and "绝密" not in repr(events)
    assert set(events[-1]["task"]) == set(events[-1]["signature"]) == {"id"}
