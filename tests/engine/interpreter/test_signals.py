"""Signals: awaited in the flow, on the edge of an activity and in a race; thrown on the way and at the end; what is refused."""

from __future__ import annotations

import pytest

from engine.process.interpreter.model import Thrown
from engine.process.interpreter.reader import check_structure, read_diagram
from tests.engine.interpreter.diagrams import catches_message, catches_timer, diagram, element, ends, message, multi, of_signal, signal, sub
from tests.engine.interpreter.driving import Case

PLAIN = "start > user:a > end"


def test_a_signal_reaches_all_that_wait_for_it_and_brings_its_data() -> None:
    case = Case(diagram(
        "start > and:f > catch:first > user:b > end:e1", "f > catch:second > user:c > end:e2", "f > catch:other > end:e3",
        of_signal("first", "stop"), of_signal("second", "stop"), of_signal("other", "go"),
    ))
    assert {waiting.signal for waiting in case.machine.waiting()} == {"stop", "go"}
    assert {waiting.kind for waiting in case.machine.waiting()} == {"signal"}
    assert case.deliver("stop") == [] and case.hear("unknown", lost=1) == []
    assert case.hear("stop", why="雪") == ["first", "second"]
    assert case.waits == ["b", "c", "other"] and case.host.variables == {"why": "雪"}
    assert {"first:fired", "second:fired", "b:entered", "c:entered"} == set(case.trace)
    assert case.hear("stop") == [], "it is not kept, nor heard twice"


def test_a_signal_may_be_meant_for_some_tokens_only() -> None:
    case = Case(diagram("start > and:f > catch:x > end:e1", "f > catch:y > end:e2", of_signal("x", "s"), of_signal("y", "s")))
    token = case.at("y").token
    assert case.machine.signal("s", only=[token, "gone"]) == [token]
    assert case.waits == ["x"]


def test_on_the_edge_of_an_activity_it_interrupts_or_opens_a_branch_each_time() -> None:
    case = Case(diagram(PLAIN, signal("a", "t", "s"), "t > user:b > end:x"))
    assert case.hear("s") == ["t"] and case.waits == ["b"]
    case = Case(diagram(PLAIN, signal("a", "t", "s", interrupting=False), "t > user:b > end:x"))
    case.hear("s")
    case.hear("s")
    assert case.waits == ["a", "b", "b", "t"]
    case.complete("b").complete("b").complete("a")
    assert case.machine.outcome == "end"


def test_behind_an_event_gateway_the_first_to_come_wins() -> None:
    xml = diagram("start > race:g > catch:s > end:x1", "g > catch:m > end:x2", "g > catch:t > end:x3",
                  of_signal("s", "stop"), catches_message("m", "stop"), catches_timer("t", workingDays=1))
    case = Case(xml)
    case.hear("stop")
    assert case.machine.outcome == "x1" and "m:cancelled" in case.trace
    case = Case(xml)
    case.deliver("stop")
    assert case.machine.outcome == "x2"


def test_what_is_thrown_is_heard_by_the_case_itself_at_once_and_told_to_its_host() -> None:
    case = Case(diagram(
        "start > and:f > user:a > throw:t > user:after > end:e1", "f > catch:c > user:heard > end:e2",
        of_signal("t", "done", in_code="code + 1"), of_signal("c", "done"),
    ), code=4)
    assert case.waits == ["a", "c"] and case.machine.take_thrown() == []
    case.complete("a")
    assert case.waits == ["after", "heard"] and "t:completed" in case.trace
    assert case.machine.take_thrown() == [Thrown("done", "t", {"code": 5})] and case.machine.take_thrown() == []
    assert case.host.variables == {"code": 4}, "what it hands over is for others"


def test_it_reaches_only_who_waits_when_it_is_thrown() -> None:
    case = Case(diagram("start > throw:t > catch:c > end", of_signal("t", "s"), of_signal("c", "s")))
    assert case.waits == ["c"] and [each.signal for each in case.machine.take_thrown()] == ["s"]


def test_an_end_throws_too_and_may_withdraw_what_is_around_it() -> None:
    case = Case(diagram("start > user:a > end:e", of_signal("e", "over")))
    case.complete("a")
    assert case.machine.ended and case.machine.outcome == "e" and case.machine.take_thrown()[0].step == "e"
    case = Case(diagram(
        "start > sub:s > end", sub("s", "start > and:f > user:a > throw:t > user:never > end:e1", "f > user:b > end:e2", of_signal("t", "stop")),
        signal("s", "caught", "stop"), "caught > user:told > end:x",
    ))
    assert case.complete("a").waits == ["told"], "who throws it is withdrawn by it"


def test_every_item_of_a_multi_instance_subprocess_hears_it() -> None:
    case = Case(diagram("start > sub:s > end", sub("s", "start > catch:c > end:e", of_signal("c", "go")), multi("s", times="3")))
    assert case.hear("go") == ["c"] * 3 and case.machine.ended


REFUSED = [
    ("signal-without-name", "c", diagram("start > catch:c > end", ends("c", "signal"))),
    ("signal-without-name", "c", diagram("start > catch:c > end", of_signal("c", "x")).replace(b' name="x"', b' name=""')),
    ("signal-without-name", "t", diagram("start > throw:t > end", ends("t", "signal"))),
    ("signal-without-name", "end", diagram(PLAIN, ends("end", "signal"))),
    ("signal-without-name", "t", diagram(PLAIN, signal("a", "t", "x"), "t > end:x").replace(b'signalRef="signal_x"', b'signalRef="none"')),
    ("event-name-too-long", "c", diagram("start > catch:c > end", of_signal("c", "x" * 201))),
    ("event-name-too-long", "c", diagram("start > catch:c > end", catches_message("c", "x" * 201))),
    ("event-never", "t", diagram("start > service:s > end", element("s", operation="x"), signal("s", "t", "x"), "t > end:x")),
    ("unsupported-signal-event", "s_start", diagram("start > sub:s > end", sub("s", "start > user:a > end", of_signal("s_start", "x")))),
    ("unsupported-message-event", "s_start", diagram("start > sub:s > end", sub("s", "start > user:a > end", catches_message("s_start", "x")))),
    ("signal-without-name", "start", diagram(PLAIN, ends("start", "signal"))),
    ("message-without-name", "start", diagram(PLAIN, ends("start", "message"))),
    ("signal-starts-itself", "end", diagram(PLAIN, of_signal("start", "x"), of_signal("end", "x"))),
    ("unsupported-message-event", "end", diagram(PLAIN, catches_message("end", "x"))),
    ("bad-expression", "t", diagram("start > throw:t > end", of_signal("t", "x", in_y="1 +"))),
]


@pytest.mark.parametrize(("rule", "where", "xml"), REFUSED, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(REFUSED)])
def test_refused_by_name_and_place(rule: str, where: str, xml: bytes) -> None:
    found = [problem for problem in check_structure(xml) if problem.severity == "error"]
    assert (rule, where) in [(problem.rule, problem.element) for problem in found], found


def test_a_start_may_name_what_begins_it() -> None:
    read = read_diagram(diagram(PLAIN, of_signal("start", "flood"))).steps["start"]
    assert (read.kind, read.signal, read.message) == ("start", "flood", None)
    read = read_diagram(diagram(PLAIN, catches_message("start", "order"), message("a", "m", "order"), "m > end:x")).steps["start"]
    assert (read.kind, read.signal, read.message) == ("start", None, "order")
    assert Case(diagram(PLAIN, of_signal("start", "flood"))).waits == ["a"]
