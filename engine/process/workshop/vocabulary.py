"""What the modeler's properties panel offers to choose from, so that an official picks by name instead of typing keys.

Everything is read from what is registered and deployed now; the panel knows no post, operation or process of its own. It is
an offer only: what a diagram may say is for the check to judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.people.posts import POSTS
from engine.process.actions import ACTIONS
from engine.process.definitions import THERE
from engine.process.interpreter.expressions import WORDS as LANGUAGE
from engine.process.operations import OPERATIONS, SUBJECTS, WORDS, Operation
from engine.process.package import Package
from engine.process.tables import Definition
from engine.process.workshop.texts import TEXTS, OperationText


def vocabulary(session: Session, package: Package) -> dict[str, Any]:
    """The choices for a draft, as JSON can carry them. One query (the deployed processes).

    Lists hold `value` and `label`; `operations` have their parameters, `forms` their fields, `names` are the variables that
    every case, its subject and the forms give to expressions, `answers` the conditions that ask for one of their options.
    """
    return {
        "actions": _choices(ACTIONS),
        "posts": [{"value": post.key, "label": post.label} for post in POSTS.values() if post.works_cases],
        "units": _choices(TEXTS.units),
        "operations": [_operation(OPERATIONS[name]) for name in sorted(OPERATIONS)],
        "subjects": [{"value": name, "label": TEXTS.subjects.get(name, name)} for name in sorted(SUBJECTS)],
        "words": [{"value": name, "label": _word(name)} for name in [*LANGUAGE, *sorted(WORDS)]],
        "start_pages": _choices(TEXTS.start_pages),
        "processes": _processes(session),
        "forms": [_form(name, package.forms[name]) for name in sorted(package.forms)],
        "documents": sorted(package.documents),
        "names": _choices(TEXTS.names | {field["key"]: _label(field) for field in _fields(package)}),
        "answers": _choices(_answers(package)),
    }


def _choices(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in texts.items()]


def _word(name: str) -> str:
    return LANGUAGE.get(name) or TEXTS.words.get(name, name)


def _operation(found: Operation) -> dict[str, Any]:
    """An operation with the parameters in the order of its registration; `*` stands for further values by any name."""
    text = TEXTS.operations.get(found.name) or OperationText(found.name, found.doc, {}, "")
    known = {name: asdict(text.parameters[name]) if name in text.parameters else {"label": name} for name in found.parameters}
    return {
        "name": found.name, "label": text.label, "description": text.description, "result": text.result,
        "open_ended": found.open_ended,
        "parameters": [
            {"name": name, "required": name in found.required, **known[name]} for name in found.parameters if name != "*"
        ],
    }  # fmt: skip


def _processes(session: Session) -> list[dict[str, str]]:
    """Every deployed process under the name of its newest version."""
    newest = select(func.max(Definition.id)).where(THERE).group_by(Definition.key)
    rows = session.execute(select(Definition.key, Definition.name).where(Definition.id.in_(newest)).order_by(Definition.key))
    return [{"value": key, "label": name} for key, name in rows]


def _form(name: str, form: Any) -> dict[str, Any]:
    """A form of the draft with its fields; one that is broken for now is still there to be named."""
    fields = [
        {"value": field["key"], "label": _label(field), "type": str(field.get("type")), "required": field.get("required") is True and not field.get("when"),
         "options": _options(field)} for field in _fields_of(form)
    ]  # fmt: skip
    return {"value": name, "label": str(form.get("title") or name) if isinstance(form, Mapping) else name, "fields": fields}


def _options(field: Mapping[str, Any]) -> list[dict[str, str]]:
    """The options that a field writes out."""
    options = field.get("options")
    return [
        {"value": str(option["value"]), "label": str(option.get("label") or option["value"])}
        for option in (options if isinstance(options, list) else ()) if isinstance(option, Mapping) and isinstance(option.get("value"), str | int)
    ]  # fmt: skip


def _fields(package: Package) -> Iterator[Mapping[str, Any]]:
    """The fields of all forms."""
    for form in package.forms.values():
        yield from _fields_of(form)


def _fields_of(form: Any) -> Iterator[Mapping[str, Any]]:
    """The fields of a form that have a key; what a half-written form says wrongly is passed over."""
    entries = form.get("fields") if isinstance(form, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("key"), str):
            yield entry


def _label(field: Mapping[str, Any]) -> str:
    return str(field.get("label") or field["key"])


def _answers(package: Package) -> dict[str, str]:
    """Condition → what it asks, for every option that a form writes out."""
    found = {}
    for field in _fields(package):
        if field.get("type") == "boolean":
            found[field["key"]] = f"{_label(field)}：是"
        options = field.get("options")
        for option in options if isinstance(options, list) else ():
            if isinstance(option, Mapping) and isinstance(option.get("value"), str):
                chosen = json.dumps(option["value"], ensure_ascii=False)
                condition = f"{chosen} in {field['key']}" if field.get("type") == "choices" else f"{field['key']} == {chosen}"
                found[condition] = f"{_label(field)}：{option.get('label') or option['value']}"
    return found
