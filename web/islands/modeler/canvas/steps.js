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
    help: "几个单位同时办理，全部办完才往下走",
    object: { name: "会签" }, properties: { unit: "signing_unit", post: "head", opinion: "required", limit: "3" },
    loop: { over: "[applicant_unit]", item: "signing_unit" },
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

// Letters of the draft, so that a new letter step names one that exists.
const offered = { documents: [] };

export function offerDocuments(documents) {
  offered.documents = documents;
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
  furnish(moddle, object, { ...step.properties, ...letter });
  if (step.loop) object.set("loopCharacteristics", repeated(moddle, object, step.loop));
  for (const [name, value] of Object.entries(step.timer || {})) object.eventDefinitions[0].set(name, value);
  return step.expanded ? [shape, startInside(shape, elementFactory)] : [shape];
}

function repeated(moddle, object, { over, item }) {
  const loop = moddle.create("bpmn:MultiInstanceLoopCharacteristics");
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
