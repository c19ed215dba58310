"""One process starts another: call activities, several at once, messages, and what becomes of the child when the parent goes."""

from __future__ import annotations

import pytest

from engine.process.instances import terminate_instance
from engine.process.outside.correlating import Mismatch
from engine.store.errors import NotAllowed
from tests.engine.interpreter.diagrams import call, catches_message, element, message, multi, sub, timer
from tests.engine.process.office import Office, choice, form

CHILD = ("start > user:judge > end:judged", element("judge", form="judge", unit="'B'", post="handler"))
CHILD_FORMS = {"judge": form(choice("verdict", "for", "against", required=True))}
PARENT = ("start > call:ask > user:read > end", call("ask", "child", in_question="'为何'", out_answer="verdict", out_how="outcome"),
          element("read", unit="'A'", post="handler"))


@pytest.fixture
def asked(office: Office) -> Office:
    office.deploy(*CHILD, key="child", forms=CHILD_FORMS)
    office.deploy(*PARENT)
    return office


def test_a_call_activity_is_a_case_of_its_own_and_brings_its_answer_back(asked: Office) -> None:
    parent = asked.start()
    [child] = asked.instances("child")
    assert (child.parent_id, child.variables["question"], child.number) == (parent, "为何", "测试流程〔2026〕2号")
    assert asked.open_steps() == ["judge"]
    asked.complete("dora", "judge", verdict="for")
    data = asked.instance(parent).variables
    assert (data["answer"], data["how"]) == ("for", "judged")
    assert asked.open_steps() == ["read"]


def test_terminating_the_parent_terminates_the_child(asked: Office) -> None:
    parent = asked.start()
    terminate_instance(asked.store, parent, actor=asked["gu"], reason="撤销")
    [child] = asked.instances("child")
    assert (child.state, asked.open_steps()) == ("terminated", [])


def test_a_deadline_that_interrupts_the_call_terminates_the_child(office: Office) -> None:
    office.deploy(*CHILD, key="child", forms=CHILD_FORMS)
    office.deploy("start > call:ask > end:answered", "late > end:silent", call("ask", "child"),
                  timer("ask", "late", interrupting=True, workingDays=2, role="deadline"))
    parent = office.start()
    office.sweep("2026-02-13 00:00")
    assert office.instance(parent).outcome == "silent"
    assert office.instances("child")[0].state == "terminated"


def test_several_experts_at_once_each_get_their_task_and_the_opinions_are_collected(office: Office) -> None:
    office.deploy(
        "start > script:who > user:opinion > xor:enough", "enough [len(opinions) == 2] > end:both", "enough [default] > end:odd",
        element("who", body="<bpmn:script>bodies = ['A', 'B']</bpmn:script>"),
        element("opinion", form="opinion", unit="body_code", post="handler"),
        multi("opinion", over="bodies", item="body_code", into="opinions", result="view"),
        forms={"opinion": form(choice("view", "for", "against", required=True))},
    )
    case = office.start()
    assert office.open_steps() == ["opinion", "opinion"]
    office.complete("anna", "opinion", view="for")
    office.complete("dora", "opinion", view="against")
    assert office.instance(case).outcome == "both"


def test_several_children_at_once(office: Office) -> None:
    office.deploy(*CHILD, key="child", forms=CHILD_FORMS)
    office.deploy("start > call:ask > end:all_answered", call("ask", "child"), multi("ask", times="3"))
    parent = office.start()
    assert len(office.instances("child")) == 3
    for _ in range(3):
        office.complete("dora", "judge", verdict="for")
    assert office.instance(parent).outcome == "all_answered"


def test_a_message_reaches_only_the_instance_it_is_sent_to_and_is_not_kept(office: Office) -> None:
    office.deploy("start > user:first > catch:wait > end:told", catches_message("wait", "news"),
                  element("first", unit="'A'", post="handler"))
    one, other = office.start(), office.start()
    with pytest.raises(Mismatch):
        office.tell(one, "news")
    office.complete("anna", "first")
    office.complete("anna", "first")
    assert {office.instance(one).state, office.instance(other).state} == {"running"}
    office.tell(one, "news", heard=1)
    assert (office.instance(one).outcome, office.instance(other).state) == ("told", "running")
    assert office.instance(one).variables["heard"] == 1
    with pytest.raises(Mismatch):
        office.tell(one, "news")
    with pytest.raises(NotAllowed):
        office.tell(other, "news", by="anna")


def test_processes_that_start_each_other_without_end_are_stopped_and_nothing_is_kept(office: Office) -> None:
    office.deploy("start > end", key="tail")
    office.deploy("start > call:again > end", call("again", "tail"), key="ouroboros")
    office.deploy("start > call:again > end", call("again", "ouroboros"), key="tail")
    with pytest.raises(Exception, match="相互启动过多"):
        office.start(key="ouroboros")
    assert office.instances("ouroboros") == []


def test_supervision_inside_the_diagram_closes_when_the_activity_is_left(office: Office) -> None:
    """The deadline of a subprocess calls the watching process; leaving the subprocess closes it."""
    office.deploy("start > sub:watch > end", "closed > end:closed_end", key="watch",
                  *(sub("watch", "start > user:explain > catch:wait > end", catches_message("wait", "never"),
                        element("explain", unit="source_unit", post="head")), message("watch", "closed", "source_closed")))
    office.deploy("start > sub:answer > user:after > end", "due > call:supervise > end:s",
                  sub("answer", "start > user:reply > end", element("reply", unit="'B'", post="handler")),
                  timer("answer", "due", workingDays=10, role="deadline"), call("supervise", "watch"),
                  element("after", unit="'A'", post="handler"))
    case = office.start()
    office.sweep("2026-03-03 08:00")
    [watch] = office.instances("watch")
    assert (watch.state, watch.variables["source_unit"], watch.source_id) == ("running", "B", case)
    office.complete("dora", "reply")
    assert office.instance(watch.id).outcome == "closed_end"
    office.complete("anna", "after")
    assert office.instance(case).state == "completed"
