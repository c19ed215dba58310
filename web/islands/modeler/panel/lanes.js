// A lane stands for a post of a unit: whoever holds it does the tasks in it.

export function laneSections(subject) {
  if (!subject.is("bpmn:Lane")) return [];
  const { vocabulary, property } = subject;
  return [{
    id: "who", title: "谁办理",
    fields: [
      property("unit", "承办单位", { kind: "pick", options: vocabulary.units, help: "按办件确定的单位，从不写具体单位或人的名字。" }),
      property("post", "岗位", { kind: "select", options: [{ value: "", label: "（未填写）" }, ...vocabulary.posts] }),
    ],
  }];
}
