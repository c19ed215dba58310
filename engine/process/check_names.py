"""Does everything that an expression names exist? Variables of the case, fields of forms, items, bodies, steps, processes.

What a case can hold follows from its package: the answers of its forms, what its subject brings, results of operations,
calls and scripts, and the facts that come with a missed deadline. A process that a person starts holds nothing else, so
there an unknown name is an error. One that other processes start is given data that its package does not show: there only
a name that the version before did not read either is worth a word, or one that is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from engine.people.posts import BODIES, POSTS
from engine.process.form_check import names_read
from engine.process.interpreter.expressions import ExpressionError, compile_expression, constant, tested_in, texts_given
from engine.process.interpreter.document import index
from engine.process.interpreter.model import Diagram, DiagramError, Problem, Severity, Step
from engine.process.interpreter.reader import timers_of
from engine.process.interpreter.structure_texts import Text, texts_of
from engine.process.operations import BROUGHT, OPERATIONS, WORDS
from engine.process.package import Package

#: What every case knows.
ALWAYS = frozenset({"applicant_unit", "case"})
#: What only the title and the parties see beside it.
AT_THE_START = frozenset({"process_name", "subject_name"})
#: What one case hands down to those that it starts, and what a missed deadline tells them.
HANDED_DOWN = frozenset({
    "provider_unit", "resource", "deadline_day", "source_activity", "source_article", "source_instance", "source_number",
    "source_process", "source_step", "source_step_name", "source_title", "source_unit",
})  # fmt: skip
#: Parameters that mean the same in every operation, and what they name.
NAMED = {"step": "element", "activity": "element", "process": "process", "post": "post"}
#: How like a known name an unknown one must be to be called a slip.
LIKENESS = 0.84


def name_problems(package: Package, diagram: Diagram, known: Set[str], base: Package | None) -> Iterator[Problem]:
    """Every name in an expression, a form or a parameter that names nothing. The diagram must have passed the structure check."""
    names = _Names(package, diagram, base)
    yield from names.in_expressions()
    yield from names.in_forms()
    for step in diagram.steps.values():
        yield from _parameters(step, diagram, known)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How bad an unknown name is, and what may have been meant."""

    severity: Severity
    meant: str | None


class _Names:
    def __init__(self, package: Package, diagram: Diagram, base: Package | None) -> None:
        self.package = package
        self.diagram = diagram
        self.base = base
        self.document = index(package.xml)
        self.texts = list(texts_of(self.document, timers_of(self.document)))
        self.forms = {name: form for name, form in package.forms.items() if isinstance(form, dict) and _fields(form)}

    @cached_property
    def held(self) -> frozenset[str]:
        """The variables that a case of this process may have."""
        found = set(ALWAYS) | BROUGHT.get(self.diagram.properties.get("subject", ""), frozenset())
        for form in self.forms.values():
            found |= {str(field["key"]) for field in _fields(form) if field.get("key")}
        for step in self.diagram.steps.values():
            found |= {name.removeprefix("out.") for name in step.properties if name.startswith("out.")}
            found |= {step.properties["out"]} if step.properties.get("out") else set()
        found |= {name for text in self.texts for name in text.sets}
        # Whoever asks whether there is one knows that there may be none.
        for text in self._all_texts():
            found |= tested_in(text)
        return frozenset(found) | (frozenset() if self.started_by_people else HANDED_DOWN)

    @property
    def started_by_people(self) -> bool:
        """Whether somebody starts it by its form, so that nothing else can be in the case. A message or signal may bring anything."""
        waits = any(step.kind in ("message", "receive", "signal") or (step.kind == "start" and step.signal) for step in self.diagram.steps.values())
        return bool(self.diagram.properties.get("startPosts")) and not waits

    def _all_texts(self) -> Iterator[str]:
        yield from (text.text for text in self.texts)
        for form in self.forms.values():
            for field in _fields(form):
                yield from (str(field[name]) for name in ("when", "value", "options_from") if field.get(name))

    @cached_property
    def read_before(self) -> frozenset[str] | None:
        """What the version before read; None where there is none to go by."""
        if self.base is None:
            return None
        try:
            before = _Names(self.base, self.diagram, None)
        except DiagramError:  # a rule of today that its file breaks
            return None
        found = {name for text in before.texts for name in _read(text.text)}
        return frozenset(found | {name for form in before.forms.values() for _, _, name in names_read(form)})

    def verdict(self, name: str, here: Set[str]) -> _Verdict | None:
        """None for a name that a case may have at this place."""
        if name in self.held or name in here or (self.read_before is not None and name in self.read_before):
            return None
        close = get_close_matches(name, sorted(self.held | here), n=1, cutoff=LIKENESS)
        if self.started_by_people:
            return _Verdict("error", close[0] if close else None)
        if close or self.read_before is not None:
            return _Verdict("warning", close[0] if close else None)
        return None

    def in_expressions(self) -> Iterator[Problem]:
        for text in self.texts:
            here = set(text.local) | (AT_THE_START if text.at_start else set())
            for name in sorted(_read(text.text)):
                found = self.verdict(name, here)
                if found is not None:
                    where = f"{text.owner}：" if text.owner else f"流程“{self.diagram.name}”的"
                    step = self.diagram.steps.get(text.element or "")
                    yield Problem(
                        text.element, step.name if step else self.diagram.name, "unknown-name",
                        f"{where}{text.place}“{text.text[:80]}”：没有变量“{name}”{_meant(found)}", step.article if step else None, found.severity,
                    )  # fmt: skip
            yield from _bodies(text, self.diagram)
            yield from _posts(text, self.diagram)

    def in_forms(self) -> Iterator[Problem]:
        for name, form in self.forms.items():
            users = [step for step in self.diagram.steps.values() if step.form == name]
            local = {item for text in self.texts if text.element in {step.id for step in users} for item in text.local}
            own = {str(field.get("key")) for field in _fields(form)}
            for place, attribute, read in names_read(form):
                found = self.verdict(read, local | own)
                if found is None:
                    continue
                field = form["fields"][place] if place is not None else {}
                where = f"表单“{form.get('title') or name}”" + (f"的“{field.get('label') or place}”" if place is not None else "")
                step = users[0] if users else None
                yield Problem(
                    step.id if step else None, name, "unknown-name", f"{where}的 {attribute} 用到的变量“{read}”不存在{_meant(found)}",
                    step.article if step else None, found.severity,
                )  # fmt: skip


def _meant(found: _Verdict) -> str:
    if found.meant:
        return f"，是否应为“{found.meant}”？"
    return "" if found.severity == "error" else "：本流程没有任何步骤给出它，上一版本也没有用到"


def _fields(form: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    fields = form.get("fields")
    return [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []


def _read(text: str) -> frozenset[str]:
    try:
        return compile_expression(text).names
    except ExpressionError:
        return frozenset()


def _bodies(text: Text, diagram: Diagram) -> Iterator[Problem]:
    if "body" not in WORDS:
        return
    for body in texts_given(text.text, "body"):
        if body not in BODIES:
            step = diagram.steps.get(text.element or "")
            yield Problem(
                text.element, step.name if step else diagram.name, "unknown-body",
                f"{text.owner or diagram.name}：{text.place}“{text.text[:80]}”中的机构“{body}”不存在", step.article if step else None,
            )  # fmt: skip


def _posts(text: Text, diagram: Diagram) -> Iterator[Problem]:
    """Posts whose holders are asked for."""
    for post in texts_given(text.text, "holders", 1):
        if post not in POSTS:
            step = diagram.steps.get(text.element or "")
            yield Problem(
                text.element, step.name if step else diagram.name, "post-unknown",
                f"{text.owner or diagram.name}：{text.place}“{text.text[:80]}”中的岗位“{post}”不存在", step.article if step else None,
            )  # fmt: skip


def _parameters(step: Step, diagram: Diagram, known: Set[str]) -> Iterator[Problem]:
    """Parameters that name a part of the diagram, a process or a post, where they are written out."""
    operation = OPERATIONS.get(step.operation or "")
    for parameter, kind in NAMED.items():
        if operation is None or parameter not in operation.parameters:
            continue
        try:
            value = constant(step.properties[f"in.{parameter}"])
        except (KeyError, ExpressionError):
            continue
        exists = {
            "element": value in diagram.steps, "process": value in known or value == diagram.key, "post": value in POSTS,
        }[kind]  # fmt: skip
        if not exists:
            what = {"element": "环节", "process": "流程", "post": "岗位"}[kind]
            yield Problem(
                step.id, step.name, f"parameter-{kind}-unknown",
                f"环节“{step.name or step.id}”（{step.id}）的参数“{parameter}”所指的{what}“{value}”不存在", step.article,
            )  # fmt: skip
