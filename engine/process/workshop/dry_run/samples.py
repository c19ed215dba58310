"""Sample answers for a form, so that walking through a draft is no typing exercise: whoever rehearses changes what matters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.process.forms import FormDefinition, fields_of, options_of, prefill, shown
from engine.process.interpreter.expressions import ExpressionError

TEXT = "试运行示例"
PHONE = "010-00000000"


def sample_answers(form: FormDefinition, names: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The form's first values, and a plausible answer to every required field that is shown and still empty.

    The first of several options is taken, which in the shipped diagrams is the one that goes on. A field whose pattern
    no sample fits is left to the person.
    """
    found = prefill(form, names)
    for field in fields_of(form):
        if found.get(field["key"]) in (None, "", []) and field.get("required") and shown(field, found, names):
            value = _sample(field, {**names, **found}, today)
            if value is not None:
                found[field["key"]] = value
    return found


def _sample(field: Mapping[str, Any], names: Mapping[str, Any], today: date) -> Any:
    kind = field["type"]
    if kind in ("choice", "select", "choices", "fields"):
        try:
            options = options_of(field, names)
        except ExpressionError:
            return None
        first = [option["value"] for option in options[:1]]
        return (first if kind in ("choices", "fields") else first[0]) if first else None
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return field.get("min", field.get("max", 1))
    if kind == "date":
        return field.get("min") or field.get("max") or today.isoformat()
    if kind == "phone":
        return PHONE
    return None if kind == "file" or field.get("pattern") else TEXT[: int(field.get("max_length", len(TEXT)))]
