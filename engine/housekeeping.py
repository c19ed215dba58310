"""Housekeeping: what nobody can use any more is removed, and what older versions left without is filled in. Hourly, by a worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select

from engine.logs import say
from engine.outbox import forget_old
from engine.people.tables import SignIn
from engine.process.desk.drafts import sweep_drafts
from engine.process.desk.standing_in import release_left
from engine.process.outside.once import forget_answers
from engine.process.searching import fill_in_search
from engine.process.subscriptions import fill_in
from engine.process.tables import Attachment, Heartbeat
from engine.store.store import WORKER, Store, command

log = logging.getLogger("worker")

#: An uploaded file whose row was never written is an upload that failed; younger ones may still be under way.
ORPHAN_AGE = timedelta(days=1)
#: A heartbeat that is older was left by a worker that was killed.
DEAD_AGE = timedelta(days=1)


def tidy(store: Store, uploads: Path, stopping: Callable[[], bool]) -> int:
    """Tidies up, each part in transactions of its own, until all is done or `stopping`; returns how many rows and files were removed.

    What people had in hand who left their post goes back to it.
    """
    removed = _remove_rows(store)
    if read := fill_in(store):
        say(log, "cases read for what they wait for", cases=read)
    if released := release_left(store):
        say(log, "tasks of who left given back", count=released)
    if filled := _all_of(lambda: fill_in_search(store), stopping):
        say(log, "search texts written", rows=filled)
    return removed + forget_answers(store) + _all_of(lambda: forget_old(store), stopping) + _remove_orphans(store, uploads, stopping)


def _all_of(batch: Callable[[], int], stopping: Callable[[], bool]) -> int:
    """Batch by batch until one finds nothing, or we are to stop; returns how many in all."""
    done = 0
    while not stopping() and (now := batch()):
        done += now
    return done


@command
def _remove_rows(store: Store) -> int:
    """Expired sign-ins, heartbeats of workers that were killed, drafts of tasks that are over."""
    with store.work(None, WORKER) as work:
        expired = work.session.execute(delete(SignIn).where(SignIn.expires_at <= work.now).returning(SignIn.token_hash)).all()
        dead = work.session.execute(delete(Heartbeat).where(Heartbeat.beat_at < work.now - DEAD_AGE).returning(Heartbeat.worker)).all()
        return len(expired) + len(dead) + sweep_drafts(work)


def _remove_orphans(store: Store, uploads: Path, stopping: Callable[[], bool]) -> int:
    """Files of uploads that failed, folder by folder."""
    old = (store.clock.now() - ORPHAN_AGE).timestamp()
    removed = 0
    for folder in sorted(uploads.glob("??")):
        files = {file.name: file for file in _files(folder) if file.stat().st_mtime < old}
        if not files or stopping():
            continue
        with store.read() as session:
            kept = set(session.scalars(select(Attachment.stored).where(Attachment.stored.in_(files))))
        for name in files.keys() - kept:
            files[name].unlink(missing_ok=True)
            removed += 1
    return removed


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if file.is_file())
