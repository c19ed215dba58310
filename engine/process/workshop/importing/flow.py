"""Arrows that mean nothing here, or would mean something else: made explicit with gateways, starts and ends that are drawn.

BPMN lets a process begin at every loose step, end wherever no arrow leads on, and split without a gateway. The engine
wants all of that said; what is added says exactly what BPMN means by leaving it out.
"""

from __future__ import annotations

from lxml import etree

from engine.process.interpreter.document import BPMN, GATEWAYS, TASKS, local_name, text_of
from engine.process.workshop.importing.drawing import EVENT, Drawing
from engine.process.workshop.importing.sheet import (
    NODES,
    ORIGINAL,
    Sheet,
    arrows,
    child,
    event_definitions,
    extension_items,
    flows_in,
    is_bpmn,
    nodes_in,
    take,
)

_CHOOSING = ("exclusiveGateway", "inclusiveGateway")


def tidy_arrows(sheet: Sheet, drawing: Drawing) -> None:
    """Before anything else: arrows without two ends in the same level become dotted lines, or are set aside."""
    everywhere = {node.get("id"): node for node in sheet.root.iter() if isinstance(node.tag, str) and node.get("id")}
    for container in sheet.containers():
        for flow in flows_in(container):
            source, target = everywhere.get(flow.get("sourceRef")), everywhere.get(flow.get("targetRef"))
            if source is None or target is None:
                edge = drawing.edges.pop(flow.get("id") or "", None)
                sheet.keep(container, flow, *([edge] if edge is not None else []))
                sheet.rewrote(flow, "arrow-without-end", f"流向 {flow.get('id')} 的起点或终点不存在，已移出流程")
            elif _level(sheet, source) is not container or _level(sheet, target) is not container:
                sheet.loosen(flow)
                sheet.rewrote(flow, "arrow-across", f"流向 {flow.get('id')} 跨越了层次或连着不是步骤的元素，改为虚线关联")


def _level(sheet: Sheet, node: etree._Element) -> etree._Element | None:
    return node.getparent() if is_bpmn(node, NODES) else None


def bring_flow(sheet: Sheet, drawing: Drawing) -> None:
    """Gateways, starts, splits and ends of every level, outer levels first."""
    for container in sheet.containers():
        _gateways(sheet, container)
        _wrong_ways(sheet, drawing, container)
        _several_starts(sheet, drawing, container)
        out, _ = arrows(container)  # a split changes the arrows of its own node only
        for node in nodes_in(container):
            _split(sheet, drawing, container, node, out.get(node.get("id") or "", []))
        _begin(sheet, drawing, container)
        _finish(sheet, drawing, container)
    _say_conditions(sheet)


# -- gateways -------------------------------------------------------------------------------------


def _gateways(sheet: Sheet, container: etree._Element) -> None:
    out, into = arrows(container)
    nodes = {node.get("id"): node for node in nodes_in(container)}
    for node in nodes.values():
        tag, leaving = local_name(node), out.get(node.get("id") or "", [])
        if tag == "complexGateway":
            sheet.retag(node, "inclusiveGateway", without=("activationCondition",))
            sheet.rewrote(node, "complex-to-inclusive", "原为复杂网关，现为包容网关")
        elif tag == "eventBasedGateway":
            _race(sheet, node, [nodes.get(flow.get("targetRef")) for flow in leaving], into)
        tag = local_name(node)
        if tag in _CHOOSING:
            _default(sheet, node, leaving)
        elif tag in GATEWAYS:
            _unconditional(sheet, node, leaving)


def _race(sheet: Sheet, node: etree._Element, targets: list[etree._Element | None], into: dict[str, list[etree._Element]]) -> None:
    """Behind an event gateway stand events only; anything else makes a choice of it, which somebody makes by a condition."""
    take(node, "instantiate")
    waits = [target is not None and is_bpmn(target, {"intermediateCatchEvent", "receiveTask"}) for target in targets]
    if len(targets) < 2 or not all(waits):
        sheet.retag(node, "exclusiveGateway", without=("eventGatewayType",))
        sheet.rewrote(node, "race-to-choice", "事件网关之后应当都是等待的事件，现为排他网关")


def _default(sheet: Sheet, node: etree._Element, leaving: list[etree._Element]) -> None:
    ids = [flow.get("id") for flow in leaving]
    default = node.get("default")
    if default is not None and default not in ids:
        sheet.keep(node, default=take(node, "default") or "")
        sheet.rewrote(node, "default-dropped", f"默认流向“{default}”不是从它流出的箭头，已取消")
    bare = [flow for flow in leaving if child(flow, "conditionExpression") is None]
    if len(leaving) > 1 and node.get("default") is None and len(bare) == 1:
        node.set("default", bare[0].get("id") or "")
        sheet.rewrote(node, "default-set", f"没有条件的一条“{bare[0].get('name') or bare[0].get('id')}”作为默认流向")


def _unconditional(sheet: Sheet, node: etree._Element, leaving: list[etree._Element]) -> None:
    if node.get("default") is not None:
        sheet.keep(node, default=take(node, "default") or "")
    for flow in leaving:
        condition = child(flow, "conditionExpression")
        if condition is not None:
            text = text_of(flow, "conditionExpression")
            sheet.keep(flow, condition)
            if text:
                sheet.rewrote(node, "condition-dropped", f"流出箭头上的条件“{text[:80]}”不起作用，已移出")


# -- starts ---------------------------------------------------------------------------------------


def _wrong_ways(sheet: Sheet, drawing: Drawing, container: etree._Element) -> None:
    """Arrows into starts and boundary events, arrows out of ends."""
    out, into = arrows(container)
    for node in nodes_in(container):
        identity = node.get("id") or ""
        arriving, leaving = into.get(identity, []), out.get(identity, [])
        if is_bpmn(node, {"startEvent"}) and arriving:
            sheet.retag(node, "intermediateThrowEvent", without=("isInterrupting",))
            sheet.keep(node, *event_definitions(node))
            sheet.rewrote(node, "start-entered", "有流入的箭头，不是起点，现为空事件")
        elif is_bpmn(node, {"boundaryEvent"}):
            for flow in arriving:
                sheet.loosen(flow)
                sheet.rewrote(node, "arrow-into-event", "边界事件不能有流入的箭头，改为虚线关联")
        elif is_bpmn(node, {"endEvent"}) and leaving:
            sheet.keep(node, *event_definitions(node))
            sheet.retag(node, "intermediateThrowEvent")
            sheet.rewrote(node, "end-left", "结束事件之后还有步骤，现为空事件")


def _several_starts(sheet: Sheet, drawing: Drawing, container: etree._Element) -> None:
    """Several starts are several ways to begin, one at a time: one start, and a choice behind it."""
    starts = [node for node in nodes_in(container) if is_bpmn(node, {"startEvent"})]
    if len(starts) < 2:
        return
    first = starts[0].get("id") or ""
    start = sheet.add_node(container, "startEvent", f"StartEvent_{container.get('id')}", "发起", first)
    gateway = sheet.add_node(container, "exclusiveGateway", f"Gateway_{container.get('id')}_Start", "从哪里开始？", first)
    link = sheet.add_flow(container, start.get("id") or "", gateway.get("id") or "")
    flows = []
    for node in starts:
        sheet.retag(node, "intermediateThrowEvent", without=("isInterrupting", "parallelMultiple"))
        flows.append(sheet.add_flow(container, gateway.get("id") or "", node.get("id") or ""))
    gateway.set("default", flows[0].get("id") or "")
    names = "、".join(f"“{node.get('name') or node.get('id')}”" for node in starts)
    sheet.rewrote(start, "several-starts", f"原有{len(starts)}个开始事件（{names}），现由一个开始事件和一个排他网关代替，条件待填写")
    drawing.put_before(first, gateway.get("id") or "", flows[0].get("id") or "", [])
    drawing.put_before(gateway.get("id") or "", start.get("id") or "", link.get("id") or "", [], EVENT)
    for flow, node in zip(flows[1:], starts[1:], strict=True):
        drawing.connect(flow.get("id") or "", gateway.get("id") or "", node.get("id") or "")


def _begin(sheet: Sheet, drawing: Drawing, container: etree._Element) -> None:
    """Where BPMN begins without a start event: at every step into which no arrow leads."""
    nodes = nodes_in(container)
    starts = [node for node in nodes if is_bpmn(node, {"startEvent"})]
    _, into = arrows(container)
    cut = _cut_off(container)
    loose = [
        node for node in nodes
        if not into.get(node.get("id") or "") and node.get("id") not in cut and not is_bpmn(node, {"startEvent", "boundaryEvent"})
    ]  # fmt: skip
    if starts and not loose:
        return
    if not starts and not loose:
        loose = [node for node in nodes if not is_bpmn(node, {"boundaryEvent", "endEvent"})][:1]
    if not loose:
        return
    firsts = [node.get("id") or "" for node in loose]
    if not starts:
        start = sheet.add_node(container, "startEvent", f"StartEvent_{container.get('id')}", "", firsts[0])
        identity = start.get("id") or ""
        if len(firsts) == 1:
            flow = sheet.add_flow(container, identity, firsts[0])
            drawing.put_before(firsts[0], identity, flow.get("id") or "", [], EVENT)
        else:
            _fork(sheet, drawing, container, identity, firsts, None)
        sheet.rewrote(start, "start-added", "没有开始事件，已补上" + ("，并行开始各个没有流入的步骤" if len(firsts) > 1 else ""))
        return
    identity = starts[0].get("id") or ""
    _fork(sheet, drawing, container, identity, firsts, arrows(container)[0].get(identity, []))
    names = "、".join(f"“{node.get('name') or node.get('id')}”" for node in loose)
    sheet.rewrote(starts[0], "loose-steps", f"没有箭头流入的步骤{names}从一开始就并行办理；如不是此意，请连上箭头")


def _cut_off(container: etree._Element) -> set[str]:
    """Steps to which an arrow led that became a dotted line: they wait for somebody to say where they belong."""
    lines = container.findall(f"{{{BPMN}}}association")
    return {
        line.get("targetRef") or "" for line in lines
        if any(one.tag == f"{{{ORIGINAL}}}original" and one.get("tag") == "sequenceFlow" for one in extension_items(line))
    }  # fmt: skip


def _fork(
    sheet: Sheet, drawing: Drawing, container: etree._Element, start: str, firsts: list[str], leaving: list[etree._Element] | None
) -> None:
    """A parallel gateway behind a start that begins several steps; `leaving` are the arrows that it has already."""
    gateway = sheet.add_node(container, "parallelGateway", f"Gateway_{start}_All", "", start)
    identity = gateway.get("id") or ""
    for flow in leaving or ():
        flow.set("sourceRef", identity)
    link = sheet.add_flow(container, start, identity)
    added = [sheet.add_flow(container, identity, first) for first in firsts]
    if leaving is None:
        drawing.put_before(firsts[0], identity, added[0].get("id") or "", [])
        drawing.put_before(identity, start, link.get("id") or "", [], EVENT)
        added, firsts = added[1:], firsts[1:]
    else:
        drawing.put_behind(start, identity, link.get("id") or "", [flow.get("id") or "" for flow in leaving])
    for flow, first in zip(added, firsts, strict=True):
        drawing.connect(flow.get("id") or "", identity, first)


# -- splits and ends ------------------------------------------------------------------------------


def _split(
    sheet: Sheet, drawing: Drawing, container: etree._Element, node: etree._Element, leaving: list[etree._Element]
) -> None:
    """Several arrows out of a step, or one with a condition: the gateway that BPMN thinks into it is drawn."""
    if local_name(node) in GATEWAYS or is_bpmn(node, {"endEvent"}):
        return
    identity = node.get("id") or ""
    default = take(node, "default")
    conditional = _conditional(leaving, default)
    if len(leaving) < 2 and not conditional:
        if default is not None:
            sheet.keep(node, default=default)
        return
    others = [flow for flow in leaving if flow not in conditional and flow.get("id") != default]
    kind = "parallelGateway" if not conditional else "exclusiveGateway" if len(conditional) == 1 and not others else "inclusiveGateway"
    gateway = sheet.add_node(container, kind, f"Gateway_{identity}", "", identity)
    split = gateway.get("id") or ""
    for flow in leaving:
        flow.set("sourceRef", split)
    if conditional:
        if default in [flow.get("id") for flow in leaving]:
            gateway.set("default", default or "")
        for flow in others:
            condition = etree.SubElement(flow, f"{{{BPMN}}}conditionExpression")
            condition.text = "true"
    link = sheet.add_flow(container, identity, split)
    drawing.put_behind(identity, split, link.get("id") or "", [flow.get("id") or "" for flow in leaving])
    if len(leaving) == 1:
        end = sheet.add_node(container, "endEvent", f"EndEvent_{identity}", "", identity)
        rest = sheet.add_flow(container, split, end.get("id") or "")
        gateway.set("default", rest.get("id") or "")
        drawing.put_behind(split, end.get("id") or "", rest.get("id") or "", [], EVENT)
    said = {"parallelGateway": "并行网关（各条都走）", "exclusiveGateway": "排他网关", "inclusiveGateway": "包容网关（条件成立的都走）"}
    what = "有条件的箭头" if conditional else "多条箭头"
    sheet.rewrote(node, "split-drawn", f"直接流出{what}，其后补上{said[kind]}")


def _conditional(leaving: list[etree._Element], default: str | None) -> list[etree._Element]:
    """The arrows that are taken on a condition, be it one that is still empty; with a default, all others are."""
    if len(leaving) == 1:
        return [flow for flow in leaving if text_of(flow, "conditionExpression")]
    found = [flow for flow in leaving if child(flow, "conditionExpression") is not None and flow.get("id") != default]
    if default is not None and not found:
        return [flow for flow in leaving if flow.get("id") != default]
    return found


def _finish(sheet: Sheet, drawing: Drawing, container: etree._Element) -> None:
    """Where BPMN ends without an end event: at every step from which no arrow leads on."""
    out, _ = arrows(container)
    for node in nodes_in(container):
        identity = node.get("id") or ""
        if out.get(identity) or is_bpmn(node, {"endEvent"}):
            continue
        if is_bpmn(node, {"boundaryEvent"}) and node.get("cancelActivity") == "false":
            continue
        if is_bpmn(node, {"intermediateThrowEvent"}) and not event_definitions(node):
            sheet.retag(node, "endEvent")
            sheet.rewrote(node, "throw-to-end", "之后没有步骤，现为结束事件")
            continue
        end = sheet.add_node(container, "endEvent", f"EndEvent_{identity}", "", identity)
        flow = sheet.add_flow(container, identity, end.get("id") or "")
        drawing.put_behind(identity, end.get("id") or "", flow.get("id") or "", [], EVENT)
        sheet.rewrote(node, "end-added", "之后没有箭头，已补上结束事件")


def _say_conditions(sheet: Sheet) -> None:
    """An empty condition element means nothing and is no condition: it must not stand for one."""
    for flow in sheet.flows():
        condition = child(flow, "conditionExpression")
        if condition is not None and not text_of(flow, "conditionExpression"):
            sheet.keep(flow, condition)


def link_up(sheet: Sheet) -> None:
    """Makes `incoming` and `outgoing` of every node say what the arrows say."""
    for container in sheet.containers():
        out, into = arrows(container)
        for node in nodes_in(container):
            identity = node.get("id") or ""
            for tag, flows in (("incoming", into.get(identity, [])), ("outgoing", out.get(identity, []))):
                _listed(node, tag, [flow.get("id") or "" for flow in flows])


def _listed(node: etree._Element, tag: str, wanted: list[str]) -> None:
    present = node.findall(f"{{{BPMN}}}{tag}")
    known, needed = {(one.text or "").strip() for one in present}, set(wanted)
    if not present and local_name(node) in TASKS | GATEWAYS and not wanted:
        return
    for one in present:
        if (one.text or "").strip() not in needed:
            node.remove(one)
    behind = {"incoming": {"documentation", "extensionElements", "incoming"},
              "outgoing": {"documentation", "extensionElements", "incoming", "outgoing"}}[tag]  # fmt: skip
    place = sum(1 for one in node if is_bpmn(one, behind))
    for identity in wanted:
        if identity not in known:
            made = etree.Element(f"{{{BPMN}}}{tag}")
            made.text = identity
            node.insert(place, made)
            place += 1
