// How the panel and the step library change the diagram: each change, however many parts it has, is one command.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";
import { carrier, extensionsWith } from "./properties.js";

// Runs `work`, in which further commands are given; undo takes all of them back together.
function TogetherHandler() {
  this.preExecute = (context) => context.work();
}

export function Writing(commandStack, modeling, moddle, canvas) {
  commandStack.registerHandler("modeler.together", TogetherHandler);

  const together = (work) => commandStack.execute("modeler.together", { work });

  const definitions = () => {
    let object = getBusinessObject(canvas.getRootElement());
    while (object.$parent) object = object.$parent;
    return object;
  };

  // Changes attributes or children of an object that belongs to a shape.
  const change = (element, object, properties) => modeling.updateModdleProperties(element, object, properties);

  // Sets properties of ours (name → text); empty ones are removed.
  const setProperties = (element, changes) => {
    const object = carrier(element);
    change(element, object, { extensionElements: extensionsWith(moddle, object, changes) });
  };

  // A new object below another, ready to be put in its place.
  const make = (type, parent, properties) => {
    const object = moddle.create(type, properties);
    object.$parent = parent;
    return object;
  };

  const expression = (parent, body) => (body ? make("bpmn:FormalExpression", parent, { body }) : undefined);

  // A message or error of the file that has this name or code; a new one where there is none.
  const rootElement = (element, type, attribute, value) => {
    const root = definitions();
    const found = root.get("rootElements").find((object) => is(object, type) && object.get(attribute) === value);
    if (found) return found;
    const object = make(type, root, { name: value, [attribute]: value });
    object.id = moddle.ids.nextPrefixed(`${type.replace("bpmn:", "")}_`, object);
    change(element, root, { rootElements: [...root.get("rootElements"), object] });
    return object;
  };

  return { together, change, setProperties, make, expression, rootElement, definitions };
}
Writing.$inject = ["commandStack", "modeling", "moddle", "canvas"];

export default { __init__: ["writing"], writing: ["factory", Writing] };
