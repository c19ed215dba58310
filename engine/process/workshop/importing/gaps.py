"""What is still to be filled in: everything that the check would say of the draft, said before anybody asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.process.check import check as kernel_check
from engine.process.interpreter import document as documents
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.package import Package
from engine.process.workshop.importing.sheet import Gap, Sheet, label

if TYPE_CHECKING:
    from lxml import etree

#: What to do about a finding, where its own sentence only says what is missing.
_ADVICE = {
    "service-without-operation": "请选择它要执行的操作；没有合适的操作，请改为用户任务",
    "missing-condition": "请填写条件，或设为默认流向",
    "call-without-process": "请选择要调用的流程；不调用其他流程的，请改为用户任务",
    "called-process-missing": "请先导入并发布该流程，或改选已有的流程",
    "timer-without-time": "请填写工作日数或时长",
    "multi-without-collection": "请写明集合或次数",
    "bad-expression": "请用本系统的写法填写",
    "empty-script": "请填写“变量 = 表达式”",
    "bad-script": "请改写为“变量 = 表达式”的行",
    "event-never": "请改附在人工办理的任务上，或改为错误事件，或删除",
    "unreachable": "请连上箭头，或删除",
    "topic-name": "请改写外部主题的名称",
}
_MOST = 2000


def gaps_of(sheet: Sheet, package: Package, check: Callable[[], list[Problem]] | None) -> list[Gap]:
    """The tasks that nobody could do, the findings of the check, and what the import noticed; required ones first."""
    problems = check() if check is not None else kernel_check(package, frozenset())
    # Who fills in a lane fills in all its tasks: that is said instead of the check's own sentence.
    nobody = _nobody(sheet, package.xml)
    said = {(gap.element, gap.rule) for gap in nobody}
    found = [gap for problem in problems if ((gap := _gap(problem)).element, gap.rule) not in said]
    unique = list(dict.fromkeys([*nobody, *found, *sheet.gaps, *_formless(sheet)]))[:_MOST]
    order = {node.get("id"): place for place, node in enumerate(sheet.nodes())}
    return sorted(unique, key=lambda gap: (not gap.required, order.get(gap.element, -1)))


def _gap(problem: Problem) -> Gap:
    advice = _ADVICE.get(problem.rule)
    message = f"{problem.message}。{advice}" if advice else problem.message
    return Gap(problem.element, problem.name, problem.rule, message, problem.severity == "error")


def _nobody(sheet: Sheet, xml: bytes) -> list[Gap]:
    """Tasks without a unit or a post, with the lane on which both may be written for all its tasks."""
    try:
        document = documents.index(xml)
    except DiagramError:
        return []
    gaps = []
    for element in document.elements.values():
        if element.tag not in ("userTask", "manualTask"):
            continue
        lane, around = document.lanes.get(element.id, (None, {}))
        if not all(element.properties.get(name) or around.get(name) for name in ("unit", "post")):
            where = f"填在泳道“{lane}”上，对其中的任务都有效" if lane else "填在任务上"
            text = f"{element.label()}：没有承办单位或岗位，{where}"
            gaps.append(Gap(element.id, element.name or None, "no-assignee", text, True))
    return gaps


def _formless(sheet: Sheet) -> list[Gap]:
    """Tasks without a form or a name: they can be deployed, but people would see little."""
    gaps = []
    for node in sheet.nodes():
        if documents.local_name(node) not in ("userTask", "manualTask"):
            continue
        if not documents.properties_of(node).get("form"):
            gaps.append(_optional(node, "no-form", "没有表单，办理人只能填写意见"))
        if not (node.get("name") or "").strip():
            gaps.append(_optional(node, "no-name", "没有名称，办理人不知道要做什么"))
    return gaps


def _optional(node: etree._Element, rule: str, text: str) -> Gap:
    return Gap(node.get("id"), " ".join((node.get("name") or "").split()) or None, rule, label(node) + text, False)
