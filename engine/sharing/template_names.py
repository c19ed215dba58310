"""What a document template may name: the parameters of its step, and whatever the process gets to know on the way.

A process that others start is also given data that its own package does not show. It must then speak of it somewhere in its
diagram; a name that stands in no parameter, form, result or expression is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.process.interpreter.expressions import ExpressionError, names_in
from engine.process.interpreter.model import Diagram, Step
from engine.process.interpreter.reader import sketch
from engine.process.package import Package

#: What every case knows, and every case about a resource; what one that a missed deadline started knows of it.
ALWAYS = frozenset({"applicant_unit", "case", "provider_unit", "resource"})
FROM_A_DEADLINE = frozenset({
    "deadline_day", "source_activity", "source_article", "source_instance", "source_number", "source_process", "source_step",
    "source_step_name", "source_title", "source_unit",
})  # fmt: skip
#: What the subject of a case may bring beside the resource.
FROM_A_SUBJECT = frozenset({"all_items", "entry", "experts_offered", "itemised"})


def names_of(step: Step, package: Package) -> frozenset[str]:
    """The names that a template of this step can count on, as far as the package tells."""
    given = {name.removeprefix("in.") for name in step.properties if name.startswith("in.")}
    return ALWAYS | FROM_A_DEADLINE | FROM_A_SUBJECT | given | _asked(package) | frozenset(_known(sketch(package.xml)))


def _asked(package: Package) -> set[str]:
    """The keys of all fields; what is no field yet, in a form that is being written, is passed over."""
    listed = [form.get("fields") for form in package.forms.values() if isinstance(form, dict)]
    fields = [field for each in listed if isinstance(each, list) for field in each if isinstance(field, dict)]
    return {field["key"] for field in fields if isinstance(field.get("key"), str)}


def _known(diagram: Diagram) -> Iterator[str]:
    """Results of operations and calls, and what expressions read."""
    for step in diagram.steps.values():
        for name, text in step.properties.items():
            if name == "out":
                yield text
            elif name.startswith("out."):
                yield name.removeprefix("out.")
            else:
                yield from _read(text)
        yield from _read(step.unit)
    for flow in diagram.flows.values():
        yield from _read(flow.condition)
    for text in diagram.properties.values():
        yield from _read(text)


def _read(text: str | None) -> frozenset[str]:
    try:
        return names_in(text) if text else frozenset()
    except ExpressionError:  # a property that is no expression, such as a label
        return frozenset()
