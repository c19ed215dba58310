"""May this diagram be deployed? The structure's findings, and everything that the kernel would find out too late.

The structure check (what the interpreter would do wrong) is the interpreter's; here stands what concerns forms, posts,
limits, operations and calls. Every finding names element, rule and reason in plain Chinese; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from engine.people.posts import POSTS
from engine.process.check_base import base_problems, most_of
from engine.process.check_desk import desk_problems
from engine.process.check_names import name_problems
from engine.process.check_properties import property_problems
from engine.process.form_check import check_form
from engine.process.interpreter.expressions import WORDS as LANGUAGE
from engine.process.interpreter.expressions import ExpressionError, compile_expression
from engine.process.interpreter.model import Diagram, DiagramError, Problem, Step, TimerRule
from engine.process.interpreter.reader import check_structure, sketch
from engine.process.operations import OPERATIONS, SUBJECTS, WORDS
from engine.process.package import Package


#: What a topic may be called: a worker asks for it by this name.
TOPIC = re.compile(r"[\w.:-]{1,128}")


def check(
    package: Package, known_processes: Set[str], *, base: Package | None = None, held: Set[str] | None = None
) -> list[Problem]:
    """All problems of a package, errors and warnings; deployable when none is an error.

    `base` is what the package follows, the newest deployed version: what the law fixes there must stay. `held` are the
    posts that somebody holds now; None leaves that unjudged.
    """
    problems = list(check_structure(package.xml, words=WORDS))
    try:
        diagram = sketch(package.xml)
    except DiagramError:
        return problems  # there is nothing to look at
    # An operation's own review reads the diagram as one that runs.
    runs = all(problem.severity == "warning" for problem in problems)
    problems += _process_problems(diagram, package, known_processes)
    for step in diagram.steps.values():
        problems += _step_problems(step, package, known_processes | {diagram.key}, runs)
        problems += _held_problems(step, held)
    for rule in diagram.timers.values():
        problems += _timer_problems(rule)
    problems += property_problems(diagram)
    problems += desk_problems(package, diagram)
    problems += _form_problems(diagram, package)
    problems += name_problems(package, diagram, known_processes, base)
    problems += _base_problems(package, diagram, base)
    return sorted(problems, key=lambda problem: problem.severity == "warning")


def _form_problems(diagram: Diagram, package: Package) -> Iterator[Problem]:
    """What is wrong with a form by itself, told at the first step that shows it."""
    for name, form in package.forms.items():
        step = next((step for step in diagram.steps.values() if step.form == name), None)
        for what in check_form(form):
            yield Problem(step.id if step else None, name, "form-broken", f"表单“{name}”：{what}", step.article if step else None)


def _base_problems(package: Package, diagram: Diagram, base: Package | None) -> Iterator[Problem]:
    if base is None:
        return
    try:
        before = sketch(base.xml)
    except DiagramError:
        return
    yield from base_problems(package, diagram, base, before)


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
    if properties.get("ruleSet", package.rule_set) != package.rule_set:
        yield Problem(None, diagram.name, "rule-set-differs",
                      f"流程“{diagram.name}”写明的规则集“{properties['ruleSet']}”与所属规则集“{package.rule_set}”不一致")
    yield from _start_problems(diagram)
    for name in ("limitReminder", "limitEscalation"):
        if properties.get(name) and most_of(properties[name]) is None:
            yield Problem(None, diagram.name, "limit-not-a-number", f"流程属性{name}应为工作日数，实际为“{properties[name]}”")
    for name in ("limitNotifyUnit", "restricted"):
        yield from _expression(properties.get(name) or None, diagram.name, name)


def _start_problems(diagram: Diagram) -> Iterator[Problem]:
    """A process that a signal starts is started by nobody: there is no one to fill a form in, or to be asked what it is about."""
    start = next((step for step in diagram.steps.values() if step.kind == "start" and step.parent is None and step.signal), None)
    for name in ("startForm", "startPosts", "subject") if start is not None else ():
        if start is not None and diagram.properties.get(name):
            yield _problem(start, "signal-start", f"流程“{diagram.name}”由信号“{start.signal}”自动启动，不能写“{name}”：启动时没有人填写")


def _step_problems(step: Step, package: Package, known: Set[str], runs: bool) -> Iterator[Problem]:
    where = f"环节“{step.name or step.id}”（{step.id}）"
    if step.kind in ("user", "manual"):
        yield from _assignment_problems(step, where)
        if step.form and step.form not in package.forms:
            yield _problem(step, "form-missing", f"{where}的表单“{step.form}”不存在")
        if step.properties.get("opinion", "optional") not in ("required", "optional", "none"):
            yield _problem(step, "opinion-unknown", f"{where}的意见要求应为required、optional或none")
    if step.limit is not None:
        yield from _limit_problems(step, step.limit, step.properties.get("statutoryMax"), where)
    if step.called and step.called not in known:
        yield _problem(step, "called-process-missing", f"{where}调用的流程“{step.called}”尚未发布")
    if step.topic and not TOPIC.fullmatch(step.topic):
        yield _problem(step, "topic-name", f"{where}的外部主题“{step.topic[:40]}”只能用文字、数字、下划线、点、冒号和连字符，至多128个字")
    if step.operation is not None:
        yield from _operation_problems(step, package, where, runs)


def _assignment_problems(step: Step, where: str) -> Iterator[Problem]:
    if not step.unit or not step.post:
        yield _problem(step, "no-assignee", f"{where}没有承办单位或岗位，无人可以办理")
        return
    if step.post not in POSTS:
        yield _problem(step, "post-unknown", f"{where}的岗位“{step.post}”不存在")
    elif not POSTS[step.post].works_cases:
        yield _problem(step, "post-works-no-cases", f"{where}的岗位“{POSTS[step.post].label}”不办理办件，无人可以办理")


def _held_problems(step: Step, held: Set[str] | None) -> Iterator[Problem]:
    """A post that nobody holds now may be filled by the time a case comes there: said, not refused."""
    if held is None or step.kind not in ("user", "manual"):
        return
    if step.post is None or step.post not in POSTS or step.post in held:
        return
    text = f"环节“{step.name or step.id}”（{step.id}）的岗位“{POSTS[step.post].label}”目前在任何单位都没有在岗人员"
    yield Problem(step.id, step.name, "post-unheld", text, step.article, "warning")


def _operation_problems(step: Step, package: Package, where: str, runs: bool) -> Iterator[Problem]:
    found = OPERATIONS.get(str(step.operation))
    if found is None:
        yield _problem(step, "operation-unknown", f"{where}调用的操作“{step.operation}”不存在")
        return
    for rule, what in found.review(step, package) if found.review and runs else ():
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
    if rule.working_days is None and rule.statutory_max is not None:
        text = f"{where}写有法定最长时限，但不是按工作日数（workingDays）计算，无法核对"
        yield Problem(rule.element, rule.name, "statutory-limit-not-fixed", text, rule.article)
    if rule.working_days is not None:
        most = str(rule.statutory_max) if rule.statutory_max is not None else None
        yield from _too_long(rule.working_days, most, rule.article, rule.element, rule.name, where)


def _too_long(days: str, most: str | None, article: str | None, element: str, name: str, where: str) -> Iterator[Problem]:
    if most is None:
        return
    if most_of(most) is None:
        yield Problem(element, name, "statutory-max", f"{where}的法定最长时限“{most[:20]}”应当是工作日数", article)
        return
    if not article:
        yield Problem(element, name, "statutory-without-article", f"{where}写有法定最长时限，但没有注明条款")
    if (number := most_of(days.strip())) is None:
        yield Problem(element, name, "statutory-limit-not-fixed", f"{where}是法定时限，工作日数应直接写明", article)
    elif number > int(most):
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
