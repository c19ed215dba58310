"""Forms that other tools write into the diagram, as forms of ours: fields, choices and what is required.

Read are the generated forms of Camunda 7, Operaton, Flowable and Activiti, and the embedded forms of Camunda 8 (form-js).
A form that only its name is known of (`formKey`) stands elsewhere and has to be made anew: the import says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from lxml import etree

from engine.process.interpreter.document import local_name, properties_of
from engine.process.workshop.importing.expressions import literal
from engine.process.workshop.importing.sheet import Sheet, extension_items, is_bpmn

ZEEBE = "http://camunda.org/schema/zeebe/1.0"
#: The tools that share one way of writing, each in its own name space.
FAMILY = (
    "http://camunda.org/schema/1.0/bpmn", "http://flowable.org/bpmn", "http://activiti.org/bpmn",
    "http://operaton.org/schema/1.0/bpmn",
)  # fmt: skip

_TYPES = {
    "string": "text", "text": "textarea", "long": "integer", "integer": "integer", "int": "integer", "double": "number",
    "decimal": "number", "boolean": "boolean", "date": "date", "enum": "select", "dropdown": "select", "upload": "file",
    "textfield": "text", "textarea": "textarea", "number": "number", "checkbox": "boolean", "datetime": "date",
    "radio": "choice", "select": "select", "checklist": "choices", "taglist": "choices", "filepicker": "file",
}  # fmt: skip
_CHOOSING = ("choice", "select", "choices")
_FIELDS_MOST = 200


def vendor(node: etree._Element, name: str) -> str | None:
    """An attribute of another tool; None where it is missing or empty."""
    return next((value for space in FAMILY if (value := (node.get(f"{{{space}}}{name}") or "").strip())), None)


def bring_forms(sheet: Sheet) -> None:
    """Makes a form for each task and start that describes one, and notes by which names its variables go here."""
    embedded = {
        item.get("id") or "": item.text or ""
        for node in sheet.root.iter(f"{{{ZEEBE}}}userTaskForm")
        for item in (node,)
    }
    for node in sheet.nodes():
        if not is_bpmn(node, {"userTask", "manualTask", "task", "startEvent"}):
            continue
        fields = list(_fields(sheet, node, embedded))[:_FIELDS_MOST]
        holder, place = (sheet.process, "startForm") if is_bpmn(node, {"startEvent"}) else (node, "form")
        if fields and not properties_of(holder).get(place):
            name = _form_name(sheet, node)
            title = " ".join((node.get("name") or "").split()) or ("申请表" if holder is sheet.process else "办理表")
            sheet.forms[name] = {"title": title, "fields": fields}
            sheet.set_property(holder, place, name)
            sheet.rewrote(node, "form-made", f"文件中的表单已转为本系统的表单“{name}”，共{len(fields)}项")
        elif not properties_of(holder).get(place):
            key = vendor(node, "formKey") or vendor(node, "formRef") or _zeebe_key(node, embedded)
            if key:
                sheet.lacks(node, "form-elsewhere", f"原用表单“{key}”，不在此文件中，请另建表单", required=False)


def _zeebe_key(node: etree._Element, embedded: dict[str, str]) -> str | None:
    for item in extension_items(node):
        if item.tag == f"{{{ZEEBE}}}formDefinition":
            return item.get("formId") or item.get("externalReference") or item.get("formKey")
    return None


def _form_name(sheet: Sheet, node: etree._Element) -> str:
    base = re.sub(r"[^a-z0-9_]", "", _snake(node.get("id") or ""))[:50].strip("_")
    base = base if re.match(r"[a-z]", base) else f"form_{base}".rstrip("_")
    name, number = base, 1
    while name in sheet.forms:
        number += 1
        name = f"{base}_{number}"
    return name


def _snake(text: str) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _fields(sheet: Sheet, node: etree._Element, embedded: dict[str, str]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for found in _described(sheet, node, embedded):
        if found["type"] != "note":
            if found["key"] in seen:
                continue
            seen.add(found["key"])
        yield found


def _described(sheet: Sheet, node: etree._Element, embedded: dict[str, str]) -> Iterator[dict[str, Any]]:
    for item in extension_items(node):
        space, tag = etree.QName(item).namespace, local_name(item)
        if space in FAMILY and tag == "formData":
            yield from (made for one in item if local_name(one) == "formField" and (made := _field(sheet, node, one)))
        elif space in FAMILY and tag == "formProperty" and (made := _field(sheet, node, item)):
            yield made
        elif space == ZEEBE and tag == "formDefinition":
            key = (item.get("formKey") or "").rpartition(":")[2] or item.get("formId") or ""
            yield from _form_js(sheet, node, embedded.get(key, ""))


def _field(sheet: Sheet, node: etree._Element, item: etree._Element) -> dict[str, Any] | None:
    """A camunda:formField or flowable:formProperty."""
    rules = {one.get("name"): one.get("config") or "" for one in item.iter() if local_name(one) == "constraint"}
    values = [one for one in item if local_name(one) == "value"]
    options = [{"value": one.get("id") or "", "label": one.get("name") or one.get("id") or ""} for one in values]
    facts = {
        "required": item.get("required") == "true" or ("required" in rules and rules["required"] != "false"),
        "readonly": item.get("writable") == "false" or "readonly" in rules, "options": options,
        "min": rules.get("min"), "max": rules.get("max"), "max_length": rules.get("maxlength"),
        "value": item.get("defaultValue") or item.get("default"),
    }  # fmt: skip
    return _made(sheet, node, item.get("id") or "", item.get("type") or "string", item.get("label") or item.get("name") or "", facts)


def _form_js(sheet: Sheet, node: etree._Element, text: str) -> Iterator[dict[str, Any]]:
    try:
        schema = json.loads(text) if len(text) < 200_000 else None
    except (ValueError, RecursionError):
        schema = None
    if text and not isinstance(schema, dict):
        sheet.lacks(node, "form-elsewhere", "文件中的表单无法读懂，请另建表单", required=False)
    if isinstance(schema, dict):
        yield from _components(sheet, node, schema.get("components"), 0)


def _components(sheet: Sheet, node: etree._Element, components: Any, depth: int) -> Iterator[dict[str, Any]]:
    for item in components if isinstance(components, list) and depth < 5 else ():
        if not isinstance(item, dict):
            continue
        kind = str(item.get("type"))
        if kind in ("group", "dynamiclist"):
            yield from _components(sheet, node, item.get("components"), depth + 1)
        elif kind == "text" and item.get("text"):
            yield {"type": "note", "label": str(item["text"])[:500]}
        elif item.get("key"):
            given = item.get("validate")
            rules = given if isinstance(given, dict) else {}
            options = [
                {"value": str(one.get("value", "")), "label": str(one.get("label", one.get("value", "")))}
                for one in item.get("values") or [] if isinstance(one, dict)
            ]  # fmt: skip
            default = item.get("defaultValue")
            facts = {
                "required": rules.get("required") is True, "readonly": item.get("readonly") is True or item.get("disabled") is True, "options": options,
                "min": rules.get("min"), "max": rules.get("max"), "max_length": rules.get("maxLength"),
                "value": default if isinstance(default, str | int | float | bool) else None,
            }  # fmt: skip
            yield _made(sheet, node, str(item["key"]), kind, str(item.get("label") or ""), facts)


def _made(sheet: Sheet, node: etree._Element, key: str, kind: str, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """A field of ours. A type that we do not have becomes a text, and is said."""
    ours = _snake(key)[:64] or "field"
    ours = ours if re.match(r"[a-z]", ours) else f"f_{ours}"[:64]
    if ours != key:
        sheet.renamed[key] = ours
    found: dict[str, Any] = {"key": ours, "type": _TYPES.get(kind, "text"), "label": (name or key)[:200]}
    if kind not in _TYPES:
        sheet.lacks(node, "field-type", f"表单项“{found['label']}”的类型“{kind}”没有对应，现为文字", required=False)
    if found["type"] in _CHOOSING:
        if not facts["options"]:
            found["type"] = "text"
            sheet.lacks(node, "field-options", f"表单项“{found['label']}”没有写明选项，现为文字", required=False)
        else:
            found["options"] = facts["options"]
    # A required tick must be ticked here; elsewhere it only wants an answer.
    if facts["required"] and found["type"] != "boolean":
        found["required"] = True
    if facts["readonly"]:
        found["readonly"] = True
    for bound in ("min", "max"):
        if found["type"] in ("integer", "number") and _is_number(facts[bound]):
            found[bound] = float(facts[bound]) if "." in str(facts[bound]) else int(facts[bound])
    if found["type"] in ("text", "textarea") and str(facts["max_length"] or "").isdigit():
        found["max_length"] = int(facts["max_length"])
    value = _first_value(found["type"], facts["value"])
    if value is not None:
        found["value"] = value
    return found


def _is_number(value: Any) -> bool:
    return bool(re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", str(value))) if value not in (None, "") else False


def _first_value(kind: str, given: Any) -> str | None:
    """The expression that gives a field's first value; only what is written out is taken over."""
    if given is None or given == "" or "${" in str(given) or str(given).startswith("="):
        return None
    if kind == "boolean":
        return {"true": "true", "false": "false"}.get(str(given).lower())
    if kind in ("integer", "number"):
        return str(given) if _is_number(given) else None
    if kind == "date":
        try:
            return literal(date.fromisoformat(str(given)).isoformat())
        except ValueError:
            return None
    return literal(str(given)) if kind in ("text", "textarea", "choice", "select") else None
