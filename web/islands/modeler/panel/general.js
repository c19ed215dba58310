// What every element has: a name, an explanation for those who read the diagram, and its id.
import { is } from "bpmn-js/lib/util/ModelUtil";

export function general(subject) {
  const { element, object, modeling, id } = subject;
  if (is(object, "bpmn:TextAnnotation")) {
    return {
      id: "general", title: "注释",
      fields: [{ id: id("text"), kind: "area", label: "文字", value: object.text || "", write: (value) => modeling.updateLabel(element, value) }],
    };
  }
  const named = !subject.is("bpmn:Group");
  const name = {
    id: id("name"), kind: "text", label: "名称", value: object.name || "",
    // As if typed on the canvas: a label of its own appears or goes with the text.
    write: (value) => modeling.updateLabel(element, value),
    help: subject.is("bpmn:SequenceFlow") ? "网关后的流向写明结论，例如“同意”“退回”。" : undefined,
  };
  return { id: "general", title: "基本信息", fields: named ? [name] : [] };
}

export function documentation({ element, object, writing, id }) {
  const text = object.get("documentation")?.[0]?.text || "";
  return {
    id: id("documentation"), kind: "area", label: "说明", value: text, help: "写给看图的人，不影响办理。",
    write: (value) => {
      const [, ...others] = object.get("documentation");
      const first = value ? [writing.make("bpmn:Documentation", object, { text: value })] : [];
      writing.change(element, object, { documentation: [...first, ...others] });
    },
  };
}

export function idSection(subject) {
  const { element, object, modeling, modeler, id } = subject;
  const warn = (value) => {
    if (!/^[A-Za-z_][\w.-]*$/.test(value)) return "只能用字母、数字、下划线、点和连字符，以字母开头";
    const other = modeler.get("elementRegistry").get(value);
    return other && other !== element ? `编号“${value}”已被使用` : "";
  };
  return {
    id: "id", title: "说明和编号", folded: true,
    fields: [documentation(subject), {
      id: id("id"), kind: "text", label: "编号", value: object.id, whole: true, warn,
      help: "表达式和比较按编号认元素。已有办件的流程不要随意修改编号。",
      write: (value) => {
        if (!warn(value)) modeling.updateProperties(element, { id: value });
      },
    }],
  };
}
