// What a section is about: the selected element, the object whose words it edits, and short ways to make fields of them.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";
import { carrier, propertiesOf } from "../canvas/properties.js";
import { namesOf } from "./names.js";

export function subjectOf(element, { modeler, vocabulary, draft }) {
  const writing = modeler.get("writing");
  const modeling = modeler.get("modeling");
  const object = carrier(element);
  const properties = propertiesOf(object);
  const id = (name) => `field-${name.replace(/[^\w-]/g, "-")}`;

  // A field over a property of ours.
  const property = (name, label, rest = {}) => ({
    id: id(name), kind: "text", label, value: properties[name] || "", write: (value) => writing.setProperties(element, { [name]: value }), ...rest,
  });
  // A field over an attribute of the element itself.
  const attribute = (name, label, rest = {}) => ({
    id: id(name), kind: "text", label, value: object.get(name) ?? "",
    write: (value) => (object === getBusinessObject(element) ? modeling.updateProperties(element, { [name]: value || undefined }) : writing.change(element, object, { [name]: value || undefined })),
    ...rest,
  });
  const lists = () => [["常用条件", vocabulary.answers], ["可用的名字", namesOf(modeler, vocabulary)], ["可用的函数", vocabulary.words.map(({ value, label }) => ({ value: `${value}()`, label }))]];

  return { element, object, properties, modeler, vocabulary, draft, writing, modeling, property, attribute, lists, id, is: (type) => is(object, type) };
}

// What is wrong with a number of working days beside the most that the regulation allows; an expression is judged by the check.
export function tooLong(days, most, article) {
  if (!/^\d+$/.test(days) || !/^\d+$/.test(most || "")) return "";
  return Number(days) > Number(most) ? `超过${article || "法定"}规定的${most}个工作日，只能缩短、不能延长` : "";
}

// How the most that the regulation allows stands beside a limit.
export function statutory(most, article) {
  return `法定最长${most}个工作日（${article || "未注明条款"}）`;
}
