"""History entries of an instance outside the road: acts that move no token, such as claiming."""

from __future__ import annotations

from sqlalchemy.orm.exc import StaleDataError

from engine.history import Entry, Head, chain, insert_rows
from engine.process import events
from engine.process.tables import Instance
from engine.store.errors import Stale
from engine.store.store import Work


def append_entry(work: Work, instance: Instance, entry: Entry) -> None:
    """Appends one entry to the locked instance's chain, flushes, and tells who listens; raises Stale if its revision moved."""
    head = Head(instance.history_seq, instance.history_hash)
    rows, head = chain(head, f"instance:{instance.id}", [entry], work, instance_id=instance.id)
    instance.history_seq, instance.history_hash = head.seq, head.hash
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale from error
    insert_rows(work.session, rows)
    events.of_entry(work, instance, rows[0])
