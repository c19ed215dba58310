// The names that an expression of the diagram may use: what every case and its forms give, and what the steps of this very
// diagram bring (results of operations, script lines, mappings, items of a repetition). An offer, not a proof: the check judges.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";
import { propertiesOf } from "../canvas/properties.js";

export function namesOf(modeler, vocabulary) {
  const found = new Map(vocabulary.names.map(({ value, label }) => [value, label]));
  const add = (name, label) => {
    if (name && !found.has(name)) found.set(name, label);
  };
  for (const element of modeler.get("elementRegistry").getAll()) {
    const object = getBusinessObject(element);
    if (element.labelTarget || !is(object, "bpmn:Activity")) continue;
    const label = object.name || object.id;
    for (const [name, value] of Object.entries(propertiesOf(object))) {
      if (name === "out") add(value, `“${label}”的结果`);
      if (name.startsWith("out.")) add(name.slice(4), `“${label}”带回`);
      if (name === "result" && propertiesOf(object).countersign) {
        for (const [part, what] of [["passed", "是否通过"], ["yes", "同意的票数"], ["no", "不同意的票数"], ["total", "会签的总数"]]) add(`${value}.${part}`, `“${label}”${what}`);
      }
    }
    for (const line of (object.script || "").split("\n")) {
      const match = line.match(/^\s*([A-Za-z_]\w*)\s*=(?!=)/);
      if (match) add(match[1], `“${label}”计算`);
    }
    const loop = object.loopCharacteristics;
    if (loop) add(loop.inputDataItem?.name, `“${label}”的每一项`);
  }
  return [...found].map(([value, label]) => ({ value, label }));
}
