// Properties of an element, as bpmn/README.md says: <spiffworkflow:properties> with name and value, inside its
// extensionElements. Read from and written to undeclared ("generic") XML, so that whatever else stands there stays.
//
// Every write is one command of the stack, so that undo takes it back whole.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";

export const SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core";

// What carries the properties that belong to a shape: of a pool, its process.
export function carrier(element) {
  const object = getBusinessObject(element);
  return is(object, "bpmn:Participant") ? object.processRef || object : object;
}

const isBlock = (value) => value.$descriptor?.ns?.uri === SPIFF && value.$descriptor.ns.localName === "properties";

function blockOf(object) {
  return object.extensionElements?.get("values").find(isBlock);
}

function entriesOf(block) {
  return (block?.$children || []).filter((child) => child.name !== undefined);
}

export function propertiesOf(object) {
  return Object.fromEntries(entriesOf(blockOf(object)).map((entry) => [entry.name.trim(), (entry.value ?? "").trim()]));
}

// A copy of undeclared XML, deep: of its attributes, text and children.
export function copyOfGeneric(moddle, source) {
  const { ns, name } = source.$descriptor;
  const copy = moddle.createAny(name, ns.uri);
  for (const [key, value] of Object.entries(source)) {
    if (key === "$children") copy.$children = value.map((child) => copyOfGeneric(moddle, child));
    else if (!["$type", "$parent", "$descriptor", "$instanceOf", "$model", "get", "set"].includes(key)) copy[key] = value;
  }
  for (const child of copy.$children || []) child.$parent = copy;
  return copy;
}

// The extension elements of an object after `changes` (name → text; empty or null removes), as a new value: what was there is
// left untouched, because undo puts it back. Undefined where nothing would be left.
export function extensionsWith(moddle, object, changes) {
  const before = object.extensionElements?.get("values") || [];
  const block = before.find(isBlock);
  const children = [...(block?.$children || [])];
  const entry = (name, value) => moddle.createAny("spiffworkflow:property", SPIFF, { name, value });
  for (const [name, value] of Object.entries(changes)) {
    const place = children.findIndex((child) => child.name?.trim() === name);
    const gone = value === null || value === undefined || value === "";
    if (gone && place >= 0) children.splice(place, 1);
    else if (!gone && place >= 0) children[place] = entry(name, value);
    else if (!gone) children.push(entry(name, value));
  }
  const values = before.filter((value) => value !== block);
  if (children.length) {
    const next = moddle.createAny("spiffworkflow:properties", SPIFF);
    next.$children = children.map((child) => copyOfGeneric(moddle, child));
    for (const child of next.$children) child.$parent = next;
    values.splice(block ? before.indexOf(block) : values.length, 0, next);
  }
  if (!values.length) return undefined;
  const extensions = moddle.create("bpmn:ExtensionElements", { values });
  extensions.$parent = object;
  // What stays moves under the new parent; undo does not need the old one.
  for (const value of values) value.$parent = extensions;
  return extensions;
}

// For an element that is being made and is not drawn yet: no command, nothing to undo.
export function furnish(moddle, object, properties) {
  const extensions = extensionsWith(moddle, object, properties);
  if (extensions) object.set("extensionElements", extensions);
}

// Copying and changing the type of an element keep undeclared XML as well; bpmn-js would leave it behind.
function KeepsGeneric(eventBus, moddle) {
  eventBus.on("moddleCopy.canCopyProperty", ({ property }) => {
    if (property?.$descriptor?.isGeneric) return copyOfGeneric(moddle, property);
  });
}
KeepsGeneric.$inject = ["eventBus", "moddle"];

export default { __init__: ["keepsGeneric"], keepsGeneric: ["type", KeepsGeneric] };
