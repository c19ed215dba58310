"""Activities that do not run here as they are drawn: brought to the nearest kind that does, each with what is left to fill in."""

from __future__ import annotations

import re

from lxml import etree

from engine.process.interpreter.document import BPMN, local_name, text_of
from engine.process.interpreter.network import script_lines
from engine.process.interpreter.structure import REPEATABLE
from engine.process.workshop.importing.drawing import Drawing
from engine.process.workshop.importing.expressions import in_our_words
from engine.process.workshop.importing.sheet import (
    KINDS,
    Sheet,
    arrows,
    attributes,
    child,
    flows_in,
    is_bpmn,
    nodes_in,
    take,
)

_GLOBAL = {
    "globalUserTask": "userTask", "globalManualTask": "manualTask", "globalTask": "userTask", "globalBusinessRuleTask": "userTask",
    "globalScriptTask": "scriptTask",
}  # fmt: skip
#: `execution.setVariable("total", amount * 2)` and the like: an assignment in the scripts of Java engines.
_SET = re.compile(r"""(?:execution|task)\.setVariable(?:Local)?\(\s*["'](\w+)["']\s*,\s*(.+)\)\s*;?""")
_SCRIPT_LONGEST = 4000
_ASSIGN = re.compile(r"(?:var|let|const|def)?\s*([^\W\d]\w*)\s*=(?!=)\s*([^;]+?)\s*;?")


def bring_tasks(sheet: Sheet, drawing: Drawing) -> None:
    """All activities of the process."""
    for node in sheet.nodes():
        tag = local_name(node)
        if tag in _BY_TAG:
            _BY_TAG[tag](sheet, node)
    for node in sheet.nodes():
        if node.get("isForCompensation") == "true" and node.getparent() is not None:
            sheet.set_aside(node, "补偿任务，不运行")
            sheet.rewrote(node, "compensation-set-aside", "补偿任务不能运行，改为图上的注释；需要撤销时请画成普通的任务")
    for container in sheet.containers():
        out, _ = arrows(container)  # a loop changes the arrows of its own node only
        for node in nodes_in(container):
            _loop(sheet, drawing, container, node, out.get(node.get("id") or "", []))
            _multi(sheet, node)


def _task(sheet: Sheet, node: etree._Element) -> None:
    sheet.retag(node, "userTask")
    sheet.rewrote(node, "task-to-user-task", "原为未定类型的任务，现为用户任务（由人办理）")


def _business_rule(sheet: Sheet, node: etree._Element) -> None:
    named = next((value for name, value in attributes(node).items() if name.endswith("decisionRef")), None)
    sheet.retag(node, "userTask", without=("implementation",))
    rule = f"（决策“{named}”）" if named else ""
    sheet.rewrote(node, "rule-to-user-task", f"原为业务规则任务{rule}，本系统没有决策表，现为用户任务；也可改用网关条件")


def _script(sheet: Sheet, node: etree._Element) -> None:
    text = text_of(node, "script") or ""
    try:
        if script_lines(text) and not sheet.renamed:
            if all(in_our_words(expression) == expression for _, expression in script_lines(text)):
                return
    except ValueError:
        pass
    lines = _lines(sheet, node, text)
    if lines == text.splitlines():
        return
    script = child(node, "script")
    if lines is None:
        if text:
            sheet.lacks(node, "script-elsewhere", f"脚本“{text[:200]}”不是本系统的写法，请改写为“变量 = 表达式”的行", required=False)
        return
    kind = take(node, "scriptFormat")
    sheet.keep(node, **{"script": text, **({"scriptFormat": kind} if kind else {})})
    if script is None:
        script = etree.SubElement(node, f"{{{BPMN}}}script")
    script.text = "\n".join(lines)
    sheet.rewrote(node, "script-translated", f"脚本改写为“{'；'.join(lines)[:200]}”")


def _lines(sheet: Sheet, node: etree._Element, text: str) -> list[str] | None:
    """The script as our assignments; None where one line is something else."""
    if len(text) > _SCRIPT_LONGEST:
        return None
    result = next((value for name, value in attributes(node).items() if name.endswith("resultVariable")), "")
    lines = []
    for line in filter(None, (part.strip() for part in re.split(r"[\n;]+", text))):
        if line.startswith(("//", "#")):
            continue
        found = _SET.fullmatch(line) or _ASSIGN.fullmatch(line)
        name, old = (found[1], found[2]) if found else (result, line)
        value = in_our_words(old, sheet.renamed)
        name = sheet.renamed.get(name, name)
        if value is None or not name.isidentifier() or name.startswith("_"):
            return None
        lines.append(f"{name} = {value}")
    return lines or None


def _receive(sheet: Sheet, node: etree._Element) -> None:
    if node.get("instantiate") == "true":
        sheet.keep(node, instantiate=take(node, "instantiate") or "")
        sheet.rewrote(node, "start-by-message", "原由收到消息而启动流程，现由人发起后等待消息")


def _call(sheet: Sheet, node: etree._Element) -> None:
    called = sheet.find(node.get("calledElement"))
    if called is not None and local_name(called) in _GLOBAL:
        tag = _GLOBAL[local_name(called)]
        script = child(called, "script")
        if not node.get("name") and called.get("name"):
            node.set("name", called.get("name") or "")
        sheet.retag(node, tag, without=("calledElement",))
        sheet.rewrote(node, "global-task-inlined", f"原调用共用任务“{called.get('name') or called.get('id')}”，现为{KINDS[tag]}")
        if tag == "scriptTask" and script is not None:
            etree.SubElement(node, f"{{{BPMN}}}script").text = script.text
            _script(sheet, node)


def fill_empty(sheet: Sheet) -> None:
    """Subprocesses in which no step is left become tasks too: what stood in them was an event that is drawn elsewhere now."""
    for node in list(sheet.process.iter(f"{{{BPMN}}}subProcess")):
        _sub_process(sheet, node)


def _sub_process(sheet: Sheet, node: etree._Element) -> None:
    if nodes_in(node):
        return
    for flow in flows_in(node):
        sheet.keep(node, flow)
    sheet.retag(node, "userTask", without=("triggeredByEvent", "laneSet", "method", "ordering", "cancelRemainingInstances", "completionCondition"))
    sheet.rewrote(node, "empty-subprocess", "子流程里没有任何步骤，现为用户任务；也可改为调用活动或画出其中的步骤")


def _transaction(sheet: Sheet, node: etree._Element) -> None:
    if not nodes_in(node):
        return _sub_process(sheet, node)
    sheet.retag(node, "subProcess", without=("method",))
    sheet.rewrote(node, "transaction-to-subprocess", "原为事务子流程，现为子流程：出错时不会自动撤销已做的事，请用错误边界事件")


def _ad_hoc(sheet: Sheet, node: etree._Element) -> None:
    if not nodes_in(node):
        return _sub_process(sheet, node)
    sheet.retag(node, "subProcess", without=("ordering", "cancelRemainingInstances", "completionCondition"))
    sheet.rewrote(node, "ad-hoc-to-subprocess", "原为自组织子流程（次序由人定），现为子流程：其中没有先后的步骤同时开始，都办完才结束")


_BY_TAG = {
    "task": _task, "businessRuleTask": _business_rule, "scriptTask": _script, "receiveTask": _receive, "callActivity": _call,
    "subProcess": _sub_process, "transaction": _transaction, "adHocSubProcess": _ad_hoc,
}  # fmt: skip


def _loop(
    sheet: Sheet, drawing: Drawing, container: etree._Element, node: etree._Element, out: list[etree._Element]
) -> None:
    """A loop mark becomes a loop that is drawn: a gateway behind the activity leads back to it."""
    mark = child(node, "standardLoopCharacteristics")
    if mark is None:
        return
    condition = text_of(mark, "loopCondition")
    words = in_our_words(condition, sheet.renamed) if condition else None
    sheet.keep(node, mark)
    identity = node.get("id") or ""
    if len(out) > 1 or is_bpmn(node, {"boundaryEvent"}):
        out = []  # which of them leaves the loop is not ours to say
    gateway = sheet.add_node(container, "exclusiveGateway", f"Gateway_{identity}_Again", "再办一次？", identity)
    again = gateway.get("id") or ""
    for flow in out:
        flow.set("sourceRef", again)
    link = sheet.add_flow(container, identity, again)
    back = sheet.add_flow(container, again, identity)
    if words or condition:
        etree.SubElement(back, f"{{{BPMN}}}conditionExpression").text = words or condition
    if len(out) == 1:
        gateway.set("default", out[0].get("id") or "")
    drawing.put_behind(identity, again, link.get("id") or "", [flow.get("id") or "" for flow in out])
    drawing.connect(back.get("id") or "", again, identity)
    how = f"条件为“{words}”" if words else "条件待填写"
    sheet.rewrote(node, "loop-drawn", f"循环标记改为画出的循环：办完后由网关决定是否再办一次，{how}")


def _multi(sheet: Sheet, node: etree._Element) -> None:
    mark = child(node, "multiInstanceLoopCharacteristics")
    if mark is not None and local_name(node) not in REPEATABLE:
        sheet.keep(node, mark)
        sheet.rewrote(node, "multi-dropped", "这类任务不能设为多实例，现只做一次；需要时请放进多实例的子流程")


