"""From a form definition to what the page shows, and from what was posted to what the engine validates.

The engine judges (engine.process.forms); here nothing is checked. A refused form is shown again with all that was typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.process import forms
from engine.process.interpreter.expressions import compile_expression

MANY = frozenset({"choices", "fields"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One option, and whether it is chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as the page shows it."""

    key: str
    type: str
    label: str
    value: Any
    error: str | None
    shown: bool
    when: str | None
    required: bool
    readonly: bool
    help: str | None
    choices: tuple[Choice, ...] = ()
    rows: int = 3
    limits: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the input: min, max, maxlength."""
    words: str | None = None
    """Of a field that the step only shows: what the case holds, in words; None for one that may be filled in."""


@dataclass(frozen=True, slots=True)
class FormView:
    """A form as the page shows it."""

    title: str
    fields: tuple[FieldView, ...]
    errors: Mapping[str, str]
    """Field key → sentence, also of what belongs to no field of this form (key "")."""
    facts: str
    """JSON of the case's values that `when` conditions mention, for the browser."""
    opinion_when: str | None

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, with the key of the field to jump to, in the order of the form."""
        order = {shown.key: place for place, shown in enumerate(self.fields)}
        return sorted(self.errors.items(), key=lambda item: order.get(item[0], len(order)))


def read_posted(form: forms.FormDefinition | None, posted: MultiDict[str, str]) -> dict[str, Any]:
    """The raw answers of a posted form, by field key; what was not sent is left out, except an empty checkbox."""
    raw: dict[str, Any] = {}
    for definition in forms.fields_of(form or {}):
        key, kind = definition["key"], definition["type"]
        if kind in MANY or kind == "file":
            raw[key] = posted.getlist(key)
        elif kind == "boolean":
            raw[key] = key in posted
        elif key in posted:
            raw[key] = posted[key]
    return raw


def show(
    form: forms.FormDefinition | None,
    names: Mapping[str, Any],
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> FormView:
    """The form over the case's data `names`; `typed` is what was posted before, else the form's own first values."""
    definition = form or {}
    values: dict[str, Any] = dict(typed) if typed is not None else forms.prefill(definition, names)
    valid = forms.validate(definition, {key: value for key, value in values.items() if value not in (None, "")}, names).values
    fields = tuple(
        _view(item, values, valid, names, (errors or {}).get(item.get("key", ""))) for item in definition.get("fields", [])
    )
    return FormView(
        title=definition.get("title", ""),
        fields=fields,
        errors=dict(errors or {}),
        facts=_facts(definition, names),
        opinion_when=definition.get("opinion_when"),
    )


def _view(
    item: Mapping[str, Any], values: Mapping[str, Any], valid: Mapping[str, Any], names: Mapping[str, Any], error: str | None
) -> FieldView:
    key, kind = item.get("key", ""), item["type"]
    fixed = bool(item.get(forms.FIXED))
    value = names.get(key) if fixed else values.get(key)
    chosen = {str(one) for one in value} if isinstance(value, list | tuple) else {str(value)} if value is not None else set()
    choices: tuple[Choice, ...] = ()
    if kind in ("choice", "select", "choices", "fields") and not fixed:
        choices = tuple(
            Choice(str(option["value"]), str(option.get("label", option["value"])), str(option["value"]) in chosen)
            for option in forms.options_of(item, names)
        )
    limits = {name: item[name] for name in ("min", "max") if name in item}
    if kind in ("text", "textarea", "phone"):
        limits["maxlength"] = item.get("max_length", forms.TEXT_MAX)
    return FieldView(
        key=key,
        type=kind,
        label=item.get("label", ""),
        value=value,
        error=error,
        shown=forms.shown(item, {other: valid[other] for other in valid if other != key}, names),
        when=item.get("when"),
        required=bool(item.get("required")),
        readonly=bool(item.get("readonly")),
        help=item.get("help"),
        choices=choices,
        rows=int(item.get("rows", 3)),
        limits=limits,
        words=(forms.in_words(item, value, names) if value not in (None, "", []) else "") if fixed else None,
    )


def _facts(definition: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    own = {item.get("key") for item in definition.get("fields", []) if not item.get(forms.FIXED)}
    conditions = [item["when"] for item in definition.get("fields", []) if item.get("when")]
    if definition.get("opinion_when"):
        conditions.append(definition["opinion_when"])
    wanted = {name for text in conditions for name in compile_expression(text).names} - own
    return json.dumps({name: names.get(name) for name in sorted(wanted)}, ensure_ascii=False, default=str)
