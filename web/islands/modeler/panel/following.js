// What comes next, by buttons: the context pad of the canvas offers the same to the mouse, these are for the keyboard too.
import { is } from "bpmn-js/lib/util/ModelUtil";
import { continues } from "../canvas/appending.js";
import { STEPS } from "../canvas/steps.js";

const PLAIN = [
  { value: "bpmn:ExclusiveGateway", label: "网关", title: "按条件选择其一" }, { value: "bpmn:ParallelGateway", label: "并行", title: "同时进行几支" },
  { value: "bpmn:EndEvent", label: "结束", title: "结束事件" },
];

export function followingSections({ element, object, modeler }) {
  const appending = modeler.get("appending");
  const supervision = modeler.get("supervision");
  const sections = [];
  if (continues(element) && !is(object, "bpmn:EventBasedGateway")) {
    sections.push({
      id: "following", title: "在后面追加", folded: true,
      fields: [{
        id: "field-following", kind: "buttons", label: "在后面追加",
        options: [...STEPS.map(({ key, name, help }) => ({ value: key, label: name, title: help })), ...PLAIN],
        write: (value) => {
          const placed = value.startsWith("bpmn:") ? appending.appendPlain(element, value) : appending.append(element, value);
          modeler.get("selection").select(placed);
        },
      }],
    });
  }
  if (supervision.possible(element)) {
    sections.push({
      id: "supervision", title: "督办时限", folded: true,
      fields: [{
        id: "field-supervise", kind: "buttons", label: "督办时限", options: [{ value: "add", label: "加时限、提醒和升级", title: "在本环节上加三个定时，届满启动督办" }],
        write: () => supervision.add(element),
      }],
    });
  }
  return sections;
}
