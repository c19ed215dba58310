"""Reads a BPMN file into a Diagram: the steps and timers that the kernel sees, and the network that runs.

`check_structure` lists everything wrong with a file; `read_diagram` refuses a file with errors. Both take a
bounded time whatever they are given, as nothing of the diagram is executed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from types import MappingProxyType

from lxml import etree

from engine.process.interpreter import document as documents
from engine.process.interpreter.document import SHARING, Document, Element, text_of
from engine.process.interpreter.model import Diagram, DiagramError, Flow, Problem, Step, StepKind, TimerRule
from engine.process.interpreter.network import build
from engine.process.interpreter.structure import problems_of

_KINDS: dict[str, StepKind] = {
    "userTask": "user",
    "manualTask": "manual",
    "serviceTask": "service",
    "scriptTask": "script",
    "sendTask": "send",
    "receiveTask": "receive",
    "callActivity": "call",
    "subProcess": "subprocess",
    "startEvent": "start",
    "endEvent": "end",
}


def check_structure(xml: bytes, *, words: Collection[str] | None = None) -> list[Problem]:
    """Everything that would not run, or not run as drawn: errors first, then warnings.

    `words` are the functions that the host adds to the language; without them no name of a function is judged.
    """
    try:
        document = documents.index(xml)
    except DiagramError as error:
        return error.problems
    return _problems(document, words)


def read_diagram(xml: bytes) -> Diagram:
    """The diagram in `xml`. Raises DiagramError with all problems if one of them is an error."""
    document = documents.index(xml)
    problems = _problems(document, None)
    if any(problem.severity == "error" for problem in problems):
        raise DiagramError([problem for problem in problems if problem.severity == "error"])
    found = _sketch(document, xml)
    return replace(found, digest=document.digest, warnings=tuple(problems), spec=build(document, dict(found.steps)))


def key_of(xml: bytes) -> str | None:
    """The key of the process in a file, whatever else is wrong with it; None where there is none."""
    try:
        return documents.index(xml).key
    except DiagramError:
        return None


def sketch(xml: bytes) -> Diagram:
    """The diagram in `xml` as far as it goes, faults and all: to look at, not to run (it has no spec and no digest).

    Raises DiagramError only where no executable process can be found in it.
    """
    return _sketch(documents.index(xml), xml)


def _sketch(document: Document, xml: bytes) -> Diagram:
    timers = timers_of(document)
    steps = {element.id: _step(element, document, timers) for element in document.elements.values()}
    return Diagram(
        key=document.key,
        name=document.name,
        properties=MappingProxyType(document.properties),
        steps=MappingProxyType(steps),
        flows=MappingProxyType(_flows(document)),
        timers=MappingProxyType(timers),
        digest="",
        xml=xml,
        warnings=(),
        spec=None,
    )


def _problems(document: Document, words: Collection[str] | None) -> list[Problem]:
    problems = problems_of(document, timers_of(document), words)
    return sorted(problems, key=lambda problem: problem.severity == "warning")


def _flows(document: Document) -> dict[str, Flow]:
    flows = {}
    for flow in document.flows.values():
        source = document.elements.get(flow.source)
        default = source is not None and source.default == flow.id
        flows[flow.id] = Flow(flow.id, flow.name, flow.source, flow.target, flow.condition, default)
    return flows


def timers_of(document: Document) -> dict[str, TimerRule]:
    """All timer events, as written."""
    return {
        element.id: _timer(element)
        for element in document.elements.values()
        if element.event == "timer" and element.tag in ("boundaryEvent", "intermediateCatchEvent")
    }


def _timer(element: Element) -> TimerRule:
    definition = element.events[0]

    def attribute(name: str) -> str | None:
        return (definition.get(f"{{{SHARING}}}{name}") or "").strip() or None

    own = {
        name: attribute(name) for name in ("workingDays", "beforeDeadline", "afterDeadline", "calendarDate", "duration")
    }
    if not any(own.values()):
        own["duration"] = _standard_duration(definition)
    statutory = attribute("statutoryMax")
    return TimerRule(
        element=element.id,
        name=element.name,
        role=attribute("role") or "timer",
        working_days=own["workingDays"],
        before_deadline=own["beforeDeadline"],
        after_deadline=own["afterDeadline"],
        calendar_date=own["calendarDate"],
        duration=own["duration"],
        count_from=attribute("countFrom"),
        on_pause=attribute("onPause") or "pause",
        statutory_max=int(statutory) if statutory and re.fullmatch(r"[0-9]{1,5}", statutory) else None,
        article=attribute("article") or element.properties.get("article"),
        attached_to=element.attached_to,
        interrupting=element.tag == "boundaryEvent" and element.interrupting,
        office_hours=attribute("officeHours") == "true",
    )


def _standard_duration(definition: etree._Element) -> str | None:
    # Modelers write PT1H; SpiffWorkflow's expressions want "PT1H" with quotes. We take both.
    text = text_of(definition, "timeDuration")
    return text.strip("\"'") if text else None


def _step(element: Element, document: Document, timers: dict[str, TimerRule]) -> Step:
    own = element.properties
    lane, lane_properties = document.lanes.get(element.id, (None, {}))
    boundary = [event.id for event in document.attached(element.id) if event.id in timers]
    return Step(
        id=element.id,
        name=element.name,
        kind=_kind(element),
        lane=lane,
        unit=own.get("unit") or lane_properties.get("unit"),
        post=own.get("post") or lane_properties.get("post"),
        form=own.get("form"),
        article=own.get("article"),
        limit=own.get("limit"),
        properties=MappingProxyType(own),
        parent=element.scope,
        incoming=tuple(element.incoming),
        outgoing=tuple(element.outgoing),
        timers=tuple(boundary),
        called=element.xml.get("calledElement"),
        multi=element.xml.find(f"{{{documents.BPMN}}}multiInstanceLoopCharacteristics") is not None,
        attached_to=element.attached_to,
        message=message_of(element, document),
        signal=signal_of(element, document),
        topic=own.get("topic"),
        operation=own.get("operation"),
    )


def _kind(element: Element) -> StepKind:
    if element.tag in documents.GATEWAYS:
        return "gateway"
    known = _KINDS.get(element.tag)
    if known is not None:
        return known
    if element.event == "timer":
        return "timer"
    if element.event == "signal" and element.tag != "intermediateThrowEvent":
        return "signal"
    return "message" if element.event == "message" else "event"


def message_of(element: Element, document: Document) -> str | None:
    """Name of the message that a receive task or message event waits for, or by which a start event begins."""
    if element.tag == "receiveTask":
        return document.messages.get(element.xml.get("messageRef") or "") or None
    if element.event == "message" and element.tag in ("boundaryEvent", "intermediateCatchEvent", "startEvent"):
        return document.messages.get(element.events[0].get("messageRef") or "") or None
    return None


def signal_of(element: Element, document: Document) -> str | None:
    """Name of the signal that an event waits for, throws or begins by."""
    if element.event != "signal":
        return None
    return document.signals.get(element.events[0].get("signalRef") or "") or None
