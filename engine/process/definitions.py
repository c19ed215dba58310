"""Process definitions: immutable versions with effective dates, parsed once per process.

A deployment stores diagram, forms and document templates together under one digest. The database's versions win over
the files in `bpmn/`: the folder is only what a new installation deploys first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from engine.history import Entry, append, locked_head
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.check import check
from engine.process.interpreter.model import Diagram, Problem
from engine.process.interpreter.reader import key_of, read_diagram
from engine.process.package import Package, as_text, from_text, read_package
from engine.process.rule_sets import process_folders
from engine.process.tables import Definition
from engine.store.errors import Invalid, NotFound, Refused, Stale
from engine.store.store import Origin, Store, Work, command


#: What lists, starts and calls ask of a version: of a deleted one only the row is left.
THERE = Definition.deleted_at.is_(None)
#: Characters of a process's name in lists; the diagram may say more.
NAME_MAX = 200
#: In the place of both persons, for the rule set that a new installation deploys.
INSTALLER = "init"


class NotDeployable(Invalid):
    """流程图检查未通过，未发布任何内容。"""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(message="流程图检查未通过：" + "；".join(problem.message for problem in problems[:5]))


@dataclass(frozen=True, slots=True)
class Deployed:
    """One version, parsed; shared by all threads."""

    id: int
    key: str
    version: int
    rule_set: str
    name: str
    diagram: Diagram
    forms: Mapping[str, Any]
    documents: Mapping[str, bytes]
    effective_at: datetime


@lru_cache(maxsize=256)
def _parsed(xml: bytes) -> Diagram:
    return read_diagram(xml)


def deployed(session: Session, definition_id: int) -> Deployed:
    """A version by id; parsed once per process. Raises NotFound."""
    cache = session.info["store"].cache
    key = ("definition", definition_id)
    if key not in cache:
        row = session.get(
            Definition, definition_id, options=[undefer(Definition.xml), undefer(Definition.forms), undefer(Definition.documents)]
        )
        if row is None:
            raise NotFound("没有找到该流程版本")
        cache[key] = Deployed(
            row.id, row.key, row.version, row.rule_set, row.name, _parsed(row.xml), row.forms, from_text(row.documents),
            row.effective_at,
        )
    found: Deployed = cache[key]
    return found


def in_force(session: Session, key: str, at: datetime) -> Deployed:
    """The version that a case received at `at` follows: the newest one effective by then.

    Raises NotFound when the process has no version in force at that time.
    """
    found = session.scalar(
        select(Definition.id)
        .where(Definition.key == key, Definition.effective_at <= at, THERE)
        .order_by(Definition.effective_at.desc(), Definition.version.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound(f"流程“{key}”在该日没有生效的版本")
    return deployed(session, found)


class Deleted(Stale):
    """该流程版本已被删除，请刷新后重试。"""


def hold_version(session: Session, definition_id: int) -> None:
    """Keeps a version from being deleted until the transaction ends. Raises Deleted where somebody was quicker. One query.

    For who is about to open a case by it. Nothing on SQLite, where nobody writes beside the transaction.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    there = select(Definition.id).where(Definition.id == definition_id, THERE).with_for_update(read=True, key_share=True)
    if session.scalar(there) is None:
        raise Deleted


class Suspended(Refused):
    """该流程版本已停用，暂不能发起新的办件；在办的办件不受影响。"""


def require_active(session: Session, definition_id: int) -> None:
    """Raises Suspended for a version by which nobody may start a case now. One query."""
    if session.scalar(select(Definition.suspended).where(Definition.id == definition_id)):
        raise Suspended


def all_in_force(session: Session, at: datetime, *, startable: bool = False) -> list[Deployed]:
    """The version of every process that a case received at `at` would follow, by key. One query beside the parsing.

    `startable` leaves out those that are suspended: nobody may start a case by them now.
    """
    rows = session.execute(
        select(Definition.key, Definition.id, Definition.suspended)
        .where(Definition.effective_at <= at, THERE)
        .order_by(Definition.key, Definition.effective_at, Definition.version)
    )
    newest = {key: (definition_id, suspended) for key, definition_id, suspended in rows}
    return [deployed(session, definition_id) for definition_id, suspended in newest.values() if not (startable and suspended)]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of a process, in force or not yet."""

    id: int
    version: int
    digest: str


def lock_newest(work: Work, key: str) -> Newest | None:
    """The newest version of a process; until the transaction ends nobody else deploys it. None for a new process."""
    locked_head(work.session, f"definition:{key}")
    found = work.session.execute(
        select(Definition.id, Definition.version, Definition.digest)
        .where(Definition.key == key, THERE)
        .order_by(Definition.version.desc())
        .limit(1)
    ).first()
    return Newest(*found) if found else None


def base_of(session: Session, key: str | None, rule_set: str) -> Package | None:
    """The first version of a process under a rule set: what the law fixes there binds all that follow. None for a first one.

    Not the newest: what an editor has added since may go again, and every version may come back.
    """
    row = session.scalars(
        select(Definition).where(Definition.key == key, Definition.rule_set == rule_set, THERE).order_by(Definition.version).limit(1)
        .options(undefer(Definition.xml), undefer(Definition.forms), undefer(Definition.documents))
    ).first()
    return Package(row.rule_set, row.xml, row.forms, from_text(row.documents)) if row else None


def deploy_in(
    work: Work, package: Package, *, by: str, approved_by: str, reason: str, effective_at: datetime | None = None,
    also_known: Iterable[str] = (),
) -> int:
    """Checks and stores a version inside an open transaction; returns its id (the existing one when nothing changed).

    `also_known` are process keys deployed in the same breath, which call activities may name. Raises NotDeployable with
    every problem; nothing is stored then.
    """
    known = {*also_known, *known_processes(work.session)}
    base = base_of(work.session, key_of(package.xml), package.rule_set)
    problems = [problem for problem in check(package, known, base=base) if problem.severity == "error"]
    if problems:
        raise NotDeployable(problems)
    diagram = _parsed(package.xml)
    newest = lock_newest(work, diagram.key)
    if newest is not None and newest.digest == package.digest:
        return newest.id
    row = Definition(
        key=diagram.key, version=_next_number(work.session, diagram.key), rule_set=package.rule_set, name=diagram.name[:NAME_MAX],
        digest=package.digest, xml=package.xml, forms=dict(package.forms), documents=as_text(package.documents),
        deployed_at=work.now, deployed_by=by, approved_by=approved_by, reason=reason, effective_at=effective_at or work.now,
        retention=diagram.properties.get("retention"),
    )
    work.session.add(row)
    work.session.flush()
    facts = {"key": row.key, "version": row.version, "digest": row.digest, "approved_by": approved_by, "reason": reason,
             "effective_at": row.effective_at.isoformat()}
    append(work, f"definition:{row.key}", [Entry(act="deployed", definition_id=row.id, data=facts)])
    return row.id


def _next_number(session: Session, key: str) -> int:
    """The number of the next version of a process; that of a deleted one never comes back."""
    return (session.scalar(select(func.max(Definition.version)).where(Definition.key == key)) or 0) + 1


@command
def deploy(
    store: Store, package: Package, *, actor: Actor, approved_by: Actor, reason: str, effective_at: datetime | None = None,
    origin: Origin = Origin(),
) -> int:
    """Deploys a version that a second person approved; cases received from `effective_at` on follow it.

    Raises NotAllowed without the rights, Invalid when one person is both or the date lies in the past, NotDeployable.
    """
    require(actor, "edit_diagrams")
    require(approved_by, "approve_diagrams")
    if actor.account_id == approved_by.account_id:
        raise Invalid(message="发布须由另一人审批，编辑人与审批人不能是同一人")
    if not reason.strip():
        raise Invalid({"reason": "请填写发布理由"})
    with store.work(actor, origin) as work:
        if effective_at is not None and effective_at < work.now:
            raise Invalid({"effective_at": "生效时间不能早于现在：已受理的办件不受影响"})
        return deploy_in(work, package, by=actor.login, approved_by=approved_by.login, reason=reason, effective_at=effective_at)


def deploy_rule_set(work: Work, folder: Path, effective_at: datetime) -> list[int]:
    """Deploys every process of a rule set's folder, in the order of its rule_set.json, for a new installation.

    A process that already has a version is left alone: the database's versions win over the files.
    """
    folders = process_folders(folder)
    present = known_processes(work.session)
    return [
        deploy_in(
            work, read_package(place, place.parent.name), by=INSTALLER, approved_by=INSTALLER, reason="随产品发布的初始规则集",
            effective_at=effective_at, also_known=folders,
        )
        for key, place in folders.items()
        if key not in present
    ]


def require_open_key(session: Session, key: str) -> None:
    """Raises Invalid when a deployed process has that key already."""
    taken = session.scalar(select(Definition.name).where(Definition.key == key, THERE).order_by(Definition.version.desc()).limit(1))
    if taken is not None:
        raise Invalid({"key": f"流程标识“{key}”已属于“{taken}”，请换一个"})


def known_processes(session: Session) -> frozenset[str]:
    """The keys of all processes that have a version, which a diagram may call. One query."""
    return frozenset(session.scalars(select(Definition.key).where(THERE).distinct()))


def known_rule_sets(session: Session) -> list[str]:
    """The rule sets that any version belongs to."""
    return list(session.scalars(select(Definition.rule_set).where(THERE).distinct().order_by(Definition.rule_set)))


def newest_versions(session: Session) -> dict[str, int]:
    """Process key → newest version number, for lists."""
    rows = session.execute(select(Definition.key, func.max(Definition.version)).where(THERE).group_by(Definition.key))
    return {key: version for key, version in rows}
