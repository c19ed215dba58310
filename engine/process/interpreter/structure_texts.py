"""Rules of the texts in a diagram: every expression must be readable, wherever it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.process.interpreter.document import BPMN, Document, Element, properties_of, text_of
from engine.process.interpreter.expressions import WORDS, ExpressionError, compile_expression, constant
from engine.process.interpreter.findings import Findings
from engine.process.interpreter.model import TimerRule
from engine.process.interpreter.multi import MAX_INSTANCES
from engine.process.interpreter.network import loop_of, script_lines

#: Properties that are expressions, besides in.* and out.*.
EXPRESSIONS = ("unit", "limit", "assignee")


def check(
    document: Document, timers: dict[str, TimerRule], words: Collection[str] | None, findings: Findings
) -> None:
    """All rules of this file."""
    for element in document.elements.values():
        if element.tag == "scriptTask":
            _script(element, findings)
        _loop(element, findings)
        rule = timers.get(element.id)
        if rule is not None:
            _days(element, rule, findings)
        for place, text, _, _ in _texts(element, document, rule):
            _expression(element, place, text, words, findings)
        for name, text in element.properties.items():
            if name.startswith("out."):
                _expression(element, f"属性 {name} ", text, words, findings)
    for place, text in (*_process_texts(document), *_lane_texts(document)):
        _expression(None, place, text, words, findings)


def _expression(
    element: Element | None, place: str, text: str, words: Collection[str] | None, findings: Findings
) -> None:
    try:
        compiled = compile_expression(text)
    except ExpressionError as error:
        findings.add(element, "bad-expression", f"{place}“{text[:80]}”：{error}")
        return
    if words is not None:
        for name in sorted(compiled.functions - set(WORDS) - set(words)):
            findings.add(element, "unknown-function", f"{place}“{text[:80]}”：没有函数“{name}”")


@dataclass(frozen=True, slots=True)
class Text:
    """An expression of a file, with the names that only this place knows and those that it makes known to the case."""

    element: str | None
    """Id of the step, for the condition of an arrow the one that it leaves; None for the process and its lanes."""
    owner: str
    """How a message names the element; empty for the process."""
    place: str
    text: str
    local: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    at_start: bool = False
    """Whether it is asked before the case has begun."""


def texts_of(document: Document, timers: dict[str, TimerRule]) -> Iterator[Text]:
    """Every expression over the case's data. Those over a called case's own (`out.x`) are left out."""
    for place, text in _process_texts(document):
        yield Text(None, "", place, text, at_start=True)
    for name in ("limitNotifyUnit", "restricted"):
        if document.properties.get(name):
            yield Text(None, "", f"属性 {name} ", document.properties[name])
    for element in document.elements.values():
        inside = _items(element, document)
        for place, text, local, sets in _texts(element, document, timers.get(element.id)):
            yield Text(element.id, element.label(), place, text, inside | local, sets)
        # A lane's unit is asked where the task is.
        lane = document.lanes.get(element.id)
        if lane and lane[1].get("unit") and not element.properties.get("unit") and element.tag in ("userTask", "manualTask"):
            yield Text(element.id, element.label(), "所在泳道的 unit ", lane[1]["unit"], _items(element, document))


def _items(element: Element, document: Document) -> frozenset[str]:
    """What multi-instance activities around an element, itself included, give to what is inside."""
    found: set[str] = set()
    at: Element | None = element
    while at is not None:
        host = document.elements.get(at.attached_to or "")
        for around in (at, host):
            loop = loop_of(around) if around is not None else None
            if loop is not None:
                found |= {"loopCounter", *([loop.item] if loop.item else [])}
        at = document.elements.get(at.scope or "")
    return frozenset(found)


_Found = tuple[str, str, frozenset[str], frozenset[str]]
_NONE: frozenset[str] = frozenset()


def _texts(element: Element, document: Document, rule: TimerRule | None) -> Iterator[_Found]:
    """Every expression of an element: name of its place, text, names of its own, names that it sets."""
    for flow in element.outgoing:
        condition = document.flows[flow].condition
        if condition is not None:
            yield f"箭头 {flow} 的条件", condition, _NONE, _NONE
    for name, text in element.properties.items():
        # An operation's `out` names a variable; a call's `out.x` computes over the called case.
        if name.startswith("in.") or (name in EXPRESSIONS and text) or (name == "priority" and element.properties.get("topic")):
            yield f"属性 {name} ", text, _NONE, _NONE
    if element.tag == "scriptTask":
        try:
            yield from (("脚本", text, _NONE, frozenset({name})) for name, text in script_lines(text_of(element.xml, "script") or ""))
        except ValueError:
            pass
    loop = loop_of(element)
    if loop is not None:
        sets = frozenset(name for name in (loop.output, loop.sign.result if loop.sign else None) if name)
        yield from (("多实例的表达式", text, _NONE, sets) for text in (loop.collection, loop.cardinality) if text)
        if loop.sign and loop.sign.ratio:
            yield "会签的通过比例", loop.sign.ratio, _NONE, sets
        if loop.condition:
            local = {loop.output_item, loop.output, "nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances"}
            yield "多实例的表达式", loop.condition, frozenset(name for name in local if name), sets
    if rule is not None:
        times = (rule.working_days, rule.before_deadline, rule.after_deadline, rule.calendar_date, rule.count_from)
        yield from (("定时", text, _NONE, _NONE) for text in times if text)


def _process_texts(document: Document) -> Iterator[tuple[str, str]]:
    for name in ("title",):
        if document.properties.get(name):
            yield f"流程的属性 {name} ", document.properties[name]
    for part in document.properties.get("parties", "").split(";"):
        name, equals, text = part.partition("=")
        if equals:
            yield f"流程的属性 parties 中 {name.strip()} ", text


def _lane_texts(document: Document) -> Iterator[tuple[str, str]]:
    for lane in document.process.iter(f"{{{BPMN}}}lane"):
        unit = properties_of(lane).get("unit")
        if unit:
            yield f"泳道“{lane.get('name') or lane.get('id')}”的 unit ", unit


def _script(element: Element, findings: Findings) -> None:
    try:
        lines = script_lines(text_of(element.xml, "script") or "")
    except ValueError as error:
        findings.add(element, "bad-script", f"脚本只能是“变量 = 表达式”的行，这一行不是：{str(error)[:80]}")
        return
    if not lines:
        findings.add(element, "empty-script", "没有脚本")


def _loop(element: Element, findings: Findings) -> None:
    loop = loop_of(element)
    if loop is None:
        return
    if (loop.collection is None) == (loop.cardinality is None):
        findings.add(element, "multi-without-collection", "多实例要写集合（loopDataInputRef）或次数（loopCardinality）其中一个")
    if loop.item is not None and loop.collection is None:
        findings.add(element, "multi-item", "没有集合就没有 inputDataItem")
    if (loop.output is None) != (loop.output_item is None):
        findings.add(element, "multi-output", "loopDataOutputRef 与 outputDataItem 要一起写")
    for name in (loop.item, loop.output, loop.output_item):
        if name is not None and (not name.isidentifier() or name.startswith("_")):
            findings.add(element, "multi-name", f"多实例的变量名“{name}”不能用")
    try:
        times = constant(loop.cardinality) if loop.cardinality else 0
    except ExpressionError:
        return
    if isinstance(times, bool) or not isinstance(times, int) or not 0 <= times <= MAX_INSTANCES:
        findings.add(element, "multi-cardinality", f"多实例的次数应当在0到{MAX_INSTANCES}之间")


def _days(element: Element, rule: TimerRule, findings: Findings) -> None:
    """Where the number of days is written out, it must be one."""
    for text in (rule.working_days, rule.before_deadline, rule.after_deadline):
        try:
            days = constant(text) if text is not None else 1
        except ExpressionError:
            continue
        if isinstance(days, bool) or not isinstance(days, int) or not 0 < days < 3000:
            findings.add(element, "timer-days", f"工作日数“{text}”应当是正整数")
