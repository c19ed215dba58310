// bpmn-js with what is ours: Chinese, the step library, our attributes, the menus, commands that undo as one.
// bpmn.io's mark stays as it is, fully visible: its licence asks for that.
import minimap from "diagram-js-minimap";
import Modeler from "bpmn-js/lib/Modeler";
import appending from "./appending.js";
import { SHARING } from "./descriptor.js";
import language from "./language.js";
import menus from "./menus.js";
import palette from "./palette.js";
import properties from "./properties.js";
import { keepReferences, unreadable, writeBeside } from "./references.js";
import supervision from "./supervision.js";
import writing from "./writing.js";

export function createEditor(container) {
  return new Modeler({
    container,
    additionalModules: [language, properties, writing, supervision, appending, palette, menus, minimap],
    moddleExtensions: { sharing: SHARING },
  });
}

// The namespaces that our words need, also in a file that had none of them.
const NAMESPACES = { "xmlns:spiffworkflow": "http://spiffworkflow.org/bpmn/schema/1.0/core" };

// Shows a diagram; returns what of it could not be read and would be lost by saving.
export async function open(modeler, xml) {
  const { warnings } = await modeler.importXML(xml);
  keepReferences(warnings);
  const attributes = modeler.getDefinitions().$attrs;
  for (const [name, uri] of Object.entries(NAMESPACES)) if (!(name in attributes)) attributes[name] = uri;
  fit(modeler);
  return unreadable(warnings);
}

// The whole diagram beside the step library, never larger than drawn.
export function fit(modeler) {
  const canvas = modeler.get("canvas");
  const library = canvas.getContainer().querySelector(".djs-palette")?.offsetWidth || 0;
  const left = library ? library + 24 : 16;
  const margin = 16;
  const { inner, outer } = canvas.viewbox();
  if (!inner.width || !outer.width) return;
  const scale = Math.min((outer.width - left - margin) / inner.width, (outer.height - 2 * margin) / inner.height, 1);
  canvas.viewbox({
    x: inner.x - left / scale, y: inner.y + inner.height / 2 - outer.height / 2 / scale, width: outer.width / scale, height: outer.height / scale,
  });
}

export async function written(modeler) {
  writeBeside(modeler.getDefinitions(), modeler.get("elementRegistry").getAll());
  const { xml } = await modeler.saveXML({ format: true });
  return xml;
}
