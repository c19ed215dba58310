"""Reading retention and removals: what may go, the lists that were made of it, and what is left of each case 销毁清册."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import Session, aliased

from engine.people.actor import Actor
from engine.people.permissions import may
from engine.people.tables import Account, Unit
from engine.process.paging import PAGE, Page, make_page, read_cursor, read_id_cursor, write_cursor
from engine.process.queries import process_names
from engine.process.removing.commands import counts_of, due, require_reader
from engine.process.removing.tables import Removal, RemovalItem
from engine.process.sheets.seeing import now_of
from engine.process.tables import Definition, Instance
from engine.store.errors import NotFound

STATES = {"proposed": "待审批", "running": "销毁中", "done": "已完成", "refused": "未批准", "withdrawn": "已撤回", "stopped": "已停止"}
ITEM_STATES = {"waiting": "待销毁", "removed": "已销毁", "stayed": "保留"}
OUTCOMES = {"completed": "办结", "terminated": "终止"}


@dataclass(frozen=True, slots=True)
class DueLine:
    """The cases of a process whose time has come and that are in no list yet."""

    key: str
    name: str
    count: int
    oldest: datetime
    """Since when the first of them might have gone."""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case whose time has come."""

    id: int
    number: str
    title: str
    process_name: str
    unit_name: str | None
    ended_at: datetime
    removal_at: datetime


@dataclass(frozen=True, slots=True)
class RemovalLine:
    """A removal in the list."""

    id: int
    process_name: str | None
    """None for cases of whatever process."""
    state: str
    state_name: str
    created_by: str
    created_at: datetime
    total: int
    removed: int
    stayed: int


@dataclass(frozen=True, slots=True)
class RemovalSheet:
    """One removal, and what the reader may do about it."""

    line: RemovalLine
    reason: str
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None
    ended_at: datetime | None
    may_decide: bool
    may_withdraw: bool
    may_stop: bool

    @property
    def waiting(self) -> int:
        return self.line.total - self.line.removed - self.line.stayed

    @property
    def percent(self) -> int:
        """Cases dealt with, of a hundred; a hundred only when none waits."""
        return (self.line.total - self.waiting) * 100 // self.line.total if self.line.total else 0


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A case of a removal: what stays of it in the destruction list. `title` only of what is still there."""

    id: int
    instance_id: int
    number: str
    title: str
    process_name: str
    version: int
    unit_name: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    removal_at: datetime | None
    state: str
    state_name: str
    reason: str | None
    entries: int | None
    dealt_at: datetime | None


def due_by_process(session: Session, actor: Actor) -> list[DueLine]:
    """How many cases may go and are in no list yet, by process, the longest overdue first. Two queries. Raises NotAllowed."""
    require_reader(actor)
    oldest = func.min(Instance.removal_at)
    query = select(Instance.process_key, func.count(), oldest).where(*due(now_of(session))).group_by(Instance.process_key)
    rows = session.execute(query.order_by(oldest, Instance.process_key)).all()
    names = process_names(session) if rows else {}
    return [DueLine(key, names.get(key, key), count, first) for key, count, first in rows if first is not None]


def due_cases(session: Session, actor: Actor, process_key: str | None = None, *, after: str | None = None, limit: int = PAGE) -> Page[CaseLine]:
    """The cases that may go and are in no list yet, in the order in which a list takes them. Two queries. Raises NotAllowed, Invalid."""
    require_reader(actor)
    query = (
        select(Instance.id, Instance.number, Instance.title, Instance.process_key, Instance.ended_at, Instance.removal_at, Unit.name.label("unit"))
        .outerjoin(Unit, Unit.id == Instance.unit_id).where(*due(now_of(session), process_key))
        .order_by(Instance.removal_at, Instance.id).limit(limit + 1)
    )  # fmt: skip
    if after:
        moment, last = read_cursor(after)
        query = query.where(tuple_(Instance.removal_at, Instance.id) > tuple_(literal(moment, Instance.removal_at.type), literal(last)))
    rows = session.execute(query).all()
    names = process_names(session) if rows else {}
    return make_page(
        rows, limit,
        lambda row: CaseLine(row.id, row.number, row.title, names.get(row.process_key, row.process_key), row.unit, row.ended_at, row.removal_at),
        lambda row: write_cursor(row.removal_at, row.id),
    )  # fmt: skip


def removals(session: Session, actor: Actor, *, after: str | None = None, limit: int = PAGE) -> Page[RemovalLine]:
    """All removals, newest first. Two queries, and one for each that is under way. Raises NotAllowed, Invalid."""
    require_reader(actor)
    query = _lines().order_by(Removal.id.desc()).limit(limit + 1)
    if after:
        query = query.where(Removal.id < read_id_cursor(after))
    rows = session.execute(query).all()
    names = process_names(session) if rows else {}
    return make_page(rows, limit, lambda row: _line(session, row, names), lambda row: str(row[0].id))


def _lines() -> Select[*tuple[Any, ...]]:
    return select(Removal, Account.name).join(Account, Account.id == Removal.created_by)


def _line(session: Session, row: Any, names: dict[str, str]) -> RemovalLine:
    this, author = row
    removed, stayed = this.removed, this.stayed
    if this.state == "running":
        counts = counts_of(session, this.id)
        removed, stayed = counts.get("removed", 0), counts.get("stayed", 0)
    name = names.get(this.process_key, this.process_key) if this.process_key else None
    return RemovalLine(this.id, name, this.state, STATES[this.state], author, this.created_at, this.total, removed, stayed)


def removal_sheet(session: Session, actor: Actor, removal_id: int) -> RemovalSheet:
    """One removal. Raises NotAllowed, NotFound."""
    require_reader(actor)
    row = session.execute(_lines().where(Removal.id == removal_id)).first()
    if row is None:
        raise NotFound("没有找到该销毁清册")
    this: Removal = row[0]
    decider = session.get(Account, this.decided_by) if this.decided_by else None
    own, approves = this.created_by == actor.account_id, may(actor, "approve_removals")
    return RemovalSheet(
        line=_line(session, row, process_names(session)), reason=this.reason, decided_by=decider.name if decider else None,
        decided_at=this.decided_at, decision=this.decision, ended_at=this.ended_at,
        may_decide=this.state == "proposed" and approves and not own, may_withdraw=this.state == "proposed" and own,
        may_stop=this.state == "running" and (own or approves),
    )  # fmt: skip


def items(
    session: Session, actor: Actor, removal_id: int, *, state: str | None = None, after: str | None = None, limit: int = PAGE,
) -> Page[ItemLine]:
    """The cases of a removal in their order, all or those of one state. One query. Raises NotAllowed, Invalid."""
    require_reader(actor)
    definition = aliased(Definition)
    query = (
        select(RemovalItem, Instance, definition.name, definition.version, Unit.name)
        .join(Instance, Instance.id == RemovalItem.instance_id).join(definition, definition.id == Instance.definition_id)
        .outerjoin(Unit, Unit.id == Instance.unit_id).where(RemovalItem.removal_id == removal_id)
    )
    if state is not None:
        query = query.where(RemovalItem.state == state)
    if after:
        query = query.where(RemovalItem.id > read_id_cursor(after))
    rows = session.execute(query.order_by(RemovalItem.id).limit(limit + 1)).all()
    return make_page(rows, limit, _item, lambda row: str(row[0].id))


def _item(row: Any) -> ItemLine:
    item, case, name, version, unit = row
    outcome = case.outcome_name or OUTCOMES.get(case.state, case.state)
    return ItemLine(
        item.id, case.id, case.number, case.title, name, version, unit, case.started_at, case.ended_at, outcome, case.removal_at, item.state,
        ITEM_STATES[item.state], item.reason, item.entries, item.dealt_at,
    )  # fmt: skip
