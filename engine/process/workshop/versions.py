"""Versions 版本: every process with what is in force, what is coming and what is being worked on; and each of its versions.

Reads only. No diagram is loaded for a list: who, when and why stand in columns of their own. What a version changed is
computed when somebody looks at it, once per process of ours, because versions never change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.definitions import INSTALLER, THERE, Deployed, deployed
from engine.process.interpreter.model import Step, TimerRule
from engine.process.queries import process_names
from engine.process.tables import Definition, Instance
from engine.process.workshop.comparing import words
from engine.process.workshop.comparing.compare import Comparison, compare
from engine.process.workshop.drafts import require_workshop, version_package
from engine.process.workshop.tables import Draft, Proposal
from engine.process.workshop.texts import TEXTS
from engine.store.errors import NotFound


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in a list."""

    id: int
    key: str
    version: int
    name: str
    rule_set: str
    deployed_at: datetime
    deployed_by: str
    """The name of who asked for it; the login where there is no such account (the installer)."""
    approved_by: str
    reason: str
    effective_at: datetime
    deleted_at: datetime | None
    state: str = ""
    """in_force · upcoming · past · never (another version came into force before its day) · deleted"""
    running: int = 0
    """Cases that follow it now."""


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """A process in the list of all."""

    key: str
    name: str
    rule_set: str
    version: int | None
    """The one in force; None where the first is still to come."""
    effective_at: datetime | None
    upcoming: tuple[VersionLine, ...]
    running: int
    drafts: int
    proposals: int
    """That wait."""


@dataclass(frozen=True, slots=True)
class ProcessSheet:
    """A process with all its versions, the newest first."""

    key: str
    name: str
    rule_set: str
    versions: list[VersionLine]

    @property
    def newest(self) -> VersionLine:
        """Whether in force or not; deleted ones do not count."""
        return next(line for line in self.versions if line.state != "deleted")


@dataclass(frozen=True, slots=True)
class StepLine:
    """An element of a diagram as people speak of it."""

    id: str
    name: str
    kind: str
    unit: str | None
    post: str | None
    form: str | None
    article: str | None
    limit: str | None
    most: str | None
    """Working days that the regulation allows at most."""
    does: str | None
    """The operation or the process that it calls."""


@dataclass(frozen=True, slots=True)
class VersionSheet:
    """One version, to look at."""

    line: VersionLine
    deployed: Deployed
    steps: list[StepLine]


def processes(session: Session, actor: Actor, now: datetime) -> list[ProcessLine]:
    """Every deployed process by name. Four queries, whatever their number."""
    require_workshop(actor)
    by_key: dict[str, list[VersionLine]] = defaultdict(list)
    for line in _lines(session):
        if line.deleted_at is None:
            by_key[line.key].append(line)
    counts = _counts(session)
    found = []
    for key, lines in by_key.items():
        versions = _with_states(lines, now)
        current = next((line for line in versions if line.state == "in_force"), None)
        shown = current or versions[0]
        found.append(ProcessLine(
            key, shown.name, shown.rule_set, current.version if current else None, current.effective_at if current else None,
            tuple(line for line in reversed(versions) if line.state == "upcoming"), *counts[key],
        ))  # fmt: skip
    return sorted(found, key=lambda line: (line.rule_set, line.key))


def process_sheet(session: Session, actor: Actor, key: str, now: datetime) -> ProcessSheet:
    """One process, with its deleted versions too. Two queries. Raises NotFound, NotAllowed."""
    require_workshop(actor)
    lines = _lines(session, key)
    if all(line.deleted_at is not None for line in lines):
        raise NotFound("没有找到该流程")
    running = session.execute(
        select(Instance.definition_id, func.count())
        .where(Instance.process_key == key, Instance.state == "running")
        .group_by(Instance.definition_id)
    )
    versions = _with_states(lines, now, {definition_id: count for definition_id, count in running})
    there = [line for line in versions if line.state != "deleted"]
    shown = next((line for line in there if line.state == "in_force"), there[0])
    return ProcessSheet(key, shown.name, shown.rule_set, versions)


def version_sheet(session: Session, actor: Actor, key: str, version: int, now: datetime) -> VersionSheet:
    """One version with the elements of its diagram. Raises NotFound, NotAllowed."""
    sheet = process_sheet(session, actor, key, now)
    line = next((line for line in sheet.versions if line.version == version), None)
    if line is None:
        raise NotFound("没有找到该流程版本")
    found = deployed(session, line.id)
    return VersionSheet(line, found, step_lines(found, process_names(session)))


def changes(session: Session, actor: Actor, key: str, version: int) -> tuple[int, int, Comparison] | None:
    """What a version changed: ids of the version before it and of itself, and the comparison. None for the first one.

    Raises NotFound, NotAllowed.
    """
    require_workshop(actor)
    pair = session.execute(
        select(Definition.id, Definition.version)
        .where(Definition.key == key, Definition.version <= version, THERE)
        .order_by(Definition.version.desc())
        .limit(2)
    ).all()
    if not pair or pair[0][1] != version:
        raise NotFound("没有找到该流程版本")
    if len(pair) == 1:
        return None
    after, before = pair[0][0], pair[1][0]
    cache = session.info["store"].cache
    place = ("changes", before, after)
    if place not in cache:
        cache[place] = _compared(session, before, after)
    return before, after, cache[place]


def _compared(session: Session, before: int, after: int) -> Comparison:
    one, other = version_package(session, before), version_package(session, after)
    assert one is not None and other is not None, "the rows of versions stay"
    return compare(one, other)


def step_lines(version: Deployed, names: Mapping[str, str]) -> list[StepLine]:
    """What a diagram makes people and the engine do, in the order of the file; gateways and plain events are left out.

    `names` are those of the processes that it may call.
    """
    steps = version.diagram.steps.values()
    return [_step(step, version.diagram.timers.get(step.id), version, names) for step in steps if step.kind in _KINDS]


#: The kinds that are listed, and what they are called.
_KINDS = {
    "user": "办理环节", "manual": "人工环节", "service": "自动环节", "send": "自动环节", "script": "赋值", "call": "调用流程",
    "receive": "等待消息", "message": "等待消息", "signal": "等待信号", "subprocess": "子流程", "timer": "定时", "end": "结束",
}  # fmt: skip


def _step(step: Step, rule: TimerRule | None, version: Deployed, names: Mapping[str, str]) -> StepLine:
    works = step.kind in ("user", "manual")
    limit, most, article = step.limit, step.properties.get("statutoryMax"), step.article
    if rule is not None:
        limit, article = _when(rule), article or rule.article
        most = str(rule.statutory_max) if rule.statutory_max is not None else None
    form = version.forms.get(step.form or "", {})
    operation = TEXTS.operations.get(step.operation or "")
    return StepLine(
        id=step.id, name=step.name or step.id, kind=_KINDS[step.kind],
        unit=words.value("property:unit", step.unit) if works and step.unit else None,
        post=words.value("property:post", step.post) if works and step.post else None,
        form=str(form.get("title") or step.form) if step.form else None, article=article,
        limit=words.value("property:limit", limit) + "个工作日" if limit and limit.isdigit() else limit, most=most,
        does=operation.label if operation else step.operation or names.get(step.called or "", step.called),
    )  # fmt: skip


def _when(rule: TimerRule) -> str | None:
    """When a timer fires, in words."""
    if rule.working_days is not None:
        return rule.working_days
    if rule.before_deadline is not None:
        return f"时限届满前{rule.before_deadline}个工作日"
    if rule.after_deadline is not None:
        return f"时限届满后{rule.after_deadline}个工作日"
    return rule.calendar_date or rule.duration


def _lines(session: Session, key: str | None = None) -> list[VersionLine]:
    """Versions, the newest of each process first. One query."""
    asked, agreed = aliased(Account), aliased(Account)
    query = (
        select(
            Definition.id, Definition.key, Definition.version, Definition.name, Definition.rule_set, Definition.deployed_at,
            _name(asked.name, Definition.deployed_by), _name(agreed.name, Definition.approved_by),
            Definition.reason, Definition.effective_at, Definition.deleted_at,
        )
        .outerjoin(asked, asked.login == Definition.deployed_by)
        .outerjoin(agreed, agreed.login == Definition.approved_by)
        .order_by(Definition.key, Definition.version.desc())
    )  # fmt: skip
    if key is not None:
        query = query.where(Definition.key == key)
    return [VersionLine(*row) for row in session.execute(query)]


def _name(column: Any, login: Any) -> Any:
    """A person's name; the installer is none."""
    return case((login == INSTALLER, "随产品安装"), else_=func.coalesce(column, login))


def _with_states(lines: list[VersionLine], now: datetime, running: dict[int, int] | None = None) -> list[VersionLine]:
    """The versions of one process with what each is now. As `in_force`: the latest day counts, then the later version."""
    there = [line for line in lines if line.deleted_at is None]
    order = sorted(there, key=lambda line: (line.effective_at, line.version))
    past = [line for line in order if line.effective_at <= now]
    current = past[-1].id if past else None
    # One is overtaken when a later version counts from the same instant or an earlier one that was still ahead of it.
    never = {
        line.id for line in there
        if any(other.version > line.version and other.effective_at == line.effective_at for other in there)
    }
    found = []
    for line in lines:
        if line.deleted_at is not None:
            found.append(replace(line, state="deleted"))
            continue
        state = "in_force" if line.id == current else "never" if line.id in never else "upcoming" if line.effective_at > now else "past"
        found.append(replace(line, state=state, running=(running or {}).get(line.id, 0)))
    return found


def _counts(session: Session) -> dict[str, tuple[int, int, int]]:
    """Process key → running cases, open drafts, waiting proposals. Three queries."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    queries = (
        select(Instance.process_key, func.count()).where(Instance.state == "running").group_by(Instance.process_key),
        select(Draft.key, func.count()).where(Draft.state == "open").group_by(Draft.key),
        select(Proposal.key, func.count()).where(Proposal.state == "open").group_by(Proposal.key),
    )
    for place, query in enumerate(queries):
        for key, count in session.execute(query):
            found[key][place] = count
    return defaultdict(lambda: (0, 0, 0), {key: (each[0], each[1], each[2]) for key, each in found.items()})
