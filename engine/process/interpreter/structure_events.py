"""Rules of events: which kinds exist where, and what a timer must say."""

from __future__ import annotations

import re

from lxml import etree

from engine.process.interpreter.document import BPMN, SHARING, TASKS, Document, Element, text_of
from engine.process.interpreter.findings import Findings
from engine.process.interpreter.model import Severity, TimerRule
from engine.process.interpreter.network import code_of

ALLOWED: dict[str, frozenset[str]] = {
    "startEvent": frozenset({"none", "message", "signal"}),
    "endEvent": frozenset({"none", "terminate", "error", "escalation", "signal"}),
    "intermediateThrowEvent": frozenset({"none", "escalation", "signal"}),
    "intermediateCatchEvent": frozenset({"timer", "message", "signal"}),
    "boundaryEvent": frozenset({"timer", "message", "signal", "error", "escalation"}),
}
PLACES = {
    "startEvent": "开始事件",
    "endEvent": "结束事件",
    "intermediateThrowEvent": "中间抛出事件",
    "intermediateCatchEvent": "中间捕获事件",
    "boundaryEvent": "边界事件",
}
EVENT_NAMES = {
    "none": "空",
    "timer": "定时",
    "message": "消息",
    "signal": "信号",
    "error": "错误",
    "escalation": "升级",
    "terminate": "终止",
    "conditional": "条件",
    "compensate": "补偿",
    "cancel": "取消",
    "link": "链接",
    "multiple": "多重",
}
#: Characters of the name of a message or signal.
NAME_MAX = 200
ROLES = frozenset({"deadline", "reminder", "escalation", "timer"})
PAUSES = frozenset({"pause", "restart", "none"})
TIMER_ATTRIBUTES = frozenset(
    {
        "workingDays",
        "beforeDeadline",
        "afterDeadline",
        "calendarDate",
        "duration",
        "countFrom",
        "role",
        "statutoryMax",
        "article",
        "onPause",
        "officeHours",
    }
)
DURATION = re.compile(
    r"P(?=.*[1-9])(?!$)(\d{1,3}Y)?(\d{1,3}M)?(\d{1,3}W)?(\d{1,4}D)?(T(?=\d)(\d{1,5}H)?(\d{1,6}M)?(\d{1,7}S)?)?"
)


def check(document: Document, timers: dict[str, TimerRule], findings: Findings) -> None:
    """All rules of this file."""
    for element in document.elements.values():
        if element.tag in ALLOWED:
            _kind(element, findings)
        if element.tag == "boundaryEvent":
            _boundary(element, document, findings)
        if element.tag == "receiveTask" or element.event == "message":
            _message(element, document, findings)
        if element.event == "signal":
            _signal(element, document, findings)
        if element.event in ("error", "escalation"):
            _code(element, document, findings)
        if element.id in timers:
            _timer(element, timers[element.id], findings)
        _foreign(element, findings)
    _relative(document, timers, findings)
    _thrown(document, findings)


#: What comes from outside of the case, while its activity goes on.
FROM_OUTSIDE = frozenset({"timer", "message", "signal"})


def _kind(element: Element, findings: Findings) -> None:
    if element.tag == "startEvent" and element.event != "none" and element.scope is not None:
        findings.add(element, f"unsupported-{element.event}-event", "子流程的开始事件必须是空事件，由走到子流程的分支启动；不支持事件子流程")
        return
    if element.event in ALLOWED[element.tag]:
        return
    place, event = PLACES[element.tag], EVENT_NAMES.get(element.event, element.event)
    rule = f"unsupported-{element.event}-event"
    findings.add(element, rule, f"{place}不支持“{event}”类型")


def _boundary(element: Element, document: Document, findings: Findings) -> None:
    target = document.elements.get(element.attached_to or "")
    if target is None or target.tag not in TASKS or target.scope != element.scope:
        findings.add(element, "boundary-target", "边界事件没有附着在同一层的任务或子流程上")
        return
    if element.event == "error" and not element.interrupting:
        findings.add(element, "error-not-interrupting", "错误边界事件必须是中断型")
    if not _may_happen(element, target, document):
        # An error may still be brought in from outside, by whoever runs the machine; the kernel brings none.
        severity: Severity = "error" if element.event in FROM_OUTSIDE else "warning"
        findings.add(element, "event-never", f"{target.label()}上不会发生这样的事件，它不起作用", severity)
    if element.event in ("error", "escalation"):
        code = code_of(element, document)
        twins = [
            other
            for other in document.attached(target.id)
            if other.event == element.event and code_of(other, document) == code
        ]
        if twins[0] is not element:
            findings.add(element, "caught-twice", f"与{twins[0].label()}捕获同一个代码“{code or '任意'}”")


def _may_happen(event: Element, target: Element, document: Document) -> bool:
    """Whether what a boundary event waits for can ever happen at its activity.

    What is done at once leaves no time to wait; only operations and what a subprocess throws fail with a code.
    """
    done_at_once = target.tag == "scriptTask" or (target.tag in ("serviceTask", "sendTask") and "topic" not in target.properties)
    if event.event in FROM_OUTSIDE:
        return not done_at_once
    if event.event == "error":
        return target.tag in ("serviceTask", "sendTask") or (target.tag == "subProcess" and _throws(target, "error", document))
    return event.event != "escalation" or (target.tag == "subProcess" and _throws(target, "escalation", document))


def _throws(scope: Element, event: str, document: Document) -> bool:
    for element in document.inside(scope.id):
        if element.event == event and element.tag != "boundaryEvent":
            return True
        if event == "error" and element.tag in ("serviceTask", "sendTask"):
            return True
        if element.tag == "subProcess" and _throws(element, event, document):
            return True
    return False


def _message(element: Element, document: Document, findings: Findings) -> None:
    if element.tag in ("endEvent", "intermediateThrowEvent"):
        return
    node = element.xml if element.tag == "receiveTask" else element.events[0]
    if not document.messages.get(node.get("messageRef") or ""):
        findings.add(element, "message-without-name", "没有写明等待哪个消息（messageRef）")
    elif len(document.messages[node.get("messageRef") or ""]) > NAME_MAX:
        findings.add(element, "event-name-too-long", f"消息的名称超过{NAME_MAX}个字符")


def _signal(element: Element, document: Document, findings: Findings) -> None:
    verb = "抛出" if element.tag in ("endEvent", "intermediateThrowEvent") else "等待"
    name = document.signals.get(element.events[0].get("signalRef") or "")
    if not name:
        findings.add(element, "signal-without-name", f"没有写明{verb}哪个信号（signalRef）")
    elif len(name) > NAME_MAX:
        findings.add(element, "event-name-too-long", f"信号的名称超过{NAME_MAX}个字符")
    elif element.tag == "startEvent" and element.scope is None:
        for other in document.elements.values():
            if other.tag in ("endEvent", "intermediateThrowEvent") and other.event == "signal":
                if document.signals.get(other.events[0].get("signalRef") or "") == name:
                    findings.add(other, "signal-starts-itself", f"抛出的信号“{name}”会再次启动本流程，办件将不断自行增加")


def _code(element: Element, document: Document, findings: Findings) -> None:
    reference = element.events[0].get(f"{element.event}Ref")
    known = document.errors if element.event == "error" else document.escalations
    if reference and not known.get(reference):
        findings.add(element, "unknown-reference", f"引用的“{reference}”不存在或没有代码")
    if not reference and element.tag != "boundaryEvent":
        findings.add(element, "event-without-code", "没有写明错误或升级的代码")


def _thrown(document: Document, findings: Findings) -> None:
    """An error that nothing catches would stop the case; an escalation that nothing hears is pointless."""
    for element in document.elements.values():
        if element.event not in ("error", "escalation") or element.tag == "boundaryEvent":
            continue
        code, scope, caught = code_of(element, document), element.scope, False
        while scope is not None and not caught:
            events = (event for event in document.attached(scope) if event.event == element.event)
            caught = any(code_of(event, document) in (None, code) for event in events)
            scope = document.elements[scope].scope
        if not caught and element.event == "error":
            findings.add(element, "uncaught-error", f"错误“{code}”没有外层子流程的边界事件捕获")
        elif not caught:
            findings.warn(element, "uncaught-escalation", f"升级“{code}”没有外层子流程的边界事件捕获")


def _timer(element: Element, rule: TimerRule, findings: Findings) -> None:
    definition = element.events[0]
    _standard_time(element, definition, rule, findings)
    ways = [rule.working_days, rule.before_deadline, rule.after_deadline, rule.calendar_date, rule.duration]
    count = sum(way is not None for way in ways)
    if count == 0 and definition.find(f"{{{BPMN}}}timeCycle") is None:
        findings.add(element, "timer-without-time", "没有写明时间（workingDays、duration 等）")
    if count > 1:
        findings.add(element, "timer-several-times", "workingDays、beforeDeadline 等只能写一个")
    if rule.count_from is not None and rule.working_days is None:
        findings.add(element, "timer-count-from", "countFrom 只用于按工作日数（workingDays）计算的时限")
    if rule.duration is not None and not DURATION.fullmatch(rule.duration):
        findings.add(element, "timer-duration", f"时长“{rule.duration}”应当写成 PT1H、P10D 这样的格式")
    if rule.attached_to is None and rule.role in ROLES - {"timer"}:
        findings.warn(element, "timer-role-ignored", f"只有附着在环节上的定时才有作用“{rule.role}”，这里不起作用")
    if rule.role not in ROLES:
        findings.add(element, "timer-role", f"role“{rule.role}”应当是 deadline、reminder、escalation 或 timer")
    if rule.on_pause not in PAUSES:
        findings.add(element, "timer-on-pause", f"onPause“{rule.on_pause}”应当是 pause、restart 或 none")
    statutory = definition.get(f"{{{SHARING}}}statutoryMax")
    if statutory is not None and rule.statutory_max is None:
        findings.add(element, "timer-statutory-max", f"statutoryMax“{statutory}”应当是工作日数")
    office = definition.get(f"{{{SHARING}}}officeHours")
    if office not in (None, "true", "false"):
        findings.add(element, "timer-office-hours", f"officeHours“{office}”应当是 true 或 false")


def _standard_time(element: Element, definition: etree._Element, rule: TimerRule, findings: Findings) -> None:
    if definition.find(f"{{{BPMN}}}timeCycle") is not None:
        findings.add(element, "timer-cycle", "不支持循环定时（timeCycle），请用循环画出，或用升级定时")
    own = (rule.working_days, rule.before_deadline, rule.after_deadline, rule.calendar_date)
    if text_of(definition, "timeDate") and not any(own):
        findings.add(element, "timer-date", "不支持 timeDate，请用 calendarDate")


def _foreign(element: Element, findings: Findings) -> None:
    """A misspelt attribute of ours would silently mean nothing."""
    prefix = f"{{{SHARING}}}"
    for node in (element.xml, *element.events):
        for name in node.attrib:
            plain = str(name).removeprefix(prefix)
            if str(name).startswith(prefix) and (node is element.xml or plain not in TIMER_ATTRIBUTES):
                findings.add(element, "unknown-attribute", f"属性 sharing:{plain} 不存在或不能写在这里")


def _relative(document: Document, timers: dict[str, TimerRule], findings: Findings) -> None:
    """`beforeDeadline` and `afterDeadline` need one deadline on the same activity to count from."""
    for name, rule in timers.items():
        element = document.elements[name]
        activity = document.elements.get(rule.attached_to or "")
        siblings = [timers[event.id] for event in document.attached(rule.attached_to or "") if event.id in timers]
        deadlines = [timer for timer in siblings if timer.role == "deadline"]
        if rule.role == "deadline" and deadlines and deadlines[0].element != name:
            findings.add(element, "several-deadlines", "同一个任务只能有一个 role 为 deadline 的定时")
        if rule.before_deadline is None and rule.after_deadline is None:
            continue
        if rule.role == "deadline":
            findings.add(element, "relative-deadline", "时限本身不能相对于时限计算")
        elif not deadlines and not (activity is not None and activity.properties.get("limit")):
            findings.add(element, "relative-without-deadline", "同一个任务上没有 role 为 deadline 的定时可以相对")
