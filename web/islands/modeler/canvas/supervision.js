// The frame that a legal limit wants around an activity, as one act: a deadline, a reminder before it and an escalation after it,
// each with what happens then. Only the deadline's days are a number of its own; the other two follow it. Nothing is decided by
// a limit: people are told, and the supervision process starts.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";
import { furnish, propertiesOf } from "./properties.js";

const TIMERS = [
  { name: "临近时限", timer: { beforeDeadline: "2", role: "reminder" }, then: "notice" },
  { name: "时限届满", timer: { workingDays: "10", role: "deadline", onPause: "pause" }, then: "call" },
  { name: "逾期升级", timer: { afterDeadline: "3", role: "escalation" }, then: "report" },
];
const THEN = {
  notice: {
    type: "bpmn:ServiceTask", name: "提醒承办岗位",
    properties: { operation: "notices.send", "in.unit": "applicant_unit", "in.post": '"handler"', "in.title": '"临近时限"', "in.text": 'case.number + "临近时限，请及时办理。"' },
  },
  call: { type: "bpmn:CallActivity", name: "督办", properties: { "in.source_unit": "applicant_unit" }, called: "supervision" },
  report: {
    type: "bpmn:ServiceTask", name: "报告负责人",
    properties: { operation: "notices.send", "in.unit": 'body("leadership_office")', "in.post": '"head"', "in.title": '"逾期未办结"', "in.text": 'case.number + "经督办仍未办结。"' },
  },
};

function Supervision(elementFactory, modeling, moddle, writing) {
  const deadlineOf = (element) =>
    element.attachers?.some((event) => getBusinessObject(event).eventDefinitions?.[0]?.get?.("sharing:role") === "deadline");

  // An activity has one deadline: where there is one, or a limit, there is nothing to add.
  const possible = (element) =>
    is(element, "bpmn:Activity") && !element.labelTarget && !propertiesOf(getBusinessObject(element)).limit && !deadlineOf(element);

  const follower = (kind, unit) => {
    const { type, name, properties, called } = THEN[kind];
    const shape = elementFactory.createShape({ type });
    shape.businessObject.set("name", name);
    if (called) shape.businessObject.set("calledElement", called);
    const own = unit && kind !== "report" ? Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, value === "applicant_unit" ? unit : value])) : properties;
    furnish(moddle, shape.businessObject, own);
    return shape;
  };

  const unitOf = (object) => propertiesOf(object).unit || (object.lanes || []).map((lane) => propertiesOf(lane).unit).find(Boolean);

  // Three events stand close together on a task: the arrows part before the row below, and no label lies on another.
  const tidy = (event, next, bottom, index) => {
    const from = { x: event.x + event.width / 2, y: event.y + event.height };
    const to = { x: next.x + next.width / 2, y: next.y };
    const bend = bottom + 52;
    modeling.updateWaypoints(event.outgoing[0], from.x === to.x ? [from, to] : [from, { x: from.x, y: bend }, { x: to.x, y: bend }, to]);
    const label = event.labels?.[0];
    if (!label) return;
    const place = [{ x: from.x - label.width - 24, y: bottom + 4 }, { x: from.x + 8, y: bend + 8 }, { x: from.x + 24, y: bottom + 4 }][index];
    modeling.moveShape(label, { x: place.x - label.x, y: place.y - label.y });
  };

  const add = (element) => writing.together(() => {
    const parent = element.parent;
    const unit = unitOf(getBusinessObject(element));
    // At least wide enough apart for the labels; a narrow task lets its row of followers reach beyond it.
    const gap = Math.max(element.width / 3, 130);
    TIMERS.forEach(({ name, timer, then }, index) => {
      const event = elementFactory.createShape({ type: "bpmn:BoundaryEvent", eventDefinitionType: "bpmn:TimerEventDefinition" });
      event.businessObject.set("name", name);
      event.businessObject.set("cancelActivity", false);
      for (const [key, value] of Object.entries(timer)) event.businessObject.eventDefinitions[0].set(key, value);
      const x = element.x + (element.width / 6) * (2 * index + 1);
      const bottom = element.y + element.height;
      const placed = modeling.createShape(event, { x, y: bottom }, element, { attach: true });
      const below = { x: element.x + element.width / 2 + gap * (index - 1), y: bottom + 130 };
      const next = modeling.appendShape(placed, follower(then, unit), below, parent);
      tidy(placed, next, bottom, index);
      const end = elementFactory.createShape({ type: "bpmn:EndEvent" });
      end.businessObject.set("name", `已${{ notice: "提醒", call: "督办", report: "报告" }[then]}`);
      modeling.appendShape(next, end, { x: below.x, y: below.y + 110 }, parent);
    });
  });

  return { possible, add };
}
Supervision.$inject = ["elementFactory", "modeling", "moddle", "writing"];

export default { __init__: ["supervision"], supervision: ["factory", Supervision] };
