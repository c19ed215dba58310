// The process itself: what a case of it is called, who starts it and from where, and the frame around its limits.
import { documentation } from "./general.js";
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";

export function processSections(subject) {
  const { element, object, property, properties, vocabulary, writing, draft, id } = subject;
  const rename = (value) => writing.together(() => {
    const participant = getBusinessObject(element);
    // A pool that was called like its process goes on being so.
    const both = is(participant, "bpmn:Participant") && participant.name === object.name;
    writing.change(element, object, { name: value || undefined });
    if (both) writing.change(element, participant, { name: value || undefined });
  });
  const forms = [{ value: "", label: "（没有表单）" }, ...vocabulary.forms.map(({ value, label }) => ({ value, label: `${label}（${value}）` }))];
  const posts = [{ value: "", label: "（未填写）" }, ...vocabulary.posts];
  const processes = [{ value: "", label: "（不启动）" }, ...vocabulary.processes.map(({ value, label }) => ({ value, label: `${label}（${value}）` }))];
  const bodies = vocabulary.units.map(({ value, label }) => ({ value: value.match(/^body\("(.+)"\)$/)?.[1], label })).filter(({ value }) => value);
  const period = (value) => (value && !/^([1-9]\d{0,2}y|[1-9]\d{0,4}d|permanent)$/.test(value) ? "应为年数或天数，如10y、180d" : "");
  const whole = (value) => (value && !/^\d+$/.test(value) ? "应为工作日数" : "");
  return [
    {
      id: "general", title: "流程",
      fields: [
        { id: id("name"), kind: "text", label: "流程名称", value: object.name || "", write: rename },
        { id: id("key"), kind: "fact", label: "流程标识", value: object.id, help: "调用流程和接口按标识认流程，不在此修改。" },
        property("ruleSet", "规则集", { help: "本流程执行的规则集。", placeholder: draft.rule_set }),
        property("article", "条款", { help: "本流程执行的条款。" }),
        documentation(subject),
      ],
    },
    {
      id: "case", title: "办件",
      fields: [
        property("subject", "办理对象", { kind: "select", options: [{ value: "", label: "（无）" }, ...vocabulary.subjects], help: "办件是关于什么的；决定 resource 等数据和提供单位。" }),
        property("title", "办件标题", { kind: "expression", lists: subject.lists().slice(1), help: "由发起时的数据组成的表达式；文字加英文双引号。" }),
        property("numberPrefix", "编号前缀", { help: "办件编号中年份之前的文字，例如“共享申请”。" }),
        property("holds", "占用资源", { kind: "select", options: [{ value: "", label: "不占用" }, { value: "resource", label: "占用：办理期间不得另行变更同一资源" }] }),
        parties(subject),
        property("retention", "保管期限", { placeholder: "（长期保管）", warn: period, help: "办结后保管多久，如 10y（十年）、180d（一百八十天）；不填为长期保管。期满由两人批准后销毁。" }),
      ],
    },
    {
      id: "start", title: "发起",
      fields: [
        property("startForm", "发起表单", { kind: "select", options: forms }),
        property("startPosts", "谁可以发起", { kind: "several", options: vocabulary.posts, help: "都不选时只由其他流程发起。" }),
        property("startBody", "限由何机构发起", { kind: "select", options: [{ value: "", label: "不限" }, ...bodies] }),
        property("startFrom", "从哪里发起", {
          kind: "several", options: [...vocabulary.start_pages, ...startable(vocabulary, properties)], help: "不选时：有办理对象的从信息资源页面发起，没有的从工作台发起。选流程的，从它已办结的办件发起。",
        }),
        property("startLabel", "发起按钮的文字", { placeholder: `发起${object.name || ""}` }),
      ],
    },
    {
      id: "desk", title: "办理动作", folded: !properties.actions && !properties.restricted,
      fields: [
        property("actions", "各环节可用的动作", {
          kind: "several", options: vocabulary.actions, help: "适用于每个由人办理的环节；环节可以另行规定。都不选时只能签收、放回和办结。",
        }),
        property("restricted", "内容不得外发的办件", {
          kind: "expression", rows: 1, lists: subject.lists(), placeholder: "（没有）", help: "表达式为真的办件，发到页面以外的消息不含内容；总是不得外发的写恒成立的式子，如 1 == 1。",
        }),
      ],
    },
    {
      id: "frame", title: "时限框架", folded: !properties.limitSupervision,
      fields: [
        property("limitReminder", "届满前几个工作日提醒", { warn: whole, help: "以下适用于每个写有“办理时限”的环节。" }),
        property("limitSupervision", "届满时启动的流程", { kind: "select", options: processes, help: "时限届满不替任何人作决定，只启动督办。" }),
        property("limitEscalation", "届满后几个工作日升级", { warn: whole }),
        property("limitNotifyUnit", "升级时告知的单位", { kind: "pick", options: vocabulary.units }),
        property("limitNotifyPost", "升级时告知的岗位", { kind: "select", options: posts }),
      ],
    },
  ];
}

// The processes from whose ended cases this one may start: those already named, then all others.
function startable(vocabulary, properties) {
  const named = (properties.startFrom || "").split(",").map((part) => part.trim());
  return [...vocabulary.processes].sort((one, other) => named.includes(other.value) - named.includes(one.value)).map(({ value, label }) => ({ value, label: `“${label}”的办件` }));
}

function parties({ properties, element, writing }) {
  const rows = (properties.parties || "").split(";").filter((part) => part.includes("=")).map((part) => {
    const place = part.indexOf("=");
    return { name: part.slice(0, place).trim(), value: part.slice(place + 1).trim() };
  });
  return {
    id: "field-parties", kind: "pairs", label: "一开始就能看到办件的单位", add: "添加单位", value: rows, help: "左边是称呼，右边是给出单位代码的表达式。办到的单位自动能看到。",
    fresh: (taken) => `party_${taken.length + 1}`,
    write: (next) => writing.setProperties(element, { parties: next.filter(({ name }) => name).map(({ name, value }) => `${name}=${value}`).join("; ") }),
  };
}
