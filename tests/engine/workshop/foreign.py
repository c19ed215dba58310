"""Files as other tools write them, drawn here: every kind of element of BPMN 2.0 at least once, in the manners of several tools.

`CORPUS` names each file; `filled` does what an admin would do with the list of an import, without thinking: it fills every
required gap with the plainest thing that can stand there.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from engine.process.interpreter.document import BPMN, SHARING, SPIFF
from engine.process.workshop.importing.sheet import Gap, extensions

MODEL = 'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
SPACES = (
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:omgdc="http://www.omg.org/spec/DD/20100524/DC" '
    'xmlns:omgdi="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:flowable="http://flowable.org/bpmn" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:signavio="http://www.signavio.com"'
)


def file(*parts: str, process: str = 'id="Process_1" isExecutable="false"', around: str = "") -> bytes:
    """A file with one process of these parts; `around` stands before it."""
    body = "\n".join(parts)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions {MODEL} {SPACES} id="D" targetNamespace="http://example.org">'
        f"{around}<process {process}>{body}</process></definitions>"
    ).encode()


def node(tag: str, identity: str, inside: str = "", **attributes: str) -> str:
    """An element; its name is its id unless one is given."""
    given = {"name": identity, **{name.replace("__", ":"): value for name, value in attributes.items()}}
    text = " ".join(f'{name}="{value}"' for name, value in given.items())
    return f'<{tag} id="{identity}" {text}>{inside}</{tag}>'


def way(*names: str) -> str:
    """Arrows from each to the next."""
    return "".join(arrow(one, other) for one, other in zip(names, names[1:], strict=False))


def arrow(source: str, target: str, condition: str | None = None) -> str:
    """One arrow."""
    inside = f"<conditionExpression xsi:type=\"tFormalExpression\">{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="f_{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


def event(kind: str, inside: str = "", **attributes: str) -> str:
    """An event definition."""
    text = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<{kind}EventDefinition {text}>{inside}</{kind}EventDefinition>"


def ext(inside: str) -> str:
    """Extension elements."""
    return f"<extensionElements>{inside}</extensionElements>"


START, END = node("startEvent", "s"), node("endEvent", "e")


def around(tag: str, identity: str, inside: str = "", **attributes: str) -> tuple[str, ...]:
    """A process of one step between a start and an end."""
    return START, node(tag, identity, inside, **attributes), END, way("s", identity, "e")


def _tasks() -> bytes:
    kinds = ("task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask",
             "callActivity", "subProcess", "transaction", "adHocSubProcess")  # fmt: skip
    names = [f"t_{kind}" for kind in kinds]
    return file(START, *(node(kind, f"t_{kind}") for kind in kinds), END, way("s", *names, "e"))


def _events() -> bytes:
    caught = [node("intermediateCatchEvent", f"c_{kind}", event(kind)) for kind in ("message", "timer", "signal", "conditional")]
    thrown = [node("intermediateThrowEvent", f"t_{kind}", event(kind)) for kind in ("message", "signal", "escalation", "compensate")]
    names = ["c_message", "c_timer", "c_signal", "c_conditional", "t_message", "t_signal", "t_escalation", "t_compensate", "t_none"]
    bounds = [
        node("boundaryEvent", f"b_{kind}", event(kind), attachedToRef="work", cancelActivity=stop)
        for kind, stop in (("message", "true"), ("timer", "false"), ("signal", "false"), ("conditional", "true"), ("error", "true"),
                           ("escalation", "false"), ("compensate", "true"))
    ]  # fmt: skip
    ends = [node("endEvent", f"e_{kind}", event(kind)) for kind in ("message", "signal", "error", "escalation", "terminate", "compensate")]
    arrows = [arrow(f"b_{kind}", f"e_{end}") for kind, end in (("message", "message"), ("timer", "signal"), ("signal", "error"),
              ("conditional", "escalation"), ("error", "terminate"), ("escalation", "compensate"))]  # fmt: skip
    undo = node("serviceTask", "undo", isForCompensation="true")
    tie = '<association id="a_undo" sourceRef="b_compensate" targetRef="undo" associationDirection="One"/>'
    return file(
        node("startEvent", "s", event("timer", "<timeCycle>R/P1D</timeCycle>")), *caught, *thrown,
        node("intermediateThrowEvent", "t_none"), node("userTask", "work"), *bounds, undo, *ends, END,
        way("s", *names, "work", "e"), *arrows, tie,
    )  # fmt: skip


def _links() -> bytes:
    return file(
        START, node("task", "one"), node("intermediateThrowEvent", "out", event("link", name="L")),
        node("intermediateCatchEvent", "in", event("link", name="L")), node("task", "two"), END,
        way("s", "one", "out"), way("in", "two", "e"),
    )  # fmt: skip


def _implicit() -> bytes:
    """No start, no end, loose steps, splits without a gateway, conditions on arrows out of a task."""
    return file(
        node("task", "a"), node("task", "b"), node("task", "c"), node("task", "d"), node("task", "loose"), node("task", "f"),
        arrow("a", "b"), arrow("a", "c"), arrow("b", "d", "${amount &gt; 100 &amp;&amp; approved}"), arrow("c", "f", "${!approved}"),
        arrow("c", "d", "${approved}"),
    )  # fmt: skip


def _several_starts() -> bytes:
    return file(
        node("startEvent", "s1"), node("startEvent", "s2", event("message")), node("startEvent", "s3", event("signal")),
        node("task", "a"), END, arrow("s1", "a"), arrow("s2", "a"), arrow("s3", "a"), arrow("a", "e"),
    )  # fmt: skip


def _gateways() -> bytes:
    return file(
        START, node("complexGateway", "g1", "<activationCondition>x</activationCondition>"), node("task", "a"), node("task", "b"),
        node("exclusiveGateway", "g2"), node("eventBasedGateway", "g3"), node("intermediateCatchEvent", "m", event("message")),
        node("receiveTask", "r"), node("intermediateCatchEvent", "t", event("timer", "<timeDuration>PT1H</timeDuration>")),
        node("inclusiveGateway", "g4"), node("parallelGateway", "g5"), node("task", "p"), node("task", "q"), node("parallelGateway", "g6"), END,
        way("s", "g1", "a", "g2", "g3", "m", "g4", "g5", "p", "g6", "e"), way("g1", "b", "g2"), way("g3", "r", "g4"), way("g3", "t", "g4"),
        way("g5", "q", "g6"),
    )  # fmt: skip


def _levels() -> bytes:
    """Subprocesses of all kinds, one in another, with event subprocesses, a transaction that is cancelled, an ad-hoc one."""
    handler = node(
        "subProcess", "handler", node("startEvent", "h_s", event("message"), isInterrupting="false") + node("task", "h_t")
        + node("endEvent", "h_e") + way("h_s", "h_t", "h_e"), triggeredByEvent="true",
    )  # fmt: skip
    failing = node(
        "subProcess", "failing", node("startEvent", "f_s", event("error", errorRef="Error_1")) + node("task", "f_t") + way("f_s", "f_t"),
        triggeredByEvent="true",
    )  # fmt: skip
    inner = node("subProcess", "inner", node("startEvent", "i_s") + node("task", "i_t") + node("endEvent", "i_e") + way("i_s", "i_t", "i_e"))
    trade = node(
        "transaction", "trade", node("startEvent", "t_s") + node("task", "t_t") + node("exclusiveGateway", "t_g") + node("endEvent", "t_e")
        + node("endEvent", "t_c", event("cancel")) + way("t_s", "t_t", "t_g", "t_e") + arrow("t_g", "t_c", "${cancelled}"),
    )  # fmt: skip
    cancelled = node("boundaryEvent", "on_cancel", event("cancel"), attachedToRef="trade")
    free = node("adHocSubProcess", "free", node("task", "x") + node("task", "y") + "<completionCondition>done</completionCondition>", ordering="Parallel")
    outer = node("subProcess", "outer", inner + node("task", "o_t") + arrow("inner", "o_t") + handler)
    return file(
        START, outer, trade, cancelled, free, failing, node("endEvent", "e2", event("error", errorRef="Error_1")), END,
        way("s", "outer", "trade", "free", "e"), arrow("on_cancel", "e2"),
        around='<error id="Error_1" errorCode="E1"/>',
    )  # fmt: skip


def _loops() -> bytes:
    return file(
        START, node("userTask", "again", '<standardLoopCharacteristics testBefore="false"><loopCondition>${more}</loopCondition></standardLoopCharacteristics>'),
        node("userTask", "once_more", "<standardLoopCharacteristics/>"), node("userTask", "many", '<multiInstanceLoopCharacteristics isSequential="true"/>'),
        node("scriptTask", "scripts", "<multiInstanceLoopCharacteristics/><script>x = 1</script>"),
        node("userTask", "each", '<multiInstanceLoopCharacteristics camunda:collection="${units}" camunda:elementVariable="unit"><completionCondition>${nrOfCompletedInstances &gt; 2}</completionCondition></multiInstanceLoopCharacteristics>'),
        END, way("s", "again", "once_more", "many", "scripts", "each", "e"),
    )  # fmt: skip


def _timers() -> bytes:
    times = ("<timeDuration>P10D</timeDuration>", "<timeDuration>=duration(\"PT2H\")</timeDuration>", "<timeDuration>${wait}</timeDuration>",
             "<timeDate>2026-05-01T08:00:00Z</timeDate>", "<timeDate>${dueDate}</timeDate>", "<timeCycle>R3/PT10M</timeCycle>",
             "<timeCycle>0 0 9 * * ?</timeCycle>", "<timeDate/>", "")  # fmt: skip
    names = [f"t{number}" for number in range(len(times))]
    events = [node("intermediateCatchEvent", name, event("timer", text)) for name, text in zip(names, times, strict=True)]
    return file(START, *events, END, way("s", *names, "e"))


def _pools() -> bytes:
    """Two pools with processes, a black box, message flows, data, notes, a group, lanes; drawn for one pool only in part."""
    first = "<process id='Asks' name='Who asks'>" + "".join((START.replace('"s"', '"as"'), node("task", "a1"), "".join(way("as", "a1")))) + "</process>"
    return (
        f'<?xml version="1.0"?><semantic:definitions xmlns:semantic="http://www.omg.org/spec/BPMN/20100524/MODEL" {SPACES} {MODEL} targetNamespace="t">'
        '<collaboration id="C"><participant id="P1" name="Asker" processRef="Asks"/><participant id="P2" name="审核部门" processRef="Gives"/>'
        '<participant id="P3" name="Black box"/><messageFlow id="m1" sourceRef="a1" targetRef="g1"/><messageFlow id="m2" sourceRef="g2" targetRef="P3"/></collaboration>'
        + first
        + '<process id="Gives"><laneSet id="L"><lane id="L1" name="业务审核"><flowNodeRef>gs</flowNodeRef><flowNodeRef>g1</flowNodeRef></lane>'
        '<lane id="L2" name="HR Department"><flowNodeRef>g2</flowNodeRef><flowNodeRef>ge</flowNodeRef></lane></laneSet>'
        + node("startEvent", "gs", event("message")) + node("userTask", "g1", ext('<signavio:meta key="risk" value="high">kept text</signavio:meta>'))
        + node("task", "g2", "<dataInputAssociation id='dia'><sourceRef>dor</sourceRef><targetRef>g2</targetRef></dataInputAssociation>")
        + node("endEvent", "ge", event("message")) + way("gs", "g1", "g2", "ge")
        + '<dataObject id="do" name="File"/><dataObjectReference id="dor" dataObjectRef="do" name="File"/><dataStoreReference id="ds" name="Store"/>'
        '<textAnnotation id="ta"><text>Mind the date</text></textAnnotation><association id="as1" sourceRef="g1" targetRef="ta"/><group id="gr"/></process>'
        "</semantic:definitions>"
    ).encode()


def _camunda() -> bytes:
    """The manner of Camunda 7 and Flowable: forms, groups, conditions, calls, services, scripts."""
    form = ext(
        '<camunda:formData><camunda:formField id="invoiceAmount" label="金额" type="long"><camunda:validation><camunda:constraint name="required"/>'
        '<camunda:constraint name="min" config="1"/></camunda:validation></camunda:formField><camunda:formField id="kind" label="类别" type="enum">'
        '<camunda:value id="a" name="甲"/><camunda:value id="b" name="乙"/></camunda:formField></camunda:formData><camunda:taskListener class="org.X" event="create"/>'
    )  # fmt: skip
    return file(
        node("startEvent", "s", ext('<flowable:formProperty id="reason" name="事由" type="string" required="true"/>')),
        node("userTask", "fill", form, camunda__candidateGroups="013/handler"),
        node("userTask", "approve", "", camunda__assignee="john", camunda__formKey="embedded:app:forms/approve.html", camunda__dueDate="P3D"),
        node("exclusiveGateway", "g", default="f_g_e"), node("serviceTask", "pay", camunda__delegateExpression="${payer}"),
        node("serviceTask", "ship", camunda__type="external", camunda__topic="ship"),
        node("scriptTask", "sum", "<script>execution.setVariable(\"total\", invoiceAmount * 2);</script>", scriptFormat="groovy"),
        node("callActivity", "sub", ext('<camunda:in source="invoiceAmount" target="amount"/><camunda:out source="ok" target="ok"/><camunda:in variables="all"/>'), calledElement="other"),
        END, way("s", "fill", "approve", "g"), arrow("g", "pay", "${invoiceAmount &gt; 100 &amp;&amp; kind == 'a'}"), arrow("g", "e"),
        way("pay", "ship", "sum", "sub", "e"),
    )  # fmt: skip


def _zeebe() -> bytes:
    form = '{"components": [{"key": "approvedByHead", "type": "checkbox", "label": "同意"}, {"type": "textarea", "key": "note", "label": "说明", "validate": {"required": true}}]}'
    return file(
        ext(f'<zeebe:userTaskForm id="F1">{form}</zeebe:userTaskForm>'), START,
        node("userTask", "u", ext('<zeebe:formDefinition formKey="camunda-forms:bpmn:F1"/><zeebe:assignmentDefinition candidateGroups="handler"/>')),
        node("exclusiveGateway", "g"), node("serviceTask", "job", ext('<zeebe:taskDefinition type="do-it"/>')),
        node("callActivity", "c", ext('<zeebe:calledElement processId="other"/>')), END,
        way("s", "u", "g"), arrow("g", "job", "=approvedByHead = true and note != null"), arrow("g", "c"), way("job", "e"), way("c", "e"),
        process='id="Process_1" isExecutable="true"',
    )  # fmt: skip


def _odd_ids() -> bytes:
    return (
        file(
            node("startEvent", "{1 2}"), node("task", "7up"), node("task", "7up"), node("endEvent", "x:y"),
            '<sequenceFlow sourceRef="{1 2}" targetRef="7up"/><sequenceFlow id="f2" sourceRef="7up" targetRef="x:y"/>',
            '<sequenceFlow id="lost" sourceRef="7up" targetRef="nowhere"/>', process='id="123 456"',
        )
    )  # fmt: skip


def _globals() -> bytes:
    return file(
        START, *(node("callActivity", f"c{number}", calledElement=f"G{number}") for number in range(4)), node("callActivity", "dyn", calledElement="${which}"), END,
        way("s", "c0", "c1", "c2", "c3", "dyn", "e"),
        around='<globalUserTask id="G0" name="全局任务"/><globalManualTask id="G1"/><globalScriptTask id="G2"><script>x = 1</script></globalScriptTask><globalBusinessRuleTask id="G3"/>',
    )  # fmt: skip


def _standard_actors() -> bytes:
    who = "<potentialOwner><resourceAssignmentExpression><formalExpression>user(jo), group(reviewer)</formalExpression></resourceAssignmentExpression></potentialOwner>"
    return file(
        START, node("userTask", "t", who), END, way("s", "t", "e"), "<auditing/><resourceRole id='rr' name='owner'/>",
        "<property id='pr' name='total'/>",
    )  # fmt: skip


CORPUS: dict[str, bytes] = {
    "tasks": _tasks(), "events": _events(), "links": _links(), "implicit": _implicit(), "several-starts": _several_starts(),
    "gateways": _gateways(), "levels": _levels(), "loops": _loops(), "timers": _timers(), "pools": _pools(), "camunda": _camunda(),
    "zeebe": _zeebe(), "odd-ids": _odd_ids(), "globals": _globals(), "actors": _standard_actors(),
}  # fmt: skip


def filled(xml: bytes, gaps: Iterable[Gap]) -> bytes:
    """The file with every required gap filled in the plainest way. Raises KeyError for a gap that nobody could fill so."""
    root = etree.fromstring(xml)
    by_id = {node.get("id"): node for node in root.iter() if isinstance(node.tag, str)}
    for gap in gaps:
        if gap.required:
            _FILL[gap.rule](root, by_id.get(gap.element))
    return etree.tostring(root)


def _properties(element: etree._Element, **values: str) -> None:
    place = etree.SubElement(extensions(element), f"{{{SPIFF}}}properties")
    for name, value in values.items():
        etree.SubElement(place, f"{{{SPIFF}}}property", name=name.replace("__", "."), value=value)


def _tell(root: etree._Element, element: etree._Element) -> None:
    _properties(element, operation="notices.send", in__unit="applicant_unit", in__post='"handler"', in__title='"好"', in__text='"好"')


def _choose(root: etree._Element, element: etree._Element) -> None:
    for flow in root.iter(f"{{{BPMN}}}sequenceFlow"):
        if flow.get("sourceRef") == element.get("id") and flow.get("id") != element.get("default"):
            found = flow.find(f"{{{BPMN}}}conditionExpression")
            if found is None:
                found = etree.SubElement(flow, f"{{{BPMN}}}conditionExpression")
            found.text = "true"


def _when(root: etree._Element, element: etree._Element) -> None:
    definition = element.find(f"{{{BPMN}}}timerEventDefinition")
    definition.set(f"{{{SHARING}}}workingDays", "5")


def _often(root: etree._Element, element: etree._Element) -> None:
    mark = element.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
    etree.SubElement(mark, f"{{{BPMN}}}loopCardinality").text = "2"


def _compute(root: etree._Element, element: etree._Element) -> None:
    script = element.find(f"{{{BPMN}}}script")
    if script is None:
        script = etree.SubElement(element, f"{{{BPMN}}}script")
    script.text = "x = 1"


def _mend(root: etree._Element, element: etree._Element) -> None:
    mark = element.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics/{{{BPMN}}}completionCondition")
    if mark is not None:
        mark.text = "true"
    else:
        _choose(root, element)


def _remove(root: etree._Element, element: etree._Element) -> None:
    for flow in list(root.iter(f"{{{BPMN}}}sequenceFlow")):
        if element.get("id") in (flow.get("sourceRef"), flow.get("targetRef")):
            flow.getparent().remove(flow)  # type: ignore[union-attr]
    element.getparent().remove(element)  # type: ignore[union-attr]


_FILL = {
    "no-assignee": lambda root, element: _properties(element, unit="applicant_unit", post="handler"),
    "service-without-operation": _tell, "missing-condition": _choose, "bad-expression": _mend, "timer-without-time": _when,
    "call-without-process": lambda root, element: element.set("calledElement", "other"),
    "called-process-missing": lambda root, element: element.set("calledElement", "other"),
    "dynamic-call": lambda root, element: element.set("calledElement", "other"),
    "multi-without-collection": _often, "empty-script": _compute, "bad-script": _compute, "event-never": _remove,
}  # fmt: skip
