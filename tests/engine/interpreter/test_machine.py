"""What a running process does: tasks, subprocesses, timers, messages, errors, operations, many instances."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import NotWaiting, OperationError, RunawayLoop, UncaughtError
from tests.engine.interpreter.diagrams import (
    call,
    catches_message,
    catches_timer,
    diagram,
    element,
    ends,
    error,
    escalation,
    message,
    multi,
    script,
    sub,
    timer,
)
from tests.engine.interpreter.driving import Case, Desk

REQUEST = diagram(
    "start > user:apply > sub:review > xor:decide",
    "decide [reply == 'yes'] > user:supply > end:granted",
    "decide [default] > end:refused",
    sub(
        "review",
        "start > and:fork > user:business > and:join > user:reply > end",
        "fork > user:security > join",
        timer("business", "business_limit", workingDays=3, role="deadline"),
    ),
    timer("review", "limit", workingDays=10, role="deadline"),
    timer("review", "reminder", beforeDeadline=2, role="reminder"),
    timer("review", "withdrawn", workingDays=60, interrupting=True),
    "limit > call:supervise > end:supervised",
    "withdrawn > user:explain > end:lapsed",
    call("supervise", "supervision"),
)


def test_the_path_from_application_to_supply() -> None:
    case = Case(REQUEST)
    assert case.trace == ["start:completed", "apply:entered"]
    case.complete("apply")
    assert case.waits == ["business", "business_limit", "limit", "reminder", "security", "withdrawn"]
    assert case.trace == [
        "apply:completed",
        "review:entered",
        "review_start:completed",
        "fork:completed",
        "business:entered",
        "security:entered",
    ]
    case.complete("security").complete("business")
    assert case.trace == ["business:completed", "join:completed", "reply:entered"]
    case.complete("reply", reply="yes")
    assert case.trace == ["reply:completed", "review_end:completed", "review:completed", "decide:completed", "supply:entered"]
    case.complete("supply")
    assert (case.machine.ended, case.machine.outcome, case.waits) == (True, "granted", [])


def test_every_token_knows_the_activities_around_it() -> None:
    case = Case(REQUEST).complete("apply")
    (review,) = case.machine.tokens_of("review")
    business = case.at("business")
    assert business.path == (review,) and business.kind == "task"
    assert (case.at("limit").activity, case.at("limit").path, case.at("limit").kind) == (review, (), "timer")
    assert (case.at("business_limit").activity, case.at("business_limit").path) == (business.token, (review,))


def test_tokens_keep_their_names_over_save_and_load() -> None:
    case = Case(REQUEST).complete("apply")
    before = case.machine.waiting()
    case.reload()
    assert case.machine.waiting() == before
    assert case.machine.passed() == []


def test_a_deadline_opens_supervision_beside_the_review() -> None:
    case = Case(REQUEST).complete("apply").fire("limit")
    assert case.trace == ["limit:fired", "supervise:entered"]
    assert case.at("supervise").kind == "call"
    assert "limit" not in case.waits and "business" in case.waits
    case.complete("business").complete("security").complete("reply", reply="no")
    assert (case.machine.ended, case.waits) == (False, ["supervise"])
    case.complete("supervise")
    assert (case.machine.ended, case.machine.outcome) == (True, "refused")


def test_a_reminder_without_an_arrow_just_rings() -> None:
    case = Case(REQUEST).complete("apply")
    before = case.waits
    case.fire("reminder")
    assert case.trace == ["reminder:fired"]
    assert case.waits == [step for step in before if step != "reminder"]


def test_an_interrupting_timer_withdraws_everything_inside() -> None:
    case = Case(REQUEST).complete("apply").fire("withdrawn")
    assert case.waits == ["explain"]
    assert sorted(case.trace) == [
        "business:cancelled",
        "explain:entered",
        "review:cancelled",
        "security:cancelled",
        "withdrawn:fired",
    ]


def test_completing_an_activity_withdraws_its_timers_even_after_a_reload() -> None:
    case = Case(REQUEST).complete("apply")
    token = case.at("business_limit").token
    case.complete("business")
    assert "business_limit" not in case.waits
    case.reload()
    with pytest.raises(NotWaiting):
        case.machine.fire(token)


def test_nothing_is_completed_twice() -> None:
    case = Case(REQUEST)
    token = case.at("apply").token
    case.complete("apply")
    for act in (case.machine.complete, case.machine.fire):
        with pytest.raises(NotWaiting):
            act(token)
    with pytest.raises(NotWaiting):
        case.machine.complete(case.at("limit").token)
    with pytest.raises(NotWaiting):
        case.machine.fire(case.at("business").token)


def test_cancelling_a_case_withdraws_all_it_holds() -> None:
    case = Case(REQUEST).complete("apply")
    case.reload()
    case.machine.cancel()
    assert sorted(case.trace) == ["business:cancelled", "review:cancelled", "security:cancelled"]
    assert (case.machine.ended, case.machine.outcome, case.waits) == (True, None, [])
    case.reload()
    assert case.machine.ended


def test_a_terminate_end_stops_the_other_branches() -> None:
    xml = diagram(
        "start > and:fork > user:a > end:plain", "fork > user:b > end:stop", ends("stop", "terminate"), "fork > user:c > end:other"
    )
    case = Case(xml).complete("a").complete("b")
    assert (case.machine.ended, case.machine.outcome) == (True, "stop")
    assert case.trace == ["b:completed", "stop:completed", "c:cancelled"]


def test_a_terminate_end_in_a_subprocess_ends_only_that() -> None:
    xml = diagram(
        "start > sub:s > user:after > end",
        sub("s", "start > and:f > user:a > end:stop", ends("stop", "terminate"), "f > user:b > end:plain"),
    )
    assert Case(xml).complete("a").waits == ["after"]


# --- events ------------------------------------------------------------------------------------------------


def test_the_first_of_two_timers_wins_the_race() -> None:
    xml = diagram(
        "start > race:g > catch:soon > end:x1",
        "g > catch:late > end:x2",
        "g > receive:paper > end:x3",
        catches_timer("soon", workingDays=1),
        catches_timer("late", workingDays=5),
        catches_message("paper", "paper_arrived"),
    )
    for step, outcome in (("soon", "x1"), ("late", "x2")):
        case = Case(xml).fire(step)
        assert (case.machine.ended, case.machine.outcome) == (True, outcome)
    case = Case(xml)
    assert len(case.deliver("paper_arrived", paper="A-1")) == 1
    assert (case.machine.outcome, case.host.variables) == ("x3", {"paper": "A-1"})
    assert "paper:completed" in case.trace and "soon:cancelled" in case.trace


def test_a_message_reaches_exactly_those_that_wait_now() -> None:
    xml = diagram(
        "start > and:f > user:a > catch:first > end:e1",
        "f > catch:second > end:e2",
        "f > user:b > end:e3",
        message("b", "stopped", "closed"),
        "stopped > user:note > end:e4",
        catches_message("first", "closed"),
        catches_message("second", "closed"),
    )
    case = Case(xml)
    tokens = {case.at("second").token, case.at("stopped").token}
    assert set(case.deliver("closed")) == tokens
    assert case.waits == ["a", "note"]
    assert case.complete("a").waits == ["first", "note"]
    assert case.deliver("unheard", lost=1) == []
    assert "lost" not in case.host.variables


def test_a_message_beside_an_activity_may_come_again() -> None:
    xml = diagram("start > user:a > end", message("a", "more", "material", interrupting=False), "more > user:file > end:filed")
    case = Case(xml)
    case.deliver("material")
    case.deliver("material")
    assert case.waits == ["a", "file", "file", "more"]


def test_an_escalation_opens_a_branch_and_the_work_goes_on() -> None:
    xml = diagram(
        "start > sub:s > end",
        sub("s", "start > user:a > throw:up > user:b > end", ends("up", "escalation", "LATE")),
        escalation("s", "heard", "LATE"),
        "heard > user:leader > end:told",
    )
    assert Case(xml).complete("a").waits == ["b", "leader"]


def failing(code: str) -> Any:
    def operation(**parameters: Any) -> None:
        raise OperationError(code, "登记失败")

    return operation


SERVICE = diagram(
    "start > sub:s > end",
    sub("s", "start > service:register > user:after > end", element("register", operation="sharing.grant", in_days="days + 1", out="grant")),
    error("s", "failed", "NOT_FOUND"),
    "failed > user:repair > end:repaired",
)


def test_a_service_task_runs_its_operation_with_computed_parameters() -> None:
    host = Desk({"days": 9}, **{"sharing.grant": lambda days: {"number": f"G-{days}"}})
    case = Case(SERVICE, host)
    assert host.calls == [("sharing.grant", {"days": 10})]
    assert host.variables["grant"] == {"number": "G-10"}
    assert case.waits == ["after"]
    assert case.machine.evaluate("grant.number") == "G-10"


def test_a_failing_operation_is_caught_by_its_code_or_not_at_all() -> None:
    host = Desk({"days": 9}, **{"sharing.grant": failing("NOT_FOUND")})
    assert Case(SERVICE, host).waits == ["repair"]
    with pytest.raises(OperationError, match="登记失败"):
        Case(SERVICE, Desk({"days": 9}, **{"sharing.grant": failing("OTHER")}))


def test_an_error_from_outside_goes_to_the_activity_itself_first() -> None:
    xml = diagram(
        "start > sub:s > end",
        sub("s", "start > call:child > end", call("child", "other"), error("child", "near", "E"), "near > user:here > end:e2"),
        error("s", "far"),
        "far > user:there > end:e3",
    )
    case = Case(xml)
    case.machine.raise_error(case.at("child").token, "E")
    assert case.waits == ["here"]
    case = Case(xml)
    case.machine.raise_error(case.at("child").token, "OTHER")
    assert case.waits == ["there"]
    case = Case(diagram("start > user:a > end"))
    with pytest.raises(UncaughtError):
        case.machine.raise_error(case.at("a").token, "E")


def test_a_topic_waits_for_an_outside_worker() -> None:
    case = Case(diagram("start > service:scan > user:after > end", element("scan", topic="scanner")))
    assert case.at("scan").kind == "topic"
    assert case.complete("scan").waits == ["after"]


def test_a_script_assigns_case_data_line_by_line() -> None:
    text = "# how much\ntotal = price * 2\nlabel = '共' + str(total)"
    case = Case(diagram("start > script:s > user:a > end", script("s", text)), price=4)
    assert case.host.variables == {"price": 4, "total": 8, "label": "共8"}


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ExpressionError, match="没有变量“reply”"):
        Case(REQUEST).complete("apply").complete("business").complete("security").complete("reply")


def test_a_circle_without_anybody_is_stopped() -> None:
    xml = diagram("start > xor:entry > script:s > xor:g", "g [True] > entry", "g [default] > end", script("s", "n = 1"))
    with pytest.raises(RunawayLoop):
        Case(xml)


def test_a_bounded_automatic_circle_may_be_long() -> None:
    xml = diagram("start > xor:entry > script:s > xor:g", "g [n < 800] > entry", "g [default] > end", script("s", "n = n + 1"))
    case = Case(xml, n=0)
    assert (case.machine.ended, case.host.variables["n"]) == (True, 800)


# --- many instances ----------------------------------------------------------------------------------------


def ask_units(**kinds: Any) -> bytes:
    return diagram(
        "start > xor:entry > user:ask > xor:more",
        "more [again] > entry",
        "more [default] > end",
        multi("ask", over="units", item="unit", into="replies", result="reply", **kinds),
        timer("ask", "limit", workingDays=5, role="deadline"),
    )


def test_all_units_are_asked_at_once_and_their_replies_collected_in_order() -> None:
    case = Case(ask_units(), units=["001", "002", "003"], again=False)
    assert [waiting.local["unit"] for waiting in case.all_at("ask")] == ["001", "002", "003"]
    (container,) = {waiting.path for waiting in case.all_at("ask")}
    assert container == (case.at("limit").activity,)
    for waiting in reversed(case.all_at("ask")):
        case.reload()
        case.machine.complete(waiting.token, local={"reply": f"reply of {waiting.local['unit']}"})
    assert case.host.variables["replies"] == ["reply of 001", "reply of 002", "reply of 003"]
    assert case.machine.ended


def test_units_are_asked_one_after_the_other() -> None:
    case = Case(ask_units(sequential=True), units=["001", "002", "003"], again=False)
    asked = []
    while not case.machine.ended:
        (waiting,) = case.all_at("ask")
        asked.append(waiting.local["unit"])
        case.complete("ask", local={"reply": waiting.local["unit"]})
    assert asked == case.host.variables["replies"] == ["001", "002", "003"]


@pytest.mark.parametrize("sequential", [False, True])
def test_the_first_objection_ends_the_round_and_a_second_round_starts_afresh(sequential: bool) -> None:
    case = Case(
        ask_units(sequential=sequential, until="reply == 'no' or nrOfCompletedInstances == 3"),
        units=["001", "002", "003"],
        again=True,
    )
    case.complete("ask", local={"reply": "yes"}).complete("ask", local={"reply": "no"})
    assert case.host.variables["replies"] == ["yes", "no"]
    assert len(case.all_at("ask")) == (1 if sequential else 3)
    case.host.variables["again"] = False
    for _ in range(3):
        case.complete("ask", local={"reply": "yes"})
    assert case.host.variables["replies"] == ["yes", "yes", "yes"]
    assert case.machine.ended


def test_no_units_means_nothing_to_wait_for() -> None:
    case = Case(ask_units(), units=[], again=False)
    assert (case.machine.ended, case.host.variables["replies"]) == (True, [])


def test_an_interrupted_round_leaves_nothing_behind() -> None:
    xml = diagram(
        "start > sub:each > end",
        sub("each", "start > user:a > call:b > end", call("b", "other")),
        multi("each", times="3"),
        timer("each", "stop", workingDays=1, interrupting=True),
        "stop > user:after > end:late",
    )
    case = Case(xml)
    case.complete("a")
    assert case.waits == ["a", "a", "b", "stop"]
    assert len(case.at("b").path) == 2
    assert case.fire("stop").waits == ["after"]
    assert len(case.machine.save()) < 400


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(ExpressionError, match="不是列表"):
        Case(ask_units(), units="001", again=False)


def test_a_machine_starts_standing_still() -> None:
    host = Desk()
    machine = Machine.start(Case(REQUEST).diagram, host=host)
    assert machine.waiting() == [] and not machine.ended
    machine = Machine.load(machine.diagram, machine.save(), host=host)
    machine.run()
    assert [waiting.step for waiting in machine.waiting()] == ["apply"]
