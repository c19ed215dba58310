"""What becomes of single elements: each rewriting says the same as before, or leaves a gap that says what is missing."""

from __future__ import annotations

import pytest
from lxml import etree

from engine.process.check import check
from engine.process.interpreter.document import BPMN, Document, index
from engine.process.interpreter.reader import timers_of
from engine.process.package import Package
from engine.process.workshop.importing.expressions import in_our_words
from engine.process.workshop.importing.foreign import Imported, read_foreign
from engine.sharing import registry
from tests.engine.interpreter.driving import Case
from tests.engine.workshop.foreign import CORPUS, END, START, arrow, event, ext, file, node, way
from tests.engine.workshop.modeler import reserialised

assert registry


def brought(*parts: str, **more: str) -> tuple[Imported, Document]:
    """A file of these parts after the import, and what the engine sees in it."""
    found = read_foreign(file(*parts, **more))
    return found, index(found.xml)


def rules(found: Imported) -> set[str]:
    """What was rewritten, by rule."""
    return {one.rule for one in found.rewritten}


def gaps(found: Imported) -> set[tuple[str | None, str]]:
    """What must be filled in."""
    return {(gap.element, gap.rule) for gap in found.to_fill_in if gap.required}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("${amount > 100 && approved}", "amount > 100 and approved"), ("#{!approved || x eq 'a'}", 'not approved or x == "a"'),
        ('= amount > 100 and status = "ok"', 'amount > 100 and status == "ok"'), ("${a ? 1 : 2}", "1 if a else 2"),
        ("${empty note}", "not given(note)"), ("${not empty note && a != null}", "given(note) and given(a)"),
        ('${execution.getVariable("q") == null}', "not given(q)"), ("${status.equals('done')}", '(status == "done")'),
        ("${invoice.total >= 10L}", "invoice.total >= 10"), ("${rows['k'][0] == 3}", 'rows["k"][0] == 3'), ("amount >= 5", "amount >= 5"),
        ("${len(items) > 2 and (a || b)}", "len(items) > 2 and (a or b)"), ('${text == "a && b"}', 'text == "a && b"'),
    ],
)  # fmt: skip
def test_a_condition_of_another_tool_says_the_same_in_ours(theirs: str, ours: str) -> None:
    assert in_our_words(theirs) == ours


@pytest.mark.parametrize(
    "theirs",
    ["", "${}", "${bean.decide(x)}", "${x > 5} and ${y}", "if x then y else z", "${x = 5}", "${a ? b : c ? d : e}", "${x -> y}",
     "${T(java.lang.Runtime).getRuntime()}", "${__import__}", "${'" + "x" * 2000 + "'}", "some $ words", "=some x in y satisfies x"],
)  # fmt: skip
def test_what_is_not_certain_is_not_translated(theirs: str) -> None:
    assert in_our_words(theirs) is None


def test_variables_go_by_the_names_of_our_forms() -> None:
    renamed = {"approvedByHead": "approved_by_head", "Vacation Approval": "vacation_approval"}
    assert in_our_words("${approvedByHead}", renamed) == "approved_by_head"
    assert in_our_words('=Vacation Approval = "Yes"', renamed) == 'vacation_approval == "Yes"'


def test_a_condition_that_cannot_be_translated_stays_as_it_was_and_is_a_gap() -> None:
    found, document = brought(
        START, node("exclusiveGateway", "g", default="f_g_e"), node("userTask", "t"), END, way("s", "g"), arrow("g", "t", "${bean.decide(x)}"),
        arrow("g", "e"), arrow("t", "e"),
    )  # fmt: skip
    assert document.flows["f_g_t"].condition == "${bean.decide(x)}"
    assert ("g", "bad-expression") in gaps(found)


def test_arrows_out_of_a_task_get_the_gateway_that_bpmn_means() -> None:
    found, document = brought(
        START, node("userTask", "one", default="f_one_b"), node("userTask", "all"), node("userTask", "some"), node("userTask", "a"),
        node("userTask", "b"), END, arrow("s", "one"), arrow("one", "all", "${x > 1}"), arrow("one", "b"), arrow("all", "some"),
        arrow("all", "a"), arrow("some", "a", "${y}"), arrow("some", "b"), arrow("a", "e"), arrow("b", "e"),
    )  # fmt: skip
    kinds = {name: document.elements[f"Gateway_{name}"].tag for name in ("one", "all", "some")}
    assert kinds == {"one": "exclusiveGateway", "all": "parallelGateway", "some": "inclusiveGateway"}
    assert document.elements["Gateway_one"].default == "f_one_b"
    assert document.flows["f_some_b"].condition == "true"  # an arrow without a condition is always taken


def test_an_empty_condition_is_a_condition_to_fill_in() -> None:
    empty = '<sequenceFlow id="f" sourceRef="t" targetRef="a"><conditionExpression/></sequenceFlow>'
    found, document = brought(
        START, node("task", "t", default="f_t_e"), node("task", "a"), END, arrow("s", "t"), arrow("t", "e"), arrow("a", "e"), empty
    )
    assert document.elements["Gateway_t"].tag == "exclusiveGateway"
    assert ("Gateway_t", "missing-condition") in gaps(found)


def test_one_arrow_with_a_condition_may_not_be_taken() -> None:
    found, document = brought(START, node("task", "t"), node("task", "u"), END, arrow("s", "t"), arrow("t", "u", "${ok}"), arrow("u", "e"))
    gateway = document.elements["Gateway_t"]
    assert gateway.tag == "exclusiveGateway" and len(gateway.outgoing) == 2 and gateway.default is not None


def test_several_starts_become_one_with_a_choice() -> None:
    found = read_foreign(CORPUS["several-starts"])
    document = index(found.xml)
    assert [element.id for element in document.elements.values() if element.tag == "startEvent"] == ["StartEvent_Process_1"]
    assert {("Gateway_Process_1_Start", "missing-condition")} <= gaps(found)
    assert document.elements["s1"].name == "s1" and document.elements["s2"].tag == "intermediateThrowEvent"


def test_a_link_is_an_arrow() -> None:
    document = index(read_foreign(CORPUS["links"]).xml)
    assert [(flow.source, flow.target) for flow in document.flows.values() if flow.id.startswith("Flow")] == [("out", "in")]
    assert {document.elements[name].tag for name in ("out", "in")} == {"intermediateThrowEvent"}


@pytest.mark.parametrize(
    ("written", "seen", "missing"),
    [
        ("<timeDuration>P10D</timeDuration>", "P10D", False), ('<timeDuration>=duration("PT2H")</timeDuration>', "PT2H", False),
        ("<timeDuration>${'PT5M'}</timeDuration>", "PT5M", False), ("<timeCycle>R3/PT10M</timeCycle>", "PT10M", False),
        ("<timeCycle>R/2026-01-01T00:00Z/P1D</timeCycle>", "P1D", False), ("<timeCycle>0 0 9 * * ?</timeCycle>", None, True),
        ("<timeDuration>${wait}</timeDuration>", None, True), ("<timeDate/>", None, True), ("", None, True),
    ],
)  # fmt: skip
def test_a_timer_keeps_its_time_where_it_can_be_read(written: str, seen: str | None, missing: bool) -> None:
    found, document = brought(START, node("intermediateCatchEvent", "t", event("timer", written)), END, way("s", "t", "e"))
    assert timers_of(document)["t"].duration == seen
    assert (("t", "timer-without-time") in gaps(found)) is missing


def test_a_timer_at_a_date_waits_for_that_day() -> None:
    timers = timers_of(index(read_foreign(CORPUS["timers"]).xml))
    assert timers["t3"].calendar_date == '"2026-05-01"' and timers["t4"].calendar_date == "dueDate"


def test_a_form_of_camunda_becomes_one_of_ours() -> None:
    found = read_foreign(CORPUS["camunda"], check=lambda package, base: check(package, {"other"}))
    document = index(found.xml)
    assert found.forms["fill"] == {
        "title": "fill",
        "fields": [
            {"key": "invoice_amount", "type": "integer", "label": "金额", "required": True, "min": 1},
            {"key": "kind", "type": "select", "label": "类别", "options": [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]},
        ],
    }  # fmt: skip
    assert document.elements["fill"].properties == {"form": "fill", "post": "handler", "unit": '"013"'}
    assert document.properties["startForm"] == "s" and found.forms["s"]["fields"][0]["required"] is True
    assert document.flows["f_g_pay"].condition == 'invoice_amount > 100 and kind == "a"'
    assert document.elements["sub"].properties == {"in.amount": "invoice_amount", "out.ok": "ok"}
    assert document.elements["sum"].xml.find(f"{{{BPMN}}}script").text == "total = invoice_amount * 2"  # type: ignore[union-attr]
    said = " ".join(gap.message for gap in found.to_fill_in)
    assert "john" in said and "embedded:app:forms/approve.html" in said and "${payer}" in said and "P3D" in said and "ship" in said


def test_a_form_of_camunda_8_becomes_one_of_ours() -> None:
    found = read_foreign(CORPUS["zeebe"])
    assert [field["key"] for field in found.forms["u"]["fields"]] == ["approved_by_head", "note"]
    document = index(found.xml)
    assert document.flows["f_g_job"].condition == "approved_by_head == true and given(note)"
    assert document.elements["c"].xml.get("calledElement") == "other"


def test_persons_and_unknown_groups_are_told_to_who_fills_in_the_post() -> None:
    found, document = brought(START, node("userTask", "t", camunda__candidateGroups="accounting, sales", camunda__assignee="mary"), END, way("s", "t", "e"))
    assert "post" not in document.elements["t"].properties and ("t", "no-assignee") in gaps(found)
    assert any("accounting" in gap.message and "mary" in gap.message for gap in found.to_fill_in)


def test_a_lane_named_after_a_post_is_that_post() -> None:
    document = index(read_foreign(CORPUS["pools"]).xml)
    assert document.lanes["g1"] == ("业务审核", {"post": "business_reviewer"})
    assert document.lanes["g2"] == ("HR Department", {})


def test_who_fills_in_a_lane_learns_that_it_counts_for_its_tasks() -> None:
    found = read_foreign(CORPUS["pools"])
    assert any("泳道“HR Department”" in gap.message for gap in found.to_fill_in if gap.rule == "no-assignee")


def test_an_event_subprocess_interrupts_what_stands_beside_it() -> None:
    """The rewritten diagram runs: a message stops the work, and its handler is done instead."""
    handler = node(
        "subProcess", "h", node("startEvent", "hs", event("message", messageRef="M")) + node("userTask", "ht") + node("endEvent", "he") + way("hs", "ht", "he"),
        triggeredByEvent="true",
    )  # fmt: skip
    found, _ = brought(START, node("userTask", "work"), END, way("s", "work", "e"), handler, around='<message id="M" name="stop"/>')
    case = Case(found.xml)
    assert "work" in case.waits
    case.deliver("stop")
    assert case.waits == ["ht"]
    case.complete("ht")
    assert case.waits == []


def test_what_cannot_run_stays_in_the_drawing_as_a_note() -> None:
    found = read_foreign(CORPUS["events"])
    root = etree.fromstring(found.xml)
    notes = {item.get("id") for item in root.iter(f"{{{BPMN}}}textAnnotation")}
    assert {"undo", "b_compensate"} <= notes and "compensation-set-aside" in rules(found)
    assert "undo" not in index(found.xml).elements


def test_new_gateways_stand_in_the_lane_and_right_behind_their_step() -> None:
    shapes = "".join(
        f'<bpmndi:BPMNShape id="{name}_di" bpmnElement="{name}"><omgdc:Bounds x="{x}" y="100" width="100" height="80"/></bpmndi:BPMNShape>'
        for name, x in (("s", 0), ("t", 200), ("a", 500), ("e", 800))
    )  # fmt: skip
    edges = "".join(
        f'<bpmndi:BPMNEdge id="{flow}_di" bpmnElement="{flow}"><omgdi:waypoint x="{x}" y="140"/><omgdi:waypoint x="{to}" y="140"/></bpmndi:BPMNEdge>'
        for flow, x, to in (("f_s_t", 100, 200), ("f_t_a", 300, 500), ("f_t_e", 300, 800), ("f_a_e", 600, 800))
    )  # fmt: skip
    drawing = f'<bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="Process_1">{shapes}{edges}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'
    lanes = '<laneSet id="ls"><lane id="L" name="x"><flowNodeRef>t</flowNodeRef></lane></laneSet>'
    data = file(lanes, START, node("userTask", "t"), node("userTask", "a"), END, way("s", "t", "a", "e"), arrow("t", "e"))
    found = read_foreign(data.replace(b"</definitions>", drawing.encode() + b"</definitions>"))
    root = etree.fromstring(found.xml)
    bounds = root.find(".//{*}BPMNShape[@bpmnElement='Gateway_t']/{*}Bounds")
    assert bounds is not None and (bounds.get("x"), bounds.get("y")) == ("320", "120")
    assert "Gateway_t" in index(found.xml).lanes


def test_a_draft_is_valid_for_the_kernel_too() -> None:
    found = read_foreign(CORPUS["tasks"])
    assert {problem.rule for problem in check(Package("", found.xml, found.forms), frozenset())} <= {gap.rule for gap in found.to_fill_in}


def test_extension_elements_come_first_as_the_schema_wants() -> None:
    found, _ = brought(START, node("task", "t", "<documentation>d</documentation>" + ext("")), END, way("s", "t", "e"))
    step = etree.fromstring(found.xml).find(".//{*}userTask")
    assert step is not None and [etree.QName(child).localname for child in step][:2] == ["documentation", "extensionElements"]


def test_a_countersignature_drawn_here_survives_a_modeler_that_drops_our_expressions() -> None:
    """What the modeler's page writes beside the loop (web/islands/modeler/canvas/references.js) brings the expressions back."""
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics xmlns:imported="urn:sharing-bpm:imported:1" imported:collection="[applicant_unit]"'
        ' imported:item="signing_unit" imported:output="opinions"><bpmn:loopDataInputRef>[applicant_unit]</bpmn:loopDataInputRef>'
        "<bpmn:loopDataOutputRef>opinions</bpmn:loopDataOutputRef>"
        '<bpmn:inputDataItem name="signing_unit" /><bpmn:outputDataItem name="opinion_given" /></bpmn:multiInstanceLoopCharacteristics>'
    )
    drawn = file(START, node("userTask", "sign", loop), END, arrow("start", "sign"), arrow("sign", "end"))
    saved = reserialised(drawn)
    assert b"loopDataInputRef" not in saved and b"loopDataOutputRef" not in saved, "the other modeler keeps them by now"
    element = index(read_foreign(saved).xml).elements["sign"].xml
    found = element.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
    assert found is not None
    assert [(child.tag.rpartition("}")[2], child.text or child.get("name")) for child in found] == [
        ("loopDataInputRef", "[applicant_unit]"), ("inputDataItem", "signing_unit"), ("loopDataOutputRef", "opinions"),
        ("outputDataItem", "opinion_given"),
    ]


def test_a_drawing_without_numbers_is_drawn_anew() -> None:
    """Seen in files of other tools: bounds that are NaN."""
    shape = '<bpmndi:BPMNShape bpmnElement="sign"><dc:Bounds x="NaN" y="NaN" width="100" height="Infinity" /></bpmndi:BPMNShape>'
    spaces = 'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    plane = f'<bpmndi:BPMNDiagram id="d" {spaces}><bpmndi:BPMNPlane id="p" bpmnElement="Process_1">{shape}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'
    drawn = file(START, node("userTask", "sign"), END, arrow("start", "sign"), arrow("sign", "end")).replace(
        b"</process>", b"</process>" + plane.encode()
    )
    found = read_foreign(drawn)
    assert b"NaN" not in found.xml
    assert rules(read_foreign(found.xml)) == set()


def test_an_event_subprocess_without_steps_is_said_once() -> None:
    odd = node("subProcess", "odd", triggeredByEvent="true")
    found = read_foreign(file(START, node("userTask", "sign"), END, arrow("start", "sign"), arrow("sign", "end"), odd))
    assert "empty-subprocess" in rules(found)
    assert rules(read_foreign(found.xml)) == set()


def test_a_step_for_a_worker_of_the_original_is_one_for_a_worker_here() -> None:
    found, document = brought(
        START, node("serviceTask", "ship", camunda__type="external", camunda__topic="ship"),
        node("serviceTask", "odd", camunda__type="external", camunda__topic="two words"), END, way("s", "ship", "odd", "e"),
    )  # fmt: skip
    assert document.elements["ship"].properties["topic"] == "ship" and "topic-translated" in rules(found)
    assert [gap.required for gap in found.to_fill_in if gap.rule == "handed-elsewhere"] == [False]
    assert "topic" not in document.elements["odd"].properties, "a name that no worker could ask for"
    assert ("odd", "service-without-operation") in gaps(found) and ("ship", "service-without-operation") not in gaps(found)
