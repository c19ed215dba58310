"""A BPMN file as an index of its elements: parsed safely, judged by nobody yet.

An uploaded diagram is hostile until proven otherwise: no DTD, no entities, no network, bounded size, depth
and number of nodes. Everything later works on this index, never on raw text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from engine.process.interpreter.model import DiagramError, Problem

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
SHARING = "urn:sharing-bpm:diagram:1"

MAX_BYTES = 2 * 1024 * 1024
MAX_XML_NODES = 60_000
MAX_ATTRIBUTES = 500
MAX_ELEMENTS = 1000
MAX_NESTING = 6

TASKS = frozenset(
    {"userTask", "manualTask", "serviceTask", "scriptTask", "sendTask", "receiveTask", "callActivity", "subProcess"}
)
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
EVENTS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
#: Drawn, but without meaning for the engine.
DRAWINGS = frozenset(
    {"textAnnotation", "association", "group", "dataObject", "dataObjectReference", "dataStoreReference"}
)


@dataclass(slots=True)
class Element:
    """One flow node of the file."""

    id: str
    tag: str
    name: str
    xml: etree._Element
    scope: str | None
    """Id of the enclosing subprocess."""
    depth: int
    properties: dict[str, str]
    attached_to: str | None = None
    events: list[etree._Element] = field(default_factory=list)
    """Its event definitions."""
    incoming: list[str] = field(default_factory=list)
    outgoing: list[str] = field(default_factory=list)

    @property
    def event(self) -> str:
        """none | timer | message | error | … | multiple"""
        if not self.events:
            return "none"
        return "multiple" if len(self.events) > 1 else local_name(self.events[0]).removesuffix("EventDefinition")

    @property
    def default(self) -> str | None:
        """Id of the default flow."""
        return self.xml.get("default")

    @property
    def interrupting(self) -> bool:
        """Whether a boundary event cancels its activity."""
        return (self.xml.get("cancelActivity") or "true").strip() not in ("false", "0")

    def label(self) -> str:
        """How a message names it."""
        kind = "任务" if self.tag in TASKS else "网关" if self.tag in GATEWAYS else "事件" if self.tag in EVENTS else "元素"
        if self.tag == "subProcess":
            kind = "子流程"
        return f"{kind}“{self.name}”（{self.id}）" if self.name else f"{kind} {self.id}"


@dataclass(slots=True)
class Arrow:
    """One sequence flow of the file."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None
    scope: str | None


@dataclass(slots=True)
class Document:
    """The index of a file with one executable process."""

    key: str
    name: str
    process: etree._Element
    root: etree._Element
    properties: dict[str, str]
    elements: dict[str, Element]
    flows: dict[str, Arrow]
    lanes: dict[str, tuple[str, dict[str, str]]]
    """Element id → name and properties of its innermost lane."""
    messages: dict[str, str]
    signals: dict[str, str]
    errors: dict[str, str]
    escalations: dict[str, str]
    problems: list[Problem]
    """What was found while indexing."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical XML; computed each time that it is asked for, which takes longer than parsing."""
        return hashlib.sha256(canonical(self.root)).hexdigest()

    def inside(self, scope: str | None) -> list[Element]:
        """The elements of the process or of one subprocess, in the order of the file."""
        return [element for element in self.elements.values() if element.scope == scope]

    def attached(self, activity: str) -> list[Element]:
        """The boundary events of an activity."""
        return [element for element in self.elements.values() if element.attached_to == activity]


def local_name(node: etree._Element) -> str:
    """Tag without namespace."""
    return etree.QName(node).localname


def _refuse(rule: str, message: str) -> DiagramError:
    return DiagramError([Problem(None, None, rule, message)])


#: A DOCTYPE can stand only before the root element, after comments and processing instructions.
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


def refused(xml: bytes) -> Problem | None:
    """What is refused before any parser sees it: more than MAX_BYTES, or a DOCTYPE (entities, files, addresses)."""
    if len(xml) > MAX_BYTES:
        return Problem(None, None, "file-too-large", f"流程图文件超过{MAX_BYTES // 1024 // 1024}MB")
    # UTF-16, either way round, is the same text with zeros between.
    plain = xml.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").replace(b"\0", b"") if b"\0" in xml[:4] else xml
    if _DOCTYPE.match(plain):
        return Problem(None, None, "doctype", "流程图文件不得含有DOCTYPE声明")
    return None


def parse(xml: bytes) -> etree._Element:
    """The root element of a file from anywhere. Raises DiagramError for anything but plain bounded XML."""
    early = refused(xml)
    if early is not None:
        raise DiagramError([early])
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refuse("not-xml", f"流程图文件不是正确的XML{_place(error)}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refuse("doctype", "流程图文件不得含有DOCTYPE声明")
    nodes = 0
    for node in root.iter():
        nodes += 1
        # Canonical XML sorts them in quadratic time.
        if len(node.attrib) > MAX_ATTRIBUTES:
            raise _refuse("file-too-large", f"流程图文件中有元素的属性超过{MAX_ATTRIBUTES}个")
    if nodes > MAX_XML_NODES:
        raise _refuse("file-too-large", "流程图文件的节点过多")
    if etree.QName(root).namespace != BPMN or local_name(root) != "definitions":
        raise _refuse("not-bpmn", "文件不是BPMN 2.0流程图")
    return root


def _place(error: Exception) -> str:
    """Where a file stops making sense; the parser's own sentence is for programmers."""
    if not isinstance(error, etree.XMLSyntaxError) or not error.lineno:
        return ""
    return f"：第{error.lineno}行第{error.position[1]}列附近无法读懂"


def index(xml: bytes) -> Document:
    """Parse and index. Raises DiagramError if there is not exactly one executable process in it."""
    root = parse(xml)
    processes = [node for node in root.findall(f"{{{BPMN}}}process")]
    executable = [node for node in processes if node.get("isExecutable", "true") != "false"]
    if len(executable) != 1:
        raise _refuse("one-process", f"文件中应当有且只有一个可执行的流程，现有{len(executable)}个")
    process = executable[0]
    key = process.get("id") or ""
    if not key:
        raise _refuse("process-id", "流程没有id")
    document = Document(
        key=key,
        name=process.get("name") or key,
        process=process,
        root=root,
        properties=properties_of(process),
        elements={},
        flows={},
        lanes={},
        messages=_named(root, "message", "name"),
        signals=_named(root, "signal", "name"),
        errors=_named(root, "error", "errorCode"),
        escalations=_named(root, "escalation", "escalationCode"),
        problems=[],
    )
    _collect(document, process, None, 0)
    _connect(document)
    _lanes(document)
    return document


def canonical(root: etree._Element) -> bytes:
    """Canonical XML (C14N 2.0) without the white space between elements."""
    # The stubs do not know strip_text yet.
    text: bytes = etree.tostring(root, method="c14n2", strip_text=True)  # type: ignore[call-overload]
    return text


def properties_of(node: etree._Element) -> dict[str, str]:
    """Our properties of an element: name → value."""
    found = {}
    for extension in node.findall(f"{{{BPMN}}}extensionElements"):
        for item in extension.findall(f"{{{SPIFF}}}properties/{{{SPIFF}}}property"):
            name = (item.get("name") or "").strip()
            if name:
                found[name] = (item.get("value") or "").strip()
    return found


def text_of(node: etree._Element, *path: str) -> str | None:
    """Stripped text of a descendant in the BPMN namespace; None if it is missing or empty."""
    found = node.find("/".join(f"{{{BPMN}}}{part}" for part in path))
    text = "".join(str(part) for part in found.itertext()).strip() if found is not None else ""
    return text or None


def _named(root: etree._Element, tag: str, attribute: str) -> dict[str, str]:
    return {
        node.get("id") or "": node.get(attribute) or node.get("name") or ""
        for node in root.findall(f"{{{BPMN}}}{tag}")
    }


def _children(node: etree._Element) -> Iterator[etree._Element]:
    for child in node:
        if isinstance(child.tag, str):
            yield child


def _collect(document: Document, container: etree._Element, scope: str | None, depth: int) -> None:
    """Index the children of a process or subprocess; subprocesses inside by recursion, bounded by MAX_NESTING."""
    for node in _children(container):
        tag = local_name(node)
        identity = node.get("id") or ""
        if etree.QName(node).namespace != BPMN:
            document.problems.append(
                Problem(identity or None, None, "unknown-element", f"元素 {tag}（{identity}）不是BPMN元素")
            )
        elif tag == "sequenceFlow":
            _flow(document, node, identity, scope)
        elif tag in TASKS or tag in GATEWAYS or tag in EVENTS:
            _element(document, node, identity, tag, scope, depth)
        elif tag not in _QUIET:
            _leftover(document, node, identity, tag)


#: Children of a process or subprocess that are read elsewhere or mean nothing.
_QUIET = frozenset(
    {
        "extensionElements",
        "documentation",
        "laneSet",
        "incoming",
        "outgoing",
        "multiInstanceLoopCharacteristics",
        "standardLoopCharacteristics",
        "ioSpecification",
        "property",
    }
)


def _leftover(document: Document, node: etree._Element, identity: str, tag: str) -> None:
    name = node.get("name")
    label = f"元素“{name}”（{identity}）" if name else f"元素 {identity or tag}"
    if tag in DRAWINGS:
        if tag.startswith("data"):
            document.problems.append(
                Problem(
                    identity,
                    name,
                    "data-object-ignored",
                    f"{label}：数据对象只作图示，不传递数据",
                    severity="warning",
                )
            )
        return
    reason = _UNSUPPORTED.get(tag, "不支持这种元素")
    document.problems.append(Problem(identity or None, name, f"unsupported-{_kebab(tag)}", f"{label}：{reason}"))


_UNSUPPORTED = {
    "task": "未定类型的任务，请改为用户任务、服务任务等",
    "businessRuleTask": "不支持业务规则任务（DMN），请用网关条件或服务任务",
    "complexGateway": "不支持复杂网关",
    "adHocSubProcess": "不支持自组织子流程",
    "transaction": "不支持事务子流程，请用子流程和错误边界事件",
    "callChoreography": "不支持编排",
}


def _kebab(tag: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in tag).lstrip("-")


def _flow(document: Document, node: etree._Element, identity: str, scope: str | None) -> None:
    if not identity or identity in document.flows or identity in document.elements:
        document.problems.append(
            Problem(identity or None, None, "duplicate-id", f"流向的编号“{identity}”为空或重复")
        )
        return
    document.flows[identity] = Arrow(
        identity,
        node.get("name") or "",
        node.get("sourceRef") or "",
        node.get("targetRef") or "",
        text_of(node, "conditionExpression"),
        scope,
    )


def _element(document: Document, node: etree._Element, identity: str, tag: str, scope: str | None, depth: int) -> None:
    if not identity or identity in document.elements or identity in document.flows:
        document.problems.append(
            Problem(identity or None, node.get("name"), "duplicate-id", f"元素的编号“{identity}”为空或重复")
        )
        return
    if len(document.elements) >= MAX_ELEMENTS:
        raise _refuse("too-many-elements", f"流程图的元素超过{MAX_ELEMENTS}个")
    document.elements[identity] = Element(
        id=identity,
        tag=tag,
        name=(node.get("name") or "").strip(),
        xml=node,
        scope=scope,
        depth=depth,
        properties=properties_of(node),
        attached_to=node.get("attachedToRef") if tag == "boundaryEvent" else None,
        events=[child for child in _children(node) if local_name(child).endswith("EventDefinition")],
    )
    if tag == "subProcess":
        if depth + 1 > MAX_NESTING:
            raise _refuse("nested-too-deep", f"子流程嵌套超过{MAX_NESTING}层")
        _collect(document, node, identity, depth + 1)


def _connect(document: Document) -> None:
    for flow in document.flows.values():
        source, target = document.elements.get(flow.source), document.elements.get(flow.target)
        if source is None or target is None or source.scope != flow.scope or target.scope != flow.scope:
            document.problems.append(
                Problem(flow.id, flow.name or None, "broken-flow", f"流向 {flow.id} 的起点或终点不存在，或跨越了子流程的边界")
            )
            continue
        source.outgoing.append(flow.id)
        target.incoming.append(flow.id)


def _lanes(document: Document) -> None:
    """Innermost lane wins: lane sets are read outer first. Elements inside a subprocess take its lane."""
    for lane in document.process.iter(f"{{{BPMN}}}lane"):
        entry = (lane.get("name") or lane.get("id") or "", properties_of(lane))
        for reference in lane.findall(f"{{{BPMN}}}flowNodeRef"):
            document.lanes[(reference.text or "").strip()] = entry
    for element in document.elements.values():
        around = element.attached_to or element.scope
        if element.id not in document.lanes and around in document.lanes:
            document.lanes[element.id] = document.lanes[around]
