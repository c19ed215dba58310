"""What of the law a new version must leave standing: compared with the version before it, under the same rule set.

An editor may tighten a statutory limit and ask for more in a statutory form. To take away the maximum, its article or a
required field would be to lift the guard rail first and to cross it with the version after, so it is refused here, naming
the element and the article. Another rule set is another law: there the base has nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.process.forms import FIXED
from engine.process.interpreter.model import Diagram, Problem, Step, TimerRule
from engine.process.package import Package
from engine.process.step_forms import form_for

_PAUSES = {"pause": "顺延", "restart": "重新计算", "none": "照常计算"}


@dataclass(frozen=True, slots=True)
class _Limit:
    """A statutory limit of a diagram: a timer's, or the short form on a task."""

    element: str
    name: str
    label: str
    """How a message names it."""
    most: int
    article: str | None
    role: str
    on_pause: str
    on: str
    """The activity that it limits."""
    counted: tuple[bool, str | None]
    """Office hours, and the day from which it is counted."""


def base_problems(package: Package, diagram: Diagram, base: Package, before: Diagram) -> Iterator[Problem]:
    """Everything statutory of `before` that `diagram` lifts. `base` is its package."""
    if package.rule_set != base.rule_set:
        return
    yield from _limits(_statutory(diagram), _statutory(before), diagram)
    yield from _forms(package, diagram, base, before)


def most_of(text: str | None) -> int | None:
    """A maximum as a number of working days; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None


# -- limits -------------------------------------------------------------------------------------


def _statutory(diagram: Diagram) -> dict[str, _Limit]:
    found = {}
    for rule in diagram.timers.values():
        if rule.statutory_max is not None:
            found[rule.element] = _of_timer(rule)
    for step in diagram.steps.values():
        most = most_of(step.properties.get("statutoryMax"))
        if step.limit is not None and most is not None:
            found[step.id] = _Limit(
                step.id, step.name, f"环节“{step.name or step.id}”（{step.id}）", most, step.article, "deadline",
                step.properties.get("onPause", "pause"), step.id, (step.properties.get("officeHours") == "true", None),
            )  # fmt: skip
    return found


def _of_timer(rule: TimerRule) -> _Limit:
    return _Limit(
        rule.element, rule.name, f"定时“{rule.name or rule.element}”（{rule.element}）", rule.statutory_max or 0, rule.article, rule.role,
        rule.on_pause, rule.attached_to or "", (rule.office_hours, rule.count_from),
    )  # fmt: skip


def _limits(after: Mapping[str, _Limit], before: Mapping[str, _Limit], diagram: Diagram) -> Iterator[Problem]:
    fresh = [limit for key, limit in after.items() if key not in before]
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            # Drawn anew under another id, the limit still stands.
            new = next((limit for limit in fresh if limit.article == old.article and limit.role == old.role), None)
            if new is not None:
                fresh.remove(new)
        if new is None:
            yield _gone(old, diagram)
        else:
            yield from _weakened(old, new)


def _gone(old: _Limit, diagram: Diagram) -> Problem:
    law = old.article or "法规"
    if old.element in diagram.steps:
        text = f"{old.label}的法定最长时限（{law}：{old.most}个工作日）被删去，编辑者不能取消法定时限"
        return Problem(old.element, old.name or None, "statutory-max-removed", text, old.article)
    on = diagram.steps.get(old.on)
    text = f"{old.label}已不在图中：{law}规定的{old.most}个工作日时限不能取消"
    return Problem(on.id if on else None, old.name or None, "statutory-limit-removed", text, old.article)


def _weakened(old: _Limit, new: _Limit) -> Iterator[Problem]:
    law = old.article or "法规"

    def problem(rule: str, text: str) -> Problem:
        return Problem(new.element, new.name or None, rule, f"{new.label}：{text}", old.article)

    if new.most > old.most:
        yield problem("statutory-max-raised", f"法定最长时限由{old.most}改为{new.most}个工作日，{law}规定的最长时限不能放宽")
    if not new.article:
        yield problem("statutory-article-removed", f"法定时限的条款“{law}”被删去")
    elif new.article != old.article:
        changed = problem("statutory-article-changed", f"法定时限的条款由“{law}”改为“{new.article}”，请核对")
        yield Problem(changed.element, changed.name, changed.rule, changed.message, new.article, "warning")
    if new.role != old.role:
        yield problem("statutory-role-changed", f"{law}规定的时限不能改作其他定时")
    if new.on != old.on and new.on and old.on:
        moved = problem("statutory-limit-moved", f"{law}规定的时限改附在另一个环节上，请核对")
        yield Problem(moved.element, moved.name, moved.rule, moved.message, old.article, "warning")
    if new.on_pause != old.on_pause and old.on_pause in _PAUSES and new.on_pause in _PAUSES:
        order = ("none", "pause", "restart")
        longer = order.index(new.on_pause) > order.index(old.on_pause)
        if longer:
            # The regulation is silent on it: the policy is the installation's own, and whoever lengthens it shall know.
            words = f"由“{_PAUSES[old.on_pause]}”改为“{_PAUSES[new.on_pause]}”"
            told = problem("statutory-pause-changed", f"遇补正时{words}，{law}规定的时限会因此变长，请核对")
            yield Problem(told.element, told.name, told.rule, told.message, old.article, "warning")
    if new.counted != old.counted:
        yield problem("statutory-clock-changed", f"起算方式已改，{law}规定的时限的起算不能变动")


# -- forms --------------------------------------------------------------------------------------


def _forms(package: Package, diagram: Diagram, base: Package, before: Diagram) -> Iterator[Problem]:
    for old in before.steps.values():
        if not old.article or not old.form:
            continue
        new = diagram.steps.get(old.id)
        label = f"环节“{old.name or old.id}”（{old.id}）"
        if new is not None and not new.article:
            text = f"{label}不再注明条款“{old.article}”，法定环节的条款不能删去"
            yield Problem(old.id, old.name or None, "statutory-article-removed", text, old.article)
        if new is not None:
            offered = [_asked(new, package)]
        else:  # drawn anew: some other step of the same article may ask for the same
            others = [step for step in diagram.steps.values() if step.article == old.article and step.form]
            offered = [_asked(step, package) for step in others]
        yield from _fields(_asked(old, base), offered, label, old.id if new is not None else None, old.name, old.article)
    form, article = before.properties.get("startForm"), before.properties.get("article")
    if form and article:
        offered = [package.forms.get(diagram.properties.get("startForm", ""))]
        yield from _fields(base.forms.get(form), offered, f"流程“{before.name}”的发起", None, before.name, article)


def _asked(step: Step, package: Package) -> Any:
    """The form of a step with what it asks for there: a field that is hidden or only shown is not asked for."""
    form = form_for(step, package.forms)
    asked = [field for field in _by_key(form).values() if not field.get(FIXED)]
    return {**form, "fields": asked} if isinstance(form, dict) else form


def _fields(old: Any, offered: list[Any], label: str, element: str | None, name: str, article: str) -> Iterator[Problem]:
    """What the form asked for must still be asked for, with the same force."""
    title = old.get("title", "") if isinstance(old, dict) else ""
    for key, field in _required(old).items():
        found = [fields[key] for fields in map(_by_key, offered) if key in fields]
        what = f"{label}的表单“{title}”"
        if not found:
            text = f"{what}少了必填项“{field.get('label') or key}”：它是{article}所要求的，不能删去"
            yield Problem(element, name or None, "statutory-field-removed", text, article)
        elif not any(item.get("required") for item in found):
            text = f"{what}的“{field.get('label') or key}”不再必填：它是{article}所要求的，不能改为选填"
            yield Problem(element, name or None, "statutory-field-optional", text, article)
        elif all(item.get("when") != field.get("when") for item in found):
            text = f"{what}中必填项“{field.get('label') or key}”的显示条件已改，请核对{article}的要求是否仍然满足"
            yield Problem(element, name or None, "statutory-field-condition", text, article, "warning")


def _required(form: Any) -> dict[str, Mapping[str, Any]]:
    return {key: field for key, field in _by_key(form).items() if field.get("required")}


def _by_key(form: Any) -> dict[str, Mapping[str, Any]]:
    fields = form.get("fields") if isinstance(form, dict) else None
    listed = fields if isinstance(fields, list) else []
    return {str(field["key"]): field for field in listed if isinstance(field, dict) and field.get("key")}
