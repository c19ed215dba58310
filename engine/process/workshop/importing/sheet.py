"""The file on the bench: its tree, what was rewritten in it so far, and the few tools with which everything is rewritten.

Nothing is thrown away: what a rewriting replaces moves into `<imported:original>` in the extension elements of the same
element, so that the file still says what its author drew, and every other tool keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.process.interpreter.document import BPMN, EVENTS, GATEWAYS, SHARING, SPIFF, TASKS, local_name, properties_of

#: Where what was replaced is kept. Its own name space, so that no modeler takes it for something it should know.
ORIGINAL = "urn:sharing-bpm:imported:1"

# Prefixes that a person recognises, in files that have none for these names yet.
for _prefix, _space in (("imported", ORIGINAL), ("spiffworkflow", SPIFF), ("sharing", SHARING)):
    etree.register_namespace(_prefix, _space)

ACTIVITIES = TASKS | {"task", "businessRuleTask", "transaction", "adHocSubProcess"}
NODES = ACTIVITIES | GATEWAYS | EVENTS | {"complexGateway"}
CONTAINERS = frozenset({"process", "subProcess", "transaction", "adHocSubProcess"})

KINDS = {
    "task": "未定类型的任务", "userTask": "用户任务", "manualTask": "人工任务", "serviceTask": "服务任务", "sendTask": "发送任务",
    "receiveTask": "接收任务", "scriptTask": "脚本任务", "businessRuleTask": "业务规则任务", "callActivity": "调用活动",
    "subProcess": "子流程", "transaction": "事务子流程", "adHocSubProcess": "自组织子流程", "startEvent": "开始事件",
    "endEvent": "结束事件", "intermediateCatchEvent": "中间捕获事件", "intermediateThrowEvent": "中间抛出事件",
    "boundaryEvent": "边界事件", "exclusiveGateway": "排他网关", "inclusiveGateway": "包容网关", "parallelGateway": "并行网关",
    "eventBasedGateway": "事件网关", "complexGateway": "复杂网关", "sequenceFlow": "流向", "lane": "泳道", "process": "流程",
}  # fmt: skip


_SPACE = "{" + BPMN
_NODE_TAGS = tuple(f"{{{BPMN}}}{tag}" for tag in sorted(NODES))
_CONTAINER_TAGS = tuple(f"{{{BPMN}}}{tag}" for tag in sorted(CONTAINERS))
_FLOW_ELEMENTS = NODES | {"sequenceFlow", "dataObject", "dataObjectReference", "dataStoreReference", "laneSet"}


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Something that the import changed."""

    element: str | None
    name: str | None
    rule: str
    """Short kebab-case English, for tests and links to the handbook."""
    message: str
    """What it was and what it became, in plain Chinese."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that a person must fill in, or should look at."""

    element: str | None
    name: str | None
    rule: str
    message: str
    required: bool
    """Whether deployment is refused before it is done."""


@dataclass(slots=True)
class Sheet:
    """The file while it is being rewritten. `process` is the one that is to run."""

    root: etree._Element
    process: etree._Element
    rewritten: list[Rewriting] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    forms: dict[str, Any] = field(default_factory=dict)
    """Forms made of what the file says about fields: name → definition."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Variables that go by other names here: forms want lower case."""
    _ids: set[str] = field(default_factory=set)
    _found: dict[str, etree._Element] = field(default_factory=dict)
    _lanes: dict[str, list[etree._Element]] = field(default_factory=dict)
    """Node → the references by which lanes list it."""

    def __post_init__(self) -> None:
        self._look()
        self._ids = set(self._found)
        for reference in self.process.iter(f"{{{BPMN}}}flowNodeRef"):
            self._lanes.setdefault((reference.text or "").strip(), []).append(reference)

    def _look(self) -> None:
        self._found = {}
        for node in self.root.iter():
            if isinstance(node.tag, str) and node.get("id"):
                self._found.setdefault(node.get("id") or "", node)

    # -- finding ------------------------------------------------------------------------------

    def containers(self) -> list[etree._Element]:
        """The process and all its subprocesses, outer ones first."""
        return [node for node in self.process.iter(*_CONTAINER_TAGS) if not _in_extension(node)]

    def nodes(self) -> list[etree._Element]:
        """All flow nodes of the process, those of subprocesses included."""
        return [node for container in self.containers() for node in nodes_in(container)]

    def flows(self) -> list[etree._Element]:
        """All arrows of the process, those of subprocesses included."""
        return [flow for container in self.containers() for flow in flows_in(container)]

    def find(self, identity: str | None) -> etree._Element | None:
        """The element with that id, anywhere in the file."""
        if not identity or identity not in self._ids:
            return None
        if identity not in self._found:
            self._look()
        return self._found.get(identity)

    # -- saying -------------------------------------------------------------------------------

    def rewrote(self, node: etree._Element | None, rule: str, text: str) -> None:
        """`text` goes on from the element's name: «任务“审核”：…»."""
        identity, name = _named(node)
        self.rewritten.append(Rewriting(identity, name, rule, label(node) + text))

    def lacks(self, node: etree._Element | None, rule: str, text: str, *, required: bool) -> None:
        """Something to fill in (`required`) or to look at."""
        identity, name = _named(node)
        self.gaps.append(Gap(identity, name, rule, label(node) + text, required))

    # -- changing -----------------------------------------------------------------------------

    def new_id(self, wanted: str) -> str:
        """An id that nothing in the file has yet."""
        base = re.sub(r"[^\w.-]", "_", wanted) or "Element"
        if not re.match(r"[A-Za-z_]", base):
            base = f"_{base}"
        identity, number = base, 1
        while identity in self._ids:
            number += 1
            identity = f"{base}_{number}"
        self._ids.add(identity)
        return identity

    def keep(self, node: etree._Element, *removed: etree._Element, **values: str) -> None:
        """Moves children of `node` into its `<imported:original>`; `values` are what attributes or texts said before."""
        attributes = {name.rstrip("_"): value for name, value in values.items()}
        original = etree.SubElement(
            extensions(node), f"{{{ORIGINAL}}}original", attributes, nsmap={"imported": ORIGINAL}
        )
        for child in removed:
            child.tail = None
            original.append(child)

    def retag(self, node: etree._Element, tag: str, *, without: Iterable[str] = ()) -> None:
        """Makes another kind of element of it; attributes and children named in `without` are kept as original."""
        drop = set(without)
        values = {name: taken for name in drop if (taken := take(node, name)) is not None}
        children = [child for child in node if is_bpmn(child, drop)]
        self.keep(node, *children, **{"tag": local_name(node), **values})
        node.tag = f"{{{BPMN}}}{tag}"

    def set_property(self, node: etree._Element, name: str, value: str) -> None:
        """Writes one of our properties, unless the element has it already."""
        if properties_of(node).get(name):
            return
        around = extensions(node)
        found = around.find(f"{{{SPIFF}}}properties")
        if found is None:
            found = etree.SubElement(around, f"{{{SPIFF}}}properties", nsmap={"spiffworkflow": SPIFF})
        etree.SubElement(found, f"{{{SPIFF}}}property", {"name": name, "value": value})

    def add_node(self, container: etree._Element, tag: str, wanted: str, name: str = "", near: str | None = None) -> etree._Element:
        """A new flow node; it stands in the lane in which `near` stands."""
        node = etree.Element(f"{{{BPMN}}}{tag}", {"id": self.new_id(wanted), **({"name": name} if name else {})})
        _insert(container, node)
        if near is not None:
            self.same_lane(node, near)
        return node

    def same_lane(self, node: etree._Element, near: str) -> None:
        """Puts a node into the lane in which another stands."""
        identity = node.get("id") or ""
        for reference in list(self._lanes.get(near, ())):
            added = etree.Element(f"{{{BPMN}}}flowNodeRef")
            added.text = identity
            reference.addnext(added)
            self._lanes.setdefault(identity, []).append(added)

    def add_flow(self, container: etree._Element, source: str, target: str) -> etree._Element:
        """A new arrow between two nodes of a container."""
        flow = etree.Element(
            f"{{{BPMN}}}sequenceFlow",
            {"id": self.new_id(f"Flow_{source}_{target}"[:80]), "sourceRef": source, "targetRef": target},
        )
        _insert(container, flow)
        return flow

    def set_aside(self, node: etree._Element, why: str) -> None:
        """Takes a node out of the flow but not out of the drawing: it becomes a note with its name, its arrows dotted lines."""
        container = node.getparent()
        assert container is not None
        for flow in flows_in(container):
            if node.get("id") in (flow.get("sourceRef"), flow.get("targetRef")):
                self.loosen(flow)
        values = {name: take(node, name) or "" for name in attributes(node) if name != "id" and not name.startswith("{")}
        text = f"{values.get('name', '')}（{why}）".lstrip()
        inside = [child for child in node if not is_bpmn(child, {"extensionElements", "documentation"})]
        self.keep(node, *inside, **{"tag": local_name(node), **values})
        node.tag = f"{{{BPMN}}}textAnnotation"
        etree.SubElement(node, f"{{{BPMN}}}text").text = text
        container.append(node)

    def loosen(self, flow: etree._Element) -> None:
        """Makes a dotted line of an arrow that cannot be followed."""
        values = {name: taken for name in ("name", "isImmediate") if (taken := take(flow, name)) is not None}
        children = [child for child in flow if not is_bpmn(child, {"extensionElements", "documentation"})]
        self.keep(flow, *children, **{"tag": "sequenceFlow", **values})
        flow.tag = f"{{{BPMN}}}association"
        container = flow.getparent()
        assert container is not None
        container.append(flow)


def attributes(node: etree._Element) -> dict[str, str]:
    """The attributes of an element, as texts."""
    return {str(name): str(value) for name, value in node.attrib.items()}


def take(node: etree._Element, name: str) -> str | None:
    """Takes an attribute away; None where it is missing."""
    value = node.get(name)
    if value is not None:
        del node.attrib[name]
    return value


def is_bpmn(node: etree._Element, tags: Iterable[str]) -> bool:
    """Whether it is one of these elements of BPMN."""
    space, _, tag = str(node.tag).rpartition("}")
    return space == _SPACE and tag in tags


def nodes_in(container: etree._Element) -> list[etree._Element]:
    """The flow nodes that stand in it directly."""
    return list(container.iterchildren(*_NODE_TAGS))


def flows_in(container: etree._Element) -> list[etree._Element]:
    """The sequence flows that stand in it directly."""
    return container.findall(f"{{{BPMN}}}sequenceFlow")


def arrows(container: etree._Element) -> tuple[dict[str, list[etree._Element]], dict[str, list[etree._Element]]]:
    """The flows out of and into each node of a container."""
    out: dict[str, list[etree._Element]] = {}
    into: dict[str, list[etree._Element]] = {}
    for flow in flows_in(container):
        out.setdefault(flow.get("sourceRef") or "", []).append(flow)
        into.setdefault(flow.get("targetRef") or "", []).append(flow)
    return out, into


def event_definitions(node: etree._Element) -> list[etree._Element]:
    """The event definitions of an event."""
    return [child for child in node if isinstance(child.tag, str) and local_name(child).endswith("EventDefinition")]


def child(node: etree._Element, tag: str) -> etree._Element | None:
    """The first BPMN child with that tag."""
    return node.find(f"{{{BPMN}}}{tag}")


def extensions(node: etree._Element) -> etree._Element:
    """Its extension elements, made where the schema wants them."""
    found = child(node, "extensionElements")
    if found is not None:
        return found
    made = etree.Element(f"{{{BPMN}}}extensionElements")
    node.insert(sum(1 for item in node if is_bpmn(item, {"documentation"})), made)
    return made


def extension_items(node: etree._Element) -> Iterator[etree._Element]:
    """What other tools wrote into its extension elements."""
    for extension in node.findall(f"{{{BPMN}}}extensionElements"):
        yield from (item for item in extension if isinstance(item.tag, str))


def label(node: etree._Element | None) -> str:
    """How a sentence names an element."""
    if node is None:
        return ""
    tag = local_name(node)
    identity, name = _named(node)
    kind = KINDS.get(tag, "元素")
    return f"{kind}“{name}”：" if name else f"{kind} {identity}：" if identity else ""


def _named(node: etree._Element | None) -> tuple[str | None, str | None]:
    if node is None:
        return None, None
    return node.get("id"), " ".join((node.get("name") or "").split()) or None


def _in_extension(node: etree._Element) -> bool:
    return any(is_bpmn(around, {"extensionElements"}) for around in node.iterancestors())


def _insert(container: etree._Element, node: etree._Element) -> None:
    """After the last flow element: artifacts come behind those."""
    for item in reversed(container):
        if is_bpmn(item, _FLOW_ELEMENTS):
            item.addnext(node)
            return
    container.append(node)


def replace(root: etree._Element, names: Mapping[str, str]) -> None:
    """Changes references by a table: attributes that refer, and texts of elements that do."""
    for node in root.iter():
        for name, value in attributes(node).items():
            if value in names and (_REFERS.search(name) or name == "id"):
                node.set(name, names[value])
        text = (node.text or "").strip()
        if text in names and _REFERRING.search(local_name(node)):
            node.text = names[text]


_REFERS = re.compile(r"^(?:\w*Ref|bpmnElement|default|calledElement|choreographyActivityShape)$")
_REFERRING = re.compile(r"Refs?$|^incoming$|^outgoing$|^source$|^target$")
