"""Event subprocesses, which no step of the engine can be: the rest of their level becomes a subprocess with a boundary event.

That says the same: what interrupts a boundary's activity interrupts everything beside the handler, and what does not
goes on beside it.
"""

from __future__ import annotations

from lxml import etree

from engine.process.interpreter.document import BPMN
from engine.process.workshop.importing.drawing import Box, Drawing
from engine.process.workshop.importing.events import bring_caught, bring_waiting, kind_of
from engine.process.workshop.importing.sheet import Sheet, event_definitions, flows_in, is_bpmn, nodes_in, take

#: Pixels between the main part and the frame drawn around it.
FRAME = 30.0
#: What an event subprocess may begin with and a boundary event may be.
_CATCHES = frozenset({"timer", "message", "signal", "error", "escalation"})


def bring_handlers(sheet: Sheet, drawing: Drawing) -> None:
    """All event subprocesses of the process, inner ones first."""
    for container in reversed(sheet.containers()):
        handlers = [node for node in nodes_in(container) if node.get("triggeredByEvent") == "true"]
        if not handlers:
            continue
        main = _wrap(sheet, drawing, container, handlers)
        for number, handler in enumerate(handlers, 1):
            _attach(sheet, drawing, container, main, handler, number / (len(handlers) + 1))


def _wrap(sheet: Sheet, drawing: Drawing, container: etree._Element, handlers: list[etree._Element]) -> str:
    """Moves everything but the handlers into a new subprocess between a start and an end; returns its id."""
    moved = [node for node in nodes_in(container) if node not in handlers]
    flows = flows_in(container)
    box = _around([found for node in moved if (found := drawing.box(node.get("id") or "")) is not None])
    plane = next((p for node in moved if (p := drawing.plane_of(node.get("id") or "")) is not None), None)
    near = (moved[0].get("id") or "") if moved else ""
    prefix = container.get("id") or "Process"
    main = sheet.add_node(container, "subProcess", f"Activity_{prefix}_Main", "主流程", near)
    start = sheet.add_node(container, "startEvent", f"StartEvent_{prefix}_Main", "", near)
    end = sheet.add_node(container, "endEvent", f"EndEvent_{prefix}_Main", "", near)
    for node in (*moved, *flows):
        main.append(node)
    identity = main.get("id") or ""
    first = sheet.add_flow(container, start.get("id") or "", identity)
    last = sheet.add_flow(container, identity, end.get("id") or "")
    if box is not None and plane is not None:
        _draw_frame(drawing, plane, identity, box, start, end)
        drawing.connect(first.get("id") or "", start.get("id") or "", identity)
        drawing.connect(last.get("id") or "", identity, end.get("id") or "")
    sheet.rewrote(main, "main-part-framed", "为代替事件子流程，其余步骤放进这个子流程，由边界事件引出处理步骤")
    return identity


def _draw_frame(drawing: Drawing, plane: etree._Element, identity: str, box: Box, start: etree._Element, end: etree._Element) -> None:
    drawing.draw(plane, identity, box, isExpanded="true")
    shape = drawing.shapes[identity]
    plane.remove(shape)
    plane.insert(0, shape)  # behind what it frames
    middle = box.centre[1] - 18
    drawing.draw(plane, start.get("id") or "", Box(box.x - 66, middle, 36, 36))
    drawing.draw(plane, end.get("id") or "", Box(box.x + box.width + 30, middle, 36, 36))


def _around(boxes: list[Box]) -> Box | None:
    if not boxes:
        return None
    left, top = min(box.x for box in boxes) - FRAME, min(box.y for box in boxes) - FRAME
    right, bottom = max(box.x + box.width for box in boxes) + FRAME, max(box.y + box.height for box in boxes) + FRAME
    return Box(left, top, right - left, bottom - top)


def _attach(
    sheet: Sheet, drawing: Drawing, container: etree._Element, main: str, handler: etree._Element, place: float
) -> None:
    """A boundary event on the main part leads to the handler, which becomes an ordinary subprocess.

    `place` is where on the lower edge the event sits, from 0 to 1.
    """
    start = next((node for node in nodes_in(handler) if is_bpmn(node, {"startEvent"})), None)
    identity = handler.get("id") or ""
    event = sheet.add_node(container, "boundaryEvent", f"BoundaryEvent_{identity}", "", main)
    event.set("attachedToRef", main)
    kind = kind_of(start) if start is not None else "none"
    if start is not None:
        event.set("name", start.get("name") or handler.get("name") or "")
        if start.get("isInterrupting") == "false":
            event.set("cancelActivity", "false")
            sheet.keep(start, isInterrupting=take(start, "isInterrupting") or "")
        for definition in event_definitions(start):
            event.append(definition)
        sheet.keep(start, eventDefinition=kind)
    if kind not in _CATCHES:
        sheet.keep(event, *event_definitions(event))
        etree.SubElement(event, f"{{{BPMN}}}messageEventDefinition")
        sheet.lacks(event, "message-from-whom", "原由其他方式触发，现等待消息；请确认这个消息由谁发出", required=False)
    if kind in ("error", "escalation"):
        bring_caught(sheet, event, kind)
    if kind == "error":
        take(event, "cancelActivity")
    sheet.keep(handler, triggeredByEvent=take(handler, "triggeredByEvent") or "")
    flow = sheet.add_flow(container, event.get("id") or "", identity)
    bring_waiting(sheet, event)
    _draw_event(drawing, main, event, identity, flow, place)
    sheet.rewrote(handler, "event-subprocess-to-boundary", "事件子流程改为普通子流程，由“主流程”上的边界事件引出")


def _draw_event(
    drawing: Drawing, main: str, event: etree._Element, handler: str, flow: etree._Element, place: float
) -> None:
    plane, frame, target = drawing.plane_of(main), drawing.box(main), drawing.box(handler)
    if plane is None or frame is None:
        return
    x = frame.x + frame.width * place
    y = frame.y + frame.height - 18
    drawing.draw(plane, event.get("id") or "", Box(x - 18, y, 36, 36))
    if target is not None:
        down = target.y >= y + 36
        way = [(x, y + 36), (x, target.y)] if down and target.x < x < target.x + target.width else [
            (x, y + 36), (x, y + 50), (target.centre[0], y + 50), (target.centre[0], target.y if down else target.y + target.height)
        ]  # fmt: skip
        drawing.line(plane, flow.get("id") or "", way)


