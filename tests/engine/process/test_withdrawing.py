"""Taking back what one has done while nobody has acted since: everything is as before, clocks and votes among it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from engine.history import History
from engine.process.clocks import explain
from engine.process.editions import current_edition
from engine.process.instances import suspend_instance
from engine.process.sheets.case import case_sheet
from engine.process.tables import Instance, Notice, Task, Timer
from engine.process.tasks import claim_task, complete_task
from engine.process.withdrawing import Withdrawable, give_up, withdraw_start, withdraw_task, withdrawable
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Refused, Stale, TaskClosed
from tests.engine.interpreter.diagrams import call, catches_message, element, multi, script, sub, timer
from tests.engine.process.office import Office, choice, form, text
from tests.engine.process.test_timers import FRAME, WATCH

A, HEAD, B = {"unit": "'A'", "post": "handler"}, {"unit": "'A'", "post": "head"}, {"unit": "'B'", "post": "handler"}
FORMS = {"apply": form(text("why", required=True)), "judge": form(choice("verdict", "for", "against", required=True))}
LINE = ("start > user:judge > user:sign > end", element("judge", name="审核", form="judge", **B), element("sign", name="签发", **HEAD))


@pytest.fixture
def line(office: Office) -> Office:
    """A case that Anna applied for and Dora is to judge, within ten working days."""
    office.deploy(*WATCH, key="watch")
    office.deploy(*LINE, element("judge", limit="10"), forms=FORMS, actions="withdraw,urge", startForm="apply", **FRAME)
    office.start("anna", why="需要")
    return office


def take_back(office: Office, who: str, step: str, reason: str = "") -> None:
    withdraw_task(office.store, office.task(step, "done").id, actor=office[who], reason=reason)


def offered(office: Office, who: str, case: int) -> Withdrawable | None:
    with office.store.read() as session:
        return withdrawable(session, office[who], case)


def the_case(office: Office) -> int:
    with office.store.read() as session:
        return session.scalars(select(Instance.id).order_by(Instance.id)).first() or 0


# -- a task -------------------------------------------------------------------------------------


def test_the_step_is_theirs_again_with_its_clock_and_with_what_they_had_answered(line: Office) -> None:
    before = line.task("judge")
    line.clock.to("2026-02-12 10:00")
    line.complete("dora", "judge", verdict="for", opinion="同意")
    assert offered(line, "dora", before.instance_id) == Withdrawable(before.id, "审核")
    line.clock.to("2026-02-13 10:00")
    take_back(line, "dora", "judge", "选错了")
    task = line.task("judge")
    assert (task.id, task.opened_at, task.due_day, task.warn_at) == (before.id, before.opened_at, before.due_day, before.warn_at)
    assert (task.assignee_id, task.sent_how, task.answers) == (line["dora"].account_id, "withdrawn", {"verdict": "for"})
    assert (line.open_steps(), line.instance(task.instance_id).variables.get("verdict")) == (["judge"], None)
    line.complete("dora", "judge", verdict="against")
    line.complete("clara", "sign")
    assert line.instance(task.instance_id).state == "completed"


def test_its_reminder_and_its_deadline_come_when_they_would_have_come(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    take_back(line, "dora", "judge")
    clocks = line.timers(state="waiting")
    assert sorted(clock.role for clock in clocks) == ["deadline", "escalation", "reminder"]
    line.sweep("2026-03-03 08:00")
    [deadline] = line.timers(role="deadline")
    assert (deadline.state, str(deadline.last_day)) == ("fired", "2026-03-02")
    with line.store.work() as work:
        explained = explain(deadline, current_edition(work))
    assert explained is not None and explained.deadline.due == deadline.due_at


def test_a_reminder_that_had_rung_does_not_ring_again(line: Office) -> None:
    line.sweep("2026-02-28 08:00")
    [reminder] = line.timers(role="reminder")
    assert reminder.state == "fired"
    line.complete("dora", "judge", verdict="for")
    take_back(line, "dora", "judge")
    assert [clock.state for clock in line.timers(role="reminder")] == ["fired"]
    assert line.task("judge").warn_at == reminder.due_at


def test_a_pause_that_had_ended_with_the_step_goes_on(office: Office) -> None:
    office.deploy("start > sub:answer > end", "due > end:late",
                  sub("answer", "start > user:supplement > user:reply > end", element("supplement", clock="pause", **A), element("reply", **B)),
                  timer("answer", "due", workingDays=10, role="deadline"), actions="withdraw")  # fmt: skip
    office.start()
    office.clock.to("2026-02-12 10:00")
    office.complete("ben", "supplement")
    assert office.timers(role="deadline")[0].state == "waiting"
    take_back(office, "ben", "supplement")
    [clock] = office.timers(role="deadline")
    assert (clock.state, clock.pauses[0][:2], office.task("supplement").paused) == ("paused", ["2026-02-10", None], True)
    office.clock.to("2026-02-25 10:00")
    office.complete("ben", "supplement")
    assert [pause[:2] for pause in office.timers(role="deadline")[0].pauses] == [["2026-02-10", "2026-02-25"]]


def test_an_activity_that_was_left_goes_on_with_the_clock_it_had(office: Office) -> None:
    office.deploy("start > sub:answer > user:after > end", "due > end:late", sub("answer", "start > user:reply > end", element("reply", **B)),
                  timer("answer", "due", workingDays=10, role="deadline"), element("after", **A), actions="withdraw")
    office.start()
    [before] = office.timers(role="deadline")
    office.clock.to("2026-02-12 10:00")
    office.complete("dora", "reply")
    assert office.open_steps() == ["after"]
    take_back(office, "dora", "reply")
    [clock] = office.timers(role="deadline")
    assert (clock.id, clock.state, clock.started_at, clock.due_at) == (before.id, "waiting", before.started_at, before.due_at)
    assert office.task("reply").due_at == before.due_at


def test_the_join_that_it_released_waits_again_and_the_other_branch_stays_done(office: Office) -> None:
    office.deploy("start > and:fork > user:a > and:join > user:sum > end", "fork > user:b > join", element("a", **A), element("b", **B),
                  element("sum", **HEAD), actions="withdraw")
    office.start()
    office.complete("dora", "b")
    office.complete("ben", "a")
    take_back(office, "ben", "a")
    assert office.open_steps() == ["a"]
    office.complete("ben", "a")
    assert office.open_steps() == ["sum"]


def test_a_vote_that_had_ended_the_countersign_is_taken_out_and_the_others_are_asked_again(office: Office) -> None:
    office.deploy("start > user:vote > user:sum > end", element("vote", form="judge", unit="body", post="handler"), element("sum", **A),
                  multi("vote", over="['A', 'B', 'O']", item="body", into="votes", result="verdict", until="nrOfCompletedInstances == 2"),
                  forms=FORMS, actions="withdraw")
    case = office.start()
    office.complete("ben", "vote", verdict="for")
    office.complete("dora", "vote", verdict="for")
    assert (office.open_steps(), office.instance(case).variables["votes"]) == (["sum"], ["for", "for"])
    withdraw_task(office.store, next(task.id for task in tasks(office, "done") if task.completed_by == office["dora"].account_id), actor=office["dora"])
    assert (office.open_steps(), office.instance(case).variables.get("votes")) == (["vote", "vote"], None)
    office.complete("dora", "vote", verdict="against")
    assert office.instance(case).variables["votes"] == ["for", "against"]


def tasks(office: Office, state: str) -> list[Task]:
    with office.store.read() as session:
        return list(session.scalars(select(Task).where(Task.state == state).order_by(Task.id)))


def test_a_script_behind_it_counts_once(office: Office) -> None:
    office.deploy("start > script:zero > user:judge > script:count > user:sign > end", element("judge", **B), element("sign", **HEAD),
                  script("zero", "rounds = 0"), script("count", "rounds = rounds + 1"), actions="withdraw")
    case = office.start()
    office.complete("dora", "judge")
    take_back(office, "dora", "judge")
    office.complete("dora", "judge")
    assert office.instance(case).variables["rounds"] == 1


# -- the start ----------------------------------------------------------------------------------


def test_who_started_it_corrects_it_and_submits_it_again(line: Office) -> None:
    case = the_case(line)
    assert offered(line, "anna", case) == Withdrawable(None, "发起")
    withdraw_start(line.store, case, actor=line["anna"], reason="写错了")
    task = line.task("start")
    assert (line.open_steps(), task.name, task.assignee_id, task.sent_how) == (["start"], "修改后重新提交", line["anna"].account_id, "withdrawn")
    with line.store.read() as session:
        assert "待办已撤销：审核" in session.scalars(select(Notice.title).where(Notice.account_id == line["dora"].account_id)).all()
        assert [(entry.title, entry.opinion) for entry in case_sheet(session, line["anna"], case).timeline][-1] == ("撤回发起", "写错了")
    line.complete("anna", "start", why="另有需要")
    assert (line.open_steps(), line.instance(case).variables["why"]) == (["judge"], "另有需要")


def test_or_gives_it_up(line: Office) -> None:
    case = the_case(line)
    withdraw_start(line.store, case, actor=line["anna"])
    give_up(line.store, line.task("start").id, actor=line["anna"], reason="不需要了")
    assert (line.instance(case).state, line.instance(case).outcome_name) == ("terminated", "已撤回")


# -- what is refused ----------------------------------------------------------------------------


def test_only_who_did_it_and_only_where_the_diagram_lets_them(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    case = the_case(line)
    for who in ("anna", "emil", "clara", "gu"):
        assert offered(line, who, case) is None
        with pytest.raises(NotAllowed):
            take_back(line, who, "judge")
    with pytest.raises(NotAllowed):
        withdraw_start(line.store, case, actor=line["ben"])
    with pytest.raises(NotFound):
        withdraw_task(line.store, 999_999, actor=line["dora"])
    line.deploy(*LINE, forms=FORMS, startForm="apply")
    line.start("anna", why="又一件")
    line.complete("dora", "judge", verdict="for")
    with pytest.raises(NotAllowed, match="未设“撤回”"):
        withdraw_task(line.store, max(task.id for task in tasks(line, "done")), actor=line["dora"])
    assert line.open_steps() == ["sign", "sign"]


def test_once_somebody_has_claimed_or_done_the_next_step_it_stands(line: Office) -> None:
    case = the_case(line)
    line.complete("dora", "judge", verdict="for")
    line.claim("clara", "sign")
    assert offered(line, "dora", case) is None
    with pytest.raises(Stale, match="已有后续办理"):
        take_back(line, "dora", "judge")
    with pytest.raises(Stale):
        withdraw_start(line.store, case, actor=line["anna"])
    line.complete("clara", "sign")
    with pytest.raises(NotRunning):
        take_back(line, "dora", "judge")


def test_not_while_it_stands_still_and_not_after_a_timer(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    suspend_instance(line.store, the_case(line), actor=line["gu"], reason="核查")
    with pytest.raises(NotRunning):
        take_back(line, "dora", "judge")


def test_what_became_overdue_meanwhile_comes_first(office: Office) -> None:
    office.deploy("start > user:judge > user:sign > end", "soon > end:late", element("judge", **B), element("sign", **HEAD),
                  timer("sign", "soon", workingDays=1, role="deadline"), actions="withdraw")
    office.start()
    office.complete("dora", "judge")
    office.clock.to("2026-02-14 09:00")
    with pytest.raises(Stale, match="到期"):
        take_back(office, "dora", "judge")
    assert office.timers(role="deadline")[0].state == "waiting", "nothing has changed; the worker fires it"


def test_nothing_that_reached_beyond_the_case_is_taken_back(office: Office) -> None:
    office.deploy("start > user:inner > end", element("inner", **B), key="child")
    office.deploy("start > user:judge > call:ask > end", element("judge", **B), call("ask", "child"), actions="withdraw")
    case = office.start()
    assert offered(office, "anna", case) == Withdrawable(None, "发起")
    office.complete("dora", "judge")
    assert offered(office, "dora", case) is None
    with pytest.raises(Stale):
        take_back(office, "dora", "judge")
    assert office.open_steps() == ["inner"]


def test_a_message_in_between_counts_as_an_act(office: Office) -> None:
    office.deploy("start > user:judge > and:fork > catch:wait > and:join > end", "fork > user:sign > join", catches_message("wait", "news"),
                  element("judge", **B), element("sign", **HEAD), actions="withdraw")
    case = office.start()
    office.complete("dora", "judge")
    office.tell(case, "news")
    with pytest.raises(Stale):
        take_back(office, "dora", "judge")


def test_it_is_taken_back_once_and_the_reason_is_no_novel(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    task = line.task("judge", "done").id
    with pytest.raises(Invalid):
        withdraw_task(line.store, task, actor=line["dora"], reason="长" * 501)
    withdraw_task(line.store, task, actor=line["dora"])
    with pytest.raises(NotAllowed):
        withdraw_task(line.store, task, actor=line["dora"])
    assert line.open_steps() == ["judge"]


def test_the_next_one_claims_while_it_is_taken_back_one_wins_the_other_is_told(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    done, sign = line.task("judge", "done").id, line.task("sign").id
    said: list[str] = []
    gate = threading.Barrier(2)

    def act(what: str) -> None:
        gate.wait()
        try:
            if what == "claim":
                claim_task(line.store, sign, actor=line["clara"])
            else:
                withdraw_task(line.store, done, actor=line["dora"])
            said.append("ok")
        except Refused as told:
            assert isinstance(told, Stale | TaskClosed | NotRunning)
            said.append("told")

    people = [threading.Thread(target=act, args=(what,)) for what in ("claim", "withdraw")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(said) == ["ok", "told"]
    assert line.open_steps() in (["judge"], ["sign"])


def test_the_record_says_that_it_was_done_and_taken_back(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    take_back(line, "dora", "judge", "选错了")
    with line.store.read() as session:
        acts = session.scalars(select(History.act).where(History.instance_id == the_case(line)).order_by(History.seq)).all()
        timers = session.scalars(select(Timer).where(Timer.state == "waiting")).all()
        assert case_sheet(session, line["dora"], the_case(line)).passed_steps == ["start"], "the diagram shows it as it stands"
    assert acts == ["started", "completed", "withdrawn"]
    assert len(timers) == 3


def test_a_task_completed_late_after_all_stays_marked(line: Office) -> None:
    line.complete("dora", "judge", verdict="for")
    take_back(line, "dora", "judge")
    line.clock.to("2026-03-10 10:00")
    complete_task(line.store, line.task("judge").id, actor=line["dora"], answers={"verdict": "for"})
    assert line.task("judge", "done").late
