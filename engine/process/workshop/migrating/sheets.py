"""Reading migrations: the list, one with its progress, its cases, and the versions between which one may be planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from engine.people.actor import Actor
from engine.people.permissions import may
from engine.people.tables import Account
from engine.process.definitions import THERE, Deployed, deployed
from engine.process.interpreter.fitting import kind_name, label, standing
from engine.process.paging import PAGE, Page, make_page, read_id_cursor
from engine.process.tables import Definition, Instance
from engine.process.workshop.migrating.plan import require_reader, where
from engine.process.workshop.migrating.commands import counts_of
from engine.process.workshop.tables import Migration, MigrationItem
from engine.store.errors import NotFound

STATES = {"planned": "待启动", "running": "迁移中", "resting": "已暂停", "done": "已完成", "withdrawn": "已撤回", "stopped": "已停止"}
ITEM_STATES = {"waiting": "等待", "moved": "已迁移", "stayed": "保持原版本"}
#: More lines than this are not exported in one file.
EXPORT_MAX = 100_000


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version with the number of cases that run on it."""

    definition_id: int
    version: int
    effective_at: datetime
    running: int


@dataclass(frozen=True, slots=True)
class ProcessVersions:
    """A process with more than one version, newest first."""

    key: str
    name: str
    versions: tuple[VersionLine, ...]


@dataclass(frozen=True, slots=True)
class MigrationLine:
    """A migration in the list."""

    id: int
    key: str
    name: str
    from_version: int
    to_version: int
    state: str
    state_name: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    """When the second person started it."""
    ended_at: datetime | None
    total: int
    moved: int
    stayed: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of a stored plan: a step of the old version at which a case may stand, and of the new one."""

    name: str
    kind: str
    where: str
    image: str | None
    image_where: str

    @property
    def same(self) -> bool:
        """Nothing that a reader would notice has changed."""
        return (self.name, self.where) == (self.image, self.image_where)


@dataclass(frozen=True, slots=True)
class MigrationSheet:
    """One migration with its plan and how far it is."""

    line: MigrationLine
    from_id: int
    to_id: int
    reason: str
    approved_by: str | None
    approved_at: datetime | None
    ended_at: datetime | None
    pairs: tuple[Pair, ...]
    in_force: bool
    """The new version is in force."""
    may_start: bool
    may_withdraw: bool
    may_stop: bool

    @property
    def waiting(self) -> int:
        return self.line.total - self.line.moved - self.line.stayed

    @property
    def percent(self) -> int:
        """Cases dealt with, of a hundred; a hundred only when none waits."""
        line = self.line
        return (line.moved + line.stayed) * 100 // line.total if line.total else 0


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A case of a migration."""

    id: int
    instance_id: int
    number: str
    state: str
    state_name: str
    reason: str | None
    moved_at: datetime | None


def processes(session: Session, actor: Actor) -> list[ProcessVersions]:
    """The processes with more than one version. Two queries. Raises NotAllowed."""
    require_reader(actor)
    running = {
        definition: count for definition, count in session.execute(
            select(Instance.definition_id, func.count()).where(Instance.state == "running").group_by(Instance.definition_id)
        )
    }  # fmt: skip
    rows = session.execute(
        select(Definition.id, Definition.key, Definition.name, Definition.version, Definition.effective_at)
        .where(THERE).order_by(Definition.key, Definition.version.desc())
    )
    found: dict[str, list[tuple[str, VersionLine]]] = {}
    for definition, key, name, version, effective in rows:
        found.setdefault(key, []).append((name, VersionLine(definition, version, effective, running.get(definition, 0))))
    return [ProcessVersions(key, lines[0][0], tuple(line for _, line in lines)) for key, lines in found.items() if len(lines) > 1]


def migrations(session: Session, actor: Actor, *, after: str | None = None, limit: int = PAGE) -> Page[MigrationLine]:
    """All migrations, newest first. One query, and one for each that is running. Raises NotAllowed."""
    require_reader(actor)
    query = _lines().order_by(Migration.id.desc()).limit(limit + 1)
    if after:
        query = query.where(Migration.id < read_id_cursor(after))
    rows = session.execute(query).all()
    return make_page(rows, limit, lambda row: _line(session, row), lambda row: str(row[0].id))


def _lines() -> Select[*tuple[Any, ...]]:
    before, after = aliased(Definition), aliased(Definition)
    return (
        select(Migration, after.name, before.version, after.version, Account.name)
        .join(before, before.id == Migration.from_id).join(after, after.id == Migration.to_id)
        .join(Account, Account.id == Migration.created_by)
    )  # fmt: skip


def _line(session: Session, row: Any) -> MigrationLine:
    this, name, before, after, author = row
    moved, stayed = this.moved, this.stayed
    if this.state in ("running", "resting"):
        counts = counts_of(session, this.id)
        moved, stayed = counts.get("moved", 0), counts.get("stayed", 0)
    return MigrationLine(
        this.id, this.key, name, before, after, this.state, STATES[this.state], author, this.created_at, this.approved_at,
        this.ended_at, this.total, moved, stayed,
    )  # fmt: skip


def migration_sheet(session: Session, actor: Actor, migration_id: int) -> MigrationSheet:
    """One migration. Raises NotAllowed, NotFound."""
    require_reader(actor)
    row = session.execute(_lines().where(Migration.id == migration_id)).first()
    if row is None:
        raise NotFound("没有找到该迁移")
    this: Migration = row[0]
    before, after = deployed(session, this.from_id), deployed(session, this.to_id)
    approver = session.get(Account, this.approved_by) if this.approved_by else None
    planned, own = this.state == "planned", this.created_by == actor.account_id
    approves = may(actor, "approve_diagrams")
    return MigrationSheet(
        line=_line(session, row), from_id=this.from_id, to_id=this.to_id, reason=this.reason,
        approved_by=approver.name if approver else None, approved_at=this.approved_at, ended_at=this.ended_at,
        pairs=_pairs(before, after, this.plan), in_force=after.effective_at <= session.info["store"].clock.now(),
        may_start=planned and approves and not own, may_withdraw=planned and (own or approves),
        may_stop=this.state in ("running", "resting") and (own or approves),
    )  # fmt: skip


def _pairs(before: Deployed, after: Deployed, plan: dict[str, str]) -> tuple[Pair, ...]:
    old, new = before.diagram, after.diagram
    pairs = []
    for element in standing(old):
        step = old.steps[element]
        other = new.steps.get(plan.get(element, ""))
        pairs.append(Pair(
            label(old, step), kind_name(step), where(old, step), label(new, other) if other else None, where(new, other) if other else "",
        ))  # fmt: skip
    return tuple(pairs)


def stored_plan(session: Session, actor: Actor, migration_id: int) -> tuple[int, int, dict[str, str]]:
    """From and to which version, and by which plan. Raises NotAllowed, NotFound."""
    require_reader(actor)
    row = session.get(Migration, migration_id)
    if row is None:
        raise NotFound("没有找到该迁移")
    return row.from_id, row.to_id, row.plan


def items(
    session: Session, actor: Actor, migration_id: int, *, state: str | None = None, after: str | None = None, limit: int = PAGE,
) -> Page[ItemLine]:
    """The cases of a migration in their order, all or those of one state. One query. Raises NotAllowed, Invalid."""
    require_reader(actor)
    query = select(MigrationItem).where(MigrationItem.migration_id == migration_id)
    if state is not None:
        query = query.where(MigrationItem.state == state)
    if after:
        query = query.where(MigrationItem.id > read_id_cursor(after))
    rows = session.scalars(query.order_by(MigrationItem.id).limit(limit + 1)).all()
    return make_page(rows, limit, _item, lambda item: str(item.id))


def _item(item: MigrationItem) -> ItemLine:
    return ItemLine(item.id, item.instance_id, item.number, item.state, ITEM_STATES[item.state], item.reason, item.moved_at)
