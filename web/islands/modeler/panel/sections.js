// Which sections the panel shows for an element: a table of contents of the files beside it.
import { is } from "bpmn-js/lib/util/ModelUtil";
import { callSections } from "./call.js";
import { eventSections } from "./events.js";
import { flowSections } from "./flows.js";
import { followingSections } from "./following.js";
import { general, idSection } from "./general.js";
import { laneSections } from "./lanes.js";
import { processSections } from "./process.js";
import { repetition } from "./repetition.js";
import { scriptSections } from "./scripts.js";
import { serviceSections } from "./services.js";
import { subjectOf } from "./subject.js";
import { taskSections } from "./tasks.js";
import { timerSections } from "./timers.js";

const KINDS = [
  ["bpmn:UserTask", "用户任务"], ["bpmn:ManualTask", "人工任务"], ["bpmn:ServiceTask", "服务任务"], ["bpmn:SendTask", "发送任务"],
  ["bpmn:ReceiveTask", "接收任务"], ["bpmn:ScriptTask", "脚本任务"], ["bpmn:CallActivity", "调用流程"], ["bpmn:BusinessRuleTask", "业务规则任务"],
  ["bpmn:Transaction", "事务子流程"], ["bpmn:SubProcess", "子流程"], ["bpmn:Task", "任务（未定类型）"],
  ["bpmn:ExclusiveGateway", "排他网关"], ["bpmn:ParallelGateway", "并行网关"], ["bpmn:InclusiveGateway", "包容网关"],
  ["bpmn:EventBasedGateway", "事件网关"], ["bpmn:ComplexGateway", "复杂网关"], ["bpmn:StartEvent", "开始事件"], ["bpmn:EndEvent", "结束事件"],
  ["bpmn:BoundaryEvent", "边界事件"], ["bpmn:IntermediateCatchEvent", "捕获事件"], ["bpmn:IntermediateThrowEvent", "中间事件"],
  ["bpmn:SequenceFlow", "流向"], ["bpmn:Lane", "泳道"], ["bpmn:Participant", "流程"], ["bpmn:Process", "流程"], ["bpmn:Collaboration", "流程"],
  ["bpmn:TextAnnotation", "注释"], ["bpmn:Group", "分组框"], ["bpmn:DataObjectReference", "数据对象"], ["bpmn:DataStoreReference", "数据存储"],
  ["bpmn:Association", "关联线"], ["bpmn:MessageFlow", "消息流"],
];

// What kind of element this is, for headings and lists.
export function kindOf(element) {
  return KINDS.find(([type]) => is(element, type))?.[1] || "元素";
}

export function sectionsOf(element, context) {
  // Nothing selected: the process itself, which stands in the pool where there is one; of several, the one that runs.
  const pools = is(element, "bpmn:Collaboration") ? element.children.filter((child) => is(child, "bpmn:Participant") && child.businessObject.processRef) : [];
  const pool = pools.find((child) => child.businessObject.processRef.isExecutable) || pools[0];
  const subject = subjectOf(pool || element, context);
  const sections = subject.is("bpmn:Process")
    ? processSections(subject)
    : [
        general(subject), ...taskSections(subject), ...serviceSections(subject), ...callSections(subject), ...scriptSections(subject),
        ...timerSections(subject), ...eventSections(subject), ...flowSections(subject), ...laneSections(subject), ...repetition(subject),
        ...followingSections(subject), idSection(subject),
      ];
  const name = subject.object.get("name") || subject.object.get("text") || "";
  return { title: name ? `${kindOf(element)} · ${name}` : kindOf(element), sections: sections.filter((section) => section.fields.length) };
}
