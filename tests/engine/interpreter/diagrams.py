"""Small BPMN files from Python: `diagram("start > user:a > end")` and friends.

A diagram is written as chains of nodes; a node is `kind:id`, or just an id that appeared before.

    diagram(
        "start > user:apply > xor:decide",
        "decide [grant == 'yes'] > user:supply > end:granted",
        "decide [default] > end:refused",
    )

Boundary events: `timer(activity, id, workingDays=10)`, `message(...)`, `error(...)`, `escalation(...)` give an
object to pass among the chains; a chain starting with its id goes on from it. Subprocesses:
`sub("id", "start > ... > end", multi=...)`. Details of an element: `element("apply", form="apply", unit="x")`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

TAGS = {
    "start": "startEvent",
    "end": "endEvent",
    "user": "userTask",
    "manual": "manualTask",
    "service": "serviceTask",
    "script": "scriptTask",
    "send": "sendTask",
    "receive": "receiveTask",
    "call": "callActivity",
    "sub": "subProcess",
    "xor": "exclusiveGateway",
    "and": "parallelGateway",
    "or": "inclusiveGateway",
    "race": "eventBasedGateway",
    "catch": "intermediateCatchEvent",
    "throw": "intermediateThrowEvent",
    "boundary": "boundaryEvent",
}

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
    ' xmlns:sharing="urn:sharing-bpm:diagram:1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="test">'
)


@dataclass
class Details:
    """What an element says beside its place in the flow."""

    id: str
    attributes: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    body: str = ""
    kind: str | None = None
    event: str = ""
    inside: tuple[object, ...] = ()


def element(id: str, *, name: str = "", body: str = "", attributes: dict[str, str] | None = None, **properties: object) -> Details:
    """Name, properties (`in_x` stands for `in.x`) and raw inner XML of an element."""
    named = {re.sub(r"^(in|out)_", r"\1.", key): str(value) for key, value in properties.items()}
    return Details(id, {**({"name": name} if name else {}), **(attributes or {})}, named, body)


def script(id: str, text: str) -> Details:
    """A script task's lines."""
    return Details(id, body=f"<bpmn:script>{escape(text)}</bpmn:script>")


def call(id: str, process: str, **properties: object) -> Details:
    """A call activity's process."""
    return element(id, attributes={"calledElement": process}, **properties)


def timer_definition(**attributes: object) -> str:
    """A timer event definition; a standard PT1H stands in for other modelers."""
    own = "".join(f" sharing:{key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<bpmn:timerEventDefinition{own}><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"


def _boundary(on: str, id: str, event: str, interrupting: bool) -> Details:
    attributes = {"attachedToRef": on, "cancelActivity": "true" if interrupting else "false"}
    return Details(id, attributes, kind="boundary", event=event)


def timer(on: str, id: str, *, interrupting: bool = False, **attributes: object) -> Details:
    """A boundary timer."""
    return _boundary(on, id, timer_definition(**attributes), interrupting)


def message(on: str, id: str, name: str, *, interrupting: bool = True) -> Details:
    """A boundary message event."""
    return _boundary(on, id, f'<bpmn:messageEventDefinition messageRef="message_{name}"/>', interrupting)


def signal(on: str, id: str, name: str, *, interrupting: bool = True) -> Details:
    """A boundary signal event."""
    return _boundary(on, id, f'<bpmn:signalEventDefinition signalRef="signal_{name}"/>', interrupting)


def error(on: str, id: str, code: str | None = None) -> Details:
    """A boundary error event; without a code it catches all."""
    reference = f' errorRef="error_{code}"' if code else ""
    return _boundary(on, id, f"<bpmn:errorEventDefinition{reference}/>", True)


def escalation(on: str, id: str, code: str | None = None, *, interrupting: bool = False) -> Details:
    """A boundary escalation event."""
    reference = f' escalationRef="escalation_{code}"' if code else ""
    return _boundary(on, id, f"<bpmn:escalationEventDefinition{reference}/>", interrupting)


def catches_timer(id: str, **attributes: object) -> Details:
    """Makes an intermediate catch event a timer."""
    return Details(id, event=timer_definition(**attributes))


def catches_message(id: str, name: str) -> Details:
    """Makes an intermediate catch event or receive task wait for a message."""
    return Details(
        id,
        event=f'<bpmn:messageEventDefinition messageRef="message_{name}"/>',
        attributes={"messageRef": f"message_{name}"},
    )


def of_signal(id: str, name: str, **properties: object) -> Details:
    """Makes an intermediate event wait for a signal or throw it, an end throw it, a start begin by it."""
    return Details(id, properties=element(id, **properties).properties, event=f'<bpmn:signalEventDefinition signalRef="signal_{name}"/>')


def ends(id: str, event: str, code: str = "") -> Details:
    """Makes an end (or throw) event an error, escalation or terminate event."""
    reference = f' {event}Ref="{event}_{code}"' if code else ""
    return Details(id, event=f"<bpmn:{event}EventDefinition{reference}/>")


def multi(
    id: str,
    *,
    over: str = "",
    times: str = "",
    item: str = "item",
    into: str = "",
    result: str = "",
    until: str = "",
    sequential: bool = False,
) -> Details:
    """Makes an activity multi-instance."""
    parts = [
        f"<bpmn:loopCardinality>{escape(times)}</bpmn:loopCardinality>" if times else "",
        f"<bpmn:loopDataInputRef>{escape(over)}</bpmn:loopDataInputRef>" if over else "",
        f"<bpmn:loopDataOutputRef>{escape(into)}</bpmn:loopDataOutputRef>" if into else "",
        f'<bpmn:inputDataItem name="{item}"/>' if over else "",
        f'<bpmn:outputDataItem name="{result}"/>' if result else "",
        f"<bpmn:completionCondition>{escape(until)}</bpmn:completionCondition>" if until else "",
    ]
    body = "".join(parts)
    return Details(
        id,
        body=f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">{body}'
        "</bpmn:multiInstanceLoopCharacteristics>",
    )


def sub(id: str, *inside: object) -> Details:
    """The inside of a subprocess, as chains and details."""
    return Details(id, inside=inside)


def diagram(*parts: object, key: str = "test", name: str = "测试流程", raw: str = "", **properties: object) -> bytes:
    """A whole BPMN file; `raw` is put into the process as it stands."""
    body = _Scope(list(parts)).xml()
    references = set(re.findall(r'(message|error|escalation|signal)Ref="([^"]+)"', body + raw))
    heads = "".join(_reference(kind, id) for kind, id in sorted(references))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{HEAD}{heads}<bpmn:process id="{key}" name={quoteattr(name)}'
        f' isExecutable="true">{_properties({k: str(v) for k, v in properties.items()})}{body}{raw}'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


def _reference(kind: str, id: str) -> str:
    code = id.removeprefix(f"{kind}_")
    attribute = f' {kind}Code="{code}"' if kind in ("error", "escalation") else ""
    return f'<bpmn:{kind} id="{id}" name="{code}"{attribute}/>'


def _properties(properties: dict[str, str]) -> str:
    if not properties:
        return ""
    inner = "".join(
        f"<spiffworkflow:property name={quoteattr(key)} value={quoteattr(value)}/>" for key, value in properties.items()
    )
    return f"<bpmn:extensionElements><spiffworkflow:properties>{inner}</spiffworkflow:properties></bpmn:extensionElements>"


def _links(chain: str) -> list[str]:
    """Cut a chain at its arrows; an arrow inside the brackets of a condition is a comparison."""
    links, depth = [""], 0
    for letter in chain:
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if letter == ">" and depth == 0:
            links.append("")
        else:
            links[-1] += letter
    return [link.strip() for link in links]


class _Scope:
    def __init__(self, parts: list[object], prefix: str = "") -> None:
        self.kinds: dict[str, str] = {}
        self.details: dict[str, Details] = {}
        self.flows: list[tuple[str, str, str | None]] = []
        self.default: dict[str, str] = {}
        self.prefix = prefix
        for part in parts:
            if isinstance(part, Details):
                self._merge(part)
        for part in parts:
            if isinstance(part, str):
                self._chain(part)

    def _merge(self, part: Details) -> None:
        known = self.details.setdefault(part.id, Details(part.id))
        known.attributes.update(part.attributes)
        known.properties.update(part.properties)
        known.body += part.body
        known.event = part.event or known.event
        known.inside = known.inside + part.inside
        if part.kind:
            self.kinds.setdefault(part.id, part.kind)

    def _node(self, text: str) -> str:
        kind, colon, id = text.partition(":")
        if not colon:
            if kind in self.kinds:
                return kind
            id = f"{self.prefix}{kind}" if kind in ("start", "end") else kind
            kind = kind if kind in TAGS else self.kinds.get(kind, kind)
        assert kind in TAGS, f"unknown node {text!r}"
        assert self.kinds.get(id, kind) == kind, f"{id} is {self.kinds[id]} and {kind}"
        self.kinds[id] = kind
        return id

    def _chain(self, chain: str) -> None:
        before: str | None = None
        condition: str | None = None
        for link in _links(chain):
            name, bracket, rest = link.partition("[")
            id = self._node(name.strip())
            if before is not None:
                self.flows.append((before, id, condition))
            before, condition = id, rest.strip().removesuffix("]") if bracket else None

    def xml(self) -> str:
        unknown = set(self.details) - set(self.kinds)
        assert not unknown, f"details of {unknown}, which no chain mentions"
        out = []
        flows = []
        for number, (source, target, condition) in enumerate(self.flows):
            flow = f"{self.prefix}f{number}_{source}_{target}"
            inner = ""
            if condition == "default":
                self.default[source] = flow
            elif condition:
                inner = (
                    '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">'
                    f"{escape(condition)}</bpmn:conditionExpression>"
                )
            flows.append(
                f'<bpmn:sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'
            )
        for id, kind in self.kinds.items():
            out.append(self._element(id, kind))
        return "".join(out + flows)

    def _element(self, id: str, kind: str) -> str:
        details = self.details.get(id, Details(id))
        attributes = dict(details.attributes)
        if kind != "receive":
            attributes.pop("messageRef", None)
        if id in self.default:
            attributes["default"] = self.default[id]
        text = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        inside = _Scope(list(details.inside), f"{id}_").xml() if details.inside else ""
        event = "" if kind == "receive" else details.event
        tag = TAGS[kind]
        return (
            f"<bpmn:{tag} id={quoteattr(id)}{text}>{_properties(details.properties)}{event}{details.body}{inside}"
            f"</bpmn:{tag}>"
        )
