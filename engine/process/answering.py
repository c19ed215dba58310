"""The answers of a form and the opinion beside them, checked together: every field that is wrong is named at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.process.forms import FormDefinition, opinion_needed, validate
from engine.store.errors import Invalid

OPINION_MAX = 2000
REASON_MAX = 500


def checked_reason(given: str, missing: str | None = None) -> str:
    """A reason as the history keeps it. Raises Invalid where it is too long, or empty and `missing` says that it must not be."""
    said = given.strip()
    if len(said) > REASON_MAX:
        raise Invalid({"reason": f"理由不能超过{REASON_MAX}字"})
    if "\x00" in said:
        raise Invalid({"reason": "含有无法保存的字符"})
    if not said and missing:
        raise Invalid({"reason": missing})
    return said


def checked_answers(
    form: FormDefinition | None, policy: str, answers: Mapping[str, Any], opinion: str, variables: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The values of the answers. `policy` is whether the step itself wants an opinion.

    Raises Invalid naming every field that is wrong, the opinion among them.
    """
    if form is None:
        values, errors = {}, {key: f"表单中没有“{key}”这一项" for key in answers}
    else:
        found = validate(form, answers, variables)
        values, errors = found.values, dict(found.errors)
    if len(opinion) > OPINION_MAX:
        errors["opinion"] = f"意见不能超过{OPINION_MAX}字"
    elif not opinion.strip() and opinion_needed(form, policy, values, variables):
        errors["opinion"] = "请填写意见"
    if errors:
        raise Invalid(errors)
    return values
