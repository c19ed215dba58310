// The typical steps of the domain, each ready to run once it is placed: the palette, the context pad and the panel offer them.
// Who does a step comes from the lane that it is put into, unless the step says otherwise. The working days are suggestions
// of ours without legal weight; what the law fixes is written by whoever draws.
import { furnish } from "./properties.js";

export const STEPS = [
  {
    key: "review", name: "审核任务", icon: "bpmn-icon-user-task", type: "bpmn:UserTask",
    help: "由审核岗位办理，须写意见，限时办结",
    object: { name: "审核" }, properties: { post: "reviewer", opinion: "required", limit: "3" },
  },
  {
    key: "approve", name: "负责人审批", icon: "bpmn-icon-user-task", type: "bpmn:UserTask",
    help: "由单位负责人办理，须写意见，限时办结",
    object: { name: "负责人审批" }, properties: { post: "head", opinion: "required", limit: "2" },
  },
  {
    key: "handle", name: "经办任务", icon: "bpmn-icon-user-task", type: "bpmn:UserTask",
    help: "由经办岗位办理",
    object: { name: "经办" }, properties: { post: "handler", opinion: "optional", limit: "3" },
  },
  {
    key: "supplement", name: "补正", icon: "bpmn-icon-user-task", type: "bpmn:UserTask",
    help: "退申请单位补正材料，期间暂停计算外层时限",
    object: { name: "补正材料" }, properties: { unit: "applicant_unit", post: "handler", opinion: "none", clock: "pause" },
  },
  {
    key: "countersign", name: "会签", icon: "bpmn-icon-parallel-mi-marker", type: "bpmn:UserTask",
    help: "几个单位同时表决，须全部同意；有一个不同意即结束",
    object: { name: "会签" }, properties: { unit: "signing_unit", post: "head", opinion: "required", limit: "3", countersign: "all", result: "signed" },
    loop: { over: "[applicant_unit]", item: "signing_unit" }, votes: true,
  },
  {
    key: "any_sign", name: "或签", icon: "bpmn-icon-parallel-mi-marker", type: "bpmn:UserTask",
    help: "同一岗位的人同时表决，一人同意即可",
    object: { name: "或签" }, properties: { unit: "applicant_unit", post: "head", assignee: "signer", actions: "withdraw,copy_to,urge", opinion: "required", limit: "3", countersign: "any", result: "signed" },
    loop: { over: 'holders(applicant_unit, "head")', item: "signer" }, votes: true,
  },
  {
    key: "ballot", name: "票签", icon: "bpmn-icon-parallel-mi-marker", type: "bpmn:UserTask",
    help: "同一岗位的人同时表决，达到比例即通过，无法达到即结束",
    object: { name: "票签" },
    properties: { unit: "applicant_unit", post: "head", assignee: "signer", actions: "withdraw,copy_to,urge", opinion: "optional", limit: "3", countersign: "ratio", ratio: "2/3", result: "signed" },
    loop: { over: 'holders(applicant_unit, "head")', item: "signer" }, votes: true,
  },
  {
    key: "in_order", name: "依次会签", icon: "bpmn-icon-sequential-mi-marker", type: "bpmn:UserTask",
    help: "几个单位按顺序表决，前一个同意才到后一个；有一个不同意即结束",
    object: { name: "依次会签" }, properties: { unit: "signing_unit", post: "head", opinion: "required", limit: "3", countersign: "all", result: "signed" },
    loop: { over: "[applicant_unit]", item: "signing_unit", sequential: true }, votes: true,
  },
  {
    key: "notice", name: "发送消息", icon: "bpmn-icon-send-task", type: "bpmn:ServiceTask",
    help: "向某单位某岗位的人发消息，不要求办理",
    object: { name: "告知申请单位" },
    properties: {
      operation: "notices.send", "in.unit": "applicant_unit", "in.post": '"handler"', "in.title": '"办理结果告知"',
      "in.text": 'case.number + "：已办理，请查看。"',
    },
  },
  {
    key: "letter", name: "出具文书", icon: "bpmn-icon-service-task", type: "bpmn:ServiceTask",
    help: "按公文模板制发一份文书，自动编号",
    object: { name: "制发文书" }, properties: { operation: "documents.issue", "in.unit": "applicant_unit", out: "letter" },
    document: "in.kind",
  },
  {
    key: "call", name: "调用流程", icon: "bpmn-icon-call-activity", type: "bpmn:CallActivity",
    help: "发起另一流程的办件并等它办完",
    object: { name: "调用流程" }, properties: {},
  },
  {
    key: "subprocess", name: "限时子流程", icon: "bpmn-icon-subprocess-expanded", type: "bpmn:SubProcess", expanded: true,
    help: "把几个环节放在同一个时限之内",
    object: { name: "限时办理" }, properties: {},
  },
  {
    key: "wait", name: "等待定时", icon: "bpmn-icon-intermediate-event-catch-timer", type: "bpmn:IntermediateCatchEvent",
    help: "等若干工作日再往下走", event: "bpmn:TimerEventDefinition", timer: { workingDays: "1", role: "timer" },
    object: { name: "等待" }, properties: {},
  },
];

// Letters and forms of the draft, so that a new letter step names one that exists, and a new countersign asks for a vote.
const offered = { documents: [], forms: [] };

export function offerTo({ documents, forms }) {
  Object.assign(offered, { documents, forms });
}

// The fields of a form by which one can vote: a choice of one that must be made, with its options written out.
export const ballots = (form) => (form?.fields || []).filter(({ type, required, options }) => ["choice", "select"].includes(type) && required && options.length);

// The first of the draft's forms that asks for a vote. Without one everybody is waited for where all must agree; of the others the
// check says what is missing.
function vote({ countersign }) {
  const form = offered.forms.find((one) => ballots(one).length);
  if (!form) return countersign === "all" ? { countersign: "", result: "" } : {};
  const [field] = ballots(form);
  return { form: form.value, vote: field.value, approve: field.options[0].value };
}

export function makeStep(step, elementFactory, moddle) {
  const shape = elementFactory.createShape({
    type: step.type,
    ...(step.event && { eventDefinitionType: step.event }),
    ...(step.expanded && { isExpanded: true }),
  });
  const object = shape.businessObject;
  for (const [name, value] of Object.entries(step.object)) object.set(name, value);
  const letter = step.document && offered.documents[0] ? { [step.document]: `"${offered.documents[0]}"` } : {};
  furnish(moddle, object, { ...step.properties, ...letter, ...(step.votes && vote(step.properties)) });
  if (step.loop) object.set("loopCharacteristics", repeated(moddle, object, step.loop));
  for (const [name, value] of Object.entries(step.timer || {})) object.eventDefinitions[0].set(name, value);
  return step.expanded ? [shape, startInside(shape, elementFactory)] : [shape];
}

function repeated(moddle, object, { over, item, sequential }) {
  const loop = moddle.create("bpmn:MultiInstanceLoopCharacteristics", { isSequential: Boolean(sequential) });
  loop.$parent = object;
  // BPMN has a reference here, our language an expression (references.js).
  loop.set("loopDataInputRef", { id: over });
  const input = moddle.create("bpmn:DataInput", { name: item });
  input.$parent = loop;
  loop.set("inputDataItem", input);
  return loop;
}

function startInside(parent, elementFactory) {
  return elementFactory.createShape({ type: "bpmn:StartEvent", x: 40, y: 82, parent });
}
