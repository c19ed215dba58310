// A timer (bpmn/README.md, "When"): one of five ways to say when, what it means, and what the law allows.
import { statutoryFields, PAUSES } from "./tasks.js";
import { tooLong } from "./subject.js";

const WAYS = {
  workingDays: { label: "若干工作日之后", field: "工作日数", help: "起算当日不计，最后一日24时届满。可以写数字或表达式。" },
  beforeDeadline: { label: "时限届满前若干工作日", field: "提前的工作日数", help: "相对同一环节的时限，时限改了它随之移动。" },
  afterDeadline: { label: "时限届满后若干工作日", field: "届满后的工作日数", help: "相对同一环节的时限，时限改了它随之移动。" },
  calendarDate: { label: "某一日期", field: "日期（表达式）", help: "给出如 2026-03-02 的日期，遇休息日不顺延。" },
  duration: { label: "按钟点经过一段时间", field: "时长", help: "例如 PT1H（1小时）、P1D（24小时）。" },
};
const ROLES = [
  { value: "deadline", label: "时限：环节应在此前办结" }, { value: "reminder", label: "提醒：此后显示为临近时限" },
  { value: "escalation", label: "升级督办" }, { value: "timer", label: "普通定时" },
];

export function timerOf(object) {
  return object.get("eventDefinitions")?.find((definition) => definition.$type === "bpmn:TimerEventDefinition");
}

export function timerSections(subject) {
  const { element, object, writing } = subject;
  if (!subject.is("bpmn:CatchEvent") || subject.is("bpmn:StartEvent") || !timerOf(object)) return [];
  const timer = timerOf(object);
  const get = (name) => timer.get(`sharing:${name}`) || "";
  const put = (changes) =>
    writing.change(element, timer, Object.fromEntries(Object.entries(changes).map(([name, value]) => [name.includes(":") || name === "timeDuration" ? name : `sharing:${name}`, value || undefined])));
  const field = (name, label, rest = {}) => ({ id: subject.id(name), kind: "text", label, value: get(name), write: (value) => put({ [name]: value }), ...rest });
  const boundary = subject.is("bpmn:BoundaryEvent");
  const way = Object.keys(WAYS).find((name) => get(name)) || (timer.get("timeDuration") ? "standard" : "workingDays");

  // Other modelers read a standard duration; ours is kept beside it as a rough figure.
  const rough = (name, value) => {
    if (name !== "workingDays" || !/^\d+$/.test(value)) return {};
    return { timeDuration: writing.expression(timer, `P${value}D`) };
  };
  const time = WAYS[way] && {
    id: "field-time", kind: way === "calendarDate" || way === "workingDays" ? "expression" : "text", rows: 1,
    label: WAYS[way].field, help: WAYS[way].help, value: get(way), lists: subject.lists().slice(1),
    warn: (value) => (way === "workingDays" ? tooLong(value, get("statutoryMax"), get("article")) : ""),
    write: (value) => put({ [way]: value, ...rough(way, value) }),
  };
  const standard = {
    id: "field-standard", kind: "text", label: "时长", value: timer.get("timeDuration")?.body || "", help: "BPMN 标准写法，例如 PT1H。",
    write: (value) => put({ timeDuration: writing.expression(timer, value) }),
  };
  const ways = [
    ...Object.entries(WAYS).map(([value, { label }]) => ({ value, label })).filter(({ value }) => boundary || !/Deadline$/.test(value)),
    ...(way === "standard" ? [{ value: "standard", label: "标准时长（timeDuration）" }] : []),
  ];
  const change = (next) => {
    if (next === way || next === "standard") return;
    const old = way === "standard" ? "" : get(way);
    const kept = /^\d+$/.test(old) && !["calendarDate", "duration"].includes(next) ? old : { workingDays: "1", beforeDeadline: "1", afterDeadline: "1", calendarDate: "due_day", duration: "PT1H" }[next];
    put({ ...Object.fromEntries(Object.keys(WAYS).map((name) => [name, ""])), ...(next === "workingDays" ? {} : { countFrom: "" }), [next]: kept });
  };
  return [
    {
      id: "time", title: "什么时候",
      fields: [
        { id: "field-way", kind: "select", label: "怎么算", options: ways, value: way, write: change },
        time || standard,
        ...(way === "workingDays" ? [field("countFrom", "从哪天起算", { placeholder: "进入环节之日", help: "给出日期的表达式，该日不计；不填从进入环节之日起算。" })] : []),
        ...statutoryFields(field, get("statutoryMax"), get("article")),
        ...(get("statutoryMax") && get("article") ? [] : [field("article", "条款", { help: "规定这一时限的条款。" })]),
      ],
    },
    {
      id: "meaning", title: "起什么作用",
      fields: [
        ...(boundary
          ? [
              { id: "field-role", kind: "select", label: "作用", options: ROLES, value: get("role") || "timer", write: (value) => put({ role: value }) },
              {
                id: "field-interrupting", kind: "check", label: "到时中断所在环节", value: object.get("cancelActivity") !== false,
                help: "不勾选时环节继续办理，从这里另起一支。",
                write: (value) => subject.modeling.updateProperties(element, { cancelActivity: value }),
              },
              field("onPause", "补正期间", { kind: "select", options: PAUSES }),
            ]
          : []),
        field("officeHours", "下班后收到", { kind: "select", options: [{ value: "", label: "视为当日收到（默认）" }, { value: "true", label: "视为下一工作日收到" }] }),
      ],
    },
  ];
}
