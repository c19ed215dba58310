"""What other engines write beside BPMN: who does a task, what a service calls, what a call hands over, conditions in JUEL and FEEL.

Taken over where our language says the same; everything stays in the file as it was, and what has no meaning here is
listed, so that nobody takes a kept attribute for a working one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from lxml import etree

from engine.people.posts import POSTS
from engine.process.check import TOPIC
from engine.process.interpreter.document import BPMN, SHARING, SPIFF, local_name, properties_of, text_of
from engine.process.workshop.importing.expressions import in_our_words, literal, name_of
from engine.process.workshop.importing.forms import FAMILY, ZEEBE, vendor
from engine.process.workshop.importing.sheet import ORIGINAL, Sheet, child, extension_items, is_bpmn, take

#: Name spaces with a meaning here, or without one anywhere: nothing to list.
_QUIET_SPACES = (BPMN, SPIFF, SHARING, ORIGINAL, "http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace")
#: Marks of a service that only another engine can run.
_CODE = ("class", "delegateExpression", "expression", "type")


@dataclass(frozen=True, slots=True)
class Kept:
    """Something of another tool that stays in the file and means nothing here."""

    what: str
    """Prefix and name as in the file: camunda:asyncBefore."""
    count: int


def take_over(sheet: Sheet) -> None:
    """Everything of this file but the list of what is kept. Forms came first: they say how variables are called here."""
    _conditions(sheet)
    for node in sheet.nodes():
        if is_bpmn(node, {"task", "userTask", "manualTask"}):
            _who(sheet, node)
            _until(sheet, node)
        elif is_bpmn(node, {"serviceTask", "sendTask", "businessRuleTask"}):
            _service(sheet, node)
        elif is_bpmn(node, {"callActivity"}):
            _call(sheet, node)
        _repetition(sheet, node)
    for lane in sheet.process.iter(f"{{{BPMN}}}lane"):
        _post_of_lane(sheet, lane)


def kept(sheet: Sheet) -> list[Kept]:
    """What of other tools stays in the file without a meaning here, by how often it stands there."""
    counted: Counter[str] = Counter()
    for node in sheet.process.iter():
        if not isinstance(node.tag, str) or any(around.tag == f"{{{ORIGINAL}}}original" for around in (node, *node.iterancestors())):
            continue
        prefixes = {space: prefix for prefix, space in node.nsmap.items()}
        for name in (node.tag, *node.attrib):
            space = etree.QName(name).namespace
            if space and space not in _QUIET_SPACES:
                prefix = prefixes.get(space) or "?"
                counted[f"{prefix}:{etree.QName(name).localname}"] += 1
    return [Kept(what, count) for what, count in counted.most_common()]


# -- conditions -----------------------------------------------------------------------------------


def _conditions(sheet: Sheet) -> None:
    for flow in sheet.flows():
        condition = child(flow, "conditionExpression")
        if condition is not None:
            translate(sheet, flow, condition, "条件")


def translate(sheet: Sheet, node: etree._Element, place: etree._Element, what: str) -> bool:
    """Puts the expression in `place` into our words; the old one is kept at `node`. True where it can be read now."""
    old = "".join(str(part) for part in place.itertext()).strip()
    if not old:
        return False
    new = in_our_words(old, sheet.renamed)
    if new is None or new == old:
        return new is not None
    values = {local_name(place): old}
    language = take(place, "language")
    if language:
        values["language"] = language
    sheet.keep(node, **values)
    for inside in list(place):
        place.remove(inside)
    place.text = new
    sheet.rewrote(node, "expression-translated", f"{what}由“{old[:200]}”改写为“{new[:200]}”")
    return True


# -- who and until when -----------------------------------------------------------------------------


def _groups(sheet: Sheet, node: etree._Element) -> list[str]:
    """The candidate groups that a task names, in whichever way."""
    found = vendor(node, "candidateGroups") or ""
    for item in extension_items(node):
        if item.tag == f"{{{ZEEBE}}}assignmentDefinition":
            found = found or (item.get("candidateGroups") or "").lstrip("= ")
    for owner in node:
        if is_bpmn(owner, {"potentialOwner", "performer", "humanPerformer"}):
            text = text_of(owner, "resourceAssignmentExpression", "formalExpression") or ""
            groups = re.findall(r"group\(([^()]+)\)", text)
            resource = sheet.find(text_of(owner, "resourceRef"))
            found = found or ",".join(groups) or (resource.get("name") or "" if resource is not None else "")
    return [part.strip(" \"'[]") for part in found.split(",") if part.strip(" \"'[]")]


def _persons(node: etree._Element) -> str:
    names = [vendor(node, "assignee"), vendor(node, "candidateUsers")]
    names += [item.get("assignee") for item in extension_items(node) if item.tag == f"{{{ZEEBE}}}assignmentDefinition"]
    return "、".join(name for name in names if name)


def _who(sheet: Sheet, node: etree._Element) -> None:
    """A group written as unit/post, as a post's key or as its name; persons have no equivalent: offices act, not people."""
    if properties_of(node).get("post"):
        return
    groups = _groups(sheet, node)
    for group in groups if len(groups) == 1 else ():
        unit, slash, post = group.rpartition("/")
        key = _post(post)
        if key is None or (slash and not re.fullmatch(r"[\w-]{1,32}", unit)):
            continue
        sheet.set_property(node, "post", key)
        if slash:
            sheet.set_property(node, "unit", literal(unit))
        sheet.rewrote(node, "assignee-translated", f"候选组“{group}”对应岗位“{POSTS[key].label}”" + (f"、单位“{unit}”" if slash else ""))
        return
    said = [f"候选组“{'、'.join(groups)}”"] if groups else []
    persons = _persons(node)
    if persons:
        said.append(f"办理人“{persons}”")
    if said:
        sheet.lacks(node, "assignee-elsewhere", f"原由{'、'.join(said)}办理；本系统按单位和岗位办理，请填写承办单位和岗位", required=False)


def _post(text: str) -> str | None:
    """A post by its key or its Chinese name, if cases may be given to it."""
    found = text if text in POSTS else next((key for key, post in POSTS.items() if post.label == text.strip()), None)
    return found if found is not None and POSTS[found].works_cases else None


def _post_of_lane(sheet: Sheet, lane: etree._Element) -> None:
    key = _post(lane.get("name") or "")
    if key is not None and not properties_of(lane).get("post"):
        sheet.set_property(lane, "post", key)
        sheet.rewrote(lane, "post-of-lane", f"泳道名称就是岗位“{POSTS[key].label}”，已填为岗位")


def _until(sheet: Sheet, node: etree._Element) -> None:
    due = vendor(node, "dueDate") or next(
        (item.get("dueDate") for item in extension_items(node) if item.tag == f"{{{ZEEBE}}}taskSchedule"), None
    )
    if due and not properties_of(node).get("limit"):
        sheet.lacks(node, "limit-elsewhere", f"原设到期时间“{due}”，请改填时限（工作日）", required=False)


# -- services and calls -----------------------------------------------------------------------------


def _service(sheet: Sheet, node: etree._Element) -> None:
    own = properties_of(node)
    if own.get("operation") or own.get("topic"):
        return
    topic = vendor(node, "topic") or next(
        (item.get("type") for item in extension_items(node) if item.tag == f"{{{ZEEBE}}}taskDefinition"), None
    )
    code = next((f"{name}=“{value}”" for name in _CODE if (value := vendor(node, name))), None)
    if topic and TOPIC.fullmatch(topic) and is_bpmn(node, {"serviceTask", "sendTask"}):
        sheet.set_property(node, "topic", topic)
        sheet.rewrote(node, "topic-translated", f"由外部程序办理，主题“{topic}”")
        sheet.lacks(node, "handed-elsewhere", "外部程序只能得到写明交给它的数据，办件只取写明取回的数据，请填写", required=False)
    elif topic and not is_bpmn(node, {"businessRuleTask"}):
        sheet.lacks(node, "service-elsewhere", f"原由外部程序办理（主题“{topic}”），请改选本系统的操作，或改为人工办理", required=False)
    elif code:
        sheet.lacks(node, "service-elsewhere", f"原由其他系统的程序执行（{code}），请改选本系统的操作，或改为人工办理", required=False)


def _call(sheet: Sheet, node: etree._Element) -> None:
    for item in list(extension_items(node)):
        space, tag = etree.QName(item).namespace, local_name(item)
        if space == ZEEBE and tag == "calledElement" and item.get("processId") and not node.get("calledElement"):
            node.set("calledElement", item.get("processId") or "")
            sheet.rewrote(node, "call-translated", f"调用的流程为“{item.get('processId')}”")
        elif space in FAMILY and tag in ("in", "out"):
            _handed(sheet, node, item, tag)


def _handed(sheet: Sheet, node: etree._Element, item: etree._Element, way: str) -> None:
    target = item.get("target") or ""
    name = sheet.renamed.get(target, target)
    old = item.get("sourceExpression") or item.get("source")
    value = in_our_words(old, sheet.renamed) if old else None
    if value is not None and name.isidentifier() and not name.startswith("_"):
        if not properties_of(node).get(f"{way}.{name}"):
            sheet.set_property(node, f"{way}.{name}", value)
            sheet.rewrote(node, "call-translated", f"{'传入' if way == 'in' else '传回'}变量“{name}”，取“{value}”")
    elif item.get("businessKey") is None:
        text = "全部变量" if item.get("variables") else f"“{old or target}”"
        sheet.lacks(node, "call-data", f"原{'传入' if way == 'in' else '传回'}{text}，请逐项写明参数", required=False)


# -- repetition -----------------------------------------------------------------------------------


def _repetition(sheet: Sheet, node: etree._Element) -> None:
    multi = child(node, "multiInstanceLoopCharacteristics")
    if multi is None:
        return
    # A modeler that takes loopDataInputRef for a reference drops it: what we wrote stands beside as an attribute.
    collection = multi.get(f"{{{ORIGINAL}}}collection") or vendor(multi, "collection")
    item = multi.get(f"{{{ORIGINAL}}}item") or vendor(multi, "elementVariable")
    for zeebe in extension_items(multi):
        if zeebe.tag == f"{{{ZEEBE}}}loopCharacteristics" and not collection:
            collection, item = zeebe.get("inputCollection"), zeebe.get("inputElement")
    reference = child(multi, "loopDataInputRef")
    if reference is not None:
        _reference(sheet, node, multi, reference)
    for tag in ("loopCardinality", "completionCondition"):
        found = child(multi, tag)
        if found is not None:
            translate(sheet, node, found, "多实例的次数" if tag == "loopCardinality" else "多实例的完成条件")
    output = multi.get(f"{{{ORIGINAL}}}output")
    if output and child(multi, "loopDataOutputRef") is None and child(multi, "outputDataItem") is not None:
        made = etree.Element(f"{{{BPMN}}}loopDataOutputRef")
        made.text = output
        child(multi, "outputDataItem").addprevious(made)  # type: ignore[union-attr]  # looked for one line above
        sheet.rewrote(node, "multi-translated", f"多实例的结果列表为“{output}”")
    if collection and child(multi, "loopDataInputRef") is None:
        words = in_our_words(collection, sheet.renamed)
        if words is None:
            sheet.lacks(node, "multi-elsewhere", f"多实例的集合原为“{collection}”，请改写", required=False)
            return
        _set_collection(multi, words, name_of(item or "") or "item")
        sheet.rewrote(node, "multi-translated", f"多实例的集合为“{words}”")


def _set_collection(multi: etree._Element, words: str, item: str) -> None:
    """The collection and its item; the schema wants them right after the cardinality."""
    multi.set(f"{{{ORIGINAL}}}collection", words)
    multi.set(f"{{{ORIGINAL}}}item", item)
    made = etree.Element(f"{{{BPMN}}}loopDataInputRef")
    made.text = words
    named = etree.Element(f"{{{BPMN}}}inputDataItem", {"name": item})
    place = sum(1 for one in multi if is_bpmn(one, {"documentation", "extensionElements", "loopCardinality"}))
    multi.insert(place, made)
    if child(multi, "inputDataItem") is None:
        multi.insert(place + 1, named)


def _reference(sheet: Sheet, node: etree._Element, multi: etree._Element, reference: etree._Element) -> None:
    """BPMN's own way names a data object; ours an expression. The object's name is the variable, if it can be one."""
    old = (reference.text or "").strip()
    target = sheet.find(old)
    if target is None or is_bpmn(target, {"process"}):
        return
    name = (target.get("name") or "").strip()
    sheet.keep(node, loopDataInputRef=old)
    if name.isidentifier() and not name.startswith("_"):
        reference.text = name
        sheet.rewrote(node, "multi-translated", f"多实例的集合取数据对象的名称“{name}”")
        return
    multi.remove(reference)
    item = child(multi, "inputDataItem")
    if item is not None:
        sheet.keep(node, item)
    sheet.rewrote(node, "multi-translated", f"多实例的集合原为数据对象“{name or old}”，在本系统中不传递数据")
