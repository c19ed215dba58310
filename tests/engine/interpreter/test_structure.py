"""Everything that a diagram may not say is refused by name; the rule, the element and the words are checked."""

from __future__ import annotations

import re
import time

import pytest

from engine.process.interpreter.document import MAX_BYTES
from engine.process.interpreter.model import DiagramError
from engine.process.interpreter.reader import check_structure, read_diagram
from tests.engine.interpreter.diagrams import (
    Details,
    call,
    catches_message,
    catches_timer,
    diagram,
    element,
    ends,
    error,
    escalation,
    multi,
    script,
    sub,
    timer,
)

PLAIN = "start > user:a > end"


def event(id: str, definition: str) -> Details:
    return Details(id, event=f"<bpmn:{definition}EventDefinition/>")


def own_timer(body: str = "", **attributes: str) -> Details:
    text = "".join(f' sharing:{key}="{value}"' for key, value in attributes.items())
    definition = f"<bpmn:timerEventDefinition{text}>{body}</bpmn:timerEventDefinition>"
    return Details("t", {"attachedToRef": "a", "cancelActivity": "false"}, kind="boundary", event=definition)


REFUSED: list[tuple[str, str | None, bytes]] = [
    # flow
    ("no-start", None, diagram("user:a > end")),
    ("several-starts", None, diagram(PLAIN, "start:other > a")),
    ("no-end", None, diagram("start > user:a > a")),
    ("no-start", "s", diagram("start > sub:s > end", sub("s", "user:a > end"))),
    ("several-outgoing", "a", diagram(PLAIN, "a > user:b > end")),
    ("several-outgoing", "start", diagram(PLAIN, "start > user:b > end")),
    ("condition-ignored", "a", diagram("start > user:a [x == 1] > end")),
    ("condition-ignored", "f", diagram("start > and:f [x] > user:a > end", "f > user:b > end:e2")),
    ("default-ignored", "a", diagram("start > user:a [default] > end")),
    ("dead-end", "b", diagram("start > and:f > user:a > end", "f > user:b")),
    ("unreachable", "b", diagram(PLAIN, "user:b > end")),
    ("no-way-out", "b", diagram("start > xor:g [x] > user:a > end", "g [default] > user:b > user:c > b")),
    ("missing-condition", "g", diagram("start > xor:g > user:a > end", "g [x] > user:b > end")),
    ("unknown-default", "g", diagram("start > xor:g [x] > user:a > end", "g [y] > end:e2", Details("g", {"default": "f9"}))),
    ("flow-out-of-end", "end", diagram("start > user:a > end > user:b > end:e2")),
    ("flow-into-event", "start", diagram("start > user:a > xor:g [x] > start", "g [default] > end")),
    ("join-waits-for-itself", "j", diagram("start > and:j > user:a > xor:g [x] > j", "g [default] > end")),
    ("race-target", "g", diagram("start > race:g > user:a > end", "g > catch:c > end", catches_timer("c", workingDays=1))),
    ("race-target", "g", diagram("start > race:g > catch:c > end", catches_timer("c", workingDays=1))),
    ("endless-loop", "m", diagram("start > xor:m > script:s > and:f > m", "f > user:a > end", script("s", "x = 1"))),
    ("calls-itself", "c", diagram("start > script:s > call:c > end", script("s", "x = 1"), call("c", "test"))),
    ("event-never", "t", diagram("start > script:s > end", script("s", "x = 1"), timer("s", "t", workingDays=1), "t > end")),
    ("broken-flow", None, diagram(PLAIN, raw='<bpmn:sequenceFlow id="f" sourceRef="a" targetRef="nowhere"/>')),
    ("broken-flow", None, diagram("start > sub:s > end", sub("s", "start > user:in > end"), raw='<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="in"/>')),
    ("duplicate-id", "a", diagram(PLAIN, raw='<bpmn:userTask id="a"/>')),
    ("element-id", "a b", diagram(PLAIN, raw='<bpmn:userTask id="a b"/>')),
    # elements
    ("unsupported-complex-gateway", "x", diagram(PLAIN, raw='<bpmn:complexGateway id="x"/>')),
    ("unsupported-business-rule-task", "x", diagram(PLAIN, raw='<bpmn:businessRuleTask id="x"/>')),
    ("unsupported-ad-hoc-sub-process", "x", diagram(PLAIN, raw='<bpmn:adHocSubProcess id="x"/>')),
    ("unsupported-transaction", "x", diagram(PLAIN, raw='<bpmn:transaction id="x"/>')),
    ("unsupported-task", "x", diagram(PLAIN, raw='<bpmn:task id="x"/>')),
    ("unsupported-something-new", "x", diagram(PLAIN, raw='<bpmn:somethingNew id="x"/>')),
    ("unknown-element", "x", diagram(PLAIN, raw='<userTask xmlns="urn:other" id="x"/>')),
    ("event-subprocess", "s", diagram("start > sub:s > end", sub("s", "start > user:b > end"), Details("s", {"triggeredByEvent": "true"}))),
    ("compensation", "a", diagram(PLAIN, Details("a", {"isForCompensation": "true"}))),
    ("standard-loop", "a", diagram(PLAIN, element("a", body='<bpmn:standardLoopCharacteristics loopMaximum="3"/>'))),
    ("service-without-operation", "x", diagram("start > service:x > end")),
    ("operation-and-topic", "x", diagram("start > service:x > end", element("x", operation="a.b", topic="t"))),
    ("operation-ignored", "a", diagram(PLAIN, element("a", operation="a.b"))),
    ("bad-name", "x", diagram("start > service:x > end", element("x", operation="a.b", out="a b"))),
    ("bad-name", "x", diagram("start > call:x > end", call("x", "other"), element("x", **{"in.a-b": "1"}))),
    ("out-ignored", "a", diagram(PLAIN, element("a", out="x"))),
    ("parameter-ignored", "x", diagram("start > service:x > end", element("x", operation="a.b", out_y="x"))),
    ("call-without-process", "x", diagram("start > call:x > end")),
    ("dynamic-call", "x", diagram("start > call:x > end", call("x", "${process}"))),
    # events
    ("unsupported-timer-event", "start", diagram(PLAIN, event("start", "timer"))),
    ("unsupported-message-event", "end", diagram(PLAIN, event("end", "message"))),
    ("unsupported-compensate-event", "x", diagram("start > throw:x > end", event("x", "compensate"))),
    ("unsupported-link-event", "x", diagram("start > throw:x > end", event("x", "link"))),
    ("unsupported-conditional-event", "x", diagram("start > catch:x > end", event("x", "conditional"))),
    ("unsupported-none-event", "x", diagram("start > catch:x > end")),
    ("unsupported-multiple-event", "x", diagram("start > catch:x > end", Details("x", event="<bpmn:timerEventDefinition/><bpmn:messageEventDefinition/>"))),
    ("unsupported-cancel-event", "t", diagram(PLAIN, Details("t", {"attachedToRef": "a"}, kind="boundary", event="<bpmn:cancelEventDefinition/>"), "t > end")),
    ("boundary-target", "t", diagram("start > xor:g > end", timer("g", "t", workingDays=1))),
    ("boundary-target", "t", diagram(PLAIN, timer("nowhere", "t", workingDays=1))),
    ("error-not-interrupting", "t", diagram(PLAIN, error("a", "t", "E"), Details("t", {"cancelActivity": "false"}), "t > end")),
    ("caught-twice", "t2", diagram(PLAIN, error("a", "t1", "E"), error("a", "t2", "E"), "t1 > end", "t2 > end")),
    ("uncaught-error", "end", diagram(PLAIN, ends("end", "error", "E"))),
    ("event-without-code", "e", diagram("start > sub:s > end", sub("s", "start > user:b > end:e", event("e", "error")))),
    ("unknown-reference", "t", diagram(PLAIN, Details("t", {"attachedToRef": "a"}, kind="boundary", event="<bpmn:errorEventDefinition errorRef='nothing'/>"), "t > end").replace(b'errorCode="nothing"', b"").replace(b'id="nothing" name="nothing"', b'id="other"')),
    ("message-without-name", "x", diagram("start > receive:x > end")),
    ("message-without-name", "x", diagram("start > catch:x > end", event("x", "message"))),
    # timers
    ("timer-without-time", "t", diagram(PLAIN, own_timer())),
    ("timer-several-times", "t", diagram(PLAIN, own_timer(workingDays="1", calendarDate="x"))),
    ("timer-cycle", "t", diagram(PLAIN, own_timer("<bpmn:timeCycle>R3/PT1H</bpmn:timeCycle>"))),
    ("timer-date", "t", diagram(PLAIN, own_timer("<bpmn:timeDate>2026-01-01</bpmn:timeDate>"))),
    ("timer-duration", "t", diagram(PLAIN, own_timer(duration="1 day"))),
    ("timer-duration", "t", diagram(PLAIN, own_timer(duration="-PT1H"))),
    ("timer-duration", "t", diagram(PLAIN, own_timer(duration="PT0S"))),
    ("timer-role", "t", diagram(PLAIN, own_timer(workingDays="1", role="alarm"))),
    ("timer-on-pause", "t", diagram(PLAIN, own_timer(workingDays="1", onPause="stop"))),
    ("timer-statutory-max", "t", diagram(PLAIN, own_timer(workingDays="1", statutoryMax="ten"))),
    ("timer-office-hours", "t", diagram(PLAIN, own_timer(workingDays="1", officeHours="yes"))),
    ("timer-days", "t", diagram(PLAIN, own_timer(workingDays="-1"))),
    ("timer-days", "t", diagram(PLAIN, own_timer(workingDays="1.5"))),
    ("timer-count-from", "t", diagram(PLAIN, own_timer(duration="PT1H", countFrom="day"))),
    ("unknown-attribute", "t", diagram(PLAIN, own_timer(workingdays="1"))),
    ("relative-without-deadline", "t", diagram(PLAIN, own_timer(beforeDeadline="2"))),
    ("relative-deadline", "t", diagram(PLAIN, own_timer(beforeDeadline="2", role="deadline"))),
    ("several-deadlines", "t2", diagram(PLAIN, timer("a", "t1", workingDays=1, role="deadline"), timer("a", "t2", workingDays=2, role="deadline"))),
    # texts
    ("bad-expression", "g", diagram("start > xor:g [x ==] > user:a > end", "g [default] > end")),
    ("bad-expression", "g", diagram("start > xor:g [x.__class__] > user:a > end", "g [default] > end")),
    ("bad-expression", "x", diagram("start > service:x > end", element("x", operation="a.b", in_days="1 +"))),
    ("bad-expression", "a", diagram(PLAIN, element("a", unit="resource."))),
    ("bad-expression", "t", diagram(PLAIN, own_timer(workingDays="days +"))),
    ("bad-expression", None, diagram(PLAIN, title="'x' +")),
    ("bad-expression", None, diagram(PLAIN, parties="applicant=applicant_unit; provider=(")),
    ("unknown-function", "g", diagram("start > xor:g [lenght(x) > 1] > user:a > end", "g [default] > end")),
    ("bad-script", "s", diagram("start > script:s > end", script("s", "import os"))),
    ("bad-script", "s", diagram("start > script:s > end", script("s", "a.b = 1"))),
    ("bad-expression", "s", diagram("start > script:s > end", script("s", "a = open('x').read()"))),
    ("empty-script", "s", diagram("start > script:s > end")),
    ("multi-without-collection", "a", diagram(PLAIN, multi("a"))),
    ("multi-without-collection", "a", diagram(PLAIN, multi("a", times="3", over="units"))),
    ("multi-output", "a", diagram(PLAIN, multi("a", over="units", into="replies"))),
    ("multi-name", "a", diagram(PLAIN, multi("a", over="units", item="_x"))),
    ("multi-cardinality", "a", diagram(PLAIN, multi("a", times="100000"))),
    ("multi-not-here", "s", diagram("start > script:s > end", script("s", "x = 1"), multi("s", times="3"))),
    ("bad-expression", "a", diagram(PLAIN, multi("a", over="units", until="x =="))),
]


@pytest.mark.parametrize(("rule", "where", "xml"), REFUSED, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(REFUSED)])
def test_refused_by_name(rule: str, where: str | None, xml: bytes) -> None:
    problems = check_structure(xml, words=[])
    found = [problem for problem in problems if problem.rule == rule and problem.severity == "error"]
    assert found, [problem.message for problem in problems]
    assert where in {problem.element for problem in found} or (where is None and rule == "broken-flow")
    for problem in problems:
        assert re.search("[一-鿿]", problem.message)
        assert re.fullmatch("[a-z]+(-[a-z]+)*", problem.rule)
        if problem.element is not None:
            assert problem.element in problem.message
    if rule != "unknown-function":
        with pytest.raises(DiagramError):
            read_diagram(xml)


WARNED: list[tuple[str, bytes]] = [
    ("no-default", diagram("start > xor:g [x == 1] > user:a > end", "g [x == 2] > end")),
    ("no-default", diagram("start > xor:g [x == 1] > user:a > end")),
    ("event-never", diagram(PLAIN, error("a", "t"), "t > end:t2")),
    ("timer-role-ignored", diagram("start > catch:c > end", catches_timer("c", workingDays=1, role="deadline"))),
    ("data-object-ignored", diagram(PLAIN, raw='<bpmn:dataObject id="d"/>')),
    ("automatic-loop", diagram("start > xor:m > script:s > xor:g [x] > m", "g [default] > end", script("s", "x = 1"))),
    ("join-after-choice", diagram("start > xor:g [x] > user:a > and:j > end", "g [default] > user:b > j")),
    ("uncaught-escalation", diagram(PLAIN, ends("end", "escalation", "X"))),
]


@pytest.mark.parametrize(("rule", "xml"), WARNED)
def test_warned_of_by_name(rule: str, xml: bytes) -> None:
    assert [problem.rule for problem in check_structure(xml) if problem.severity == "warning"] == [rule]
    assert [problem.rule for problem in read_diagram(xml).warnings] == [rule]


def test_a_condition_on_the_default_arrow_is_pointed_out() -> None:
    xml = diagram("start > xor:g [x] > user:a > end", "g [y] > end").replace(b'id="g"', b'id="g" default="f3_g_end"')
    assert [problem.rule for problem in check_structure(xml)] == ["condition-on-default"]


def test_a_message_names_the_element_as_the_official_knows_it() -> None:
    (problem,) = check_structure(diagram("start > user:Task_x [x] > end", element("Task_x", name="业务审核", article="第十五条")))
    assert problem.message.startswith("任务“业务审核”（Task_x）：")
    assert (problem.element, problem.name, problem.article) == ("Task_x", "业务审核", "第十五条")


FINE = [
    diagram(PLAIN),
    diagram(PLAIN, timer("a", "t", workingDays="days", role="deadline"), timer("a", "r", beforeDeadline=2, role="reminder")),
    diagram(PLAIN, element("a", limit="5"), timer("a", "r", afterDeadline=3, role="escalation")),
    diagram(PLAIN, own_timer("<bpmn:timeDuration>PT1H</bpmn:timeDuration>")),
    diagram(PLAIN, own_timer('<bpmn:timeDuration>"P10D"</bpmn:timeDuration>')),
    diagram("start > sub:s > end", sub("s", "start > user:b > end:e", ends("e", "error", "E")), error("s", "t"), "t > end"),
    diagram("start > sub:s > end", sub("s", "start > user:b > end:e", ends("e", "escalation", "E")), escalation("s", "t", "E"), "t > end"),
    diagram("start > xor:g [x] > user:a > end", "g [True] > end"),
    diagram("start > user:Start > user:End > user:Root > end"),
    diagram("start > race:g > receive:c > end", "g > catch:d > end", catches_message("c", "m"), catches_timer("d", duration="PT1H")),
    diagram(PLAIN, raw='<bpmn:textAnnotation id="note"/><bpmn:association id="line"/>'),
]


@pytest.mark.parametrize("xml", FINE)
def test_nothing_is_said_against_a_sound_diagram(xml: bytes) -> None:
    assert check_structure(xml, words=[]) == []
    read_diagram(xml)


def test_functions_are_judged_only_when_the_words_are_known() -> None:
    xml = diagram("start > xor:g [working_days(x) > 1] > user:a > end", "g [default] > end")
    assert check_structure(xml) == []
    assert check_structure(xml, words={"working_days"}) == []
    assert [problem.rule for problem in check_structure(xml, words=[])] == ["unknown-function"]


# --- hostile files -----------------------------------------------------------------------------------------

ENTITY = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def headed(head: bytes, name: bytes = "测试流程".encode()) -> bytes:
    return diagram(PLAIN).replace(b"?>\n", b"?>\n" + head).replace("测试流程".encode(), name)


@pytest.mark.parametrize(
    ("rule", "xml"),
    [
        ("doctype", headed(ENTITY)),
        ("doctype", headed(BOMB)),
        ("doctype", headed(b'<!DOCTYPE definitions SYSTEM "http://127.0.0.1:9/x.dtd">')),
        ("file-too-large", diagram(PLAIN) + b" " * MAX_BYTES),
        ("file-too-large", diagram(PLAIN, raw="<bpmn:documentation/>" * 60_001)),
        ("not-xml", b"<a><b></a>"),
        ("not-xml", b""),
        ("not-xml", b"\x00\x01\x02"),
        ("not-xml", diagram(PLAIN, raw="<bpmn:documentation>" * 300 + "</bpmn:documentation>" * 300)),
        ("not-bpmn", b"<html/>"),
        ("one-process", diagram(PLAIN).replace(b'isExecutable="true"', b'isExecutable="false"')),
        ("one-process", diagram(PLAIN).replace(b"</bpmn:process>", b'</bpmn:process><bpmn:process id="p2"/>')),
        ("nested-too-deep", diagram(PLAIN, raw="".join(f'<bpmn:subProcess id="s{i}">' for i in range(9)) + "</bpmn:subProcess>" * 9)),
        ("too-many-elements", diagram(PLAIN, raw="".join(f'<bpmn:userTask id="u{i}"/>' for i in range(1001)))),
    ],
)
def test_hostile_files_are_refused(rule: str, xml: bytes) -> None:
    assert rule in [problem.rule for problem in check_structure(xml)]
    with pytest.raises(DiagramError):
        read_diagram(xml)


def test_an_entity_is_refused_even_in_another_encoding() -> None:
    xml = headed(ENTITY).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert [problem.rule for problem in check_structure(xml)] == ["doctype"]


@pytest.mark.parametrize("kind", ["user", "or", "and", "xor"])
def test_the_largest_diagram_is_judged_in_seconds(kind: str) -> None:
    """A net of gateways of which each goes on to the next and back to the one before."""
    count = 450
    chains = ["start > " + " > ".join(f"{kind}:g{number}" for number in range(count)) + " > end"]
    if kind != "user":
        chains += [f"g{number} [x] > g{max(number - 2, 0)}" for number in range(1, count)]
    xml = diagram(*chains)
    before = time.process_time()
    check_structure(xml)
    assert time.process_time() - before < 5


def test_an_element_may_have_any_id_that_spiff_reserves() -> None:
    assert read_diagram(diagram("start > user:Start > user:End > end")).steps["End"].kind == "user"
