"""The worker's part of removals 销毁: the cases one by one, each in a transaction of its own, until none is left.

Any number of workers may be at it, and each may be killed at any moment: a case is removed with its tombstones and the entry
that covers them, or not at all. Its files are deleted after that; what a killed worker left of them, housekeeping sweeps away,
as no row names them any more.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.history import Entry, append, removed_stream
from engine.people.tables import Account
from engine.process.removing.clearing import bury, clear, is_sealed, why_kept
from engine.process.removing.commands import end_removal
from engine.process.removing.tables import Removal, RemovalItem
from engine.process.tables import Instance
from engine.store.errors import Stale
from engine.store.store import WORKER, Store, Work, command

log = logging.getLogger(__name__)

#: Waiting cases read at once; small, so that a second worker finds fresh ones.
PAGE = 50

_WAITING = (
    select(RemovalItem.id).join(Removal, Removal.id == RemovalItem.removal_id)
    .where(Removal.state == "running", RemovalItem.state == "waiting").order_by(RemovalItem.id).limit(bindparam("most"))
)  # fmt: skip
_LOCKED = (
    select(Instance, RemovalItem).join(RemovalItem, RemovalItem.instance_id == Instance.id)
    .join(Removal, Removal.id == RemovalItem.removal_id)
    .where(RemovalItem.id == bindparam("item"), RemovalItem.state == "waiting", Removal.state == "running")
    .with_for_update(of=(Instance, RemovalItem), skip_locked=True)
)  # fmt: skip


def remove_waiting(store: Store, uploads: Path, most: int = 1000) -> int:
    """Removes the cases of approved removals until none waits or `most` were dealt with; returns how many were.

    A case whose last entries are not sealed yet waits for the next sweep.
    """
    dealt = 0
    while dealt < most:
        with store.read() as session:
            waiting = list(session.scalars(_WAITING, {"most": min(PAGE, most - dealt)}))
        done = sum(_deal_with(store, uploads, item_id) for item_id in waiting)
        dealt += done
        if not done:
            break  # nothing waits, or the rest is held by others
    _finish(store)
    return dealt


def _deal_with(store: Store, uploads: Path, item_id: int) -> bool:
    try:
        files = _remove(store, item_id)
    except Stale:
        return False  # another writer has the case: the next sweep looks again
    except OperationalError:
        raise  # the database is away: no case's fault
    except Exception as error:  # noqa: BLE001 - whatever fails is the reason why the case stays
        log.error("a case could not be removed", exc_info=error)
        return _stay(store, item_id, f"系统未能销毁该办件，请联系运维人员（{type(error).__name__}）")
    for name in files or ():
        (uploads / name[:2] / name).unlink(missing_ok=True)
    return files is not None


@command
def _remove(store: Store, item_id: int) -> list[str] | None:
    """One case in one transaction; the names of its files. None where another worker holds it, has dealt with it, or it must wait."""
    with store.work(None, WORKER) as work:
        session = work.session
        if store.sqlite:  # what is deleted is overwritten, and not only forgotten
            session.execute(text("PRAGMA secure_delete = ON"))
        found = session.execute(_LOCKED, {"item": item_id}).first()
        if found is None:
            return None
        instance, item = found
        kept = why_kept(session, instance, work.now)
        if kept is not None:
            item.state, item.reason, item.dealt_at = "stayed", kept, work.now
            return []
        if not is_sealed(session, instance.id):
            return None
        removal = session.get_one(Removal, item.removal_id)
        entries = bury(session, instance.id, removal.id)
        files = clear(session, instance)
        instance.removed_at, instance.removal_id = work.now, removal.id
        item.state, item.entries, item.dealt_at = "removed", entries, work.now
        session.flush()
        _cover(work, removal, instance, entries)
        return files


def _cover(work: Work, removal: Removal, instance: Instance, entries: int) -> None:
    """The entry by which the tombstones count: how many, up to which hash, since when it was allowed, and who said so."""
    facts = {
        "removal": removal.id, "instance": instance.id, "number": instance.number, "process": instance.process_key, "entries": entries,
        "hash": instance.history_hash, "ended_at": _text(instance.ended_at), "removal_at": _text(instance.removal_at),
        "proposed_by": _name(work.session, removal.created_by), "approved_by": _name(work.session, removal.decided_by),
    }  # fmt: skip
    append(work, removed_stream(instance.id), [Entry("case_removed", definition_id=instance.definition_id, data=facts)])


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _name(session: Session, account_id: int | None) -> str | None:
    return session.get_one(Account, account_id).name if account_id is not None else None


@command
def _stay(store: Store, item_id: int, reason: str) -> bool:
    """Keeps the reason why a case stays as it was."""
    with store.work(None, WORKER) as work:
        item = work.session.scalars(
            select(RemovalItem).where(RemovalItem.id == item_id, RemovalItem.state == "waiting").with_for_update()
        ).first()
        if item is None:
            return False
        item.state, item.reason, item.dealt_at = "stayed", reason, work.now
        return True


def _finish(store: Store) -> None:
    """Closes the removals in which no case waits any more; also those that a worker left so when it died."""
    with store.read() as session:
        waits = select(RemovalItem.id).where(RemovalItem.removal_id == Removal.id, RemovalItem.state == "waiting")
        through = list(session.scalars(select(Removal.id).where(Removal.state == "running", ~waits.exists())))
    for removal_id in through:
        _close(store, removal_id)


@command
def _close(store: Store, removal_id: int) -> None:
    with store.work(None, WORKER) as work:
        row = work.session.scalars(
            select(Removal).where(Removal.id == removal_id, Removal.state == "running").with_for_update(skip_locked=True)
        ).first()
        if row is not None:
            end_removal(work, row, "done")
