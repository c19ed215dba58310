"""The drawing of what the import adds: shapes and lines for new gateways and events, where their neighbours leave room.

Only the geometry of the file that was uploaded is touched here; a file without any drawing gets one in `layout`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

from lxml import etree

from engine.process.workshop.importing.sheet import Sheet

BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"

#: Prefixes for elements of the drawing in a file that has none of them yet.
NSMAP = {"bpmndi": BPMNDI, "dc": DC, "di": DI}

Point = tuple[float, float]

#: Pixels between a node and what is put behind it; edge of an inserted gateway or event.
GAP, GATEWAY, EVENT = 20.0, 40.0, 36.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where a shape stands, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(slots=True)
class Drawing:
    """The shapes and lines of a file, by the element that they show."""

    sheet: Sheet
    shapes: dict[str, etree._Element] = field(default_factory=dict)
    edges: dict[str, etree._Element] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for shape in self.sheet.root.iter(f"{{{BPMNDI}}}BPMNShape"):
            self.shapes.setdefault(shape.get("bpmnElement") or "", shape)
        for identity in [identity for identity in self.shapes if self._unreadable(identity)]:
            shape = self.shapes.pop(identity)
            parent = shape.getparent()
            if parent is not None:
                parent.remove(shape)  # no tool can show it: it is drawn anew, not beside it
        for edge in self.sheet.root.iter(f"{{{BPMNDI}}}BPMNEdge"):
            self.edges.setdefault(edge.get("bpmnElement") or "", edge)

    def _unreadable(self, identity: str) -> bool:
        return self.shapes[identity].find(f"{{{DC}}}Bounds") is not None and self.box(identity) is None

    def box(self, identity: str) -> Box | None:
        """Where an element is drawn; None where it is not, or not with numbers."""
        shape = self.shapes.get(identity)
        bounds = shape.find(f"{{{DC}}}Bounds") if shape is not None else None
        if bounds is None:
            return None
        try:
            return Box(*(_finite(bounds.get(name)) for name in ("x", "y", "width", "height")))
        except ValueError:
            return None

    def way(self, identity: str) -> list[Point]:
        """The corners of a line; empty where it is not drawn."""
        edge = self.edges.get(identity)
        if edge is None:
            return []
        try:
            return [(_finite(p.get("x")), _finite(p.get("y"))) for p in edge.findall(f"{{{DI}}}waypoint")]
        except ValueError:
            return []

    def plane_of(self, identity: str) -> etree._Element | None:
        """The plane on which an element is drawn."""
        shape = self.shapes.get(identity)
        return shape.getparent() if shape is not None else None

    def draw(self, plane: etree._Element, identity: str, box: Box, **attributes: str) -> None:
        """Adds a shape."""
        shape = etree.SubElement(
            plane, f"{{{BPMNDI}}}BPMNShape", {"id": self.sheet.new_id(f"{identity}_di"), "bpmnElement": identity, **attributes},
            nsmap=NSMAP,
        )  # fmt: skip
        etree.SubElement(
            shape, f"{{{DC}}}Bounds", {"x": _number(box.x), "y": _number(box.y), "width": _number(box.width), "height": _number(box.height)}
        )
        self.shapes[identity] = shape

    def line(self, plane: etree._Element, identity: str, way: list[Point]) -> None:
        """Adds a line, or lays an existing one anew."""
        edge = self.edges.get(identity)
        if edge is None:
            edge = etree.SubElement(
                plane, f"{{{BPMNDI}}}BPMNEdge", {"id": self.sheet.new_id(f"{identity}_di"), "bpmnElement": identity}, nsmap=NSMAP
            )
            self.edges[identity] = edge
        for point in edge.findall(f"{{{DI}}}waypoint"):
            edge.remove(point)
        for position, (x, y) in enumerate(way):
            edge.insert(position, etree.Element(f"{{{DI}}}waypoint", {"x": _number(x), "y": _number(y)}))

    def put_behind(self, node: str, new: str, link: str, flows: list[str], size: float = GATEWAY) -> None:
        """Draws `new` right behind `node`: `link` leads to it, `flows` now begin there."""
        plane, box = self.plane_of(node), self.box(node)
        if plane is None or box is None:
            return
        ways = [self.way(flow) for flow in flows]
        first = next((way for way in ways if len(way) >= 2), None)
        start, (dx, dy) = _direction(box, first)
        centre = (start[0] + dx * (GAP + size / 2), start[1] + dy * (GAP + size / 2))
        self.draw(plane, new, Box(centre[0] - size / 2, centre[1] - size / 2, size, size))
        self.line(plane, link, [start, (centre[0] - dx * size / 2, centre[1] - dy * size / 2)])
        for flow, way in zip(flows, ways, strict=True):
            if len(way) >= 2:
                self.line(plane, flow, [_corner(centre, size, way[1]), *way[1:]])

    def put_before(self, node: str, new: str, link: str, flows: list[str], size: float = GATEWAY) -> None:
        """Draws `new` left of `node`: `link` leads from it to the node, `flows` now end at it."""
        plane, box = self.plane_of(node), self.box(node)
        if plane is None or box is None:
            return
        end = (box.x, box.centre[1])
        centre = (end[0] - GAP - size / 2, end[1])
        self.draw(plane, new, Box(centre[0] - size / 2, centre[1] - size / 2, size, size))
        self.line(plane, link, [(centre[0] + size / 2, centre[1]), end])
        for flow in flows:
            way = self.way(flow)
            if len(way) >= 2:
                self.line(plane, flow, [*way[:-1], _corner(centre, size, way[-2])])

    def connect(self, flow: str, source: str, target: str) -> None:
        """Draws a line between two shapes, square where they do not stand side by side."""
        plane, one, other = self.plane_of(source), self.box(source), self.box(target)
        if plane is not None and one is not None and other is not None:
            self.line(plane, flow, square(one, other))


def square(one: Box, other: Box) -> list[Point]:
    """A line of right angles from the right side of one box to the left side of another; around it where that lies behind."""
    start, end = (one.x + one.width, one.centre[1]), (other.x, other.centre[1])
    if other.x >= one.x + one.width:
        if abs(start[1] - end[1]) < 1:
            return [start, end]
        middle = end[0] - min(GAP, (end[0] - start[0]) / 2)
        return [start, (middle, start[1]), (middle, end[1]), end]
    below = max(one.y + one.height, other.y + other.height) + GAP
    return [(one.centre[0], one.y + one.height), (one.centre[0], below), (other.centre[0], below), (other.centre[0], other.y + other.height)]


def _direction(box: Box, way: list[Point] | None) -> tuple[Point, Point]:
    """Where a line leaves a box, and the way that it takes there."""
    if way is None:
        return (box.x + box.width, box.centre[1]), (1, 0)
    (x, y), (to_x, to_y) = way[0], way[1]
    if abs(to_x - x) >= abs(to_y - y):
        return (x, y), (1 if to_x >= x else -1, 0)
    return (x, y), (0, 1 if to_y >= y else -1)


def _corner(centre: Point, size: float, towards: Point) -> Point:
    """The corner of a gateway that looks at a point."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    if abs(dx) >= abs(dy):
        return centre[0] + (size / 2 if dx >= 0 else -size / 2), centre[1]
    return centre[0], centre[1] + (size / 2 if dy >= 0 else -size / 2)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def _finite(text: str | None) -> float:
    """A coordinate; nothing counts as 0. Raises ValueError for what is no number, or none on paper (NaN, Infinity)."""
    value = float(text or 0)
    if not isfinite(value):
        raise ValueError(text)
    return value
