// Script tasks: lines `variable = expression`, and nothing else.

export function scriptSections(subject) {
  if (!subject.is("bpmn:ScriptTask")) return [];
  const { element, object, modeling } = subject;
  const warn = (text) => {
    const wrong = text.split("\n").map((line) => line.trim()).find((line) => line && !line.startsWith("#") && !/^[A-Za-z]\w*\s*=(?!=)\s*\S/.test(line));
    return wrong ? `这一行不是“变量 = 表达式”：${wrong.slice(0, 40)}` : "";
  };
  return [{
    id: "script", title: "计算",
    fields: [{
      id: "field-script", kind: "expression", rows: 5, label: "每行一个：变量 = 表达式", value: (object.script || "").trim(), warn, lists: subject.lists().slice(1),
      placeholder: "days = 5 if urgent else 10", write: (value) => modeling.updateProperties(element, { script: value || undefined }),
    }],
  }];
}
