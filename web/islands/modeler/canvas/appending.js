// What follows an element: a typical step is appended by the context pad's menu, or by the panel's buttons, which a keyboard
// reaches. An activity can be given its set of three timers (supervision.js).
import { is } from "bpmn-js/lib/util/ModelUtil";
import { STEPS, makeStep } from "./steps.js";

const MENU = "append-step";

// Whether something may follow the element.
export function continues(element) {
  return is(element, "bpmn:FlowNode") && !is(element, "bpmn:EndEvent") && !element.labelTarget;
}

function Appending(autoPlace, contextPad, create, elementFactory, modeling, moddle, popupMenu, supervision, writing) {
  const append = (element, key) => {
    const shapes = makeStep(STEPS.find((step) => step.key === key), elementFactory, moddle);
    let placed;
    writing.together(() => {
      placed = autoPlace.append(element, shapes[0]);
      if (shapes[1]) modeling.createShape(shapes[1], { x: placed.x + 58, y: placed.y + placed.height / 2 }, placed);
    });
    return placed;
  };
  const appendPlain = (element, type) => autoPlace.append(element, elementFactory.createShape({ type }));

  const drag = (event, element, key) => {
    const shapes = makeStep(STEPS.find((step) => step.key === key), elementFactory, moddle);
    create.start(event, shapes.length > 1 ? shapes : shapes[0], shapes.length > 1 ? {} : { source: element });
  };

  popupMenu.registerProvider(MENU, {
    getPopupMenuEntries: (element) => Object.fromEntries(STEPS.map((step) => [
      step.key, { label: step.name, className: step.icon, title: step.help, action: () => append(element, step.key) },
    ])),
  });

  contextPad.registerProvider(500, {
    getContextPadEntries: (element) => (entries) => {
      for (const key of ["append.append-task", "append.condition-intermediate-event"]) delete entries[key];
      if (continues(element) && !is(element, "bpmn:EventBasedGateway")) {
        entries["append.review"] = {
          group: "model", className: "bpmn-icon-user-task", title: "追加审核任务",
          action: { click: () => append(element, "review"), dragstart: (event) => drag(event, element, "review") },
        };
        entries["append.step"] = {
          group: "model", className: "modeler-icon-more", title: "追加其他环节",
          action: {
            click: (event) => {
              const pad = contextPad.getPad(element).html.getBoundingClientRect();
              popupMenu.open(element, MENU, { x: pad.left, y: pad.bottom + 5, cursor: { x: event.x, y: event.y } }, { title: "追加环节", width: 220, search: true });
            },
          },
        };
      }
      if (supervision.possible(element)) {
        entries["supervise"] = {
          group: "edit", className: "bpmn-icon-intermediate-event-catch-timer", title: "加督办时限（时限、提醒、升级）",
          action: { click: () => supervision.add(element) },
        };
      }
      return entries;
    },
  });

  return { append, appendPlain };
}
Appending.$inject = ["autoPlace", "contextPad", "create", "elementFactory", "modeling", "moddle", "popupMenu", "supervision", "writing"];

export default { __init__: ["appending"], appending: ["factory", Appending] };
