"""Every shipped diagram can be read on paper: all is drawn, flows run square and around the boxes, nothing lies on anything."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any, NamedTuple

import pytest

from tests.bpmn.shipped import NAMES, PROCESSES, diagram, tree

every_process = pytest.mark.parametrize("process", PROCESSES)


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether they share more than an edge."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: Box) -> bool:
        return self.left <= other.left and self.top <= other.top and self.right >= other.right and self.bottom >= other.bottom


def box_of(bounds: Any) -> Box:
    x, y, width, height = (float(bounds.get(name)) for name in ("x", "y", "width", "height"))
    return Box(x, y, x + width, y + height)


def drawn(process: str) -> dict[str, Box]:
    """Element id → its box, lanes and the pool included."""
    return {
        shape.get("bpmnElement"): box_of(shape.find("dc:Bounds", NAMES))
        for shape in tree(process).iterfind(".//bpmndi:BPMNShape", NAMES)
    }


def labels(process: str) -> dict[str, Box]:
    """Element id → the box of its label, where one stands outside the shape."""
    found = {}
    for kind in ("BPMNShape", "BPMNEdge"):
        for shape in tree(process).iterfind(f".//bpmndi:{kind}", NAMES):
            bounds = shape.find("bpmndi:BPMNLabel/dc:Bounds", NAMES)
            if bounds is not None:
                found[shape.get("bpmnElement")] = box_of(bounds)
    return found


def flows(process: str) -> dict[str, list[tuple[float, float]]]:
    """Flow id → its bends."""
    return {
        edge.get("bpmnElement"): [(float(p.get("x")), float(p.get("y"))) for p in edge.iterfind("di:waypoint", NAMES)]
        for edge in tree(process).iterfind(".//bpmndi:BPMNEdge", NAMES)
    }


def solid(process: str) -> dict[str, Box]:
    """The shapes that nothing may cross: all but pool, lanes and opened subprocesses."""
    steps, boxes = diagram(process).steps, drawn(process)
    return {id: boxes[id] for id, step in steps.items() if step.kind != "subprocess"}


def segments(bends: list[tuple[float, float]]) -> list[Box]:
    return [Box(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])) for a, b in pairwise(bends)]


@every_process
def test_everything_is_drawn_once(process: str) -> None:
    shapes = [shape.get("bpmnElement") for shape in tree(process).iterfind(".//bpmndi:BPMNShape", NAMES)]
    lanes = {lane.get("id") for lane in tree(process).iterfind(".//bpmn:lane", NAMES)}
    pool = {pool.get("id") for pool in tree(process).iterfind(".//bpmn:participant", NAMES)}
    assert sorted(shapes) == sorted({*diagram(process).steps, *lanes, *pool})
    edges = [edge.get("bpmnElement") for edge in tree(process).iterfind(".//bpmndi:BPMNEdge", NAMES)]
    assert sorted(edges) == sorted(diagram(process).flows)


@every_process
def test_every_node_stands_in_the_lane_that_it_belongs_to(process: str) -> None:
    boxes = drawn(process)
    for lane in tree(process).iterfind(".//bpmn:lane", NAMES):
        for reference in lane.iterfind("bpmn:flowNodeRef", NAMES):
            node = boxes[reference.text]
            middle = Box(*(2 * ((node.left + node.right) / 2, (node.top + node.bottom) / 2)))
            assert boxes[lane.get("id")].holds(middle), reference.text
    members = [reference.text for reference in tree(process).iterfind(".//bpmn:flowNodeRef", NAMES)]
    assert sorted(members) == sorted(diagram(process).steps)


@every_process
def test_no_shape_lies_on_another(process: str) -> None:
    steps = diagram(process).steps
    for (one, here), (other, there) in combinations(solid(process).items(), 2):
        if steps[one].attached_to != other and steps[other].attached_to != one:
            assert not here.overlaps(there), f"{one} lies on {other}"


@every_process
def test_flows_run_square_from_edge_to_edge_and_cross_no_shape(process: str) -> None:
    boxes, shapes = drawn(process), solid(process)
    for id, bends in flows(process).items():
        flow = diagram(process).flows[id]
        for (x, y), node in ((bends[0], flow.source), (bends[-1], flow.target)):
            box = boxes[node]
            assert x in (box.left, box.right) or y in (box.top, box.bottom), f"{id} does not touch {node}"
        for (x1, y1), (x2, y2) in pairwise(bends):
            assert x1 == x2 or y1 == y2, f"{id} runs aslant"
        for segment in segments(bends):
            for node, box in shapes.items():
                if node not in (flow.source, flow.target):
                    assert not segment.overlaps(box), f"{id} crosses {node}"


@every_process
def test_labels_cover_neither_shapes_nor_flows_nor_each_other(process: str) -> None:
    texts = labels(process)
    for id, label in texts.items():
        for node, box in solid(process).items():
            assert not label.overlaps(box), f"the label of {id} lies on {node}"
        for flow, bends in flows(process).items():
            assert not any(label.overlaps(segment) for segment in segments(bends)), f"{flow} runs through the label of {id}"
    for (one, here), (other, there) in combinations(texts.items(), 2):
        assert not here.overlaps(there), f"the labels of {one} and {other} lie on each other"
