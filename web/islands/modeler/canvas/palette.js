// The step library at the left: the tools, the plain elements that run, and the domain's typical steps, all with their names.
// What bpmn-js would offer and the engine refuses (an untyped task, data objects, a second pool) is not offered.
import { STEPS, makeStep } from "./steps.js";

const UNWANTED = ["create.task", "create.data-object", "create.data-store", "create.participant-expanded", "create.subprocess-expanded"];
const NAMES = {
  "create.start-event": "开始", "create.intermediate-event": "中间事件", "create.end-event": "结束", "create.exclusive-gateway": "网关",
  "create.group": "分组框",
};

const named = (name) => `<div class="entry entry-named" draggable="true"><span>${name}</span></div>`;

function StepLibrary(palette, create, elementFactory, moddle) {
  palette.registerProvider(500, this);

  this.getPaletteEntries = () => (entries) => {
    for (const key of UNWANTED) delete entries[key];
    for (const [key, name] of Object.entries(NAMES)) Object.assign(entries[key], { html: named(name), title: name });
    for (const step of STEPS) {
      const start = (event) => {
        const shapes = makeStep(step, elementFactory, moddle);
        create.start(event, shapes.length > 1 ? shapes : shapes[0], { hints: { autoSelect: [shapes[0]] } });
      };
      entries[`step.${step.key}`] = {
        group: "steps", className: step.icon, title: `${step.name}：${step.help}`, html: named(step.name),
        action: { dragstart: start, click: start },
      };
    }
    return entries;
  };
}
StepLibrary.$inject = ["palette", "create", "elementFactory", "moddle"];

export default { __init__: ["stepLibrary"], stepLibrary: ["type", StepLibrary] };
