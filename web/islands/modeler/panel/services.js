// What happens by itself (service and send tasks): an operation with its documentation, and a field for each of its parameters.

export function serviceSections(subject) {
  if (!subject.is("bpmn:ServiceTask") && !subject.is("bpmn:SendTask")) return [];
  const { vocabulary, property, properties, element, writing } = subject;
  const chosen = vocabulary.operations.find(({ name }) => name === properties.operation);
  const operations = [
    { value: "", label: properties.topic ? "（交由外部程序）" : "（请选择）" },
    ...vocabulary.operations.map(({ name, label }) => ({ value: name, label: `${label}（${name}）` })),
  ];
  const change = (value) => {
    const next = vocabulary.operations.find(({ name }) => name === value);
    const takes = (name) => !next || next.open_ended || next.parameters.some((parameter) => parameter.name === name);
    // Parameters of the old operation that the new one does not know would be refused; those of the same name stay.
    // Without an operation all stay: a worker outside may be given the same.
    const gone = Object.keys(properties).filter((name) => name.startsWith("in.") && !takes(name.slice(3)));
    writing.setProperties(element, { operation: value, ...(value && { topic: "" }), ...Object.fromEntries(gone.map((name) => [name, ""])) });
  };
  const fields = [
    { id: "field-operation", kind: "select", label: "操作", options: operations, value: properties.operation || "", write: change },
    ...(chosen ? [{ id: "field-operation-doc", kind: "fact", label: "", value: chosen.description }] : []),
    ...(chosen ? [] : [property("topic", "外部主题", { help: "交由外部程序办理：外部程序按这个主题领取，办完后流程继续。" })]),
    ...(properties.topic ? [property("priority", "优先级", { help: "整数或表达式；数大的先领取，默认为 0。" })] : []),
    property("article", "条款", { help: "本操作依据的条款；出具的文书会引用它。" }),
  ];
  const sections = [{ id: "operation", title: "自动操作", fields }];
  if (!chosen && properties.topic) sections.push({ id: "handed", title: "交接的数据", fields: handed(subject) });
  if (chosen) sections.push({ id: "parameters", title: "参数", fields: [...parameters(subject, chosen), ...result(subject, chosen)] });
  return sections;
}

// What a worker outside is given, and what the case takes back: nothing else passes.
function handed({ properties, element, writing }) {
  const names = (prefix) => Object.keys(properties).filter((name) => name.startsWith(prefix));
  const pairs = (prefix, label, help) =>
    mapping({ properties, element, writing }, { id: `field-handed-${prefix.slice(0, -1)}`, prefix, names: names(prefix), label, add: "添加一个值", help });
  return [
    pairs("in.", "交给外部程序的值", "名字由外部程序使用，值是表达式。外部程序看不到办件的其他数据。"),
    pairs("out.", "取回的值", "名字是本流程的变量，值是表达式，可用外部程序返回的变量。其他返回值不保存。"),
  ];
}

function parameters(subject, { parameters: known, open_ended: openEnded }) {
  const { property, properties, element, writing } = subject;
  const fields = known.map(({ name, label, help, offer, required }) => {
    const missing = required && !properties[`in.${name}`] ? "必填的参数，还没有填写" : "";
    const shared = { label: `${label}（${name}）`, required, help, warn: (value) => (required && !value ? "必填的参数，还没有填写" : "") };
    const options = offered(subject, offer);
    return property(`in.${name}`, label, options
      ? { ...shared, kind: "pick", options, empty: missing ? "（请选择）" : "（不填）" }
      : { ...shared, kind: "expression", rows: 2, lists: subject.lists().slice(1) });
  });
  if (!openEnded) return fields;
  const others = Object.keys(properties).filter((name) => name.startsWith("in.") && !known.some((parameter) => `in.${parameter.name}` === name));
  return [...fields, mapping(subject, { id: "field-values", prefix: "in.", names: others, label: "交给模板的值", add: "添加一个值", help: "名字是模板中的名字，值是表达式；文字加英文双引号。", element, writing })];
}

// The rows of properties with a prefix, as names with expressions.
export function mapping({ properties, element, writing }, { id, prefix, names, label, add, help }) {
  const value = names.map((name) => ({ name: name.slice(prefix.length), value: properties[name] }));
  return {
    id, kind: "pairs", label, add, help, value,
    fresh: (rows) => {
      const taken = new Set(rows.map(({ name }) => name));
      let number = 1;
      while (taken.has(`value_${number}`)) number += 1;
      return `value_${number}`;
    },
    write: (rows) => {
      const gone = Object.fromEntries(names.map((name) => [name, ""]));
      writing.setProperties(element, { ...gone, ...Object.fromEntries(rows.filter(({ name }) => name).map((row) => [`${prefix}${row.name}`, row.value])) });
    },
  };
}

function offered({ vocabulary, modeler }, offer) {
  const quoted = (list) => list.map(({ value, label }) => ({ value: `"${value}"`, label }));
  if (!offer) return null;
  if (offer === "units") return vocabulary.units;
  if (offer === "posts") return quoted(vocabulary.posts);
  if (offer === "processes") return quoted(vocabulary.processes);
  if (offer === "documents") return vocabulary.documents.map((name) => ({ value: `"${name}"`, label: name }));
  if (offer === "steps") {
    return modeler.get("elementRegistry").filter((shape) => shape.businessObject?.$instanceOf?.("bpmn:Activity") && !shape.labelTarget)
      .map(({ businessObject }) => ({ value: `"${businessObject.id}"`, label: `${businessObject.name || "未命名"}（${businessObject.id}）` }));
  }
  if (Array.isArray(offer)) return offer.map((value) => ({ value, label: value }));
  return Object.entries(offer).map(([value, label]) => ({ value, label }));
}

function result({ property }, { result: gives }) {
  return [property("out", "结果存为变量（out）", {
    help: gives ? `结果：${gives}` : "这个操作没有结果。",
    warn: (value) => (value && !/^[A-Za-z]\w*$/.test(value) ? "变量名只能用字母、数字和下划线，以字母开头" : ""),
  })];
}
