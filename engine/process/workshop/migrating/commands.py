"""Migrations 迁移 of running cases to another version: planned by one person, started by a second, moved by the worker.

A plan is stored with the cases that it is for. Nothing moves before somebody else than its author has started it; then the
worker takes the cases one by one (`running`), and whatever cannot move stays as it was, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, literal, null, select, update
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.definitions import deployed
from engine.process.tables import OPEN_STATES, Definition, Instance
from engine.process.workshop.migrating.plan import check_plan, full_plan, require_reader, versions
from engine.process.workshop.tables import Migration, MigrationItem
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

REASON_MAX = 1000
#: Why the rest stays when somebody stops a migration.
STOPPED = "迁移已由{name}停止"
#: States of a migration that has not ended.
UNDER_WAY = ("planned", "running", "resting")


class PlanUnfit(Invalid):
    """迁移方案有误，请按提示修改。"""


@command
def plan_migration(
    store: Store, *, actor: Actor, from_id: int, to_id: int, chosen: Mapping[str, str] | None = None, reason: str,
    origin: Origin = Origin(),
) -> int:
    """Stores a migration of all cases that run on one version to another, for a second person to start; returns its id.

    `chosen` overrules the proposal: old step → new step, empty for none. Raises NotAllowed, NotFound, PlanUnfit for a plan
    with errors, Invalid where no case runs on the version, one is under way from it, or the reason is missing.
    """
    require(actor, "edit_diagrams")
    said = _reason(reason)
    with store.work(actor, origin) as work:
        session = work.session
        before, after = versions(session, from_id, to_id)
        plan = full_plan(session, from_id, to_id, chosen)
        errors = [one.message for one in check_plan(before.diagram, after.diagram, plan) if one.severity == "error"]
        if errors:
            raise PlanUnfit({"plan": "；".join(errors[:5])})
        other = session.scalar(
            select(Migration.id).where(Migration.from_id == from_id, Migration.state.in_(UNDER_WAY)).limit(1)
        )
        if other is not None:
            raise Invalid({"from": f"第{before.version}版已有未完成的迁移（编号{other}），请先完成或撤回"})
        row = Migration(
            key=before.key, from_id=from_id, to_id=to_id, plan=plan, reason=said, state="planned",
            created_by=actor.account_id, created_at=work.now, total=0, moved=0, stayed=0,
        )
        session.add(row)
        session.flush()
        row.total = _gather(session, row)
        if not row.total:
            raise Invalid({"from": f"第{before.version}版没有正在办理的办件，无需迁移"})
        _record(work, "migration_planned", row, plan=plan, reason=said)
        return row.id


@command
def start_migration(store: Store, migration_id: int, *, actor: Actor, alone: bool = False, origin: Origin = Origin()) -> None:
    """A second person agrees: from now on the worker moves the cases, those that have come since among them.

    `alone`: the author starts it; for installations that are set to deploy without a second person. Raises NotAllowed (also for the author), NotFound, Stale when it was started or withdrawn, Invalid before the new
    version is in force.
    """
    require(actor, "edit_diagrams" if alone else "approve_diagrams")
    with store.work(actor, origin) as work:
        row = _locked(work.session, migration_id)
        if alone != (row.created_by == actor.account_id):
            raise NotAllowed("迁移须由另一人启动，拟定人与启动人不能是同一人")
        if row.state != "planned":
            raise Stale("该迁移已启动或已撤回")
        if deployed(work.session, row.to_id).effective_at > work.now:
            raise Invalid({"to": "新版本尚未生效，生效后才能迁移"})
        row.state, row.approved_by, row.approved_at = "running", actor.account_id, work.now
        _gather(work.session, row)
        row.total = len(work.session.scalars(select(MigrationItem.id).where(MigrationItem.migration_id == row.id)).all())
        _record(work, "migration_started", row)


@command
def withdraw_migration(store: Store, migration_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Takes back a migration that nobody has started: its author, or who would have to agree. Raises as `start_migration`."""
    require_reader(actor)
    with store.work(actor, origin) as work:
        row = _locked(work.session, migration_id)
        if row.created_by != actor.account_id:
            require(actor, "approve_diagrams")
        if row.state != "planned":
            raise Stale("该迁移已启动或已撤回")
        row.state, row.ended_at = "withdrawn", work.now
        _record(work, "migration_withdrawn", row)


@command
def stop_migration(store: Store, migration_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Stops a migration that is running: what has moved stays moved, the rest stays as it was, with the reason at each case.

    Whoever may start one may stop it, and its author. Another migration can be planned for the rest. Raises NotAllowed,
    NotFound, Stale when it does not run (any more).
    """
    require_reader(actor)
    with store.work(actor, origin) as work:
        row = _locked(work.session, migration_id)
        if row.created_by != actor.account_id:
            require(actor, "approve_diagrams")
        if row.state not in ("running", "resting"):
            raise Stale("该迁移没有在进行")
        # A case that a worker has in hand is locked: this waits for it, and then finds it moved.
        items = MigrationItem.__table__.c
        left = (items.migration_id == row.id, items.state == "waiting")
        work.session.execute(
            update(MigrationItem).where(*left).values(state="stayed", reason=STOPPED.format(name=actor.name), moved_at=work.now)
        )
        counts = counts_of(work.session, row.id)
        row.state, row.ended_at = "stopped", work.now
        row.moved, row.stayed = counts.get("moved", 0), counts.get("stayed", 0)
        row.total = row.moved + row.stayed
        _record(work, "migration_stopped", row, moved=row.moved, stayed=row.stayed)


@command
def rest_migration(store: Store, migration_id: int, *, resting: bool, actor: Actor, origin: Origin = Origin()) -> None:
    """Lets a running migration rest 暂停迁移, or go on 继续迁移: no further case is moved in between.

    Whoever may stop it. One that rests (or runs) already is left so. Raises NotAllowed, NotFound, Stale when it is not under way:
    one that nobody has started is started by a second person alone.
    """
    require_reader(actor)
    with store.work(actor, origin) as work:
        row = _locked(work.session, migration_id)
        if row.created_by != actor.account_id:
            require(actor, "approve_diagrams")
        if row.state not in ("running", "resting"):
            raise Stale("该迁移尚未启动，须由另一人启动" if row.state == "planned" and not resting else "该迁移没有在进行")
        wanted = "resting" if resting else "running"
        if row.state != wanted:
            row.state = wanted
            _record(work, "migration_rested" if resting else "migration_resumed", row)


def counts_of(session: Session, migration_id: int) -> dict[str, int]:
    """State → how many cases of a migration. One query, from an index."""
    rows = session.execute(
        select(MigrationItem.state, func.count()).where(MigrationItem.migration_id == migration_id).group_by(MigrationItem.state)
    )
    return {state: count for state, count in rows}


def _reason(text: str) -> str:
    said = text.strip()
    if not said:
        raise Invalid({"reason": "请填写迁移理由"})
    if len(said) > REASON_MAX:
        raise Invalid({"reason": f"迁移理由不能超过{REASON_MAX}字"})
    return said


def _locked(session: Session, migration_id: int) -> Migration:
    found = session.scalars(select(Migration).where(Migration.id == migration_id).with_for_update()).first()
    if found is None:
        raise NotFound("没有找到该迁移")
    return found


def _gather(session: Session, row: Migration) -> int:
    """Adds the cases that are under way on the old version and not in the migration yet; returns how many. One statement.

    Suspended ones too: they stay, and their reason is listed.
    """
    known = select(MigrationItem.instance_id).where(MigrationItem.migration_id == row.id)
    running = (
        select(literal(row.id), Instance.id, Instance.number, literal("waiting"), null(), null())
        .where(Instance.definition_id == row.from_id, Instance.state.in_(OPEN_STATES), Instance.id.not_in(known)).order_by(Instance.id)
    )
    columns = ["migration_id", "instance_id", "number", "state", "reason", "moved_at"]
    added = session.execute(insert(MigrationItem).from_select(columns, running).returning(MigrationItem.id))
    return len(added.all())


def _record(work: Work, act: str, row: Migration, **more: Any) -> None:
    """A line in the record of the process."""
    rows = work.session.execute(select(Definition.id, Definition.version).where(Definition.id.in_((row.from_id, row.to_id))))
    version = {definition: number for definition, number in rows}
    facts = {"migration": row.id, "from_version": version[row.from_id], "to_version": version[row.to_id], "cases": row.total, **more}
    append(work, f"definition:{row.key}", [Entry(act=act, definition_id=row.to_id, data=facts)])
