"""The plan of a migration 迁移: which step of the new version stands for which of the old one; proposed, chosen, checked.

Pure but for the two versions and one count: whether a single case can move by the plan is for the preview and the move
itself to say, as both are the same act.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.permissions import powers
from engine.process.definitions import THERE, Deployed, deployed
from engine.process.interpreter.fitting import Match, called, kind_name, label, propose, standing, unlike
from engine.process.interpreter.model import Diagram, Problem, Severity, Step
from engine.process.tables import Definition, Instance, Task
from engine.store.errors import Invalid, NotAllowed, NotFound

#: Who reads of migrations: those who plan them and those who agree.
READERS = frozenset({"edit_diagrams", "approve_diagrams"})


def require_reader(actor: Actor) -> None:
    """Raises NotAllowed unless the actor edits or approves diagrams."""
    if not powers(actor) & READERS:
        raise NotAllowed


@dataclass(frozen=True, slots=True)
class Choice:
    """A step of the new version that a line of the plan may name."""

    element: str
    label: str


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One step of the old version at which a case may stand, and what stands for it."""

    element: str
    name: str
    kind: str
    """In words: 任务, 子流程, 定时事件 …"""
    where: str
    """The lane, or on or in what it stands; empty for none."""
    image: str | None
    image_name: str
    sure: bool
    why: str
    cases: int
    """Running cases with an open task there."""
    choices: tuple[Choice, ...]
    """The steps of the new version that fit, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan between two versions as it is shown, with what the check found."""

    before: Deployed
    after: Deployed
    running: int
    """Cases that run on the old version."""
    lines: tuple[PlanLine, ...]
    findings: tuple[Problem, ...]

    @property
    def errors(self) -> list[Problem]:
        return [finding for finding in self.findings if finding.severity == "error"]


def versions(session: Session, from_id: int, to_id: int) -> tuple[Deployed, Deployed]:
    """The two versions of a migration. Raises NotFound, Invalid where they are no two versions of one process."""
    there = set(session.scalars(select(Definition.id).where(Definition.id.in_((from_id, to_id)), THERE)))
    if not {from_id, to_id} <= there:
        raise NotFound("没有找到该流程版本")
    before, after = deployed(session, from_id), deployed(session, to_id)
    if before.key != after.key:
        raise Invalid({"to": "只能迁移到同一流程的另一个版本"})
    if before.id == after.id:
        raise Invalid({"to": "请选择与原版本不同的版本"})
    return before, after


def propose_plan(session: Session, actor: Actor, from_id: int, to_id: int) -> Plan:
    """The plan as the two diagrams suggest it. Two queries beside the versions. Raises NotAllowed, NotFound, Invalid."""
    return plan_of(session, actor, from_id, to_id, None)


def plan_of(session: Session, actor: Actor, from_id: int, to_id: int, chosen: Mapping[str, str] | None) -> Plan:
    """The plan with what a person chose: old step → new step, empty for none; what they did not name is as proposed."""
    require_reader(actor)
    before, after = versions(session, from_id, to_id)
    matches = propose(before.diagram, after.diagram)
    images = chosen_images(before.diagram, after.diagram, matches, chosen)
    counts = _cases_at(session, from_id)
    lines = tuple(
        _line(before.diagram, after.diagram, element, images, matches[element], counts.get(element, 0))
        for element in standing(before.diagram)
    )
    running = session.scalar(
        select(func.count()).select_from(Instance).where(Instance.definition_id == from_id, Instance.state == "running")
    )
    return Plan(before, after, running or 0, lines, tuple(check_plan(before.diagram, after.diagram, images)))


def full_plan(session: Session, from_id: int, to_id: int, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the move itself takes: all elements that stand for each other, gateways and automatic steps included."""
    before, after = versions(session, from_id, to_id)
    return chosen_images(before.diagram, after.diagram, propose(before.diagram, after.diagram), chosen)


def chosen_images(
    old: Diagram, new: Diagram, matches: Mapping[str, Match], chosen: Mapping[str, str] | None
) -> dict[str, str]:
    """The proposal, overruled by what a person chose for the steps at which a case may stand.

    What sits on (or stands in) a step goes with it: where that has no image, or one without such an event, neither has it.
    Raises Invalid for a step that the old version does not have.
    """
    images = {element: match.image for element, match in matches.items() if match.image is not None}
    places = set(standing(old))
    for element, image in (chosen or {}).items():
        if element not in places:
            raise Invalid({"plan": f"原版本中没有可以停留的环节“{element}”"})
        images.pop(element, None)
        if image:
            images[element] = image
    for element in [element for element in images if element in places]:
        step, other = old.steps[element], new.steps.get(images[element])
        if step.attached_to and other is not None and images.get(step.attached_to) != other.attached_to:
            del images[element]
        elif any(around not in images for around in _around(old, step)):
            del images[element]
    return images


def _around(diagram: Diagram, step: Step) -> Iterator[str]:
    """The activity on which a step sits, and the subprocesses in which it stands, outwards."""
    if step.attached_to:
        yield step.attached_to
    while step.parent:
        yield step.parent
        step = diagram.steps[step.parent]


def _cases_at(session: Session, definition_id: int) -> dict[str, int]:
    """Step → running cases with an open task there. One query."""
    rows = session.execute(
        select(Task.step, func.count(Task.instance_id.distinct())).join(Instance, Instance.id == Task.instance_id)
        .where(Instance.definition_id == definition_id, Instance.state == "running", Task.state == "open").group_by(Task.step)
    )  # fmt: skip
    return {step: count for step, count in rows}


def _line(old: Diagram, new: Diagram, element: str, images: Mapping[str, str], match: Match, cases: int) -> PlanLine:
    step, image = old.steps[element], images.get(element)
    scope, host = (images.get(around) if around else None for around in (step.parent, step.attached_to))
    choices = tuple(
        Choice(other.id, label(new, other)) for other in new.steps.values()
        if (other.parent, other.attached_to) == (scope, host) and unlike(old, element, new, other.id) is None
    )
    proposed = image == match.image
    return PlanLine(
        element, label(old, step), kind_name(step), where(old, step), image, label(new, new.steps[image]) if image is not None and image in new.steps else "",
        match.sure and proposed, match.why if proposed else "人工指定" if image else "无对应", cases, choices,
    )  # fmt: skip


def where(diagram: Diagram, step: Step) -> str:
    """On what, in what, or in which lane a step stands."""
    if step.attached_to:
        return f"附在{called(diagram, step.attached_to)}上"
    return f"{called(diagram, step.parent)}之内" if step.parent else step.lane or ""


# -- the check ----------------------------------------------------------------------------------


def check_plan(old: Diagram, new: Diagram, images: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a plan (errors), and what it will mean for cases that stand there (warnings). Pure."""
    findings: list[Problem] = []

    def say(element: str, rule: str, message: str, severity: Severity = "error") -> None:
        findings.append(Problem(element, old.steps[element].name, rule, message, severity=severity))

    for element in standing(old):
        step, image = old.steps[element], images.get(element)
        if image is None:
            if all(around in images for around in _around(old, step)):
                _left_out(old, step, say)
            continue
        why = unlike(old, element, new, image)
        if why:
            say(element, "plan-unfit", f"{why}，不能对应")
            continue
        other = new.steps[image]
        if images.get(step.parent or "") != other.parent and (step.parent or other.parent):
            say(element, "plan-scope", f"{called(old, element)}与新版本的{called(new, image)}不在相互对应的子流程中")
        if step.attached_to and images.get(step.attached_to) != other.attached_to:
            say(element, "plan-event", f"{called(old, element)}与新版本的{called(new, image)}不在相互对应的环节上")
        if step.message != other.message:
            say(element, "plan-message", f"{called(old, element)}等待的消息由“{step.message}”改为“{other.message}”", "warning")
        if step.kind == "signal" and step.signal != other.signal:
            say(element, "plan-signal", f"{called(old, element)}等待的信号由“{step.signal}”改为“{other.signal}”", "warning")
    _twice(old, new, images, say)
    return sorted(findings, key=lambda finding: finding.severity == "warning")


def _left_out(old: Diagram, step: Step, say: Callable[..., None]) -> None:
    if step.attached_to:
        say(step.id, "plan-event-gone", f"{label(old, step)}在新版本中没有对应，正在等待的将取消", "warning")
    elif step.kind == "gateway":
        say(step.id, "plan-left-out", f"有分支在汇合处{called(old, step.id)}等待的办件将保持原版本", "warning")
    else:
        say(step.id, "plan-left-out", f"停在{called(old, step.id)}的办件将保持原版本", "warning")


def _twice(old: Diagram, new: Diagram, images: Mapping[str, str], say: Callable[..., None]) -> None:
    """Several steps may become one task, as no case is at all of them; events of one activity may not."""
    counts = Counter(image for element, image in images.items() if element in old.steps)
    for element, image in images.items():
        step = old.steps.get(element)
        if step is None or counts[image] < 2:
            continue
        if step.attached_to or step.kind == "subprocess" or step.multi:
            say(element, "plan-twice", f"{called(old, element)}与其他环节对应了新版本的同一个{called(new, image)}")
