// What a file refers to and does not hold would be dropped on import, and be missing from the next export. Our language puts
// expressions where BPMN has such references (loopDataInputRef, loopDataOutputRef), and files from elsewhere refer to imported
// definitions. So a stand-in with that id takes the place of each: it is written again as it was read.
import { is } from "bpmn-js/lib/util/ModelUtil";

export function keepReferences(warnings) {
  for (const { element, property, value } of warnings) {
    if (!element?.$descriptor || !property || value === undefined) continue;
    // A node or flow that does not exist is no loss.
    if (is(element, "bpmndi:DiagramElement") || /(flowNodeRef|incoming|outgoing|sourceRef|targetRef|default)$/.test(property)) continue;
    const { isMany, name } = element.$model.getPropertyDescriptor(element, property) || {};
    if (!name) continue;
    if (isMany) element.get(name).push({ id: value });
    else element.set(name, { id: value });
  }
}

// What bpmn-moddle could not read and would leave out of the next export, for the reader to know before anything is saved.
export function unreadable(warnings) {
  return warnings
    .filter(({ property, message }) => !property && /unparsable|unrecognized|unknown type/.test(message))
    .map(({ message }) => {
      const name = message.match(/<([^>]+)>/)?.[1] || "";
      const line = message.match(/line: (\d+)/)?.[1];
      return `元素 ${name}${line ? `（第${Number(line) + 1}行）` : ""}`;
    });
}

// Another modeler takes our expressions for references to something that is not there, and drops them on its next save. So they
// stand beside as attributes too, where nobody touches them; the import (engine/process/workshop/importing) puts them back.
const BESIDE = "urn:sharing-bpm:imported:1";

export function writeBeside(definitions, elements) {
  const loops = elements.map((element) => element.businessObject?.loopCharacteristics).filter((loop) => loop?.loopDataInputRef || loop?.loopDataOutputRef);
  for (const loop of loops) {
    definitions.$attrs["xmlns:imported"] = BESIDE;
    const said = { collection: loop.loopDataInputRef?.id, item: loop.inputDataItem?.name, output: loop.loopDataOutputRef?.id };
    for (const [name, value] of Object.entries(said)) {
      if (value) loop.$attrs[`imported:${name}`] = value;
      else delete loop.$attrs[`imported:${name}`];
    }
  }
}
