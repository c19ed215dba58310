"""Rules of countersigns 会签: what decides must be written out, and nothing else may end the step."""

from __future__ import annotations

from collections.abc import Iterator

from engine.process.interpreter.countersign import MODES, share
from engine.process.interpreter.document import Document, Element
from engine.process.interpreter.expressions import ExpressionError, constant
from engine.process.interpreter.findings import Findings
from engine.process.interpreter.network import loop_of

#: What belongs to a countersign beside its mode.
PARTS = {"vote": "表决字段", "approve": "同意的选项", "result": "结果变量"}


def check(document: Document, findings: Findings) -> None:
    """All rules of this file."""
    for element in document.elements.values():
        mode = element.properties.get("countersign")
        if mode:
            for rule, text in _faults(element, mode):
                findings.add(element, rule, text)
        else:
            given = [name for name in (*PARTS, "ratio") if element.properties.get(name)]
            if given and element.tag in ("userTask", "manualTask"):
                findings.warn(element, "countersign-missing", f"没有写明会签方式（countersign），属性 {'、'.join(given)} 不起作用")


def _faults(element: Element, mode: str) -> Iterator[tuple[str, str]]:
    if element.tag not in ("userTask", "manualTask"):
        yield "countersign-not-here", "只有由人办理的任务可以会签（countersign）"
        return
    loop = loop_of(element)
    if loop is None:
        yield "countersign-not-multi", "会签（countersign）须写明由谁会签：请设为多实例，几方同时或依次办理"
    elif loop.condition is not None:
        yield "countersign-and-condition", "会签的结果一确定就自动结束，不能再写提前结束的条件（completionCondition）"
    if mode not in MODES:
        yield "countersign-unknown", f"会签方式（countersign）“{mode}”应当是{'、'.join(MODES)}之一"
    own = element.properties
    for name, label in PARTS.items():
        if not own.get(name):
            yield "countersign-incomplete", f"会签没有写明{label}（{name}）"
    result = own.get("result", "")
    if result and (not result.isidentifier() or result.startswith("_")):
        yield "bad-name", f"会签的结果变量名“{result}”不能用"
    if result and loop is not None and result in (loop.output, loop.item, own.get("vote")):
        yield "countersign-result", f"会签的结果变量“{result}”与另一个变量同名，会相互覆盖"
    yield from _ratio(own.get("ratio"), mode)


def _ratio(text: str | None, mode: str) -> Iterator[tuple[str, str]]:
    if mode != "ratio":
        if text:
            yield "ratio-ignored", "只有按比例会签（countersign为ratio）才有通过比例（ratio）"
        return
    if not text:
        yield "countersign-incomplete", "按比例会签没有写明通过比例（ratio）"
        return
    try:
        written = constant(text)
    except ExpressionError:
        return  # it comes from the case, or cannot be read, which the rules of texts say
    try:
        share(written)
    except ExpressionError:
        yield "countersign-ratio", f"会签的通过比例（ratio）“{text[:40]}”应当大于0、不大于1，例如 2/3"
