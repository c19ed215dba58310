"""A BPMN file as objects with facts, so that two files can be compared to the attribute.

An object is whatever a reader would call a thing: a step, a flow, a lane, a message. Everything else in the file is a
fact of the nearest object around it, under a path: `@name`, `property:post`, `timer@sharing:workingDays`, `condition`.
What says nothing is left out: white space, order of attributes, prefixes, defaults written out, ids of inner elements.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from engine.process.interpreter.document import BPMN, EVENTS, GATEWAYS, SHARING, SPIFF, TASKS, local_name, properties_of

DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

#: Elements whose children are objects of their own.
_CONTAINERS = frozenset({
    "definitions", "process", "collaboration", "subProcess", "transaction", "adHocSubProcess", "laneSet", "childLaneSet", "lane",
})  # fmt: skip
#: Children of containers that are facts all the same.
_FACTS = frozenset({
    "extensionElements", "documentation", "incoming", "outgoing", "flowNodeRef", "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics", "ioSpecification", "completionCondition", "dataInputAssociation", "dataOutputAssociation",
})  # fmt: skip
#: Said by other elements already: which arrows touch a step, which lane it lies in.
_SAID_ELSEWHERE = frozenset({"incoming", "outgoing", "flowNodeRef"})
#: What a file means when it does not say so.
_DEFAULTS = {
    "cancelActivity": "true", "isInterrupting": "true", "isForCompensation": "false", "triggeredByEvent": "false",
    "startQuantity": "1", "completionQuantity": "1", "isSequential": "false", "gatewayDirection": "Unspecified",
    "processType": "None", "isClosed": "false", "instantiate": "false", "eventGatewayType": "Exclusive",
    "parallelMultiple": "false", "behavior": "All", "isCollection": "false", "isExecutable": "true", "implementation": "##unspecified",
}  # fmt: skip
#: Who wrote the file, and where its schema lies: nothing of the process.
_META = frozenset({"id", "exporter", "exporterVersion", f"{{{XSI}}}schemaLocation"})
_PREFIXES = {
    SPIFF: "spiffworkflow", SHARING: "sharing", XSI: "xsi", "http://camunda.org/schema/1.0/bpmn": "camunda",
    "http://camunda.org/schema/zeebe/1.0": "zeebe", "http://flowable.org/bpmn": "flowable",
}  # fmt: skip
#: Attributes and elements that name another object by its id, perhaps with a prefix.
_REFERENCE = re.compile(r"(Ref|Element)$|^default$")


@dataclass(slots=True)
class Thing:
    """One object of a file."""

    id: str
    tag: str
    name: str
    node: etree._Element
    scope: str | None
    """Id of the container around it; None for what stands in the file itself."""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """What it may be compared with: a user task that became a service task is still the same step."""
        if self.tag in TASKS or self.tag in ("task", "businessRuleTask", "transaction", "adHocSubProcess"):
            return "activity"
        if self.tag in GATEWAYS or self.tag == "complexGateway":
            return "gateway"
        return "event" if self.tag in EVENTS and self.tag != "boundaryEvent" else self.tag

    @property
    def article(self) -> str | None:
        """The article that it carries out, or that sets its limit."""
        return self.facts.get("timer@sharing:article") or self.facts.get("property:article")


@dataclass(slots=True)
class Drawing:
    """Where things are drawn, by their id: bounds or corners, and what else the drawing says."""

    bounds: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    """x, y, width, height"""
    corners: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    looks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Colours, labels' places, whether opened."""


def things_of(root: etree._Element) -> dict[str, Thing]:
    """All objects of a file by id, in its order. What has no id, or one that was used before, gets a number."""
    found: dict[str, Thing] = {}
    _collect(root, None, found)
    for lane in root.iter(f"{{{BPMN}}}lane"):
        for reference in lane.findall(f"{{{BPMN}}}flowNodeRef"):
            thing = found.get(_plain(lane, (reference.text or "").strip()))
            if thing is not None:  # lane sets are read outer first: the innermost lane stays
                thing.facts["lane"] = lane.get("id") or ""
    _orders(found)
    return found


def _collect(node: etree._Element, scope: str | None, found: dict[str, Thing]) -> None:
    # Depth is bounded by the parser.
    for child in node:
        tag = local_name(child)
        if etree.QName(child).namespace != BPMN or tag in _FACTS or tag.endswith("EventDefinition") and node.tag != _DEFINITIONS:
            continue
        identity = child.get("id") or ""
        if not identity or identity in found:
            identity = f"{identity or tag}#{len(found)}"
        thing = Thing(identity, tag, _words(child.get("name") or ""), child, scope)
        if tag in _CONTAINERS:
            _collect_inside(thing, child, scope, found)
        else:
            found[identity] = thing
        thing.facts.update(_facts(child))
        if scope is not None and tag not in ("lane", "laneSet", "childLaneSet"):
            thing.facts["scope"] = scope


_DEFINITIONS = f"{{{BPMN}}}definitions"


def _collect_inside(thing: Thing, node: etree._Element, scope: str | None, found: dict[str, Thing]) -> None:
    """A lane set is no place that a reader knows; what it holds belongs to what is around it."""
    found[thing.id] = thing
    _collect(node, scope if thing.tag in ("laneSet", "childLaneSet", "lane") else thing.id, found)


def definitions_facts(root: etree._Element) -> dict[str, str]:
    """What the file says of itself."""
    return {f"@{_name(str(key))}": str(value) for key, value in root.attrib.items() if str(key) not in _META}


def _facts(node: etree._Element) -> dict[str, str]:
    facts = {f"property:{name}": value for name, value in properties_of(node).items()}
    facts |= {f"@{name}": value for name, value in _attributes(node)}
    container = local_name(node) in _CONTAINERS
    numbers: Counter[str] = Counter()
    for child in node:
        tag = local_name(child)
        own = etree.QName(child).namespace == BPMN
        if own and (tag in _SAID_ELSEWHERE or container and tag not in _FACTS):
            continue
        if own and tag == "extensionElements":
            for foreign in child:
                if foreign.tag != f"{{{SPIFF}}}properties":
                    _spread(foreign, _numbered(_name(str(foreign.tag)), numbers), facts)
            continue
        if own and tag.endswith("EventDefinition"):
            kind = tag.removesuffix("EventDefinition")
            facts["event"] = "、".join(filter(None, (facts.get("event"), kind)))
            _spread(child, _numbered(kind, numbers), facts, mark=False)
        elif own and tag == "multiInstanceLoopCharacteristics":
            facts["loop"] = "sequential" if child.get("isSequential") == "true" else "parallel"
            _spread(child, "loop", facts, mark=False)
            facts.pop("loop@isSequential", None)
        else:
            _spread(child, _numbered(_name(str(child.tag)), numbers), facts)
    return facts


def _spread(node: etree._Element, path: str, facts: dict[str, str], *, mark: bool = True) -> None:
    """An inner element and what is in it, as facts under `path`."""
    tag = local_name(node)
    if tag in ("inputDataItem", "outputDataItem"):
        facts[path] = node.get("name") or node.get("id") or ""
        return
    attributes = _attributes(node)
    facts.update({f"{path}@{name}": value for name, value in attributes})
    text = _text(node)
    children = list(node)
    if text or (mark and not attributes and not children):
        facts[path] = _plain(node, text) if _REFERENCE.search(tag) else text
    numbers: Counter[str] = Counter()
    for child in children:
        _spread(child, _numbered(f"{path}/{_name(str(child.tag))}", numbers), facts)


def _numbered(path: str, numbers: Counter[str]) -> str:
    numbers[path] += 1
    return path if numbers[path] == 1 else f"{path}[{numbers[path]}]"


def _text(node: etree._Element) -> str:
    return "\n".join(line.strip() for line in (node.text or "").strip().splitlines())


def _attributes(node: etree._Element) -> list[tuple[str, str]]:
    found = []
    for key, raw in node.attrib.items():
        name, value = str(key), _words(str(raw))
        if name in _META or _DEFAULTS.get(name) == value:
            continue
        if name == f"{{{XSI}}}type":
            value = value.rpartition(":")[2]
            if value == "tFormalExpression":  # a condition is an expression, whether it says so or not
                continue
        elif _REFERENCE.search(name):
            value = _plain(node, value)
        if value or name != "name":
            found.append((_name(name), value))
    return found


def _words(text: str) -> str:
    return " ".join(text.split())


def _plain(node: etree._Element, value: str) -> str:
    """A qualified name without the prefix that this file happens to use."""
    prefix, colon, rest = value.partition(":")
    return rest if colon and prefix in node.nsmap else value


def _name(clark: str) -> str:
    """`{namespace}local` as `prefix:local`; BPMN's own without one, an unknown namespace in full."""
    namespace, brace, local = clark.removeprefix("{").rpartition("}")
    if not brace or namespace == BPMN:
        return local
    return f"{_PREFIXES.get(namespace, namespace)}:{local}"


def _orders(found: Mapping[str, Thing]) -> None:
    """In which order a choice asks its conditions is the order of the arrows in the file."""
    leaving: dict[str, list[str]] = {}
    for thing in found.values():
        if thing.tag == "sequenceFlow" and "conditionExpression" in thing.facts:
            leaving.setdefault(thing.facts.get("@sourceRef", ""), []).append(thing.id)
    for source, flows in leaving.items():
        if len(flows) > 1 and source in found and found[source].tag == "exclusiveGateway":
            found[source].facts["order"] = " ".join(flows)


# -- the drawing --------------------------------------------------------------------------------


def drawing_of(root: etree._Element) -> Drawing:
    """Where everything is drawn; what has no place in the file is missing."""
    drawing = Drawing()
    for shape in root.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge"):
        element = _plain(shape, shape.get("bpmnElement") or "")
        if local_name(shape) == "BPMNShape":
            box = shape.find(f"{{{DC}}}Bounds")
            if box is not None:
                x, y, width, height = (_whole(box.get(name)) for name in ("x", "y", "width", "height"))
                drawing.bounds[element] = (x, y, width, height)
        else:
            corners = (child for child in shape if local_name(child) == "waypoint")
            drawing.corners[element] = tuple((_whole(corner.get("x")), _whole(corner.get("y"))) for corner in corners)
        drawing.looks[element] = tuple(sorted(_looks(shape)))
    return drawing


def _looks(shape: etree._Element) -> Iterator[str]:
    for key, value in shape.attrib.items():
        if str(key) not in ("id", "bpmnElement"):
            yield f"{key!s}={value!s}"
    for box in shape.iterfind(f"{{{DI}}}BPMNLabel/{{{DC}}}Bounds"):
        yield "label=" + " ".join(str(_whole(box.get(name))) for name in ("x", "y", "width", "height"))


def _whole(text: str | None) -> int:
    try:
        return round(float(text or 0))
    except (ValueError, OverflowError):
        return 0
