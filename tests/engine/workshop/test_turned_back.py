"""Cases with returns and withdrawals on record: a back-test follows them, a migration takes a held start along."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine.process.correcting import correct_data
from engine.process.returning import return_task
from engine.process.tables import Task
from engine.process.withdrawing import withdraw_start, withdraw_task, withdrawable
from engine.store.clock import MovableClock
from engine.store.errors import Stale
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form, text
from tests.engine.workshop.migrating import moves
from tests.engine.workshop.replaying import findings, replayed_as_they_ran, told

A, B = {"unit": "'A'", "post": "handler"}, {"unit": "'B'", "post": "handler"}
CHAIN = "start > user:draft > user:check > user:sign > end:signed"
STEPS = (element("draft", name="拟稿", form="draft", **A), element("check", name="审核", form="check", limit="5", **B), element("sign", name="签发", **B))
FORMS = {"apply": form(text("why")), "draft": form(text("words")), "check": form(choice("verdict", "for", "against", required=True))}
MORE = {"actions": "return, withdraw", "startForm": "apply"}


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


def sign(office: Office, case: int) -> int:
    """The open signing task of a case."""
    with office.store.read() as session:
        return session.scalars(select(Task.id).where(Task.instance_id == case, Task.step == "sign", Task.state == "open")).one()


@pytest.fixture
def turned(office: Office) -> Office:
    """1 was taken back by its starter, returned twice, once to the starter, and signed; 2 has a completion that was taken back."""
    office.deploy(CHAIN, *STEPS, forms=FORMS, **MORE)
    case, other = office.start("anna", why="一"), office.start("anna", why="二")
    withdraw_start(office.store, case, actor=office["anna"])
    office.complete("anna", "start", why="三")
    office.clock.to("2026-02-11 10:00")
    office.complete("ben", "draft", words="初稿")
    withdraw_task(office.store, office.task("draft", "done").id, actor=office["ben"])
    office.complete("ben", "draft", words="二稿")
    office.complete("ben", "draft", words="另一稿")
    office.complete("dora", "check", verdict="for")
    office.complete("dora", "check", verdict="for")
    for to, who in (("draft", "dora"), ("starter", "dora")):
        return_task(office.store, sign(office, case), actor=office[who], to=to, reason="请更正")
        office.clock.to("2026-02-12 10:00" if to == "draft" else "2026-02-13 10:00")
        if to == "starter":
            office.complete("anna", "start", why="四")
        office.complete("ben", "draft", words="又一稿")
        office.complete("dora", "check", verdict="against")
    for _ in range(2):
        office.complete("dora", "sign")
    assert (office.instance(case).state, office.instance(other).state) == ("completed", "completed")
    return office


def test_against_the_version_that_they_ran_on_nothing_differs(turned: Office) -> None:
    assert replayed_as_they_ran(turned.store) == {}


def test_a_draft_in_which_one_cannot_go_back_there_parts_with_a_sentence(turned: Office) -> None:
    """Drafting and signing run side by side now: signing is no later step than drafting."""
    found = findings(
        turned.store, "start > user:check > and:fork > user:draft > and:join > end:signed", "fork > user:sign > join", *STEPS, forms=FORMS, **MORE
    )
    assert ("route", "sign") in told(found[1])
    [parting] = [finding for finding in found[1] if finding.step == "sign" and finding.kind == "route"]
    assert parting.parts and "不能这样退回" in parting.text


def test_a_longer_limit_is_told_of_every_round(turned: Office) -> None:
    found = findings(turned.store, CHAIN, STEPS[0], element("check", name="审核", form="check", limit="8", **B), STEPS[2], forms=FORMS, **MORE)
    assert {case: told(of) for case, of in found.items()} == {1: [("deadline_moved", "check")] * 3, 2: [("deadline_moved", "check")]}


def test_a_case_held_at_its_start_moves_to_another_version_and_asks_its_form(office: Office) -> None:
    before = office.deploy(CHAIN, *STEPS, forms=FORMS, **MORE)
    case = office.start("anna", why="一")
    withdraw_start(office.store, case, actor=office["anna"])
    row = office.task("start")
    after = office.deploy("start:begin > user:check > end", element("begin", name="申请"), STEPS[1], at="2026-02-01",
                          forms={**FORMS, "apply": form(text("why"), text("until", required=True))}, **MORE)
    moves(office, before, after)
    task = office.task("begin")
    assert (task.id, task.name, task.assignee_id, task.unit_id) == (row.id, "修改后重新提交", office["anna"].account_id, office.units["A"])
    office.complete("anna", "begin", why="二", until="年底")
    assert office.open_steps() == ["check"]


def test_what_was_done_under_another_version_is_not_taken_back(office: Office) -> None:
    before = office.deploy(CHAIN, *STEPS, forms=FORMS, **MORE)
    case = office.start("anna", why="一")
    office.complete("ben", "draft")
    after = office.deploy(CHAIN, *STEPS[:2], element("sign", name="签批", **B), forms=FORMS, at="2026-02-01", **MORE)
    moves(office, before, after)
    assert office.instance(case).definition_id == after
    with office.store.read() as session:
        assert withdrawable(session, office["ben"], case) is None
    with pytest.raises(Stale):
        withdraw_task(office.store, office.task("draft", "done").id, actor=office["ben"])


def test_a_step_that_is_called_the_same_still_may_be_returned_to_after_a_migration(office: Office) -> None:
    before = office.deploy(CHAIN, *STEPS, forms=FORMS, **MORE)
    office.start("anna", why="一")
    office.complete("ben", "draft")
    after = office.deploy(CHAIN, *STEPS[:2], element("sign", name="签批", **B), forms=FORMS, at="2026-02-01", **MORE)
    moves(office, before, after)
    return_task(office.store, office.task("check").id, actor=office["dora"], to="draft", reason="请更正")
    assert office.task("draft").assignee_id == office["ben"].account_id
    office.complete("ben", "draft")
    assert office.task("check").due_day == date(2026, 2, 24)


def test_a_correction_counts_in_a_replay_from_when_it_was_made(office: Office) -> None:
    """The same value decides two gateways, and was put right between them: both go as they went."""
    office.deploy("start > xor:first", "first [why == 'x'] > user:draft > xor:second", "first [default] > end:other",
                  "second [why == 'y'] > user:check > end:checked", "second [default] > end:unchecked", *STEPS[:2], forms=FORMS, **MORE)
    case = office.start("anna", why="x")
    correct_data(office.store, case, actor=office["gu"], values={"why": "y"}, reason="录入有误")
    office.complete("ben", "draft", words="初稿")
    office.complete("dora", "check", verdict="for")
    assert office.instance(case).outcome == "checked" and replayed_as_they_ran(office.store) == {}
