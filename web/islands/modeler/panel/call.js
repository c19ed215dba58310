// A call activity: which process it starts, what it hands down and what it brings back.
import { mapping } from "./services.js";

export function callSections(subject) {
  if (!subject.is("bpmn:CallActivity")) return [];
  const { vocabulary, attribute, properties, property } = subject;
  const names = (prefix) => Object.keys(properties).filter((name) => name.startsWith(prefix));
  return [
    {
      id: "call", title: "调用的流程",
      fields: [
        attribute("calledElement", "流程", {
          kind: "select", help: "到这里发起该流程的办件，等它办完再往下走。",
          options: [{ value: "", label: "（请选择）" }, ...vocabulary.processes.map(({ value, label }) => ({ value, label: `${label}（${value}）` }))],
          warn: (value) => (value ? "" : "还没有选择调用哪个流程"),
        }),
        property("article", "条款"),
      ],
    },
    {
      id: "mappings", title: "数据往来",
      fields: [
        mapping(subject, {
          id: "field-in", prefix: "in.", names: names("in."), label: "带去（in）", add: "添加带去的数据",
          help: "左边是对方办件的变量，右边是本办件的表达式。申请单位、提供单位和信息资源不写也会带去。",
        }),
        mapping(subject, {
          id: "field-out", prefix: "out.", names: names("out."), label: "带回（out）", add: "添加带回的数据",
          help: "左边是本办件的变量，右边是对方办件的表达式；outcome 是对方的办理结果。",
        }),
      ],
    },
  ];
}
