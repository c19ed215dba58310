"""May a form be deployed? Everything that filling it in would find out too late, said of the field and the attribute.

An attribute that its field does not know would silently do nothing, so it is refused by name. What depends on the
diagram around the form (does the case know this name, which fields does the law want) is for the package's check.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.process.forms import TEXT_MAX, TYPES, validate
from engine.process.interpreter.expressions import WORDS, ExpressionError, compile_expression, constant
from engine.process.interpreter.model import Severity
from engine.process.patterns import pattern_fault

FIELDS_MAX = 200
OPTIONS_MAX = 500
TITLE_MAX, LABEL_MAX, NOTE_MAX, HELP_MAX, OPTION_MAX = 100, 200, 2000, 500, 200
ROWS_MAX = 40
KEY_MAX = 64
NUMBER_MAX = 10**15

WITH_OPTIONS = frozenset({"choice", "select", "choices", "fields"})

_ALWAYS = ("key", "type", "label", "required", "help", "missing", "when", "value")
_TEXT = ("max_length", "pattern", "pattern_message", "readonly")
_OPTIONS = dict.fromkeys(sorted(WITH_OPTIONS), (*_ALWAYS, "options", "options_from"))
#: Type → the attributes that its fields may have, in the order in which an editor shows them.
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "note": ("type", "label", "when"),
    "text": (*_ALWAYS, *_TEXT),
    "textarea": (*_ALWAYS, "rows", *_TEXT),
    "phone": (*_ALWAYS, *_TEXT),
    "integer": (*_ALWAYS, "min", "max", "readonly"),
    "number": (*_ALWAYS, "min", "max", "readonly"),
    "date": (*_ALWAYS, "min", "max", "readonly"),
    "boolean": _ALWAYS,
    "file": tuple(name for name in _ALWAYS if name != "value"),
    **_OPTIONS,
}
#: What a page of ours already calls so, or every case: an answer of that name would be taken for something else.
RESERVED = frozenset({"attachments", "case", "content", "csrf_token", "opinion", "sidebar", "true", "false", "null", "upload", "work"})

#: How the messages call the attributes.
NAMES: Mapping[str, str] = {
    "key": "字段键", "type": "类型", "label": "名称", "required": "必填", "help": "填写说明", "missing": "未填时的提示", "when": "显示条件",
    "value": "预填值", "readonly": "只读", "options": "选项", "options_from": "选项来源", "min": "最小值", "max": "最大值",
    "max_length": "字数上限", "pattern": "格式", "pattern_message": "格式提示", "rows": "行数", "title": "标题",
    "opinion_when": "须填意见的条件", "fields": "字段", "bulk": "允许批量办结",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a form."""

    field: int | None
    """The place of the field, from 0; None for the form as a whole."""
    attribute: str | None
    message: str
    """Plain Chinese, without the place."""
    severity: Severity = "error"

    @property
    def sentence(self) -> str:
        """The message with its place."""
        return self.message if self.field is None else f"第{self.field + 1}项：{self.message}"


def check_form(form: Any) -> list[str]:
    """What is wrong with a form definition, in Chinese; empty when it may be deployed."""
    return [fault.sentence for fault in faults_of(form)]


def faults_of(form: Any) -> list[Fault]:
    """The same by field and attribute. Takes anything that JSON can hold; never raises."""
    if not isinstance(form, dict) or not isinstance(form.get("fields"), list) or not _is_text(form.get("title")):
        return [Fault(None, "title", "表单应有标题（title）和字段列表（fields）")]
    faults = [Fault(None, name, f"表单没有“{_named(name)}”这一属性") for name in form if name not in ("title", "opinion_when", "bulk", "fields")]
    if len(form["title"]) > TITLE_MAX:
        faults.append(Fault(None, "title", f"标题不能超过{TITLE_MAX}字"))
    if len(form["fields"]) > FIELDS_MAX:
        return [*faults, Fault(None, "fields", f"字段不能超过{FIELDS_MAX}项")]
    if "opinion_when" in form:
        faults += [Fault(None, "opinion_when", what) for what in _expression(form["opinion_when"], "opinion_when")]
    if "bulk" in form:
        faults += _bulk(form)
    own = [field.get("key") if isinstance(field, dict) else None for field in form["fields"]]
    for place, field in enumerate(form["fields"]):
        faults += [Fault(place, attribute, what) for attribute, what in _field(field, own[:place], own[place:])]
    return faults


def _bulk(form: dict[str, Any]) -> Iterator[Fault]:
    """One form for many cases can neither carry a file, which belongs to one, nor show what differs between them."""
    if not isinstance(form["bulk"], bool):
        yield Fault(None, "bulk", f"{_named('bulk')}应为true或false")
    if form["bulk"] is not True:
        return
    for place, field in enumerate(form["fields"]):
        if isinstance(field, dict) and field.get("type") == "file":
            yield Fault(place, "type", "允许批量办结的表单不能有附件字段：附件只属于一个办件")
    for found, attribute, name in names_read(form):
        yield Fault(found, attribute, f"允许批量办结的表单对各办件都一样，{_named(attribute)}不能用办件数据“{name}”")


def names_read(form: Any) -> Iterator[tuple[int | None, str, str]]:
    """Every name that the expressions of a form read of the case: place of the field, attribute, name.

    A condition reads the answers above it first; those are left out. What cannot be read is passed over.
    """
    if not isinstance(form, dict) or not isinstance(form.get("fields"), list):
        return
    above: set[str] = set()
    for place, field in enumerate(form["fields"]):
        if not isinstance(field, dict):
            continue
        for attribute in ("when", "value", "options_from"):
            for name in sorted(_names(field.get(attribute)) - (above if attribute == "when" else set())):
                yield place, attribute, name
        if isinstance(field.get("key"), str):
            above.add(field["key"])
    for name in sorted(_names(form.get("opinion_when")) - above):
        yield None, "opinion_when", name


def _field(field: Any, above: list[Any], below: list[Any]) -> Iterator[tuple[str | None, str]]:
    if not isinstance(field, dict) or not isinstance(field.get("type"), str) or field["type"] not in TYPES:
        yield "type", f"字段类型应为{'、'.join(sorted(TYPES))}之一"
        return
    allowed = ATTRIBUTES[field["type"]]
    for name in field:
        if name not in allowed:
            yield name, f"这种字段没有“{_named(name)}”这一属性，写了也不起作用"
    if field["type"] != "note":
        yield from _key(field.get("key"), above)
    if not _is_text(field.get("label")):
        yield "label", "说明应有文字（label）" if field["type"] == "note" else f"字段“{field.get('key')}”没有名称（label）"
    sound = True
    for name, value in field.items():
        if name in allowed and name in _SENSE:
            for what in _SENSE[name](field, value):
                sound = False
                yield name, what
    for what in _when(field.get("when"), above, below):
        yield "when", what
    if sound:
        yield from _together(field)


def _key(key: Any, above: list[Any]) -> Iterator[tuple[str, str]]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789_"
    if not isinstance(key, str) or not key or len(key) > KEY_MAX or not key[0].isalpha() or set(key) - set(letters):
        yield "key", f"字段键（key）应为小写英文、数字和下划线，以字母开头，不超过{KEY_MAX}个字符"
    elif key in RESERVED or keyword.iskeyword(key):
        yield "key", f"字段键“{key}”另有用途，请换一个"
    elif key in above:
        yield "key", f"字段键“{key}”重复"


def _together(field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What only shows when the attributes of a field are read together; each of them is sound."""
    key = field.get("key")
    if field["type"] in WITH_OPTIONS:
        if not field.get("options") and not field.get("options_from"):
            yield "options", f"字段“{key}”没有选项"
        elif "options" in field and "options_from" in field:
            yield "options_from", "选项和选项来源只能写一种"
        elif "options_from" in field:
            yield from _written_out(field["options_from"])
    if "min" in field and "max" in field and field["min"] > field["max"]:
        yield "min", f"最小值{field['min']}大于最大值{field['max']}"
    if field.get("readonly") and "value" not in field:
        yield "readonly", "只读字段应有预填值，否则永远为空"
    if "pattern_message" in field and "pattern" not in field:
        yield "pattern_message", "没有写格式，格式提示不起作用"
    if "pattern" in field and field.get("max_length", 0) > TEXT_MAX:
        yield "max_length", f"写有格式时，字数上限不能超过{TEXT_MAX}"
    if "missing" in field and not field.get("required"):
        yield "missing", "不是必填，未填时的提示不起作用"
    if "value" in field and _is_text(field.get("label")):
        yield from _first_value(field)


def _written_out(text: str) -> Iterator[tuple[str, str]]:
    """A list of choices that needs no case must be one."""
    if _of_the_case(text):
        return
    try:
        choices = constant(text)
    except ExpressionError as error:
        yield "options_from", f"选项来源：{error}"
        return
    if not isinstance(choices, list) or not all(isinstance(one, str) or (isinstance(one, dict) and {"value", "label"} <= set(one)) for one in choices):
        yield "options_from", "选项来源应给出列表，每项是文字，或有值（value）和名称（label）"


def _first_value(field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A first value that is written out must be one that the field itself would take."""
    if _of_the_case(field["value"]):
        return
    try:
        value = constant(field["value"])
    except ExpressionError as error:
        yield "value", f"预填值：{error}"
        return
    if field["type"] in WITH_OPTIONS and "options" not in field:
        return
    plain = {name: what for name, what in field.items() if name not in ("when", "required")}
    for what in validate({"fields": [plain]}, {str(field["key"]): value}, {}).errors.values():
        yield "value", f"预填值不合本字段的要求：{what}"


def _when(text: Any, above: list[Any], below: list[Any]) -> Iterator[str]:
    for name in sorted(_names(text) & {key for key in below if isinstance(key, str)} - {key for key in above if isinstance(key, str)}):
        yield f"显示条件用到的“{name}”不在本字段之前：只能引用上面的字段或办件数据"


# -- one attribute by itself ------------------------------------------------------------------

Sense = Callable[[Mapping[str, Any], Any], Iterator[str]]


def _text(name: str, most: int) -> Sense:
    def judge(field: Mapping[str, Any], value: Any) -> Iterator[str]:
        longest = NOTE_MAX if name == "label" and field["type"] == "note" else most
        if not isinstance(value, str):
            yield f"{_named(name)}应为文字"
        elif len(value) > longest:
            yield f"{_named(name)}不能超过{longest}字"
        elif not value.strip() and name != "label":
            yield f"{_named(name)}是空的，请删去"

    return judge


def _yes_or_no(name: str) -> Sense:
    def judge(_field: Mapping[str, Any], value: Any) -> Iterator[str]:
        if not isinstance(value, bool):
            yield f"{_named(name)}应为true或false"

    return judge


def _count(name: str, most: int) -> Sense:
    def judge(_field: Mapping[str, Any], value: Any) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            yield f"{_named(name)}应为1到{most}的整数"

    return judge


def _bound(name: str) -> Sense:
    def judge(field: Mapping[str, Any], value: Any) -> Iterator[str]:
        if field["type"] == "date":
            if not _is_day(value):
                yield f"{_named(name)}应为日期，例如2026-03-02"
        elif isinstance(value, bool) or not isinstance(value, int if field["type"] == "integer" else int | float):
            yield f"{_named(name)}应为{'整数' if field['type'] == 'integer' else '数字'}"
        elif not abs(value) <= NUMBER_MAX:  # nor is what is no number
            yield f"{_named(name)}应为数字，不超过{NUMBER_MAX}"

    return judge


def _is_expression(name: str) -> Sense:
    def judge(_field: Mapping[str, Any], value: Any) -> Iterator[str]:
        yield from _expression(value, name)

    return judge


def _pattern(_field: Mapping[str, Any], value: Any) -> Iterator[str]:
    fault = pattern_fault(value) if isinstance(value, str) and value else "应为文字"
    if fault is not None:
        yield f"格式（pattern）{fault}"


def _options(_field: Mapping[str, Any], options: Any) -> Iterator[str]:
    if not isinstance(options, list) or len(options) > OPTIONS_MAX:
        yield f"选项应为列表，不超过{OPTIONS_MAX}项"
        return
    seen: set[str] = set()
    for number, option in enumerate(options, 1):
        if not isinstance(option, dict) or set(option) != {"value", "label"}:
            yield f"选项{number}应有值（value）和名称（label），没有别的"
            continue
        value, label = option["value"], option["label"]
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip() or len(str(value)) > OPTION_MAX:
            yield f"选项{number}的值应为文字或整数，不超过{OPTION_MAX}字"
        elif str(value) in seen:
            yield f"选项的值“{value}”重复"
        elif not _is_text(label) or len(label) > OPTION_MAX:
            yield f"选项“{value}”应有名称，不超过{OPTION_MAX}字"
        seen.add(str(value)[: OPTION_MAX + 1])


def _expression(text: Any, place: str) -> Iterator[str]:
    if not isinstance(text, str):
        yield f"{_named(place)}应为表达式"
        return
    try:
        functions = compile_expression(text).functions
    except ExpressionError as error:
        yield f"{_named(place)}“{text[:80]}”：{error}"
        return
    for name in sorted(functions - set(WORDS)):
        yield f"{_named(place)}“{text[:80]}”：表单里没有函数“{name}”"


_SENSE: Mapping[str, Sense] = {
    "label": _text("label", LABEL_MAX), "help": _text("help", HELP_MAX), "missing": _text("missing", LABEL_MAX),
    "pattern_message": _text("pattern_message", LABEL_MAX), "pattern": _pattern, "options": _options,
    "required": _yes_or_no("required"), "readonly": _yes_or_no("readonly"),
    "rows": _count("rows", ROWS_MAX), "max_length": _count("max_length", 5 * TEXT_MAX),
    "min": _bound("min"), "max": _bound("max"),
    "when": _is_expression("when"), "value": _is_expression("value"), "options_from": _is_expression("options_from"),
}  # fmt: skip


def _named(name: str) -> str:
    return f"{NAMES[name]}（{name}）" if name in NAMES else str(name)[:KEY_MAX]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _of_the_case(text: str) -> bool:
    """Whether an expression that can be read needs a case to be computed."""
    compiled = compile_expression(text)
    return bool(compiled.names or compiled.functions)


def _names(text: Any) -> frozenset[str]:
    try:
        return compile_expression(text).names if isinstance(text, str) else frozenset()
    except ExpressionError:
        return frozenset()
