"""Is every property one that means something where it stands, and does its value make sense?

A misspelt property does nothing and says nothing; whoever wrote it believes that a limit or a form is in place. So an
unknown one is named, and a known one that this kind of element does not read. Other tools' own properties are harmless:
these findings are warnings; a value that would stop a case is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from engine.people.posts import BODIES, POSTS
from engine.process.interpreter.expressions import ExpressionError, constant
from engine.process.interpreter.model import Diagram, Problem, Step
from engine.process.retention import BadRetention, read_retention

_TASK = frozenset({
    "form", "article", "opinion", "limit", "statutoryMax", "onPause", "officeHours", "clock", "unit", "post", "actions", "returnTo",
    "countersign", "vote", "approve", "ratio", "result", "assignee", "hiddenFields", "readonlyFields",
})  # fmt: skip
_SERVICE = frozenset({"operation", "out", "article", "topic", "priority"})
#: What each kind of step reads; `in.` and `out.` are the structure check's.
STEP_PROPERTIES: dict[str, frozenset[str]] = {
    "user": _TASK, "manual": _TASK, "service": _SERVICE, "send": _SERVICE, "call": frozenset({"article"}),
    "end": frozenset({"outcome", "article"}),
}  # fmt: skip
PROCESS_PROPERTIES = frozenset({
    "ruleSet", "article", "title", "numberPrefix", "subject", "holds", "startForm", "startPosts", "startBody", "startLabel",
    "startFrom", "parties", "limitReminder", "limitEscalation", "limitSupervision", "limitNotifyUnit", "limitNotifyPost",
    "actions", "restricted", "retention",
})  # fmt: skip
#: Whatever anything may say: which article it carries out.
_ANYWHERE = frozenset({"article"})
_KNOWN = frozenset().union(*STEP_PROPERTIES.values(), _ANYWHERE)
_CHOICES = {
    "onPause": ("pause", "restart", "none"), "officeHours": ("true", "false"), "clock": ("pause",),
}  # fmt: skip
DAYS_MAX = 3000


def property_problems(diagram: Diagram) -> Iterator[Problem]:
    """All findings about properties of steps and of the process."""
    for name in diagram.properties:
        if name not in PROCESS_PROPERTIES:
            text = f"流程“{diagram.name}”的属性“{name}”不起作用{_meant(name, PROCESS_PROPERTIES)}"
            yield Problem(None, diagram.name, "unknown-property", text, None, "warning")
    yield from _process_values(diagram)
    for step in diagram.steps.values():
        where = f"环节“{step.name or step.id}”（{step.id}）"
        for name in step.properties:
            yield from _property(step, name, where)
        yield from _values(step, where)
        yield from _outside(step, where)
        yield from _two_deadlines(step, diagram, where)


def _property(step: Step, name: str, where: str) -> Iterator[Problem]:
    allowed = STEP_PROPERTIES.get(step.kind, _ANYWHERE)
    if name in allowed or name in _ANYWHERE or name.startswith(("in.", "out.")):
        return
    if name in _KNOWN:
        # Of an operation the structure check has said so already.
        if name not in ("operation", "topic", "out"):
            yield Problem(step.id, step.name, "property-ignored", f"{where}的属性“{name}”写在这类元素上不起作用", step.article, "warning")
        return
    text = f"{where}的属性“{name}”不起作用{_meant(name, allowed)}"
    yield Problem(step.id, step.name, "unknown-property", text, step.article, "warning")


def _meant(name: str, known: frozenset[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"，是否应为“{close[0]}”？" if close else ""


def _values(step: Step, where: str) -> Iterator[Problem]:
    if step.kind not in ("user", "manual"):
        return
    for name, choices in _CHOICES.items():
        value = step.properties.get(name)
        if value and value not in choices:
            yield Problem(step.id, step.name, f"{name.lower()}-unknown", f"{where}的{name}“{value}”应当是{'、'.join(choices)}之一", step.article)
    if step.limit is None:
        for name in ("statutoryMax", "onPause", "officeHours"):
            if step.properties.get(name):
                text = f"{where}没有时限（limit），属性“{name}”不起作用"
                yield Problem(step.id, step.name, "property-ignored", text, step.article, "warning")
        return
    try:
        days = constant(step.limit)
    except ExpressionError:
        return  # it comes from the case
    if isinstance(days, bool) or not isinstance(days, int) or not 0 < days < DAYS_MAX:
        yield Problem(step.id, step.name, "limit-not-a-number", f"{where}的时限“{step.limit}”应当是正整数个工作日", step.article)


def _outside(step: Step, where: str) -> Iterator[Problem]:
    """The priority of a step for a worker outside."""
    text = step.properties.get("priority")
    if not text or step.kind not in ("service", "send"):
        return
    if not step.topic:
        yield Problem(step.id, step.name, "property-ignored", f"{where}没有外部主题（topic），属性“priority”不起作用", step.article, "warning")
        return
    try:
        number = constant(text)
    except ExpressionError:
        return  # it comes from the case
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) >= 2**31:
        yield Problem(step.id, step.name, "priority-not-a-number", f"{where}的优先级“{text}”应当是整数", step.article)


def _two_deadlines(step: Step, diagram: Diagram, where: str) -> Iterator[Problem]:
    if step.limit is None or step.kind not in ("user", "manual"):
        return
    for timer in step.timers:
        if diagram.timers[timer].role == "deadline":
            text = f"{where}既写有时限（limit），又附有时限定时“{diagram.timers[timer].name or timer}”：以先到的为准，请只留一个"
            yield Problem(step.id, step.name, "limit-and-deadline", text, step.article, "warning")


def _process_values(diagram: Diagram) -> Iterator[Problem]:
    body, post, holds = (diagram.properties.get(name) for name in ("startBody", "limitNotifyPost", "holds"))
    if body and body not in BODIES:
        yield Problem(None, diagram.name, "unknown-body", f"流程“{diagram.name}”的发起机构“{body}”不存在")
    if post and post not in POSTS:
        yield Problem(None, diagram.name, "post-unknown", f"流程“{diagram.name}”逾期告知的岗位“{post}”不存在")
    if holds and holds != "resource":
        yield Problem(None, diagram.name, "holds-unknown", f"流程“{diagram.name}”的属性 holds“{holds}”应当是resource")
    try:
        read_retention(diagram.properties.get("retention"))
    except BadRetention:
        text = f"流程“{diagram.name}”的保管期限“{diagram.properties['retention']}”应当是年数或天数（如10y、180d），或者permanent（永久）"
        yield Problem(None, diagram.name, "retention-unknown", text)
