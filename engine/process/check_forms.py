"""The part of the deployment check that reads forms: what they may hold, and what of a statutory form must stay.

`forms.check_form` says whether one definition is sound; here stand the bounds for what comes from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.process.interpreter.model import Problem

#: Values of all forms together, and how deep they may nest: far beyond what anybody fills in.
VALUES_MAX, DEPTH_MAX = 20_000, 12
#: Characters of all forms together.
TEXT_MAX = 2 * 1024 * 1024
#: Fields of one form.
FIELDS_MAX = 300


def too_large(forms: Mapping[str, Any]) -> Problem | None:
    """The first bound that the forms of a package break, without reading further; None for those of a person."""
    values = text = 0
    stack: list[tuple[Any, str, int]] = [(form, name, 0) for name, form in forms.items()]
    while stack:
        value, name, depth = stack.pop()
        values += 1
        if depth > DEPTH_MAX:
            return Problem(None, name, "form-too-deep", f"表单“{name}”的内容嵌套超过{DEPTH_MAX}层")
        if isinstance(value, str):
            text += len(value)
        elif isinstance(value, Mapping):
            text += sum(len(str(key)) for key in value)
            stack.extend((item, name, depth + 1) for item in value.values())
        elif isinstance(value, list | tuple):
            if depth == 1 and len(value) > FIELDS_MAX:
                return Problem(None, name, "form-too-large", f"表单“{name}”超过{FIELDS_MAX}项")
            stack.extend((item, name, depth + 1) for item in value)
        if values + len(stack) > VALUES_MAX or text > TEXT_MAX:
            return Problem(None, name, "form-too-large", f"表单“{name}”的内容过多")
    return None
