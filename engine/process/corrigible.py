"""What of a case's data may be corrected, and into what: the answers of its forms, what its steps have made, what it holds.

An answer is judged by its field, as if it were given now. Never what the case stands on: whose it is, its number, what it is
about, and what another case or a missed deadline told it. Files stay where they were handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.orm import Session

from engine.process.check_names import ALWAYS, HANDED_DOWN
from engine.process.definitions import Deployed
from engine.process.forms import fields_of, in_words, judged, shown
from engine.process.interpreter.expressions import ExpressionError, compile_expression
from engine.process.interpreter.survey import written_by
from engine.process.instances import find_subject, start_form
from engine.process.opening import title_over
from engine.process.operations import BROUGHT, Subject
from engine.process.tables import Instance
from engine.store.errors import Invalid

#: Octets of one value, as JSON.
MOST = 16 * 1024
#: Octets up to which the history keeps a value whole; of a longer one it keeps how it begins.
KEPT = 1000
#: Letters that the history tells of a value.
TOLD = 60


@dataclass(frozen=True, slots=True)
class Datum:
    """Something that a case of a version holds or may hold."""

    name: str
    label: str
    """As its form calls it; the name where no form asks for it."""
    fields: tuple[Mapping[str, Any], ...] = ()
    """Every field of the version's forms whose answer it is."""
    made: bool = False
    """Whether a step of the diagram makes it: an operation, a call, a script, a vote, a worker."""

    @property
    def is_file(self) -> bool:
        return any(field["type"] == "file" for field in self.fields)


def data_of(definition: Deployed, held: Collection[str]) -> dict[str, Datum]:
    """What may be corrected of a case that holds these names, in the order of the forms, then by name."""
    fields: dict[str, list[Mapping[str, Any]]] = {}
    for form in _forms(definition):
        for field in fields_of(form):
            fields.setdefault(field["key"], []).append(field)
    made = _made(definition)
    rest = sorted((made | set(held)) - fields.keys())
    found = [
        *(Datum(name, own[0]["label"], tuple(own), name in made) for name, own in fields.items()),
        *(Datum(name, name, made=name in made) for name in rest),
    ]
    firm = _firm(definition, fields)
    return {datum.name: datum for datum in found if datum.name not in firm and not datum.name.startswith("_")}


def corrected(
    definition: Deployed, instance: Instance, values: Mapping[str, Any], deletions: Collection[str],
) -> tuple[dict[str, Any], frozenset[str], list[dict[str, Any]]]:  # fmt: skip
    """What becomes of the case's data: new values by name, names that it holds no longer, and the changes as the history keeps them.

    What is left out of a form is None in the case's data, as where it was never answered. What stays as it is is no change.
    Raises Invalid with a sentence for each name that cannot be corrected so.
    """
    known, held = data_of(definition, instance.variables), instance.variables
    errors: dict[str, str] = {}
    wanted: dict[str, Any] = {}
    for name in [*values, *deletions]:
        problem = _refused(name, known, definition)
        if problem is None and name in values and name in deletions:
            problem = f"“{known[name].label}”不能同时更正和删除"
        if problem is not None:
            errors[name] = problem
        else:
            wanted[name] = values.get(name)
    after = {**held, **wanted}
    new: dict[str, Any] = {}
    gone: set[str] = set()
    for name, raw in wanted.items():
        datum = known[name]
        value, problem = _judged(datum, raw, after, held.get(name))
        if problem is None and value is None and not datum.fields:
            problem = _kept(datum, name in deletions)
        if problem is not None:
            errors[name] = problem
        elif value is None and not datum.fields:
            gone |= {name} & held.keys()
        elif value != held.get(name) or type(value) is not type(held.get(name)):
            new[name] = value
    if errors:
        raise Invalid(errors)
    told = [_change(known[name], held.get(name), new.get(name), {**after, **new}) for name in wanted if name in new or name in gone]
    return new, frozenset(gone), told


def retitled(session: Session, definition: Deployed, instance: Instance, changed: Collection[str], data: Mapping[str, Any]) -> str | None:
    """The title of the case by its corrected data; None where it stays.

    Raises Invalid where the case would be about something else, or about nothing that a case may be started about.
    """
    before, wrong_before = _subject(session, definition, instance, instance.variables, changed)
    after, wrong_after = _subject(session, definition, instance, data, changed)
    wrong = {name: text for name, text in wrong_after.items() if name in changed and name not in wrong_before}
    if wrong:
        raise Invalid(wrong)
    if before is not None and after is not None and before.key != after.key:
        raise Invalid(message="不能改为办理另一事项，请终止该办件后重新发起")
    text = definition.diagram.properties.get("title") or "subject_name"
    read = compile_expression(text).names
    renamed = before is not None and after is not None and before.name != after.name
    if not (read & set(changed)) and not ("subject_name" in read and renamed):
        return None
    if "subject_name" in read and after is None:
        return None  # what it was called is not known any more
    found = title_over(session, definition, {**data, "subject_name": after.name if after else "", "process_name": definition.name})
    return found if found and found != instance.title else None


# -- which names --------------------------------------------------------------------------------


def _forms(definition: Deployed) -> Iterator[Mapping[str, Any]]:
    """The forms whose answers become data of the case: its start's, and those of steps that are done once at a time."""
    names = [definition.diagram.properties.get("startForm")]
    names += [step.form for step in definition.diagram.steps.values() if step.form and not step.multi]
    for name in dict.fromkeys(filter(None, names)):
        if name in definition.forms:
            yield definition.forms[name]


def _made(definition: Deployed) -> set[str]:
    found = set(written_by(definition.diagram))
    for step in definition.diagram.steps.values():
        found.update(name.removeprefix("out.") for name in step.properties if name.startswith("out."))
        found.update({step.properties["out"]} if step.properties.get("out") else ())
    return found


def _firm(definition: Deployed, asked: Collection[str]) -> frozenset[str]:
    """What the case stands on; what it was told by another case counts as an answer where a form asks for it."""
    about = BROUGHT.get(definition.diagram.properties.get("subject", ""), frozenset())
    return ALWAYS | about | (HANDED_DOWN - set(asked))


def _refused(name: str, known: Mapping[str, Datum], definition: Deployed) -> str | None:
    if name in known:
        return f"“{known[name].label}”是附件，不能更正；请由经办人重新上传" if known[name].is_file else None
    if name.startswith("_") or name in _firm(definition, ()):
        return f"“{name[:TOLD]}”说明办件由谁发起、办理何事，由系统记录，不能更正"
    return f"该办件及其流程中没有“{name[:TOLD]}”这一数据"


# -- what they may become -----------------------------------------------------------------------


def _judged(datum: Datum, raw: Any, names: Mapping[str, Any], held: Any) -> tuple[Any, str | None]:
    """By the first field that takes it, and none may miss it; without a field, by what the case holds now."""
    if not datum.fields:
        return raw, _unlike(datum, raw, held)
    said: str | None = None
    for field in datum.fields:
        try:
            value, problem = judged(field, raw, names, missed=False)
        except ExpressionError:
            value, problem = None, f"“{datum.label}”的选项现在无法确定，不能更正"
        if problem is None:
            return value, _missed(datum, value, names)
        said = said or problem
    return None, said


def _missed(datum: Datum, value: Any, names: Mapping[str, Any]) -> str | None:
    """What the first form says that would miss the answer: some form that asks for it must have it."""
    asking = (field for field in datum.fields if field.get("required") and shown(field, {}, names))
    return next((judged(field, value, names)[1] for field in asking if value is None or value is False), None)


def _unlike(datum: Datum, raw: Any, held: Any) -> str | None:
    if raw is None:
        return None
    if len(orjson.dumps(raw)) > MOST:
        return f"“{datum.label}”不能超过{MOST // 1024}KB"
    if held is not None and _kind(raw) != _kind(held):
        return f"“{datum.label}”应为{_kind(held)}，与原值一致"
    return None


def _kept(datum: Datum, deleted: bool) -> str | None:
    """Why something that no form asks for cannot be left empty."""
    if datum.made:
        return f"“{datum.label}”由流程的步骤得出，只能更正，不能删除"
    return None if deleted else f"“{datum.label}”不能为空；如确需去掉，请删除"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "是或否"
    return "数字" if isinstance(value, int | float) else "文字" if isinstance(value, str) else "列表" if isinstance(value, list) else "一组数据"


def _subject(
    session: Session, definition: Deployed, instance: Instance, data: Mapping[str, Any], changed: Collection[str],
) -> tuple[Subject | None, Mapping[str, str]]:  # fmt: skip
    """What a case started with such answers would be about, or what is wrong with them; nothing where that cannot have changed."""
    form = start_form(definition)
    asked = {field["key"] for field in fields_of(form)} if form else set()
    if instance.starter_id is None or not asked & set(changed):
        return None, {}
    given = {"applicant_unit": data.get("applicant_unit"), "resource_code": instance.subject_key}
    try:
        return find_subject(session, definition, {**given, **{name: data[name] for name in sorted(asked) if name in data}}), {}
    except Invalid as wrong:
        return None, wrong.fields


# -- what is kept of it -------------------------------------------------------------------------


def _change(datum: Datum, before: Any, after: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """One change for the history: long values only by how they begin."""
    fact: dict[str, Any] = {"name": datum.name, "label": datum.label, "words": [said_of(datum, before, names), said_of(datum, after, names)]}
    if max(len(orjson.dumps(before)), len(orjson.dumps(after))) > KEPT:
        return {**fact, "cut": True}
    return {**fact, "from": before, "to": after}


def said_of(datum: Datum, value: Any, names: Mapping[str, Any]) -> str:
    """A value in words, cut where it is long; empty for none."""
    if value in (None, "", []):
        return ""
    text = in_words(datum.fields[0], value, names) if datum.fields else value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= TOLD else text[: TOLD - 1] + "…"
