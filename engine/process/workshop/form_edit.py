"""What the editor of a draft's forms must know of the diagram around them, and the changes that touch both.

Pure functions over a draft's package; saving is `drafts.save_draft`'s business. A draft may be unfinished, so nothing here
raises because of a diagram or a form that is not sound yet.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.process.check_names import ALWAYS, HANDED_DOWN
from engine.process.form_check import FIELDS_MAX, Fault, faults_of, names_read
from engine.process.interpreter.document import BPMN, SPIFF, parse, properties_of, text_of
from engine.process.interpreter.expressions import ExpressionError, names_in
from engine.process.interpreter.model import DiagramError
from engine.process.operations import BROUGHT
from engine.process.package import Package
from engine.process.workshop.contents import FORMS_MAX, NAME
from engine.process.workshop.texts import TEXTS
from engine.store.errors import Invalid, NotFound, Refused

#: What can name a form: a process the one that it is started with, a task its own.
_BEARERS = tuple(f"{{{BPMN}}}{tag}" for tag in ("process", "userTask", "manualTask"))
#: Elements whose text is an expression of the element around them.
_WRITTEN_OUT = frozenset({"conditionExpression", "completionCondition", "loopCardinality", "loopDataInputRef", "loopDataOutputRef"})
_SCRIPT_LINE = re.compile(r"^\s*([A-Za-z]\w*)\s*=[^=]", re.MULTILINE)


class FormInUse(Refused):
    """该表单正被环节使用，不能删除。请先在流程图中改用其他表单。"""


@dataclass(frozen=True, slots=True)
class Use:
    """A step that asks with a form; `step` is None for the form that a process is started with."""

    step: str | None
    name: str
    article: str | None


@dataclass(frozen=True, slots=True)
class Protected:
    """A field that the law wants: the base version requires it at a step that carries an article."""

    label: str
    article: str
    when: str | None
    """Its condition in the base version."""


@dataclass(frozen=True, slots=True)
class FormLine:
    """A form in the list of a draft's forms."""

    name: str
    title: str
    labels: tuple[str, ...]
    """What it asks for, in order."""
    uses: tuple[Use, ...]
    faults: tuple[Fault, ...]


def lines(package: Package, base: Package | None) -> list[FormLine]:
    """The forms of a draft by name; first those that the diagram names, in its order."""
    used, known, kept = uses(package.xml), case_names(package, base), protected(base, package.xml)
    order = [*(name for name in used if name in package.forms), *(name for name in sorted(package.forms) if name not in used)]
    found = []
    for name in order:
        form = package.forms[name]
        entries = form.get("fields") if isinstance(form, dict) else None
        fields = [field for field in entries if isinstance(field, dict)] if isinstance(entries, list) else []
        labels = tuple(str(field.get("label") or field.get("key")) for field in fields if field.get("type") != "note")
        faults = tuple(findings(form, known, kept.get(name, {})))
        found.append(FormLine(name, str(form.get("title") or ""), labels, tuple(used.get(name, ())), faults))
    return found


def uses(xml: bytes) -> dict[str, list[Use]]:
    """Form → the steps that use it, in the order of the diagram. Empty for a diagram that cannot be read."""
    found: dict[str, list[Use]] = {}
    for node in _bearers(xml):
        own = properties_of(node)
        start = node.tag == _BEARERS[0]
        form = own.get("startForm" if start else "form")
        if form:
            name = "发起表单" if start else node.get("name") or node.get("id") or ""
            found.setdefault(form, []).append(Use(None if start else node.get("id"), name, own.get("article") or None))
    return found


def protected(base: Package | None, xml: bytes) -> dict[str, dict[str, Protected]]:
    """Form of the draft → field key → why it must stay required; `xml` is the draft's diagram.

    Steps are known again by their ids, so that a form under another name is no way round the law. Empty for a new process.
    """
    if base is None:
        return {}
    before = {use.step: (form, use.article) for form, users in uses(base.xml).items() for use in users}
    found: dict[str, dict[str, Protected]] = {}
    for form, users in uses(xml).items():
        for use in users:
            old, article = before.get(use.step, ("", None))
            for field in base.forms.get(old, {}).get("fields", ()) if article else ():
                if article and field.get("required") and field.get("key"):
                    found.setdefault(form, {})[field["key"]] = Protected(str(field.get("label", field["key"])), article, field.get("when"))
    return found


def findings(form: Any, known: Mapping[str, str], kept: Mapping[str, Protected]) -> list[Fault]:
    """All that is wrong with a form in its draft: by itself, against the names of the case, against the law."""
    faults = list(faults_of(form))
    if not isinstance(form, dict) or not isinstance(form.get("fields"), list) or len(form["fields"]) > FIELDS_MAX:
        return faults
    own = {field.get("key") for field in form["fields"] if isinstance(field, dict) and isinstance(field.get("key"), str)}
    for place, attribute, name in names_read(form):
        if name not in known and name not in own:
            what = f"“{name}”既不是上面的字段，流程图中也没有这一办件数据"
            faults.append(Fault(place, attribute, what, "warning"))
    for key, reason in kept.items():
        place = next((number for number, field in enumerate(form["fields"]) if isinstance(field, dict) and field.get("key") == key), None)
        if place is None:
            faults.append(Fault(None, "fields", f"法定必填的“{reason.label}”（{key}，{reason.article}）不能删除"))
        elif form["fields"][place].get("required") is not True:
            faults.append(Fault(place, "required", f"“{reason.label}”是法定必填（{reason.article}），不能改为选填"))
        elif form["fields"][place].get("when") != reason.when:
            faults.append(Fault(place, "when", f"法定必填项的显示条件已改，请核对{reason.article}的要求是否仍然满足", "warning"))
    return faults


def readers(xml: bytes) -> dict[str, list[str]]:
    """Name → the elements of the diagram whose expressions read it, as people call them."""
    found: dict[str, dict[str, None]] = {}
    for node, name in _reads(xml):
        while node.tag not in _BEARERS and not node.get("name") and (above := node.getparent()) is not None:
            node = above
        kind = "箭头" if node.tag == f"{{{BPMN}}}sequenceFlow" else "泳道" if node.tag == f"{{{BPMN}}}lane" else ""
        found.setdefault(name, {})[f"{kind}“{node.get('name') or node.get('id') or '流程'}”"] = None
    return {name: list(places) for name, places in found.items()}


def case_names(package: Package, base: Package | None = None) -> dict[str, str]:
    """Name → what it is: all that expressions of this process can read, as far as its package tells.

    A process that others start, or that is about some subject, is given data of which its package shows nothing but the
    places that read it. So a name counts as known that some expression of the diagram reads, or a form of the `base`
    version: that one works.
    """
    xml = package.xml
    names = {*ALWAYS, *HANDED_DOWN, *(name for _, name in _reads(xml)), *_given(xml), *_brought(xml)}
    found: dict[str, str] = {name: "" for name in sorted(names)}
    found |= {name: "" for form in (base.forms.values() if base else ()) for _, _, name in names_read(form)}
    for form in package.forms.values():
        entries = form.get("fields") if isinstance(form, Mapping) else None
        for field in entries if isinstance(entries, list) else ():
            if isinstance(field, Mapping) and isinstance(field.get("key"), str):
                found[field["key"]] = str(field.get("label") or "")
    return {**found, **TEXTS.names}


def form_of(package: Package, name: str) -> Any:
    """A form of the draft. Raises NotFound."""
    if name not in package.forms:
        raise NotFound(f"草稿中没有表单“{name[:64]}”")
    return package.forms[name]


# -- changes -----------------------------------------------------------------------------------


def with_form(package: Package, name: str, form: Any) -> dict[str, Any]:
    """The draft's forms with this one in the place of the old of that name. Raises NotFound where there is none."""
    form_of(package, name)
    return {**package.forms, name: form}


def added(package: Package, name: str, title: str, copy_of: str | None = None) -> dict[str, Any]:
    """The draft's forms with a new one: blank, or a copy of another. Raises Invalid by field."""
    errors = _name_errors(package, name)
    if copy_of and copy_of not in package.forms:
        errors["copy_of"] = f"没有表单“{copy_of}”可供复制"
    if not copy_of and not title.strip():
        errors["title"] = "请填写表单标题"
    if len(package.forms) >= FORMS_MAX:
        errors["name"] = f"一个流程最多{FORMS_MAX}张表单"
    if errors:
        raise Invalid(errors)
    form: dict[str, Any] = json.loads(json.dumps(package.forms[copy_of])) if copy_of else {"title": "", "fields": []}
    if title.strip() and isinstance(form, dict):
        form["title"] = title.strip()
    return {**package.forms, name: form}


def renamed(package: Package, old: str, new: str) -> tuple[bytes, dict[str, Any]]:
    """The diagram and the forms with one form under another name, wherever a step names it. Raises Invalid."""
    form_of(package, old)
    errors = _name_errors(package, new)
    if errors:
        raise Invalid(errors)
    forms = {new if name == old else name: form for name, form in package.forms.items()}
    return (_point(package.xml, old, new) if old in uses(package.xml) else package.xml), forms


def without(package: Package, name: str) -> dict[str, Any]:
    """The draft's forms without this one. Raises FormInUse while a step names it."""
    form_of(package, name)
    users = uses(package.xml).get(name)
    if users:
        steps = "、".join(f"“{use.name}”" for use in users)
        raise FormInUse(f"表单“{name}”正用于{steps}，不能删除。请先在流程图中改用其他表单。")
    return {other: form for other, form in package.forms.items() if other != name}


def digest(form: Any) -> str:
    """By which an editor knows whether a form is still the one that it has read."""
    return hashlib.sha256(json.dumps(form, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def _name_errors(package: Package, name: str) -> dict[str, str]:
    if not NAME.fullmatch(name):
        return {"name": "表单名称应为小写英文、数字和下划线，以字母开头，不超过64个字符"}
    if name in package.forms:
        return {"name": f"已有表单“{name}”，请换一个名称"}
    return {}


def _point(xml: bytes, old: str, new: str) -> bytes:
    """The diagram with the references to a form changed, and nothing else: comments and the order of things stay."""
    parse(xml)  # the bounds, once more: what follows keeps comments, which `parse` drops
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    for bearer in root.iter(*_BEARERS):
        name = "startForm" if bearer.tag == _BEARERS[0] else "form"
        for item in bearer.iterfind(f"{{{BPMN}}}extensionElements/{{{SPIFF}}}properties/{{{SPIFF}}}property"):
            if item.get("name") == name and (item.get("value") or "").strip() == old:
                item.set("value", new)
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def _bearers(xml: bytes) -> Iterator[etree._Element]:
    try:
        root = parse(xml)
    except DiagramError:
        return
    yield from root.iter(*_BEARERS)


def _brought(xml: bytes) -> Iterator[str]:
    """What the subject of a case brings."""
    for node in _bearers(xml):
        yield from BROUGHT.get(properties_of(node).get("subject", ""), ())


def _reads(xml: bytes) -> Iterator[tuple[etree._Element, str]]:
    """Every name that an expression of the diagram reads, with the element that it belongs to."""
    for node in _elements(xml):
        for name, text in properties_of(node).items():
            texts = [part.partition("=")[2] for part in text.split(";")] if name == "parties" else [text] if name != "out" else []
            yield from ((node, found) for text in texts for found in _read(text))
        tag = etree.QName(node).localname
        if tag == "scriptTask":
            for line in (text_of(node, "script") or "").splitlines():
                yield from ((node, found) for found in _read(line.partition("=")[2]))
        elif tag in _WRITTEN_OUT:
            bearer = node.getparent()
            yield from ((node if bearer is None else bearer, found) for found in _read("".join(map(str, node.itertext()))))
        elif tag == "timerEventDefinition":
            bearer = node.getparent()
            for value in node.attrib.values():
                yield from ((node if bearer is None else bearer, found) for found in _read(str(value)))


def _given(xml: bytes) -> Iterator[str]:
    """What a case is given on its way: results of operations, countersigns, calls and scripts, items of multi-instances."""
    for node in _elements(xml):
        tag = etree.QName(node).localname
        for name, text in properties_of(node).items():
            if name in ("out", "result"):
                yield text
            elif name.startswith("out."):
                yield name.removeprefix("out.")
        if tag == "scriptTask":
            yield from _SCRIPT_LINE.findall(text_of(node, "script") or "")
        elif tag in ("inputDataItem", "outputDataItem"):
            yield node.get("name") or node.get("id") or ""


def _elements(xml: bytes) -> Iterator[etree._Element]:
    try:
        root = parse(xml)
    except DiagramError:
        return
    yield from root.iter(f"{{{BPMN}}}*")


def _read(text: str | None) -> frozenset[str]:
    try:
        return names_in(text) if text and text.strip() else frozenset()
    except ExpressionError:  # a property that is no expression, such as a label
        return frozenset()
