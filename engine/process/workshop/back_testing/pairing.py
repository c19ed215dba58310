"""Which element of a draft is which element of the version that a case ran on, and what a case brought by itself.

Found once for each version in a run; a case costs no look at a diagram.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.process.definitions import Deployed
from engine.process.forms import fields_of
from engine.process.interpreter.model import Diagram, Step
from engine.process.interpreter.survey import errors_caught, written_by

_FAMILIES = {"user": "task", "manual": "task", "service": "automatic", "send": "automatic", "script": "automatic"}


@dataclass(frozen=True, slots=True)
class Pairing:
    """A deployed version beside the draft."""

    ran: Deployed
    to_draft: Mapping[str, str]
    """Element of the version → the same one of the draft; none for what the draft no longer has."""
    to_ran: Mapping[str, str]
    brought: frozenset[str]
    """Variables that a case gets on its way; all others it was started with."""
    errors: Mapping[str, str | None]
    """Error boundary events of the version, with their codes."""


def pair(ran: Deployed, draft: Diagram) -> Pairing:
    """Pairs elements by id; where an id is gone, by kind and name if that is unmistakable."""
    before, after = ran.diagram.steps, draft.steps
    same = {step.id: step.id for step in before.values() if step.id in after and _family(step) == _family(after[step.id])}
    taken = set(same.values())
    loose = Counter(_mark(step) for step in before.values() if step.id not in same)
    free = [step for step in after.values() if step.id not in taken]
    marks = Counter(map(_mark, free))
    by_mark = {_mark(step): step.id for step in free if step.name and marks[_mark(step)] == 1}
    for step in before.values():
        if step.id not in same and loose[_mark(step)] == 1 and _mark(step) in by_mark:
            same[step.id] = by_mark[_mark(step)]
    return Pairing(
        ran, same, {draft_id: ran_id for ran_id, draft_id in same.items()}, _brought(ran), errors_caught(ran.diagram)
    )  # fmt: skip


def _family(step: Step) -> str:
    return _FAMILIES.get(step.kind, step.kind)


def _mark(step: Step) -> tuple[str, str]:
    return (_family(step), step.name)


def _brought(ran: Deployed) -> frozenset[str]:
    names = set(written_by(ran.diagram))
    for step in ran.diagram.steps.values():
        names.update(name.removeprefix("out.") for name in step.properties if name.startswith("out."))
        if step.topic and step.properties.get("out"):
            names.add(step.properties["out"])
        if step.form and not step.multi:
            names.update(form_keys(ran.forms.get(step.form)))
    return frozenset(names)


def form_keys(form: Mapping[str, Any] | None) -> set[str]:
    """The variables that the answers of a form become."""
    return {field["key"] for field in fields_of(form)} if form else set()
