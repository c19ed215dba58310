"""What a file may not say: everything that would not run, or would not run as it is drawn.

An official who draws a diagram must never find out from a stuck case that a symbol meant nothing. So each
rule names the element and says what to do instead. The rules stand by topic: flow, events, texts.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from engine.process.interpreter import structure_events, structure_flow, structure_texts, structure_votes
from engine.process.interpreter.document import BPMN, TASKS, Document, Element
from engine.process.interpreter.findings import Findings
from engine.process.interpreter.model import Problem, TimerRule

IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]*")

#: Activities that may be multi-instance.
REPEATABLE = frozenset({"userTask", "manualTask", "callActivity", "subProcess", "serviceTask", "sendTask"})


def problems_of(document: Document, timers: dict[str, TimerRule], words: Collection[str] | None) -> list[Problem]:
    """All findings of a document, in the order of its rules.

    `words` are the functions that the host adds to the expression language; None leaves names of functions
    unjudged (a definition that was deployed long ago must stay readable).
    """
    findings = Findings(list(document.problems))
    if not IDENTIFIER.fullmatch(document.key):
        findings.add(None, "process-id", f"流程的编号“{document.key}”只能用字母、数字、下划线、点和连字符")
    for element in document.elements.values():
        _element(element, findings)
        if element.tag == "boundaryEvent":
            _error_results(element, document, findings)
    structure_flow.check(document, findings)
    structure_events.check(document, timers, findings)
    structure_texts.check(document, timers, words, findings)
    structure_votes.check(document, findings)
    return findings.problems


def _element(element: Element, findings: Findings) -> None:
    if not IDENTIFIER.fullmatch(element.id):
        findings.add(element, "element-id", "编号只能用字母、数字、下划线、点和连字符")
    if element.xml.get("isForCompensation") == "true":
        findings.add(element, "compensation", "不支持补偿")
    if element.xml.get("triggeredByEvent") == "true":
        findings.add(element, "event-subprocess", "不支持事件子流程，请用边界事件")
    if element.xml.find(f"{{{BPMN}}}standardLoopCharacteristics") is not None:
        findings.add(element, "standard-loop", "不支持标准循环，请用网关画出循环或用多实例")
    for tag in ("dataInputAssociation", "dataOutputAssociation", "ioSpecification"):
        if element.xml.find(f"{{{BPMN}}}{tag}") is not None:
            findings.warn(element, "data-object-ignored", "数据关联只作图示，不传递数据")
            break
    if element.tag in TASKS:
        _task(element, findings)


def _task(element: Element, findings: Findings) -> None:
    own = element.properties
    if element.tag in ("serviceTask", "sendTask"):
        if not own.get("operation") and not own.get("topic"):
            findings.add(element, "service-without-operation", "没有写明 operation（操作）或 topic（外部主题）")
        if own.get("operation") and own.get("topic"):
            findings.add(element, "operation-and-topic", "operation 与 topic 只能写一个")
    elif own.get("operation") or own.get("topic"):
        findings.add(element, "operation-ignored", "只有服务任务和发送任务可以写 operation 或 topic")
    if element.tag == "callActivity":
        called = element.xml.get("calledElement") or ""
        if not called:
            findings.add(element, "call-without-process", "没有写明调用的流程（calledElement）")
        elif not IDENTIFIER.fullmatch(called):
            findings.add(element, "dynamic-call", f"调用的流程“{called}”必须是固定的流程标识")
    _names(element, findings)
    if element.xml.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics") is not None and element.tag not in REPEATABLE:
        findings.add(element, "multi-not-here", "这类任务不能设为多实例")


def _names(element: Element, findings: Findings) -> None:
    """Parameters and results go by names that an expression could use."""
    for key, value in element.properties.items():
        kind, dot, name = key.partition(".")
        named = name if dot and kind in ("in", "out") else value if key == "out" else None
        if named is not None and (not named.isidentifier() or named.startswith("_")):
            findings.add(element, "bad-name", f"属性 {key} 中的变量名“{named}”不能用")
        if key == "out" and element.tag not in ("serviceTask", "sendTask"):
            findings.add(element, "out-ignored", "只有服务任务和发送任务可以写 out")
        if dot and kind in ("in", "out") and not _takes(element, kind):
            findings.add(element, "parameter-ignored", f"属性 {key} 在这类任务上不起作用")


def _error_results(element: Element, document: Document, findings: Findings) -> None:
    """What an error event takes of the worker that reported the error: only where there is a worker."""
    home = document.elements.get(element.attached_to or "")
    outside = element.event == "error" and home is not None and bool(home.properties.get("topic"))
    for key in element.properties:
        kind, dot, name = key.partition(".")
        if not dot or kind not in ("in", "out"):
            continue
        if kind == "in" or not outside:
            findings.add(element, "parameter-ignored", f"属性 {key} 只在外部任务的错误边界事件上起作用" if kind == "out" else f"属性 {key} 在边界事件上不起作用")
        elif not name.isidentifier() or name.startswith("_"):
            findings.add(element, "bad-name", f"属性 {key} 中的变量名“{name}”不能用")


def _takes(element: Element, kind: str) -> bool:
    if element.tag == "callActivity":
        return True
    return element.tag in ("serviceTask", "sendTask") and (kind == "in" or bool(element.properties.get("topic")))
