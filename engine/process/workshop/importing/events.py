"""Events that do not run here as they are drawn: triggers, conditions, links, compensation, timers of other engines."""

from __future__ import annotations

import re

from lxml import etree

from engine.process.interpreter.document import BPMN, SHARING, TASKS, local_name, properties_of, text_of
from engine.process.interpreter.structure_events import ALLOWED, DURATION, EVENT_NAMES, FROM_OUTSIDE, NAME_MAX, PLACES
from engine.process.workshop.importing.drawing import Drawing
from engine.process.workshop.importing.expressions import in_our_words, literal
from engine.process.workshop.importing.sheet import Sheet, arrows, attributes, child, event_definitions, is_bpmn, nodes_in

#: What waits for something that only our messages can say.
_AS_MESSAGE = {"conditional": "条件", "none": "空", "escalation": "升级", "link": "链接", "error": "错误"}
_CYCLE = re.compile(r"R\d*/(?:[^/]*/)?(P[^/]+)")


def bring_events(sheet: Sheet, drawing: Drawing) -> None:
    """All events of the process. Event subprocesses keep their start for `handlers`."""
    _links(sheet, drawing)
    #: Activities at which an error is caught.
    guarded = {node.get("attachedToRef") or "" for node in sheet.nodes() if kind_of(node) == "error"}
    for node in sheet.nodes():
        if node.getparent() is None:
            continue
        tag = local_name(node)
        if tag == "boundaryEvent":
            _boundary(sheet, node, guarded)
        elif tag in ("startEvent", "endEvent", "intermediateThrowEvent", "intermediateCatchEvent"):
            _one_definition(sheet, node)
            _BY_TAG[tag](sheet, node)
    for node in sheet.nodes():
        bring_waiting(sheet, node)


def bring_waiting(sheet: Sheet, node: etree._Element) -> None:
    """What an event that waits must say: when, or for which message or signal; and which signal one throws."""
    if is_bpmn(node, {"receiveTask"}):
        _named(sheet, node, node, "message")
    if kind_of(node) == "signal" and not is_bpmn(node, {"startEvent"}):
        _named(sheet, node, event_definitions(node)[0], "signal")
    if not is_bpmn(node, {"boundaryEvent", "intermediateCatchEvent"}):
        return
    for definition in event_definitions(node)[:1]:
        if local_name(definition) == "messageEventDefinition":
            _named(sheet, node, definition, "message")
        elif local_name(definition) == "timerEventDefinition":
            _timer(sheet, node, definition)


def kind_of(node: etree._Element) -> str:
    """none | timer | message | …: the kind of an event by its first definition."""
    found = event_definitions(node)
    return local_name(found[0]).removesuffix("EventDefinition") if found else "none"


def _one_definition(sheet: Sheet, node: etree._Element) -> None:
    """Of several triggers only one can be: the first that runs."""
    found = event_definitions(node)
    references = node.findall(f"{{{BPMN}}}eventDefinitionRef")
    if references and not found:
        _resolve(sheet, node, references)
        found = event_definitions(node)
    if len(found) < 2:
        return
    allowed = ALLOWED[local_name(node)]
    best = next((one for one in found if local_name(one).removesuffix("EventDefinition") in allowed), found[0])
    sheet.keep(node, *(one for one in found if one is not best))
    kinds = "、".join(EVENT_NAMES.get(local_name(one).removesuffix("EventDefinition"), "其他") for one in found)
    sheet.rewrote(node, "one-trigger", f"原有多个触发（{kinds}），现只留“{EVENT_NAMES.get(kind_of(node), '其他')}”")


def _resolve(sheet: Sheet, node: etree._Element, references: list[etree._Element]) -> None:
    """An event may name definitions that stand elsewhere in the file: here they stand inside."""
    for reference in references:
        found = sheet.find((reference.text or "").strip())
        if found is not None and local_name(found).endswith("EventDefinition"):
            inside = etree.SubElement(node, found.tag, {name: value for name, value in attributes(found).items() if name != "id"})
            for part in found:
                copy = etree.SubElement(inside, part.tag, attributes(part))
                copy.text = part.text
    sheet.keep(node, *references)


def _drop(sheet: Sheet, node: etree._Element) -> None:
    sheet.keep(node, *event_definitions(node))


# -- kinds by place -------------------------------------------------------------------------------


def _start(sheet: Sheet, node: etree._Element) -> None:
    around = node.getparent()
    if kind_of(node) == "none" or (around is not None and around.get("triggeredByEvent") == "true"):
        return
    kind = EVENT_NAMES.get(kind_of(node), kind_of(node))
    _drop(sheet, node)
    sheet.rewrote(node, "start-by-person", f"原由“{kind}”触发，现由人发起")
    if around is sheet.process:
        sheet.lacks(node, "start-trigger", f"不再由“{kind}”自动启动；可由人发起，或由另一流程调用", required=False)


def _end(sheet: Sheet, node: etree._Element) -> None:
    kind = kind_of(node)
    if kind == "cancel":
        return _cancel(sheet, node)
    if kind in ("error", "escalation"):
        return _thrown(sheet, node, kind)
    if kind in ALLOWED["endEvent"]:
        return
    _drop(sheet, node)
    _said(sheet, node, kind, "普通的结束事件")


def _throw(sheet: Sheet, node: etree._Element) -> None:
    kind = kind_of(node)
    if kind == "escalation":
        return _thrown(sheet, node, kind)
    if kind in ALLOWED["intermediateThrowEvent"]:
        return
    _drop(sheet, node)
    _said(sheet, node, kind, "空事件")


def _said(sheet: Sheet, node: etree._Element, kind: str, now: str) -> None:
    word = EVENT_NAMES.get(kind, kind)
    sheet.rewrote(node, "throw-dropped", f"原抛出“{word}”，现为{now}，不再抛出")
    if kind == "message":
        sheet.lacks(node, "message-not-sent", f"此处不再发出{word}；需要通知他人时，请加服务任务，操作选“发送消息”", required=False)
    elif kind == "compensate":
        sheet.lacks(node, "compensation-dropped", "此处不再触发补偿；需要撤销时，请画出撤销的步骤", required=False)


def _catch(sheet: Sheet, node: etree._Element) -> None:
    kind = kind_of(node)
    if kind in ALLOWED["intermediateCatchEvent"]:
        return
    if kind == "none":
        sheet.retag(node, "intermediateThrowEvent")
        sheet.rewrote(node, "nothing-awaited", "没有写明等待什么，现为空事件，不等待")
        return
    _as_message(sheet, node, kind)


def _as_message(sheet: Sheet, node: etree._Element, kind: str) -> None:
    """A condition awaited becomes a message awaited: that is how something from outside is told here."""
    _drop(sheet, node)
    etree.SubElement(node, f"{{{BPMN}}}messageEventDefinition")
    word = _AS_MESSAGE.get(kind, EVENT_NAMES.get(kind, kind))
    sheet.rewrote(node, "awaits-message", f"{PLACES[local_name(node)]}原等待“{word}”，现等待消息")
    sheet.lacks(node, "message-from-whom", "请确认这个消息由谁发出；如按时间触发，请改为定时", required=False)


def _boundary(sheet: Sheet, node: etree._Element, guarded: set[str]) -> None:
    host = sheet.find(node.get("attachedToRef"))
    _one_definition(sheet, node)
    kind = kind_of(node)
    if host is None or host.getparent() is not node.getparent() or local_name(host) not in TASKS:
        sheet.set_aside(node, "没有附着在任务上，不运行")
        sheet.rewrote(node, "boundary-set-aside", "边界事件没有附着在任务或子流程上，改为图上的注释")
    elif kind == "compensate":
        sheet.set_aside(node, "补偿事件，不运行")
        sheet.rewrote(node, "compensation-set-aside", "补偿边界事件不能运行，改为图上的注释")
    elif kind == "cancel":
        _cancel(sheet, node)
    elif kind not in ALLOWED["boundaryEvent"]:
        _as_message(sheet, node, kind)
    elif kind in ("error", "escalation"):
        bring_caught(sheet, node, kind)
    if host is not None and node.getparent() is host.getparent():
        _at_once(sheet, node, host, guarded)
    if kind == "error" and node.get("cancelActivity") == "false":
        node.set("cancelActivity", "true")
        sheet.keep(node, cancelActivity="false")
        sheet.rewrote(node, "error-interrupts", "错误边界事件只能是中断型，已改为中断")


def _at_once(sheet: Sheet, node: etree._Element, host: etree._Element, guarded: set[str]) -> None:
    """A service is done at once here, so nothing can come in between; what interrupts it is its failure."""
    if not is_bpmn(host, {"serviceTask", "sendTask"}) or kind_of(node) not in FROM_OUTSIDE:
        return
    if properties_of(host).get("topic") or node.get("cancelActivity") == "false" or not is_bpmn(node, {"boundaryEvent"}):
        return
    if host.get("id") in guarded:
        return
    guarded.add(host.get("id") or "")
    _drop(sheet, node)
    etree.SubElement(node, f"{{{BPMN}}}errorEventDefinition")
    sheet.rewrote(node, "interrupted-by-error", "服务任务当即办完，中间不会等待，原来的边界事件现为错误事件（操作失败时走这里）")


_BY_TAG = {
    "startEvent": _start, "endEvent": _end, "intermediateThrowEvent": _throw, "intermediateCatchEvent": _catch,
}  # fmt: skip

# -- errors and escalations -----------------------------------------------------------------------


def _cancel(sheet: Sheet, node: etree._Element) -> None:
    """The cancellation of a transaction is an error here that its boundary catches."""
    _drop(sheet, node)
    definition = etree.SubElement(node, f"{{{BPMN}}}errorEventDefinition")
    definition.set("errorRef", _declared(sheet, "error", "errorCode", "cancelled", "取消"))
    sheet.rewrote(node, "cancel-to-error", "原为“取消”事件，现为错误事件（代码 cancelled）")
    if is_bpmn(node, {"endEvent"}):
        _uncaught(sheet, node, "error")


def _thrown(sheet: Sheet, node: etree._Element, kind: str) -> None:
    """An error or an escalation needs a code, and an error somebody who catches it."""
    definition = event_definitions(node)[0]
    if not _coded(sheet, node, definition, kind):
        if definition.get(f"{kind}Ref"):
            sheet.keep(node, **{f"{kind}Ref": definition.get(f"{kind}Ref") or ""})
        code = f"{kind}_{node.get('id')}"
        definition.set(f"{kind}Ref", _declared(sheet, kind, f"{kind}Code", code, node.get("name") or ""))
        sheet.rewrote(node, "code-given", "没有写明代码，已按编号给一个")
    if kind == "error":
        _uncaught(sheet, node, kind)


def bring_caught(sheet: Sheet, node: etree._Element, kind: str) -> None:
    """What a boundary event catches has a code; without a reference it catches everything."""
    definition = event_definitions(node)[0]
    reference = definition.get(f"{kind}Ref")
    if reference and not _coded(sheet, node, definition, kind):
        del definition.attrib[f"{kind}Ref"]
        sheet.keep(node, **{f"{kind}Ref": reference})
        sheet.rewrote(node, "catches-all", f"引用的“{reference}”不存在，现捕获任何代码")


def _coded(sheet: Sheet, node: etree._Element, definition: etree._Element, kind: str) -> bool:
    """Whether it refers to an error or escalation of the file; one without a code gets its id for one."""
    reference = sheet.find(definition.get(f"{kind}Ref"))
    if reference is None or not is_bpmn(reference, {kind}):
        return False
    if not reference.get(f"{kind}Code") and not reference.get("name"):
        reference.set(f"{kind}Code", reference.get("id") or kind)
        sheet.rewrote(node, "code-given", f"代码为空，已取编号“{reference.get('id')}”")
    return True


def _declared(sheet: Sheet, tag: str, attribute: str, code: str, name: str) -> str:
    for found in sheet.root.findall(f"{{{BPMN}}}{tag}"):
        if found.get(attribute) == code and found.get("id"):
            return found.get("id") or ""
    made = etree.Element(f"{{{BPMN}}}{tag}", {"id": sheet.new_id(f"{tag.title()}_{code}"), attribute: code, "name": name or code})
    sheet.process.addprevious(made)
    return made.get("id") or ""


def _uncaught(sheet: Sheet, node: etree._Element, kind: str) -> None:
    """An error that nothing catches ends the whole case: that is a terminate end."""
    container = node.getparent()
    while container is not None and container is not sheet.process:
        around = container.getparent()
        for event in nodes_in(around) if around is not None else ():
            if event.get("attachedToRef") == container.get("id") and kind_of(event) in (kind, "cancel"):
                return
        inside = [one for one in container if is_bpmn(one, {"subProcess"}) and one.get("triggeredByEvent") == "true"]
        if inside:
            return
        container = around
    if container is not None and any(
        kind_of(start) == kind
        for handler in nodes_in(container) if handler.get("triggeredByEvent") == "true"
        for start in nodes_in(handler) if is_bpmn(start, {"startEvent"})
    ):  # fmt: skip
        return
    _drop(sheet, node)
    etree.SubElement(node, f"{{{BPMN}}}terminateEventDefinition")
    sheet.rewrote(node, "error-to-terminate", "错误没有外层的边界事件捕获，会使整个流程结束，现为终止结束事件")


# -- links ----------------------------------------------------------------------------------------


def _links(sheet: Sheet, drawing: Drawing) -> None:
    """A pair of link events is an arrow that was not drawn: here it is drawn."""
    for container in sheet.containers():
        events = [node for node in nodes_in(container) if kind_of(node) == "link"]
        catching = {_link_name(node): node for node in events if is_bpmn(node, {"intermediateCatchEvent"})}
        out, into = arrows(container)
        for node in events:
            target = catching.get(_link_name(node))
            if node is target or is_bpmn(node, {"intermediateCatchEvent"}):
                continue
            if target is None:
                continue  # thrown to nowhere: an end, as the other rules will find
            flow = sheet.add_flow(container, node.get("id") or "", target.get("id") or "")
            drawing.connect(flow.get("id") or "", node.get("id") or "", target.get("id") or "")
            _drop(sheet, node)
            if is_bpmn(node, {"endEvent"}):
                sheet.retag(node, "intermediateThrowEvent")
            sheet.rewrote(node, "link-drawn", f"链接“{_link_name(node) or node.get('name') or ''}”改为画出的箭头")
        for node in catching.values():
            _drop(sheet, node)
            sheet.retag(node, "intermediateThrowEvent")
            sheet.rewrote(node, "link-drawn", "链接的入口改为空事件")


def _link_name(node: etree._Element) -> str:
    for definition in event_definitions(node):
        kept = definition.get("name")
        return kept or " ".join((node.get("name") or "").split())
    return " ".join((node.get("name") or "").split())


# -- messages, signals and timers --------------------------------------------------------------------------


def _named(sheet: Sheet, node: etree._Element, holder: etree._Element, kind: str) -> None:
    """A message or signal goes by its name here."""
    word, reference = EVENT_NAMES[kind], f"{kind}Ref"
    found = sheet.find(holder.get(reference))
    if found is not None and is_bpmn(found, {kind}):
        if not found.get("name"):
            found.set("name", (found.get("id") or "")[:NAME_MAX])
            sheet.rewrote(node, f"{kind}-named", f"{word}没有名称，取其编号“{found.get('id')}”")
        return
    if holder.get(reference):
        sheet.keep(node, **{reference: holder.get(reference) or ""})
    name = (" ".join((node.get("name") or "").split()) or node.get("id") or "")[:NAME_MAX]
    made = etree.Element(f"{{{BPMN}}}{kind}", {"id": sheet.new_id(f"{kind.title()}_{node.get('id')}"), "name": name})
    sheet.process.addprevious(made)
    holder.set(reference, made.get("id") or "")
    sheet.rewrote(node, f"{kind}-named", f"没有写明是哪个{word}，已新建{word}“{name}”")


def _timer(sheet: Sheet, node: etree._Element, definition: etree._Element) -> None:
    if any(str(name).startswith(f"{{{SHARING}}}") for name in definition.attrib):
        return  # ours already
    cycle, moment, duration = (child(definition, tag) for tag in ("timeCycle", "timeDate", "timeDuration"))
    if cycle is not None:
        _cycle(sheet, node, definition, cycle)
    elif text_of(definition, "timeDate") and moment is not None:
        _moment(sheet, node, definition, moment)
    elif duration is not None and text_of(definition, "timeDuration"):
        _duration(sheet, node, definition, duration)


def _cycle(sheet: Sheet, node: etree._Element, definition: etree._Element, cycle: etree._Element) -> None:
    text = (text_of(definition, "timeCycle") or "")[:200].strip("\"'")
    found = _CYCLE.fullmatch(text)
    sheet.keep(node, cycle)
    if found is not None and DURATION.fullmatch(found[1]):
        etree.SubElement(definition, f"{{{BPMN}}}timeDuration").text = found[1]
        sheet.rewrote(node, "cycle-once", f"循环定时“{text}”只响一次，时长为“{found[1]}”；要反复提醒请画成循环")
    else:
        sheet.rewrote(node, "cycle-dropped", f"循环定时“{text[:80]}”不能运行，时间待填写")


def _moment(sheet: Sheet, node: etree._Element, definition: etree._Element, moment: etree._Element) -> None:
    text = (text_of(definition, "timeDate") or "")[:200].strip("\"'")
    day = re.match(r"(\d{4}-\d{2}-\d{2})(?:T.*)?$", text)
    words = literal(day[1]) if day else in_our_words(text, sheet.renamed)
    if words is None:
        sheet.keep(node, moment)
        sheet.rewrote(node, "date-dropped", f"定时日期“{text[:80]}”无法读懂，时间待填写")
        return
    definition.set(f"{{{SHARING}}}calendarDate", words)
    sheet.rewrote(node, "date-translated", f"定时日期“{text[:80]}”改写为“{words}”，到该日（不计时刻）")


def _duration(sheet: Sheet, node: etree._Element, definition: etree._Element, duration: etree._Element) -> None:
    text = (text_of(definition, "timeDuration") or "")[:200].strip()
    plain = re.sub(r"""^[=\s]*duration\(\s*["'](.*)["']\s*\)$""", r"\1", text).strip("\"'= ")
    plain = plain[2:-1] if plain.startswith(("${", "#{")) and plain.endswith("}") else plain
    plain = plain.strip("\"'")
    if DURATION.fullmatch(plain):
        if plain != text.strip("\"'"):
            sheet.keep(node, timeDuration=text)
            duration.text = plain
            sheet.rewrote(node, "duration-translated", f"时长“{text[:80]}”改写为“{plain}”")
        if re.search(r"\d[DWMY](?!.*T.*M)", plain.split("T")[0]):
            sheet.lacks(node, "clock-time", f"时长“{plain}”按自然时间计算；如应按工作日，请改填工作日数", required=False)
        return
    sheet.keep(node, duration)
    sheet.rewrote(node, "duration-dropped", f"时长“{text[:80]}”无法读懂，时间待填写")
