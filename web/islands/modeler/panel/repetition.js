// Multi-instance (会签): the same step for several units or people, at once or one after the other, and how their votes decide.
import { ballots } from "../canvas/steps.js";

const SIGNS = [
  { value: "", label: "不表决，全部办完才往下走" }, { value: "all", label: "会签：须全部同意" }, { value: "any", label: "或签：一方同意即可" },
  { value: "ratio", label: "票签：达到比例即通过" },
];
const MODES = [{ value: "", label: "一次办理" }, { value: "parallel", label: "几方同时办理（会签）" }, { value: "sequential", label: "几方依次办理" }];

export function repetition(subject) {
  const { element, object, modeling, writing } = subject;
  if (!["bpmn:UserTask", "bpmn:ManualTask", "bpmn:CallActivity", "bpmn:SubProcess", "bpmn:ServiceTask", "bpmn:SendTask"].some((type) => subject.is(type))) return [];
  const loop = object.loopCharacteristics;
  if (loop && loop.$type !== "bpmn:MultiInstanceLoopCharacteristics") return [];
  const mode = loop ? (loop.isSequential ? "sequential" : "parallel") : "";
  const change = (value) => {
    if (value && loop) writing.change(element, loop, { isSequential: value === "sequential" });
    else if (value) {
      const fresh = writing.make("bpmn:MultiInstanceLoopCharacteristics", object, { isSequential: value === "sequential" });
      fresh.loopCardinality = writing.expression(fresh, "2");
      modeling.updateProperties(element, { loopCharacteristics: fresh });
    } else modeling.updateProperties(element, { loopCharacteristics: undefined });
  };
  const fields = [{ id: "field-repetition", kind: "select", label: "办理方式", options: MODES, value: mode, write: change }];
  if (loop && (subject.is("bpmn:UserTask") || subject.is("bpmn:ManualTask"))) fields.push(...signing(subject));
  if (loop) fields.push(...over(subject, loop));
  return [{ id: "repetition", title: "会签（多实例）", fields, folded: !loop }];
}

// How it is decided. What an earlier choice left behind stays to be seen and cleared.
function signing({ property, properties, vocabulary, lists }) {
  const mode = property("countersign", "表决方式", { kind: "select", options: SIGNS, help: "结果一确定就自动结束，其余的不再办理。" });
  if (!properties.countersign) return [mode];
  const fields = ballots(vocabulary.forms.find(({ value }) => value === properties.form));
  const options = fields.find(({ value }) => value === properties.vote)?.options || [];
  const list = (entries) => [{ value: "", label: "（未填写）" }, ...entries.map(({ value, label }) => ({ value, label: `${label}（${value}）` }))];
  return [
    mode,
    property("vote", "表决字段", { kind: "select", options: list(fields), help: properties.form ? "本环节表单中必填的单选字段。" : "先在“办什么”里选定有必填单选的表单。" }),
    property("approve", "哪个选项算同意", { kind: "select", options: list(options), help: "其他选项都算不同意。" }),
    ...(properties.countersign === "ratio" || properties.ratio
      ? [property("ratio", "通过比例", { kind: "expression", rows: 1, lists: lists().slice(1), placeholder: "2/3", help: "同意数占全部会签人的比例，大于0、不大于1，有小数的进一。" })]
      : []),
    property("result", "结果存为变量", {
      whole: true, warn: (value) => (value && !/^[A-Za-z]\w*$/.test(value) ? "变量名只能用字母、数字和下划线，以字母开头" : ""),
      help: `其后的网关用 ${properties.result || "变量"}.passed 判断是否通过；另有 yes、no、total（票数）。`,
    }),
  ];
}

function over(subject, loop) {
  const { element, writing } = subject;
  const put = (changes) => writing.change(element, loop, changes);
  const named = (name) => (name ? writing.make("bpmn:DataInput", loop, { name }) : undefined);
  const reference = (value) => (value ? { id: value } : undefined);
  const collection = loop.loopDataInputRef?.id || "";
  const identifier = (value) => (value && !/^[A-Za-z]\w*$/.test(value) ? "变量名只能用字母、数字和下划线，以字母开头" : "");
  const way = loop.loopCardinality ? "cardinality" : "collection";
  return [
    {
      id: "field-over", kind: "select", label: "按什么重复", value: way, options: [{ value: "collection", label: "列表中的每一项" }, { value: "cardinality", label: "固定的次数" }],
      write: (value) => put(value === "collection"
        ? { loopCardinality: undefined, loopDataInputRef: reference("[applicant_unit]"), inputDataItem: named("signing_unit") }
        : { loopCardinality: writing.expression(loop, "2"), loopDataInputRef: undefined, inputDataItem: undefined }),
    },
    ...(way === "collection"
      ? [
          { id: "field-collection", kind: "expression", label: "列表（表达式）", value: collection, lists: subject.lists().slice(1), help: "给出列表的表达式，例如会签单位代码的列表。", write: (value) => put({ loopDataInputRef: reference(value) }) },
          { id: "field-item", kind: "text", label: "每一项叫什么", value: loop.inputDataItem?.name || loop.inputDataItem?.id || "", whole: true, warn: identifier, help: "承办单位可以写这个名字，每个单位就各办一份。", write: (value) => put({ inputDataItem: named(value) }) },
        ]
      : [{ id: "field-cardinality", kind: "expression", rows: 1, label: "次数", value: loop.loopCardinality?.body || "", lists: subject.lists().slice(1), help: "loopCounter 是第几次（从0起）。", write: (value) => put({ loopCardinality: writing.expression(loop, value) }) }]),
    ...(subject.properties.countersign && !loop.completionCondition ? [] : [{ id: "field-done", kind: "expression", rows: 1, label: "提前结束的条件", value: loop.completionCondition?.body || "", lists: [], help: "不填则全部办完才往下走。", write: (value) => put({ completionCondition: writing.expression(loop, value) }) }]),
    { id: "field-output-item", kind: "text", label: "每一份的结果取哪个变量", value: loop.outputDataItem?.name || "", whole: true, warn: identifier, write: (value) => put({ outputDataItem: named(value) }) },
    { id: "field-output", kind: "text", label: "结果列表存为变量", value: loop.loopDataOutputRef?.id || "", whole: true, warn: identifier, help: "与上一项一起填写。", write: (value) => put({ loopDataOutputRef: reference(value) }) },
  ];
}
