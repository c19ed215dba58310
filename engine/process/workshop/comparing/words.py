"""How a comparison speaks: what things, attributes and values are called by those who read it.

Words only; the comparison decides what is different. What has no word here is shown under its own name, so that nothing
is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.people.posts import BODIES, post_label
from engine.process.actions import ACTIONS, ANY, NONE, PREVIOUS, STARTER, listed
from engine.process.workshop.texts import TEXTS

KINDS = {
    "userTask": "用户任务", "manualTask": "人工任务", "serviceTask": "服务任务", "sendTask": "发送任务", "scriptTask": "脚本任务",
    "receiveTask": "接收任务", "callActivity": "调用环节", "subProcess": "子流程", "task": "任务", "businessRuleTask": "业务规则任务",
    "transaction": "事务子流程", "adHocSubProcess": "自组织子流程", "exclusiveGateway": "排他网关", "parallelGateway": "并行网关",
    "inclusiveGateway": "包容网关", "eventBasedGateway": "事件网关", "complexGateway": "复杂网关", "startEvent": "开始事件",
    "endEvent": "结束事件", "intermediateCatchEvent": "中间捕获事件", "intermediateThrowEvent": "中间抛出事件",
    "boundaryEvent": "边界事件", "sequenceFlow": "流向", "lane": "泳道", "participant": "泳池", "process": "流程",
    "collaboration": "协作", "laneSet": "泳道组", "childLaneSet": "泳道组", "message": "消息", "error": "错误", "escalation": "升级", "signal": "信号",
    "textAnnotation": "注释", "association": "关联", "group": "分组", "dataObject": "数据对象", "dataObjectReference": "数据对象",
    "dataStoreReference": "数据存储", "dataStore": "数据存储", "messageFlow": "消息流", "category": "类别", "itemDefinition": "数据类型",
}  # fmt: skip
EVENTS = {
    "timer": "定时", "message": "消息", "signal": "信号", "error": "错误", "escalation": "升级", "terminate": "终止", "conditional": "条件",
    "compensate": "补偿", "cancel": "取消", "link": "链接",
}  # fmt: skip

#: What an attribute is called, by its path.
LABELS = {
    "@name": "名称", "@isExecutable": "可否执行", "@processRef": "所示流程", "@calledElement": "调用的流程", "@default": "默认流向",
    "@sourceRef": "起点", "@targetRef": "终点", "@attachedToRef": "所附环节", "@cancelActivity": "是否中断所附环节", "@messageRef": "消息",
    "@errorCode": "错误代码", "@escalationCode": "升级代码", "@triggeredByEvent": "由事件触发", "@isForCompensation": "用于补偿",
    "@targetNamespace": "命名空间", "scope": "所在位置", "lane": "所在泳道", "event": "事件类型", "condition": "条件", "order": "各分支的判断顺序",
    "conditionExpression": "条件", "script": "脚本", "documentation": "说明", "text": "文字", "loop": "多实例",
    "loop/loopDataInputRef": "多实例的名单", "loop/loopCardinality": "多实例的次数", "loop/inputDataItem": "多实例每一项的变量",
    "loop/loopDataOutputRef": "多实例的结果", "loop/outputDataItem": "多实例每一项的结果", "loop/completionCondition": "多实例提前结束的条件",
    "timer@sharing:workingDays": "时间", "timer@sharing:beforeDeadline": "时间", "timer@sharing:afterDeadline": "时间",
    "timer@sharing:calendarDate": "日期", "timer@sharing:duration": "时长", "timer@sharing:countFrom": "起算日",
    "timer@sharing:role": "作用", "timer@sharing:statutoryMax": "法定最长时限", "timer@sharing:article": "条款",
    "timer@sharing:onPause": "遇补正时", "timer@sharing:officeHours": "办公时间以外顺延", "timer/timeDuration": "供其他工具参考的时长",
    "timer/timeDate": "日期", "timer/timeCycle": "循环", "message@messageRef": "消息", "error@errorRef": "错误",
    "escalation@escalationRef": "升级", "signal@signalRef": "信号",
    "property:unit": "承办单位", "property:post": "岗位", "property:form": "表单", "property:article": "条款", "property:opinion": "意见",
    "property:limit": "时限", "property:statutoryMax": "法定最长时限", "property:onPause": "遇补正时", "property:officeHours": "办公时间以外顺延",
    "property:clock": "停表", "property:operation": "操作", "property:out": "结果变量", "property:topic": "外部主题", "property:priority": "优先级", "property:outcome": "结果代码",
    "property:ruleSet": "规则集", "property:title": "办件标题", "property:numberPrefix": "文号前缀", "property:subject": "办理对象",
    "property:holds": "占用对象", "property:startForm": "发起表单", "property:startPosts": "发起岗位", "property:startBody": "发起单位",
    "property:startLabel": "发起按钮", "property:startFrom": "发起入口", "property:parties": "参与单位",
    "property:limitReminder": "临期提醒提前", "property:limitEscalation": "逾期升级推后", "property:limitSupervision": "逾期启动的流程",
    "property:limitNotifyUnit": "逾期告知的单位", "property:limitNotifyPost": "逾期告知的岗位", "property:actions": "可用动作",
    "property:returnTo": "可以退回到", "property:assignee": "指定经办人", "property:countersign": "表决方式", "property:vote": "表决字段",
    "property:approve": "算同意的选项", "property:ratio": "通过比例", "property:result": "会签结果的变量", "property:hiddenFields": "不显示的字段",
    "property:readonlyFields": "只读的字段", "property:restricted": "内容不得外发的条件", "property:retention": "保管期限",
}  # fmt: skip
#: Attributes of a field of a form.
FIELD_LABELS = {
    "type": "类型", "label": "名称", "required": "必填", "help": "提示", "missing": "未填时的提示", "when": "显示条件", "value": "初始值",
    "readonly": "只读", "options": "选项", "options_from": "选项来源", "min": "最小值", "max": "最大值", "max_length": "最多字数",
    "pattern": "格式", "pattern_message": "格式不符的提示", "rows": "行数", "title": "标题", "opinion_when": "须填意见的条件", "bulk": "允许批量办结",
}  # fmt: skip

_VALUES = {
    "timer@sharing:role": {"deadline": "时限", "reminder": "提醒", "escalation": "升级", "timer": "一般定时"},
    "onPause": {"pause": "顺延", "restart": "重新计算", "none": "照常计算"},
    "property:opinion": {"required": "必填", "optional": "可填", "none": "不填"},
    "property:countersign": {"all": "会签（须全部同意）", "any": "或签（一方同意即可）", "ratio": "票签（达到比例即通过）"},
    "property:clock": {"pause": "办理期间暂停计时"},
    "loop": {"parallel": "同时办理", "sequential": "依次办理"},
    "type": {
        "text": "单行文字", "textarea": "多行文字", "integer": "整数", "number": "数字", "date": "日期", "phone": "电话", "choice": "单选",
        "select": "下拉单选", "choices": "多选", "fields": "数据项", "boolean": "勾选", "file": "附件", "note": "说明",
    },
}  # fmt: skip
_BOOLEAN = {"true": "是", "false": "否", "True": "是", "False": "否"}
#: Attributes that are a number of working days.
DAYS = frozenset({
    "timer@sharing:workingDays", "timer@sharing:beforeDeadline", "timer@sharing:afterDeadline", "timer@sharing:statutoryMax",
    "property:limit", "property:statutoryMax", "property:limitReminder", "property:limitEscalation",
})  # fmt: skip
_POSTS = frozenset({"property:post", "property:startPosts", "property:limitNotifyPost"})
_UNITS = frozenset({"property:unit", "property:limitNotifyUnit"})
#: Attributes that list keys.
_LISTS: Mapping[str, Mapping[str, str]] = {
    "property:actions": {**ACTIONS, NONE: "只能办结"}, "property:returnTo": {STARTER: "发起人", PREVIOUS: "上一环节", ANY: "任何以前的环节"},
    "property:hiddenFields": {}, "property:readonlyFields": {},
}  # fmt: skip
_BODY = re.compile(r"body\(\s*[\"'](\w+)[\"']\s*\)")
_UNIT_WORDS = {"applicant_unit": "申请单位", "provider_unit": "提供单位"}
#: A long text is shown from its beginning.
_SHOWN = 60


def label(path: str) -> str:
    """What the attribute under a path is called."""
    plain, bracket, number = path.partition("[")
    if plain in LABELS:
        return LABELS[plain] + (f"（第{number.rstrip(']')}个）" if bracket else "")
    if path.startswith("property:in."):
        return f"参数 {path.removeprefix('property:in.')}"
    if path.startswith("property:out."):
        return f"取回的 {path.removeprefix('property:out.')}"
    return f"属性 {path.removeprefix('property:').removeprefix('@')}"


def value(path: str, raw: str | None) -> str:
    """A value as its readers know it; “无” for none."""
    if raw is None or raw == "":
        return "无"
    if path in _POSTS:
        return "、".join(post_label(part.strip()) for part in raw.split(","))
    if path in _UNITS:
        return _unit(raw)
    if path in _LISTS:
        return "、".join(_LISTS[path].get(part, part) for part in listed(raw))
    if path == "property:operation":
        return TEXTS.operations[raw].label if raw in TEXTS.operations else raw
    if path == "property:subject":
        return TEXTS.subjects.get(raw, raw)
    if path == "property:startBody":
        return BODIES.get(raw, raw)
    words = _VALUES.get(path) or (_VALUES["onPause"] if path.endswith("onPause") else _BOOLEAN)
    if path == "event":
        return "、".join(EVENTS.get(part, part) for part in raw.split("、"))
    return words.get(raw, shortened(raw))


def _unit(raw: str) -> str:
    if raw in _UNIT_WORDS:
        return _UNIT_WORDS[raw]
    body = _BODY.fullmatch(raw)
    return BODIES.get(body[1], raw) if body else shortened(raw)


def shortened(text: str) -> str:
    """The beginning of a long text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def step(path: str, before: str | None, after: str | None) -> str:
    """What it was and what it is, with the unit: two numbers of working days, two posts, two beginnings of a text."""
    unit = " 个工作日" if path in DAYS else ""
    one, other = value(path, before), value(path, after)
    if one == other or (one.endswith("…") and other.endswith("…")):  # they may part beyond the beginning that is shown
        one, other = _apart(before or "", after or "")
    return f"{one} → {other}{unit if other != '无' else ''}"


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two long texts from a little before the place where they part."""
    at = next((i for i, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), min(len(before), len(after)))
    start = max(0, at - 15)
    lead = "…" if start else ""
    return lead + shortened(before[start:]), lead + shortened(after[start:])
