"""A drawing for files that come without one, or with half of one: from left to right, each lane a band.

No art is attempted: steps stand in columns by how far they are from the start, and an admin moves them from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from engine.process.interpreter.document import BPMN, EVENTS, GATEWAYS, local_name
from engine.process.interpreter.graph import postorder
from engine.process.workshop.importing.drawing import BPMNDI, NSMAP, Box, Drawing, Point
from engine.process.workshop.importing.sheet import NODES, Sheet, arrows, flows_in, is_bpmn, nodes_in

#: Pixels: between columns, between rows, around the steps of a frame, the label strip of a pool or lane.
COLUMN, ROW, MARGIN, STRIP = 60.0, 40.0, 40.0, 30.0
#: Height of a pool of which nothing inside is known.
BLACK_BOX = 60.0
LEFT, TOP = 160.0, 80.0

_ARTIFACTS = ("dataObjectReference", "dataStoreReference", "textAnnotation", "group")


@dataclass(slots=True)
class Frame:
    """The steps of one level with their places, counted from its own top left corner."""

    width: float = 0
    height: float = 0
    boxes: dict[str, Box] = field(default_factory=dict)
    """Places of the nodes of this level and of all levels inside."""
    bands: dict[str, Box] = field(default_factory=dict)
    """Places of the lanes."""


def draw_what_is_missing(sheet: Sheet, drawing: Drawing) -> None:
    """Draws the whole process where nothing of it is drawn, single steps where some are missing."""
    nodes = [node.get("id") or "" for node in sheet.nodes()]
    drawn = [name for name in nodes if drawing.box(name) is not None]
    if not drawn:
        _draw_all(sheet, drawing)
        sheet.rewrote(sheet.process, "drawing-made", "文件中没有流程的图形位置，已自动排列")
    elif len(drawn) < len(nodes):
        _draw_rest(sheet, drawing, [name for name in nodes if name not in drawn])
    _diagram_first(sheet, drawing, nodes)


def _diagram_first(sheet: Sheet, drawing: Drawing, nodes: list[str]) -> None:
    """Of several drawings in a file, viewers show the first: that is the one with the process that runs."""
    plane = next((plane for name in nodes if (plane := drawing.plane_of(name)) is not None), None)
    diagram = plane.getparent() if plane is not None else None
    first = sheet.root.find(f"{{{BPMNDI}}}BPMNDiagram")
    if diagram is not None and first is not None and first is not diagram and diagram.getparent() is sheet.root:
        first.addprevious(diagram)


# -- all of it ------------------------------------------------------------------------------------


def _draw_all(sheet: Sheet, drawing: Drawing) -> None:
    frame = _arranged(sheet.process, _bands(sheet))
    pools = list(sheet.root.iter(f"{{{BPMN}}}participant"))
    own = next((pool for pool in pools if pool.get("processRef") == sheet.process.get("id")), None)
    plane = _plane(sheet, pools[0].getparent() if own is not None else None)
    strip = STRIP if own is not None else 0
    width = max(frame.width, 300) + strip
    if own is not None:
        drawing.draw(plane, own.get("id") or "", Box(LEFT, TOP, width, frame.height), isHorizontal="true")
    for lane, band in frame.bands.items():
        drawing.draw(plane, lane, Box(LEFT + strip + band.x, TOP + band.y, width - strip - band.x, band.height), isHorizontal="true")
    _draw_level(sheet.process, drawing, plane, frame, (LEFT + strip, TOP))
    bottom = TOP + frame.height
    if any(is_bpmn(item, _ARTIFACTS) for item in sheet.process):
        bottom += 2 * ROW + MARGIN  # they stand in a row between the pools
    for pool in pools if own is not None else ():
        if pool is not own and drawing.box(pool.get("id") or "") is None:
            bottom += ROW
            drawing.draw(plane, pool.get("id") or "", Box(LEFT, bottom, width, BLACK_BOX), isHorizontal="true")
            bottom += BLACK_BOX
    for flow in sheet.root.iter(f"{{{BPMN}}}messageFlow"):
        _message_flow(drawing, plane, flow)


def _plane(sheet: Sheet, collaboration: etree._Element | None) -> etree._Element:
    """A drawing of its own for what has none; one that is there but empty is used."""
    subject = (collaboration if collaboration is not None else sheet.process).get("id") or ""
    for plane in sheet.root.iter(f"{{{BPMNDI}}}BPMNPlane"):
        if plane.get("bpmnElement") in (subject, sheet.process.get("id")) or len(plane) == 0:
            plane.set("bpmnElement", subject)
            return plane
    diagram = etree.SubElement(sheet.root, f"{{{BPMNDI}}}BPMNDiagram", {"id": sheet.new_id("BPMNDiagram_1")}, nsmap=NSMAP)
    return etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane", {"id": sheet.new_id("BPMNPlane_1"), "bpmnElement": subject})


def _bands(sheet: Sheet) -> dict[str, str]:
    """Node → its innermost lane, in the order of the file."""
    found = {}
    for lane in sheet.process.iter(f"{{{BPMN}}}lane"):
        for reference in lane.findall(f"{{{BPMN}}}flowNodeRef"):
            found[(reference.text or "").strip()] = lane.get("id") or ""
    return found


def _arranged(container: etree._Element, lanes: dict[str, str]) -> Frame:
    """Places for one level: columns by distance from the start, rows by what is free, bands by lane."""
    inner: dict[str, Frame] = {}
    sizes: dict[str, Point] = {}
    nodes = [node for node in nodes_in(container) if not is_bpmn(node, {"boundaryEvent"})]
    for node in nodes:
        identity = node.get("id") or ""
        sizes[identity] = _size(node)
        if is_bpmn(node, {"subProcess"}) and nodes_in(node):
            inner[identity] = _arranged(node, {})
            sizes[identity] = inner[identity].width, inner[identity].height
    columns = _columns(container, list(sizes))
    names = list(dict.fromkeys(lanes.get(name, "") for name in sizes)) or [""]
    frame = Frame()
    lefts, left = {}, MARGIN
    for column in sorted(set(columns.values())):
        lefts[column] = left
        left += max(sizes[name][0] for name in sizes if columns[name] == column) + COLUMN
    top = 0.0
    inset = STRIP if any(names) else 0.0
    for lane in names:
        height = _row_up(frame, [name for name in sizes if lanes.get(name, "") == lane], columns, lefts, sizes, top, inset)
        if lane:
            frame.bands[lane] = Box(0, top, 0, height)
        top += height
    frame.width, frame.height = inset + max(left - COLUMN, 0) + MARGIN, top
    for name, part in inner.items():
        place = frame.boxes[name]
        frame.boxes |= {key: Box(place.x + box.x, place.y + box.y, box.width, box.height) for key, box in part.boxes.items()}
    _on_edges(container, frame)
    return frame


def _row_up(
    frame: Frame, names: list[str], columns: dict[str, int], lefts: dict[int, float], sizes: dict[str, Point], top: float, inset: float
) -> float:
    """Puts the steps of one band under each other, column by column; returns the band's height."""
    below: dict[int, float] = {}
    for name in names:
        column, (width, height) = columns[name], sizes[name]
        y = below.get(column, top + MARGIN)
        tall = max(height, 80.0)  # so that events and gateways stand level with tasks
        frame.boxes[name] = Box(inset + lefts[column], y + (tall - height) / 2, width, height)
        below[column] = y + tall + ROW
    return max([*below.values(), top + MARGIN + 80 + ROW]) - ROW + MARGIN - top


def _on_edges(container: etree._Element, frame: Frame) -> None:
    """Boundary events sit on the lower edge of their activity, side by side."""
    count: dict[str, int] = {}
    for node in nodes_in(container):
        host = node.get("attachedToRef") or ""
        if is_bpmn(node, {"boundaryEvent"}) and host in frame.boxes:
            count[host] = count.get(host, 0) + 1
            box = frame.boxes[host]
            x = box.x + box.width - 40 * count[host]
            frame.boxes[node.get("id") or ""] = Box(x, box.y + box.height - 18, 36, 36)


def _size(node: etree._Element) -> Point:
    tag = local_name(node)
    return (36, 36) if tag in EVENTS else (50, 50) if tag in GATEWAYS else (100, 80)


def _columns(container: etree._Element, names: list[str]) -> dict[str, int]:
    """How many steps each node is from the start, by the longest way without going back."""
    out, into = arrows(container)
    hosts = {node.get("id"): node.get("attachedToRef") for node in nodes_in(container) if node.get("attachedToRef")}
    following: dict[str, list[str]] = {name: [] for name in names}
    for source, flows in out.items():
        at = hosts.get(source) or source
        following.setdefault(at, []).extend(flow.get("targetRef") or "" for flow in flows)
    following = {name: [target for target in targets if target in following] for name, targets in following.items()}
    found = dict.fromkeys(names, 0)
    order = postorder(sorted(names, key=lambda name: bool(into.get(name))), following)
    back = {name: place for place, name in enumerate(reversed(order))}
    for name in reversed(order):
        for target in following[name]:
            if target in found and back.get(target, -1) > back[name]:
                found[target] = max(found[target], found[name] + 1)
    return found


def _draw_level(container: etree._Element, drawing: Drawing, plane: etree._Element, frame: Frame, corner: Point) -> None:
    for node in nodes_in(container):
        identity = node.get("id") or ""
        box = frame.boxes.get(identity)
        if box is None:
            continue
        more = {"isExpanded": "true"} if nodes_in(node) else {"isMarkerVisible": "true"} if is_bpmn(node, {"exclusiveGateway"}) else {}
        drawing.draw(plane, identity, Box(corner[0] + box.x, corner[1] + box.y, box.width, box.height), **more)
    for node in nodes_in(container):
        _draw_level(node, drawing, plane, frame, corner)
    for flow in flows_in(container):
        drawing.connect(flow.get("id") or "", flow.get("sourceRef") or "", flow.get("targetRef") or "")
    _artifacts(container, drawing, plane, corner[1] + frame.height)


def _artifacts(container: etree._Element, drawing: Drawing, plane: etree._Element, below: float) -> None:
    """Data and notes stand in a row below what they belong to."""
    x = LEFT + MARGIN
    for item in container:
        if is_bpmn(item, _ARTIFACTS) and drawing.box(item.get("id") or "") is None and item.get("id"):
            size = (36, 50) if is_bpmn(item, {"dataObjectReference"}) else (50, 50) if is_bpmn(item, {"dataStoreReference"}) else (100, 50)
            drawing.draw(plane, item.get("id") or "", Box(x, below + ROW, *size))
            x += size[0] + COLUMN
    for item in container:
        if is_bpmn(item, {"association"}) and item.get("id") and not drawing.way(item.get("id") or ""):
            one, other = drawing.box(item.get("sourceRef") or ""), drawing.box(item.get("targetRef") or "")
            if one is not None and other is not None:
                drawing.line(plane, item.get("id") or "", [one.centre, other.centre])


def _message_flow(drawing: Drawing, plane: etree._Element, flow: etree._Element) -> None:
    one, other = drawing.box(flow.get("sourceRef") or ""), drawing.box(flow.get("targetRef") or "")
    if one is None or other is None or drawing.way(flow.get("id") or ""):
        return
    x = min((one, other), key=lambda box: box.width).centre[0]
    down = one.y < other.y
    way = [(x, one.y + one.height if down else one.y), (x, other.y if down else other.y + other.height)]
    drawing.line(plane, flow.get("id") or "", way)


# -- some of it -----------------------------------------------------------------------------------


def _draw_rest(sheet: Sheet, drawing: Drawing, missing: list[str]) -> None:
    """Steps without a place stand in a row below the others of their plane; those inside a closed frame stay inside."""
    boxes = [box for node in sheet.nodes() if (box := drawing.box(node.get("id") or "")) is not None]
    plane = next(plane for node in sheet.nodes() if (plane := drawing.plane_of(node.get("id") or "")) is not None)
    x, below = min(box.x for box in boxes), max(box.y + box.height for box in boxes) + ROW
    placed = []
    for identity in missing:
        node = sheet.find(identity)
        around = node.getparent() if node is not None else None
        if node is None or (around is not None and around is not sheet.process and _closed(drawing, around)):
            continue
        host = drawing.box(node.get("attachedToRef") or "")
        width, height = _size(node)
        if host is not None:
            drawing.draw(plane, identity, Box(host.x + host.width - 40, host.y + host.height - 18, 36, 36))
        else:
            drawing.draw(plane, identity, Box(x, below, width, height))
            x += width + COLUMN
        placed.append(identity)
    for flow in sheet.flows():
        if not drawing.way(flow.get("id") or ""):
            drawing.connect(flow.get("id") or "", flow.get("sourceRef") or "", flow.get("targetRef") or "")
    if placed:
        sheet.rewrote(sheet.process, "drawing-completed", f"有{len(placed)}个步骤没有图形位置，已排在图的下方")


def _closed(drawing: Drawing, frame: etree._Element) -> bool:
    """Whether a subprocess is drawn folded up, so that what is inside has no place on this plane."""
    shape = drawing.shapes.get(frame.get("id") or "")
    return shape is None or shape.get("isExpanded") == "false" or (is_bpmn(frame, NODES) and shape.get("isExpanded") is None)
