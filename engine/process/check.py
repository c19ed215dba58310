"""May this diagram be deployed? The structure's findings, and everything that the kernel would find out too late.

The structure check (what the interpreter would do wrong) is the interpreter's; here stands what concerns forms, posts,
limits, operations and calls. Every finding names element, rule and reason in plain Chinese; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from engine.people.posts import POSTS
from engine.process.form_check import check_form
from engine.process.interpreter.expressions import WORDS as LANGUAGE
from engine.process.interpreter.expressions import ExpressionError, compile_expression
from engine.process.interpreter.model import Diagram, DiagramError, Problem, Step, TimerRule
from engine.process.interpreter.reader import check_structure, read_diagram
from engine.process.operations import OPERATIONS, SUBJECTS, WORDS
from engine.process.package import Package


def check(
    package: Package, known_processes: Set[str], *, base: Package | None = None, held: Set[str] | None = None
) -> list[Problem]:
    """All problems of a package, errors and warnings; deployable when none is an error.

    `base` is what the package follows, the newest deployed version: what the law fixes there must stay. `held` are the
    posts that somebody holds now; None leaves that unjudged.
    """
    problems = list(check_structure(package.xml, words=WORDS))
    if any(problem.severity == "error" for problem in problems):
        return problems
    try:
        diagram = read_diagram(package.xml)
    except DiagramError as error:
        return problems + error.problems
    problems += _process_problems(diagram, package, known_processes)
    for step in diagram.steps.values():
        problems += _step_problems(step, package, known_processes | {diagram.key})
    for rule in diagram.timers.values():
        problems += _timer_problems(rule)
    for name, form in package.forms.items():
        problems += [Problem(None, name, "form-broken", f"表单“{name}”：{what}") for what in check_form(form)]
    return problems


def _process_problems(diagram: Diagram, package: Package, known: Set[str]) -> Iterator[Problem]:
    properties = diagram.properties
    form = properties.get("startForm")
    if form and form not in package.forms:
        yield Problem(None, diagram.name, "form-missing", f"流程“{diagram.name}”的发起表单“{form}”不存在")
    called = properties.get("limitSupervision")
    if called and called not in known | {diagram.key}:
        yield Problem(None, diagram.name, "called-process-missing", f"到期启动的流程“{called}”尚未发布")
    if properties.get("subject") and properties["subject"] not in SUBJECTS:
        yield Problem(None, diagram.name, "subject-unknown", f"流程“{diagram.name}”的办理对象“{properties['subject']}”未登记")
    for post in filter(None, (name.strip() for name in properties.get("startPosts", "").split(","))):
        if post not in POSTS:
            yield Problem(None, diagram.name, "post-unknown", f"发起岗位“{post}”不存在")
    for name in ("limitReminder", "limitEscalation"):
        if properties.get(name) and not properties[name].isdigit():
            yield Problem(None, diagram.name, "limit-not-a-number", f"流程属性{name}应为工作日数，实际为“{properties[name]}”")
    yield from _expression(properties.get("limitNotifyUnit"), diagram.name, "limitNotifyUnit")


def _step_problems(step: Step, package: Package, known: Set[str]) -> Iterator[Problem]:
    where = f"环节“{step.name or step.id}”（{step.id}）"
    if step.kind in ("user", "manual"):
        yield from _assignment_problems(step, where)
        if step.form and step.form not in package.forms:
            yield _problem(step, "form-missing", f"{where}的表单“{step.form}”不存在")
        if step.properties.get("opinion", "optional") not in ("required", "optional", "none"):
            yield _problem(step, "opinion-unknown", f"{where}的意见要求应为required、optional或none")
    if step.limit is not None:
        yield from _limit_problems(step, step.limit, step.properties.get("statutoryMax"), where)
    if step.kind == "call" and step.called not in known:
        yield _problem(step, "called-process-missing", f"{where}调用的流程“{step.called}”尚未发布")
    if step.topic:
        yield _problem(step, "topic-not-supported", f"{where}交由外部程序办理（topic），本版本尚不支持")
    if step.operation is not None:
        yield from _operation_problems(step, package, where)


def _assignment_problems(step: Step, where: str) -> Iterator[Problem]:
    if not step.unit or not step.post:
        yield _problem(step, "no-assignee", f"{where}没有承办单位或岗位，无人可以办理")
        return
    if step.post not in POSTS:
        yield _problem(step, "post-unknown", f"{where}的岗位“{step.post}”不存在")


def _operation_problems(step: Step, package: Package, where: str) -> Iterator[Problem]:
    found = OPERATIONS.get(str(step.operation))
    if found is None:
        yield _problem(step, "operation-unknown", f"{where}调用的操作“{step.operation}”不存在")
        return
    for rule, what in found.review(step, package) if found.review else ():
        yield _problem(step, rule, f"{where}：{what}")
    if found.open_ended:
        return
    given = {name.removeprefix("in.") for name in step.properties if name.startswith("in.")}
    for name in sorted(given - set(found.parameters)):
        yield _problem(step, "parameter-unknown", f"{where}的操作“{step.operation}”没有参数“{name}”")
    for name in sorted(set(found.required) - given):
        yield _problem(step, "parameter-missing", f"{where}的操作“{step.operation}”缺少参数“{name}”")


def _limit_problems(step: Step, limit: str, most: str | None, where: str) -> Iterator[Problem]:
    yield from _too_long(limit, most, step.article, step.id, step.name, where)


def _timer_problems(rule: TimerRule) -> Iterator[Problem]:
    where = f"定时“{rule.name or rule.element}”（{rule.element}）"
    if rule.working_days is not None:
        most = str(rule.statutory_max) if rule.statutory_max is not None else None
        yield from _too_long(rule.working_days, most, rule.article, rule.element, rule.name, where)


def _too_long(days: str, most: str | None, article: str | None, element: str, name: str, where: str) -> Iterator[Problem]:
    if most is None:
        return
    if not article:
        yield Problem(element, name, "statutory-without-article", f"{where}写有法定最长时限，但没有注明条款")
    if not days.strip().isdigit():
        yield Problem(element, name, "statutory-limit-not-fixed", f"{where}是法定时限，工作日数应直接写明", article)
    elif int(days) > int(most):
        yield Problem(element, name, "statutory-limit-exceeded",
                      f"{where}的时限{days}个工作日超过{article or '法定'}规定的{most}个工作日，只能缩短、不能延长", article)


def _expression(text: str | None, name: str, place: str) -> Iterator[Problem]:
    """Expressions of the kernel's own process properties; all others are read by the structure check."""
    if text is None:
        return
    try:
        unknown = compile_expression(text).functions - set(WORDS) - set(LANGUAGE)
    except ExpressionError as error:
        yield Problem(None, name, "bad-expression", f"流程“{name}”的{place}表达式“{text}”有误：{error}")
        return
    for word in sorted(unknown):
        yield Problem(None, name, "unknown-function", f"流程“{name}”的{place}表达式“{text}”：没有函数“{word}”")


def _problem(step: Step, rule: str, message: str) -> Problem:
    return Problem(step.id, step.name, rule, message, step.article)


def as_json(problems: list[Problem]) -> list[Mapping[str, Any]]:
    """Findings in the shape of `sharing-bpm diagram check`."""
    return [
        {"element": p.element, "name": p.name, "rule": p.rule, "message": p.message, "severity": p.severity,
         **({"article": p.article} if p.article else {})}
        for p in problems
    ]
