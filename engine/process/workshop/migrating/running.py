"""The worker's part of migrations: the cases one by one, each in a transaction of its own, until none is left.

Any number of workers may be at it: a case that somebody else holds is passed over. One that cannot move, whatever the
cause, stays exactly as it was; the reason stands at its line. After a crash the next sweep goes on with those that wait.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, undefer

from engine.history import Entry, append
from engine.people.tables import Account
from engine.process.advance import advance
from engine.process.clocks import BadRule
from engine.process.definitions import deployed
from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.model import InterpreterError
from engine.process.moves import Migrate
from engine.process.projection import BadAssignment
from engine.process.tables import Instance
from engine.process.workshop.migrating.commands import counts_of
from engine.process.workshop.tables import Migration, MigrationItem
from engine.store.errors import Refused, Stale
from engine.store.store import WORKER, Store, command

log = logging.getLogger(__name__)

#: Waiting cases read at once; small, so that a second worker finds fresh ones.
PAGE = 50
REASON_MAX = 500

_WAITING = (
    select(MigrationItem.id).join(Migration, Migration.id == MigrationItem.migration_id)
    .where(Migration.state == "running", MigrationItem.state == "waiting").order_by(MigrationItem.id).limit(bindparam("most"))
)  # fmt: skip
_LOCKED = (
    select(Instance, MigrationItem).join(MigrationItem, MigrationItem.instance_id == Instance.id)
    .join(Migration, Migration.id == MigrationItem.migration_id)
    # Asked again here: it may have been let rest since the page was read.
    .where(MigrationItem.id == bindparam("item"), MigrationItem.state == "waiting", Migration.state == "running")
    .options(undefer(Instance.saved)).with_for_update(skip_locked=True, of=(Instance, MigrationItem))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a migration: how many cases it was for, and why some stayed as they were."""

    total: int
    stayed: list[str]


def move_waiting(store: Store, most: int = 1000) -> int:
    """Moves the cases of running migrations until none waits or `most` were dealt with; returns how many were."""
    dealt = 0
    while dealt < most:
        with store.read() as session:
            waiting = list(session.scalars(_WAITING, {"most": min(PAGE, most - dealt)}))
        done = sum(_deal_with(store, item_id) for item_id in waiting)
        dealt += done
        if not done:
            break  # nothing waits, or the rest is held by others
    _finish(store)
    return dealt


def move_now(store: Store, migration_id: int) -> Moved:
    """Moves the cases of one running migration without waiting for a worker; one that somebody else holds is left to it."""
    with store.read() as session:
        own = select(MigrationItem.id).where(MigrationItem.migration_id == migration_id, MigrationItem.state == "waiting").order_by(MigrationItem.id)
        waiting = list(session.scalars(own))
    for item_id in waiting:
        _deal_with(store, item_id)
    _finish(store)
    with store.read() as session:
        of = (MigrationItem.migration_id == migration_id, MigrationItem.state != "moved")
        left = select(MigrationItem.reason).where(*of).order_by(MigrationItem.id)
        return Moved(len(waiting), [reason or "办件正由其他人办理" for reason in session.scalars(left)])


def _deal_with(store: Store, item_id: int) -> bool:
    try:
        return _move(store, item_id)
    except Stale:
        return False  # another writer moved the instance: the next sweep looks again
    except OperationalError:
        raise  # the database is away: no case's fault
    except Exception as error:  # noqa: BLE001 - whatever fails is the reason why the case stays
        return _stay(store, item_id, reason_of(error))


def reason_of(error: Exception) -> str:
    """Why a case cannot move, in a sentence for the process admin."""
    if isinstance(error, Refused):
        return error.message[:REASON_MAX]
    if isinstance(error, InterpreterError | ExpressionError | BadRule | BadAssignment):
        return str(error)[:REASON_MAX]
    log.error("a case could not be migrated", exc_info=error)
    return f"系统未能按新版本推算该办件，请联系运维人员（{type(error).__name__}）"


@command
def _move(store: Store, item_id: int) -> bool:
    """One case in one transaction; False when another worker holds it or has dealt with it."""
    with store.work(None, WORKER) as work:
        found = work.session.execute(_LOCKED, {"item": item_id}).first()
        if found is None:
            return False
        instance, item = found
        order = _order(work.session, item.migration_id)
        item.state, item.moved_at = "stayed", work.now
        if instance.state != "running":
            item.reason = not_running(instance.state)
        elif instance.definition_id != order.from_id:
            item.reason = "办件已不在原版本，无需迁移"
        else:
            item.state = "moved"
            advance(work, instance, Migrate(order.to_id, order.plan, order.said))
        return True


def not_running(state: str) -> str:
    """Why a case that does not run stays."""
    return "办件已暂停办理，恢复办理后可另行迁移" if state == "suspended" else "办件已办结，无需迁移"


@dataclass(frozen=True, slots=True)
class _Order:
    """What all cases of a started migration have in common; it does not change any more."""

    from_id: int
    to_id: int
    plan: Mapping[str, str]
    said: Mapping[str, Any]
    """What the record of each case says of it: who planned it, who agreed, and why."""


def _order(session: Session, migration_id: int) -> _Order:
    """Read once per process."""
    cache = session.info["store"].cache
    key = ("migration", migration_id)
    if key not in cache:
        row = session.get_one(Migration, migration_id)
        assert row.approved_by is not None, "only what was started waits for a worker"
        planner, approver = (session.get_one(Account, person).name for person in (row.created_by, row.approved_by))
        said = {"migration": row.id, "planned_by": planner, "approved_by": approver, "reason": row.reason}
        cache[key] = _Order(row.from_id, row.to_id, row.plan, said)
    found: _Order = cache[key]
    return found


@command
def _stay(store: Store, item_id: int, reason: str) -> bool:
    """Keeps the reason why a case stays as it was."""
    with store.work(None, WORKER) as work:
        item = work.session.scalars(
            select(MigrationItem).where(MigrationItem.id == item_id, MigrationItem.state == "waiting").with_for_update()
        ).first()
        if item is None:
            return False
        item.state, item.reason, item.moved_at = "stayed", reason, work.now
        return True


def _finish(store: Store) -> None:
    """Closes the migrations in which no case waits any more; also those that a worker left so when it died."""
    with store.read() as session:
        waits = select(MigrationItem.id).where(MigrationItem.migration_id == Migration.id, MigrationItem.state == "waiting")
        through = list(session.scalars(select(Migration.id).where(Migration.state == "running", ~waits.exists())))
    for migration_id in through:
        _close(store, migration_id)


@command
def _close(store: Store, migration_id: int) -> None:
    with store.work(None, WORKER) as work:
        row = work.session.scalars(
            select(Migration).where(Migration.id == migration_id, Migration.state == "running").with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return
        counts = counts_of(work.session, migration_id)
        if counts.get("waiting"):
            return
        row.state, row.ended_at = "done", work.now
        row.moved, row.stayed = counts.get("moved", 0), counts.get("stayed", 0)
        row.total = row.moved + row.stayed
        versions = [deployed(work.session, definition).version for definition in (row.from_id, row.to_id)]
        facts = {"migration": row.id, "from_version": versions[0], "to_version": versions[1], "moved": row.moved, "stayed": row.stayed}
        append(work, f"definition:{row.key}", [Entry(act="migration_done", definition_id=row.to_id, data=facts)])
