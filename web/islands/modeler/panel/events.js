// Events other than timers: the key of an outcome, the name of a message or signal, the code of an error or escalation.
import { mapping } from "./services.js";

export function eventSections(subject) {
  const { object, element, property } = subject;
  const definition = subject.is("bpmn:Event") ? object.get("eventDefinitions")?.[0] : undefined;
  const kind = definition?.$type;
  const sections = [];
  if (subject.is("bpmn:EndEvent") && (!kind || kind === "bpmn:TerminateEventDefinition" || kind === "bpmn:SignalEventDefinition")) {
    sections.push({
      id: "outcome", title: "办理结果",
      fields: [property("outcome", "结果标识", {
        offer: OUTCOMES, help: "供程序识别的结果；名称是给人看的。不中断的定时另起的分支末尾不用填。",
      })],
    });
  }
  if (kind === "bpmn:MessageEventDefinition" || subject.is("bpmn:ReceiveTask")) sections.push(message(subject, definition || object));
  if (kind === "bpmn:SignalEventDefinition") sections.push(...signal(subject, definition));
  if (kind === "bpmn:ErrorEventDefinition") {
    sections.push(code(subject, definition, { type: "bpmn:Error", reference: "errorRef", attribute: "errorCode", title: "错误", help: "操作报错或子流程抛出的错误代码；边界事件不填则捕获任何错误。" }));
  }
  if (kind === "bpmn:EscalationEventDefinition") {
    sections.push(code(subject, definition, { type: "bpmn:Escalation", reference: "escalationRef", attribute: "escalationCode", title: "升级", help: "升级事件的代码；边界事件不填则捕获任何升级。" }));
  }
  if (subject.is("bpmn:BoundaryEvent") && kind !== "bpmn:TimerEventDefinition" && kind !== "bpmn:ErrorEventDefinition") {
    sections.push({
      id: "meaning", title: "起什么作用",
      fields: [{
        id: "field-interrupting", kind: "check", label: "发生时中断所在环节", value: object.get("cancelActivity") !== false,
        write: (value) => subject.modeling.updateProperties(element, { cancelActivity: value }),
      }],
    });
  }
  return sections;
}

function message({ element, writing, is }, holder) {
  return {
    id: "message", title: "消息",
    fields: [{
      id: "field-message", kind: "text", label: "等待的消息", value: holder.messageRef?.name || "", offer: [{ value: "source_closed", label: "来源办件的逾期环节已办结" }],
      help: is("bpmn:StartEvent") ? "外部发来这个消息时发起本流程，所带数据按发起表单核对。" : "按名称接收；source_closed 由系统在逾期环节办结时发出。",
      write: (value) => writing.together(() => writing.change(element, holder, { messageRef: value ? writing.rootElement(element, "bpmn:Message", "name", value) : undefined })),
    }],
  };
}

// A signal that is awaited or thrown; one that is thrown may take data along.
function signal(subject, holder) {
  const { element, writing, properties, is } = subject;
  const thrown = is("bpmn:EndEvent") || is("bpmn:IntermediateThrowEvent");
  const known = writing.definitions().get("rootElements").filter((object) => object.$type === "bpmn:Signal" && object.name && object !== holder.signalRef);
  const help = thrown ? "发给此刻等待它的所有办件，不论哪个流程；发出后不保留，办结也不能再撤回。"
    : is("bpmn:StartEvent") ? "发出这个信号时自动发起本流程，归发出信号的单位；不能再设发起表单和发起岗位。"
    : "按名称接收：由其他流程抛出，或由外部程序发出。";
  const name = {
    id: "field-signal", kind: "text", label: thrown ? "抛出的信号" : "等待的信号", value: holder.signalRef?.name || "",
    offer: known.map((object) => ({ value: object.name, label: "本图已有的信号" })), help,
    write: (value) => writing.together(() => writing.change(element, holder, { signalRef: value ? writing.rootElement(element, "bpmn:Signal", "name", value) : undefined })),
  };
  const sections = [{ id: "signal", title: "信号", fields: [name] }];
  if (thrown) {
    const names = Object.keys(properties).filter((key) => key.startsWith("in."));
    const given = mapping(subject, {
      id: "field-signal-in", prefix: "in.", names, label: "带去的数据", add: "添加一个值", help: "左边是收到信号的办件的变量，右边是本办件的表达式。",
    });
    sections.push({ id: "signal-data", title: "带去的数据", fields: [given] });
  }
  return sections;
}

const OUTCOMES = [
  { value: "shared", label: "已共享" }, { value: "refused", label: "不予共享" }, { value: "withdrawn", label: "已撤回" }, { value: "listed", label: "已列入" },
  { value: "rejected", label: "未通过" }, { value: "closed", label: "已办结" },
];

function code({ element, writing }, holder, { type, reference, attribute, title, help }) {
  return {
    id: "code", title,
    fields: [{
      id: "field-code", kind: "text", label: `${title}代码`, value: holder[reference]?.[attribute] || "", help,
      write: (value) => writing.together(() => writing.change(element, holder, { [reference]: value ? writing.rootElement(element, type, attribute, value) : undefined })),
    }],
  };
}
