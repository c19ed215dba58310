"""Forms: our own small JSON definition, shown by the web and validated here by the same definition.

A form is `{"title", "fields": [{"key", "type", "label", "required", …}]}`. `validate` turns what a person typed into values,
or says field by field what is wrong. Whether a definition may be deployed: `form_check`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.process.interpreter.expressions import ExpressionError, evaluate

FormDefinition = Mapping[str, Any]

TEXT_MAX = 4000
#: Digits before the point, less one: what is greater is no number that a form asks for, nor one that JSON keeps exactly.
MOST_DIGITS = 14
#: Marks a field that a step only shows (`step_forms`). No definition that is deployed may say so itself.
FIXED = "fixed"
_PHONE = re.compile(r"\+?[0-9][0-9\- ]{5,19}")
_TRUE = {"true", "on", "1", "yes", "是"}
_FALSE = {"", "false", "off", "0", "no", "否"}


@dataclass(frozen=True, slots=True)
class Validated:
    """The values of a form and what is wrong with them; use `values` only when `errors` is empty."""

    values: dict[str, Any]
    errors: dict[str, str]


class _Wrong(Exception):
    """What is wrong with one field, in Chinese."""


def fields_of(form: FormDefinition) -> list[Mapping[str, Any]]:
    """The fields of a form that ask for something, in order."""
    return [field for field in form.get("fields", []) if field.get("type") != "note" and not field.get(FIXED)]


def fixed_fields(form: FormDefinition) -> dict[str, Mapping[str, Any]]:
    """The fields that the step only shows, by key: the case's value stands, whatever is sent."""
    return {field["key"]: field for field in form.get("fields", []) if field.get(FIXED)}


def options_of(field: Mapping[str, Any], names: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The choices of a field: written in the form, or found by its `options_from` expression over the case."""
    if "options_from" not in field:
        return list(field.get("options", []))
    found = evaluate(field["options_from"], names) or []
    return [item if isinstance(item, dict) else {"value": item, "label": str(item)} for item in found]


def shown(field: Mapping[str, Any], values: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    """Whether the field's `when` condition holds for what is typed so far; a missing answer makes it false."""
    condition = field.get("when")
    if not condition:
        return True
    blank = {other: None for other in re.findall(r"[A-Za-z_]\w*", condition)}
    try:
        return bool(evaluate(condition, {**blank, **names, **values}))
    except ExpressionError:
        return False


def prefill(form: FormDefinition, names: Mapping[str, Any]) -> dict[str, Any]:
    """First values of a form: each field's `value` expression over the case, where it can be evaluated."""
    found: dict[str, Any] = {}
    for field in fields_of(form):
        if "value" in field:
            try:
                found[field["key"]] = evaluate(field["value"], names)
            except ExpressionError:
                continue  # the case does not hold that yet: the field starts empty
    return found


def validate(form: FormDefinition, raw: Mapping[str, Any], names: Mapping[str, Any]) -> Validated:
    """Checks what was typed. `names` are the case's data, for conditions and choices.

    Fields that are not shown are left out of the values; unknown keys are refused, so that a client that misspells a
    field learns of it. So is another value than the case's for a field that is only to be read; the same one is left out.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    known = {field["key"]: field for field in fields_of(form)}
    fixed = fixed_fields(form)
    for key in raw:
        if key in fixed and not _same(raw[key], names.get(key)):
            errors[key] = f"“{fixed[key]['label']}”在本环节只能查看，不能修改"
        elif key not in known and key not in fixed:
            errors[key] = f"表单中没有“{key}”这一项"
    for key, field in known.items():
        if not shown(field, values, names):
            continue
        value, wrong = judged(field, raw.get(key), names)
        if wrong is not None:
            errors[key] = wrong
        elif value is not None:
            values[key] = value
    return Validated(values, errors)


def judged(field: Mapping[str, Any], raw: Any, names: Mapping[str, Any], *, missed: bool = True) -> tuple[Any, str | None]:
    """One answer by the definition of its field: its value (None: nothing was given), and what is wrong with it (None: nothing).

    `missed`: what must be answered is missed; it is not before somebody completes the form.
    """
    try:
        value = _value(field if missed else {**field, "required": False}, raw, names)
    except _Wrong as wrong:
        return None, str(wrong)
    if value is None and missed and field.get("required"):
        return None, field.get("missing") or f"请填写“{field['label']}”"
    return value, None


def answers_of(form: FormDefinition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with None for every field that was not answered.

    That is what the case's data take: an expression may name an optional field, and in a second round nothing of the
    first is left standing.
    """
    return {field["key"]: values.get(field["key"]) for field in fields_of(form)}


def opinion_needed(form: FormDefinition | None, policy: str, values: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    """Whether the step wants an opinion 意见: always, or when the form's `opinion_when` holds (a negative answer)."""
    condition = (form or {}).get("opinion_when")
    return policy == "required" or bool(condition and shown({"when": condition}, values, names))


def _same(sent: Any, held: Any) -> bool:
    """Whether what was sent back is what the case holds; an empty field is none at all."""
    if sent in (None, "", []) or held in (None, "", []):
        return sent in (None, "", []) and held in (None, "", [])
    return bool(sent == held or str(sent) == str(held))


def _value(field: Mapping[str, Any], raw: Any, names: Mapping[str, Any]) -> Any:
    """One field's value; None when nothing was given. Raises _Wrong with the sentence for the field."""
    kind = field["type"]
    if kind in ("choices", "fields"):
        return _many(field, raw, names)
    if kind == "boolean":
        return _boolean(field, raw)
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if kind in ("choice", "select"):
        return _one(field, raw, names)
    return _SCALARS[kind](field, raw)


def _text(field: Mapping[str, Any], raw: Any) -> str:
    if not isinstance(raw, str):
        raise _Wrong(f"“{field['label']}”应为文字")
    value = raw.strip()
    most = int(field.get("max_length", TEXT_MAX))
    if len(value) > most:
        raise _Wrong(f"“{field['label']}”不能超过{most}字，现有{len(value)}字")
    if "\x00" in value:
        raise _Wrong(f"“{field['label']}”含有无法保存的字符")
    if field.get("pattern") and not re.fullmatch(field["pattern"], value):
        raise _Wrong(field.get("pattern_message") or f"“{field['label']}”格式不正确")
    return value


def _phone(field: Mapping[str, Any], raw: Any) -> str:
    value = _text(field, raw)
    if not _PHONE.fullmatch(value):
        raise _Wrong(f"“{field['label']}”应为电话号码")
    return value


def _number(field: Mapping[str, Any], raw: Any) -> int | float:
    whole = field["type"] == "integer"
    if isinstance(raw, bool):
        raise _Wrong(f"“{field['label']}”应为数字")
    try:
        value = Decimal(str(raw).strip())
        if not value.is_finite() or value.adjusted() > MOST_DIGITS or (whole and value != value.to_integral_value()):
            raise InvalidOperation
    except InvalidOperation:
        raise _Wrong(f"“{field['label']}”应为{'整数' if whole else '数字'}") from None
    for name, words, broken in (("min", "不能小于", value.__lt__), ("max", "不能大于", value.__gt__)):
        if name in field and broken(Decimal(str(field[name]))):
            raise _Wrong(f"“{field['label']}”{words}{field[name]}")
    return int(value) if whole else float(value)


def _date(field: Mapping[str, Any], raw: Any) -> str:
    try:
        day = date.fromisoformat(str(raw).strip())
    except ValueError:
        raise _Wrong(f"“{field['label']}”应为日期，例如2026-03-02") from None
    for name, words, broken in (("min", "不能早于", day.__lt__), ("max", "不能晚于", day.__gt__)):
        if name in field and broken(date.fromisoformat(field[name])):
            raise _Wrong(f"“{field['label']}”{words}{field[name]}")
    return day.isoformat()


def _file(field: Mapping[str, Any], raw: Any) -> list[int] | None:
    given = raw if isinstance(raw, list) else [raw]
    if not all(str(item).isdigit() for item in given):
        raise _Wrong(f"“{field['label']}”的附件无法识别，请重新上传")
    return [int(item) for item in given] or None


_SCALARS: dict[str, Callable[[Mapping[str, Any], Any], Any]] = {
    "text": _text, "textarea": _text, "phone": _phone, "integer": _number, "number": _number, "date": _date, "file": _file,
}
TYPES = frozenset({*_SCALARS, "choice", "select", "choices", "fields", "boolean", "note"})


def _boolean(field: Mapping[str, Any], raw: Any) -> bool | None:
    if raw is None or isinstance(raw, bool):
        answer = raw
    else:
        text = str(raw).strip().lower()
        if text not in _TRUE | _FALSE:
            raise _Wrong(f"“{field['label']}”应为是或否")
        answer = text in _TRUE
    if field.get("required") and not answer:
        raise _Wrong(field.get("missing") or f"须确认“{field['label']}”")
    return bool(answer) if answer is not None else None


def _one(field: Mapping[str, Any], raw: Any, names: Mapping[str, Any]) -> Any:
    for option in options_of(field, names):
        if str(option["value"]) == str(raw):
            return option["value"]
    raise _Wrong(f"“{field['label']}”没有“{raw}”这一选项")


def _many(field: Mapping[str, Any], raw: Any, names: Mapping[str, Any]) -> list[Any] | None:
    given = raw if isinstance(raw, list | tuple) else ([] if raw in (None, "") else [raw])
    chosen = [_one(field, item, names) for item in given]
    return list(dict.fromkeys(chosen)) or None


def answered(form: FormDefinition, values: Mapping[str, Any], names: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The answers of a form in words, label by label; what was not answered is left out."""
    lines = []
    for field in fields_of(form):
        value = values.get(field["key"])
        if value is None or value == "":
            continue
        lines.append((field["label"], in_words(field, value, names)))
    return lines


def in_words(field: Mapping[str, Any], value: Any, names: Mapping[str, Any]) -> str:
    """One answer as people read it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if field["type"] in ("choice", "select", "choices", "fields"):
        try:
            labels = {str(option["value"]): str(option["label"]) for option in options_of(field, names)}
        except ExpressionError:
            labels = {}
        return "、".join(labels.get(str(item), str(item)) for item in (value if isinstance(value, list) else [value]))
    if field["type"] == "file":
        return f"{len(value)}个附件"
    return str(value)
