"""The form of a step as that step shows it: with what the diagram hides there or only lets read, and what it may read.

One form may serve several steps. `hiddenFields` of a step are not shown there and not taken, whether required or not;
`readonlyFields` are shown with the case's value, and nothing else is taken for them. Both the page and the command ask here,
so that what is not shown cannot be posted either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from engine.process.actions import listed
from engine.process.forms import FIXED, FormDefinition, fixed_fields
from engine.process.interpreter.model import Diagram, Step

#: The properties of a task that change its form, and what the screens call them.
RIGHTS = {"hiddenFields": "不显示的字段", "readonlyFields": "只读的字段"}


class Version(Protocol):
    """What is asked of a version here: a deployed one, or one that is still to be checked."""

    @property
    def diagram(self) -> Diagram: ...

    @property
    def forms(self) -> Mapping[str, Any]: ...


def form_at(definition: Version, step_id: str) -> FormDefinition | None:
    """The form of a step of a version; None for a step without one, and for one that the version does not know.

    At the start of the process it is the form of its start: a case that came back to its starter waits there.
    """
    step = definition.diagram.steps.get(step_id)
    if step is not None and step.kind == "start":
        return definition.forms.get(definition.diagram.properties.get("startForm", ""))
    return form_for(step, definition.forms) if step is not None else None


def form_for(step: Step, forms: Mapping[str, Any]) -> FormDefinition | None:
    """The form of a step among `forms`. A field that is read only there is marked so (`forms.FIXED`).

    A form that is none yet, in a draft, comes back as it is.
    """
    form: FormDefinition | None = forms.get(step.form) if step.form else None
    hidden, fixed = (fields_named(step, name) for name in RIGHTS)
    if form is None or not (hidden or fixed) or not _sound(form):
        return form
    shown = [field for field in form["fields"] if field.get("key") not in hidden]
    return {**form, "fields": [{**field, FIXED: True} if field.get("key") in fixed else field for field in shown]}


def _sound(form: Any) -> bool:
    fields = form.get("fields") if isinstance(form, dict) else None
    return isinstance(fields, list) and all(isinstance(field, dict) for field in fields)


def fields_named(step: Step, right: str) -> frozenset[str]:
    """The fields that a step names under one of RIGHTS."""
    return frozenset(listed(step.properties.get(right, "")))


def names_at(variables: Mapping[str, Any], local: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What a form of a task sees: the case's data, and before them what only the task has, such as its item of a multi-instance."""
    return {**variables, **local} if local else variables


def bulk_at(definition: Version, step_id: str) -> bool:
    """Whether the step may be completed in bulk, with one form for many tasks: its form says so, and shows nothing of a case."""
    form = form_at(definition, step_id)
    return form is not None and form.get("bulk") is True and not fixed_fields(form)
