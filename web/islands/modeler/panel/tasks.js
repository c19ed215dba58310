// What people do (bpmn/README.md, "Who" and "What"): who, which form, what they write, by when.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";
import { carrier, propertiesOf } from "../canvas/properties.js";
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
    { id: "desk", title: "办理动作", fields: desk(subject), folded: !subject.properties.actions && !subject.properties.returnTo },
    { id: "rights", title: "字段权限", fields: rights(subject), folded: !subject.properties.hiddenFields && !subject.properties.readonlyFields },
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
    property("assignee", "指定经办人", {
      kind: "expression", rows: 1, lists: subject.lists().slice(1), placeholder: "（按岗位，谁签收谁办）",
      help: "给出登录名的表达式，须是该单位该岗位的在岗人员；请假的由代理人办理。",
    }),
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

// What else may be done with the step than completing it: as the process says, or as the step says itself.
const OWN = "\u0000";
function desk(subject) {
  const { element, modeler, vocabulary, property, properties } = subject;
  const process = processProperties(element, modeler);
  const named = (text) => split(text).map((key) => vocabulary.actions.find(({ value }) => value === key)?.label || key).join("、") || "无";
  const own = properties.actions && properties.actions !== "none";
  const mode = property("actions", "可用动作", {
    id: "field-actions-mode", kind: "select", value: own ? OWN : properties.actions || "",
    options: [{ value: "", label: `按流程（${process.actions === "none" ? "无" : named(process.actions)}）` }, { value: "none", label: "只能办结，没有其他动作" }, { value: OWN, label: "本环节另行规定" }],
    help: "签收、放回和办结总是可以的。",
  });
  const write = mode.write;
  mode.write = (value) => write(value === OWN ? (process.actions && process.actions !== "none" ? process.actions : vocabulary.actions.map((one) => one.value).join(",")) : value);
  const allowed = split(own ? properties.actions : properties.actions || process.actions);
  const steps = modeler.get("elementRegistry").filter((one) => !one.labelTarget && one !== element && (is(one, "bpmn:UserTask") || is(one, "bpmn:ManualTask")));
  const targets = [
    { value: "starter", label: "发起人" }, { value: "previous", label: "上一环节" }, { value: "any", label: "任何以前的环节" },
    ...steps.map((one) => ({ value: one.id, label: `“${getBusinessObject(one).name || one.id}”` })),
  ];
  return [
    mode,
    ...(own ? [property("actions", "本环节的动作", { kind: "several", options: vocabulary.actions })] : []),
    ...(allowed.includes("return") || properties.returnTo
      ? [property("returnTo", "可以退回到", { kind: "several", options: targets, help: "都不选时：发起人和任何以前的环节。有法定时限的环节只能退回到这里写明的环节。" })]
      : []),
  ];
}

const split = (text) => (text || "").split(",").map((part) => part.trim()).filter(Boolean);

function processProperties(element, modeler) {
  const pool = modeler.get("elementRegistry").find((one) => is(one, "bpmn:Participant") && carrier(one).isExecutable);
  const root = modeler.get("canvas").getRootElement();
  return propertiesOf(pool ? carrier(pool) : getBusinessObject(root));
}

// One form may serve several steps: what this one does not show, and what it only shows.
function rights({ vocabulary, property, properties }) {
  const fields = vocabulary.forms.find(({ value }) => value === properties.form)?.fields || [];
  if (!fields.length && !properties.hiddenFields && !properties.readonlyFields) return [];
  const options = fields.map(({ value, label }) => ({ value, label }));
  return [
    property("readonlyFields", "只读的字段", { kind: "several", options, help: "显示办件已有的值，在本环节不能修改。" }),
    property("hiddenFields", "不显示的字段", { kind: "several", options, help: "在本环节不显示，也不接收；是必填的也不必填。" }),
  ];
}

// What the regulation allows is shown where it is written, and cannot be raised here.
export function statutoryFields(property, most, given) {
  if (most) return [{ id: "field-statutory", kind: "fact", label: "法定上限", value: statutory(most, given), help: "只能缩短、不能延长。" }];
  return [property("statutoryMax", "法定上限（工作日）", { whole: true, placeholder: "没有法定上限", help: "规则有明文的才填，并注明条款；填写后只能撤销，不能在此修改。" })];
}

export { PAUSES };
