"""What the kernel sees of a diagram."""

from __future__ import annotations

import time

import pytest

from engine.process.interpreter.model import Flow, TimerRule
from engine.process.interpreter.reader import read_diagram
from tests.engine.interpreter.diagrams import (
    Details,
    call,
    catches_message,
    diagram,
    element,
    message,
    multi,
    sub,
    timer,
)

LANES = (
    '<bpmn:laneSet id="lanes"><bpmn:lane id="l1" name="提供方"><bpmn:extensionElements><spiffworkflow:properties>'
    '<spiffworkflow:property name="unit" value="provider_unit"/><spiffworkflow:property name="post" value="head"/>'
    "</spiffworkflow:properties></bpmn:extensionElements><bpmn:flowNodeRef>review</bpmn:flowNodeRef>"
    "<bpmn:flowNodeRef>ask</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
)

XML = diagram(
    "start > user:ask > sub:review > call:supervise > xor:g [ok] > end",
    "g [default] > receive:wait > end:refused",
    element("ask", name="提出申请", form="apply", article="第十五条", unit="applicant_unit", limit="5", actions="return"),
    sub(
        "review",
        "start > user:check > end",
        message("check", "closed", "source_closed", interrupting=False),
        multi("check", over="units", item="unit"),
    ),
    timer("review", "limit", workingDays=10, role="deadline", statutoryMax=10, article="第十五条"),
    timer("review", "reminder", beforeDeadline=2, role="reminder", onPause="none", officeHours="true"),
    Details(
        "soon",
        {"attachedToRef": "supervise", "cancelActivity": "true"},
        kind="boundary",
        event="<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>",
    ),
    "soon > end:late",
    call("supervise", "supervision", in_reason="'late'"),
    catches_message("wait", "paper"),
    key="conditional_share",
    name="有条件共享申请",
    raw=LANES,
    ruleSet="liaoyang_2018",
)


def test_steps_carry_what_is_written_on_them() -> None:
    steps = read_diagram(XML).steps
    ask = steps["ask"]
    assert (ask.kind, ask.name, ask.form, ask.article, ask.limit) == ("user", "提出申请", "apply", "第十五条", "5")
    assert ask.properties["actions"] == "return"
    assert (steps["supervise"].kind, steps["supervise"].called) == ("call", "supervision")
    assert steps["supervise"].properties == {"in.reason": "'late'"}
    assert (steps["check"].parent, steps["check"].multi) == ("review", True)
    assert (steps["wait"].kind, steps["wait"].message) == ("receive", "paper")
    assert (steps["closed"].kind, steps["closed"].message, steps["closed"].attached_to) == ("message", "source_closed", "check")
    assert [steps[name].kind for name in ("start", "g", "end", "review", "limit")] == [
        "start",
        "gateway",
        "end",
        "subprocess",
        "timer",
    ]


def test_who_acts_comes_from_the_lane_unless_the_task_says_otherwise() -> None:
    steps = read_diagram(XML).steps
    assert (steps["ask"].lane, steps["ask"].unit, steps["ask"].post) == ("提供方", "applicant_unit", "head")
    assert (steps["check"].lane, steps["check"].unit) == ("提供方", "provider_unit")


def test_timers_are_given_as_written() -> None:
    drawn = read_diagram(XML)
    assert drawn.timers["limit"] == TimerRule(
        element="limit",
        name="",
        role="deadline",
        working_days="10",
        statutory_max=10,
        article="第十五条",
        attached_to="review",
    )
    reminder = drawn.timers["reminder"]
    assert (reminder.before_deadline, reminder.on_pause, reminder.office_hours) == ("2", "none", True)
    assert (drawn.timers["soon"].duration, drawn.timers["soon"].interrupting) == ("PT1H", True)
    assert drawn.steps["review"].timers == ("limit", "reminder")


def test_the_process_and_its_flows() -> None:
    drawn = read_diagram(XML)
    assert (drawn.key, drawn.name, drawn.properties) == ("conditional_share", "有条件共享申请", {"ruleSet": "liaoyang_2018"})
    yes, no = (drawn.flows[flow] for flow in drawn.steps["g"].outgoing)
    assert yes == Flow(yes.id, "", "g", "end", "ok", False)
    assert (no.condition, no.default, no.target) == (None, True, "wait")


def test_the_digest_knows_content_and_not_layout_of_the_text() -> None:
    spaced = XML.replace(b"><bpmn:userTask", b">\n\n  <bpmn:userTask").replace(b'<bpmn:process id="conditional_share" name', b'<bpmn:process   id="conditional_share" name')
    assert spaced != XML
    assert read_diagram(spaced).digest == read_diagram(XML).digest
    assert read_diagram(XML.replace("提出申请".encode(), "提交申请".encode())).digest != read_diagram(XML).digest


def test_a_diagram_cannot_be_changed() -> None:
    drawn = read_diagram(XML)
    with pytest.raises(TypeError):
        drawn.steps["x"] = drawn.steps["ask"]  # type: ignore[index]
    with pytest.raises(TypeError):
        drawn.steps["ask"].properties["form"] = "other"  # type: ignore[index]


def test_a_chain_of_nine_hundred_tasks_is_read() -> None:
    """SpiffWorkflow's own parser recurses from node to node and fails here."""
    chain = " > ".join(f"user:u{number}" for number in range(900))
    before = time.process_time()
    assert len(read_diagram(diagram(f"start > {chain} > end")).steps) == 902
    assert time.process_time() - before < 3
