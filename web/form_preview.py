"""A form as officers will see it, while it is still being drawn: for the editor's preview and its test entry.

The fields are rendered and the answers judged by the very code of the real pages. What is wrong in a half-written form is
left out of the preview, and choices that only a running case can give are stood in for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.process.form_check import ATTRIBUTES, FIELDS_MAX, WITH_OPTIONS, Fault, names_read
from engine.process.forms import answered, opinion_needed, options_of, validate
from engine.process.interpreter.expressions import ExpressionError
from web import forms

#: Stand-ins for choices that come from the case.
SAMPLES = [{"value": f"示例选项{letter}", "label": f"示例选项{letter}"} for letter in "甲乙丙"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a test entry without errors."""

    words: list[tuple[str, str]]
    """Label and answer, in words."""
    values: str
    """The same as the case would keep it, as JSON."""
    opinion: bool
    """Whether the step would ask for an opinion."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A form to look at and to try."""

    form: forms.FormView
    outside: tuple[str, ...]
    """Names of the case that its expressions read, for which the tester may give values."""
    case: Mapping[str, str]
    """Those values as they were typed."""
    stand_ins: bool
    """Whether some choices are stood in for."""
    result: Result | None


def preview(
    form: Any, faults: Iterable[Fault], typed_case: Mapping[str, str], answers: Sequence[Sequence[str]] | None, *, test: bool
) -> Preview:
    """The form over the tester's data of a case; `answers` are pairs as a browser posts them, None for an untouched form."""
    names = {name: _value(text) for name, text in typed_case.items() if text.strip()}
    definition, stand_ins = previewable(form, faults, names)
    raw = forms.read_posted(definition, MultiDict([(key, value) for key, value in answers])) if answers is not None else None
    errors: dict[str, str] = {}
    result = None
    if test and raw is not None:
        checked = validate(definition, raw, names)
        errors = checked.errors
        if not errors:
            values = json.dumps(checked.values, ensure_ascii=False, indent=2)
            needed = opinion_needed(definition, "optional", checked.values, names)
            result = Result(answered(definition, checked.values, names), values, needed)
    outside = dict.fromkeys(name for _, _, name in names_read(definition))
    return Preview(forms.show(definition, names, typed=raw, errors=errors), tuple(outside), typed_case, stand_ins, result)


def previewable(form: Any, faults: Iterable[Fault], names: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The form without what is wrong in it, and whether choices are stood in for."""
    if not isinstance(form, dict) or not isinstance(form.get("fields"), list):
        return {"title": "", "fields": []}, False
    if len(form["fields"]) > FIELDS_MAX:  # nobody has read them
        return {"title": "", "fields": [{"type": "note", "label": f"字段超过{FIELDS_MAX}项，不能预览"}]}, False
    wrong = {(fault.field, fault.attribute): fault.message for fault in faults if fault.severity == "error"}
    fields = []
    stand_ins = False
    for place, field in enumerate(form["fields"]):
        broken = wrong.get((place, "type")) or wrong.get((place, "key"))
        if broken is not None:
            fields.append({"type": "note", "label": f"第{place + 1}项暂不能预览：{broken}"})
            continue
        sound = {name: value for name, value in field.items() if name in ATTRIBUTES[field["type"]] and (place, name) not in wrong}
        sound.setdefault("label", "（未命名）")
        if field["type"] in WITH_OPTIONS and not _choices(sound, names):
            sound.pop("options_from", None)
            sound["options"] = SAMPLES
            stand_ins = True
        fields.append(sound)
    whole = {name: form[name] for name in ("title", "opinion_when", "bulk") if name in form and (None, name) not in wrong}
    return {"title": "", **whole, "fields": fields}, stand_ins


def _choices(field: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    """Whether the field's choices are there to be shown."""
    try:
        return all("value" in option for option in options_of(field, names)) and bool(options_of(field, names))
    except (ExpressionError, TypeError):
        return False


def _value(text: str) -> Any:
    """What a tester typed for a name of the case: JSON where it is that, else the text itself."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text.strip()
    return value
