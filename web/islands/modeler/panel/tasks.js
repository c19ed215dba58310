// What people do (bpmn/README.md, "Who" and "What"): who, which form, what they write, by when.
import { propertiesOf } from "../canvas/properties.js";
import { statutory, tooLong } from "./subject.js";

const OPINIONS = [{ value: "", label: "可写可不写（默认）" }, { value: "required", label: "必须写意见" }, { value: "none", label: "不写意见" }];
const PAUSES = [
  { value: "", label: "停表，不计补正期间（默认）" }, { value: "pause", label: "停表，不计补正期间" },
  { value: "restart", label: "补正结束后重新计算" }, { value: "none", label: "不停表，照常计算" },
];

export function taskSections(subject) {
  if (!subject.is("bpmn:UserTask") && !subject.is("bpmn:ManualTask")) {
    return subject.is("bpmn:SubProcess") ? [{ id: "basis", title: "依据", fields: [article(subject)] }] : [];
  }
  return [
    { id: "who", title: "谁办理", fields: who(subject) },
    { id: "what", title: "办什么", fields: what(subject) },
    { id: "limit", title: "时限", fields: limit(subject) },
  ];
}

export function article({ property }) {
  return property("article", "条款", { help: "本环节依据的条款，例如“第×条”，写入办理记录。" });
}

// The innermost lane with properties is what the engine takes where the task says nothing.
function laneOf(object) {
  const lanes = object.lanes?.length ? object.lanes : [];
  return lanes.at(-1) || (object.$parent?.$type === "bpmn:SubProcess" ? laneOf(object.$parent) : undefined);
}

function who(subject) {
  const { object, vocabulary, property, properties } = subject;
  const lane = laneOf(object);
  const given = lane ? propertiesOf(lane) : {};
  const name = (list, value) => list.find((entry) => entry.value === value)?.label || value || "未填写";
  const from = lane
    ? `泳道“${lane.name || lane.id}”：${name(vocabulary.units, given.unit)} · ${name(vocabulary.posts, given.post)}`
    : "不在任何泳道内，须在此写明承办单位和岗位";
  const nobody = !(properties.unit || given.unit) || !(properties.post || given.post);
  return [
    { id: "field-lane", kind: "fact", label: "所在泳道", value: from, help: nobody ? "没有承办单位或岗位，无人可以办理。" : undefined },
    property("unit", "承办单位", { kind: "pick", options: vocabulary.units, empty: lane ? "（按泳道）" : "（未填写）", help: "与泳道不同时才填写。" }),
    property("post", "岗位", { kind: "select", options: [{ value: "", label: lane ? "（按泳道）" : "（未填写）" }, ...vocabulary.posts] }),
  ];
}

function what(subject) {
  const { vocabulary, property, properties, draft } = subject;
  const forms = [{ value: "", label: "（没有表单，只写意见）" }, ...vocabulary.forms.map(({ value, label }) => ({ value, label: `${label}（${value}）` }))];
  const chosen = properties.form;
  return [
    property("form", "表单", { kind: "select", options: forms }),
    {
      id: "field-form-link", kind: "fact", label: "", value: "",
      link: { href: `/drafts/${draft.id}/forms${chosen ? `/${encodeURIComponent(chosen)}` : ""}`, text: chosen ? "编辑这个表单" : "到“表单”新建" },
    },
    property("opinion", "意见", { kind: "select", options: OPINIONS, help: "表单之外的意见栏。" }),
    article(subject),
    property("clock", "补正停表", {
      kind: "select", options: [{ value: "", label: "否" }, { value: "pause", label: "是：办理期间外层环节的时限暂停计算" }],
    }),
  ];
}

function limit(subject) {
  const { property, properties } = subject;
  const most = properties.statutoryMax;
  return [
    property("limit", "办理时限（工作日）", {
      warn: (value) => tooLong(value, most, properties.article), placeholder: "不限时",
      help: "收到当日不计。提醒、督办和升级按流程属性中的“时限框架”自动进行。",
    }),
    ...statutoryFields(property, most, properties.article),
    ...(properties.limit
      ? [
          property("onPause", "补正期间", { kind: "select", options: PAUSES }),
          property("officeHours", "下班后收到", {
            kind: "select", options: [{ value: "", label: "视为当日收到（默认）" }, { value: "true", label: "视为下一工作日收到" }],
          }),
        ]
      : []),
  ];
}

// What the regulation allows is shown where it is written, and cannot be raised here.
export function statutoryFields(property, most, given) {
  if (most) return [{ id: "field-statutory", kind: "fact", label: "法定上限", value: statutory(most, given), help: "只能缩短、不能延长。" }];
  return [property("statutoryMax", "法定上限（工作日）", { whole: true, placeholder: "没有法定上限", help: "规则有明文的才填，并注明条款；填写后只能撤销，不能在此修改。" })];
}

export { PAUSES };
