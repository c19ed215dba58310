"""Does what a diagram says about the officer's desk make sense: verbs, targets of a return, votes, the rights over fields?

A misspelt verb would silently allow nothing, a target that is no step would never be offered, a vote that no field asks
for would never be an approval: all are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from engine.process.actions import ACTIONS, ANY, NONE, PREVIOUS, STARTER, actions_of, listed, works
from engine.process.forms import FIXED
from engine.process.interpreter.model import Diagram, Problem, Severity, Step
from engine.process.package import Package
from engine.process.step_forms import RIGHTS, fields_named, form_for


def desk_problems(package: Package, diagram: Diagram) -> Iterator[Problem]:
    """All findings about actions, targets of a return, votes and the rights over fields."""
    for what in _verbs(diagram.properties.get("actions", "")):
        yield Problem(None, diagram.name, "action-unknown", f"流程“{diagram.name}”的{what}")
    for step in diagram.steps.values():
        if works(step):
            for what in _verbs(step.properties.get("actions", "")):
                yield _problem(step, "action-unknown", f"的{what}")
            yield from _targets(step, diagram)
            yield from _vote(step, package)
            yield from _rights(step, package)
    yield from _asked_nowhere(package, diagram)


def _verbs(text: str) -> Iterator[str]:
    """What is wrong with a list of verbs."""
    verbs = listed(text)
    for verb in verbs:
        if verb == NONE and len(verbs) > 1:
            yield "可用动作（actions）写有none，就不能再写其他动作"
        elif verb != NONE and verb not in ACTIONS:
            close = get_close_matches(verb, ACTIONS, n=1, cutoff=0.7)
            meant = f"，是否应为“{close[0]}”？" if close else f"，应为{'、'.join(ACTIONS)}或none"
            yield f"可用动作（actions）中没有“{verb}”{meant}"


def _targets(step: Step, diagram: Diagram) -> Iterator[Problem]:
    targets = listed(step.properties.get("returnTo", ""))
    if not targets:
        return
    if "return" not in actions_of(diagram, step.id):
        text = "不允许退回（actions中没有return），写明的退回去向（returnTo）不起作用"
        yield _problem(step, "return-not-allowed", text)
    for target in targets:
        if target in (STARTER, PREVIOUS, ANY):
            continue
        found = diagram.steps.get(target)
        if found is None:
            yield _problem(step, "return-to-unknown", f"的退回去向（returnTo）“{target}”不是本流程的环节，也不是starter、previous或any")
        elif not works(found):
            yield _problem(step, "return-to-no-task", f"的退回去向“{found.name or target}”（{target}）不是由人办理的环节，不能退回到那里")
        elif target == step.id:
            yield _problem(step, "return-to-itself", "不能退回到自己")


# -- votes ------------------------------------------------------------------------------------


def _vote(step: Step, package: Package) -> Iterator[Problem]:
    """The vote of a countersign must be asked for, and must be able to be an approval."""
    key, approve = step.properties.get("vote"), step.properties.get("approve")
    if not step.properties.get("countersign") or not key:
        return
    field = _fields(package.forms.get(step.form or "")).get(key)
    if field is None:
        yield _problem(step, "vote-unknown", f"的会签表决字段（vote）“{key}”不在它的表单中")
        return
    label = field.get("label") or key
    asked = _fields(form_for(step, package.forms)).get(key)
    if asked is None or asked.get(FIXED):
        yield _problem(step, "vote-not-asked", f"的会签表决字段“{label}”在本环节不显示或只读，无法表决")
    elif field.get("type") not in ("choice", "select"):
        yield _problem(step, "vote-no-choice", f"的会签表决字段“{label}”应当是单选（choice或select）")
    elif not field.get("required") or field.get("when"):
        yield _problem(step, "vote-optional", f"的会签表决字段“{label}”应当必填，且没有显示条件，否则可以不表决")
    elif approve and approve not in _values(field):
        yield _problem(step, "vote-never-approves", f"的会签表决字段“{label}”没有“{approve}”（approve）这一选项，永远不会通过")


def _values(field: Mapping[str, Any]) -> list[str]:
    options = field.get("options")
    return [str(option.get("value")) for option in options if isinstance(option, dict)] if isinstance(options, list) else []


# -- the rights over fields -------------------------------------------------------------------


def _rights(step: Step, package: Package) -> Iterator[Problem]:
    named = {right: fields_named(step, right) for right in RIGHTS}
    if not any(named.values()):
        return
    form = package.forms.get(step.form or "")
    if form is None:
        if not step.form:  # one that is missing is told by itself
            text = f"没有表单，属性 {'、'.join(name for name in named if named[name])} 不起作用"
            yield _problem(step, "property-ignored", text, "warning")
        return
    known = _fields(form)
    for right, keys in named.items():
        for key in sorted(keys - known.keys()):
            close = get_close_matches(key, known, n=1, cutoff=0.7)
            meant = f"，是否应为“{close[0]}”？" if close else ""
            yield _problem(step, "field-unknown", f"的{RIGHTS[right]}（{right}）“{key}”不在表单“{form_title(form, step)}”中{meant}")
    for key in sorted(frozenset.intersection(*named.values())):
        yield _problem(step, "field-right-twice", f"的字段“{key}”既写为不显示，又写为只读，请只留一种")


def _asked_nowhere(package: Package, diagram: Diagram) -> Iterator[Problem]:
    """A required field that every step of its form hides or only shows would never be filled in."""
    start = diagram.properties.get("startForm")
    for name, form in package.forms.items():
        users = [step for step in diagram.steps.values() if works(step) and step.form == name]
        if not users or name == start:
            continue
        asked = [_fields(form_for(step, package.forms)) for step in users]
        for key, field in _fields(form).items():
            if field.get("required") and not any(key in fields and not fields[key].get(FIXED) for fields in asked):
                text = f"的表单“{form_title(form, users[0])}”中必填的“{field.get('label') or key}”在所有使用它的环节都不显示或只读，无处填写"
                severe = any(step.article for step in users)
                yield _problem(users[0], "field-asked-nowhere", text, "error" if severe else "warning")


def form_title(form: Any, step: Step) -> str:
    """How a message names a form."""
    return str(form.get("title") or step.form) if isinstance(form, dict) else str(step.form)


def _fields(form: Any) -> dict[str, Mapping[str, Any]]:
    fields = form.get("fields") if isinstance(form, dict) else None
    listed_fields = fields if isinstance(fields, list) else []
    return {str(field["key"]): field for field in listed_fields if isinstance(field, dict) and field.get("key")}


def _problem(step: Step, rule: str, text: str, severity: Severity = "error") -> Problem:
    return Problem(step.id, step.name, rule, f"环节“{step.name or step.id}”（{step.id}）{text}", step.article, severity)
