// Events other than timers: the key of an outcome, the name of a message, the code of an error or escalation.

export function eventSections(subject) {
  const { object, element, property } = subject;
  const definition = subject.is("bpmn:Event") ? object.get("eventDefinitions")?.[0] : undefined;
  const kind = definition?.$type;
  const sections = [];
  if (subject.is("bpmn:EndEvent") && (!kind || kind === "bpmn:TerminateEventDefinition")) {
    sections.push({
      id: "outcome", title: "办理结果",
      fields: [property("outcome", "结果标识", {
        offer: OUTCOMES, help: "供程序识别的结果；名称是给人看的。不中断的定时另起的分支末尾不用填。",
      })],
    });
  }
  if (kind === "bpmn:MessageEventDefinition" || subject.is("bpmn:ReceiveTask")) sections.push(message(subject, definition || object));
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

function message({ element, writing }, holder) {
  return {
    id: "message", title: "消息",
    fields: [{
      id: "field-message", kind: "text", label: "等待的消息", value: holder.messageRef?.name || "", offer: [{ value: "source_closed", label: "来源办件的逾期环节已办结" }],
      help: "按名称接收；source_closed 由系统在逾期环节办结时发出。",
      write: (value) => writing.together(() => writing.change(element, holder, { messageRef: value ? writing.rootElement(element, "bpmn:Message", "name", value) : undefined })),
    }],
  };
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
