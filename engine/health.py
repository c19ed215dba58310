"""Is this installation fit to serve? What `/readyz`, operators and load balancers ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from engine.process.tables import Heartbeat
from engine.store.migrate import is_current
from engine.store.store import Store

#: A worker beats every few seconds; one that was silent for so long is gone, or so busy that somebody should look.
FRESH = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Health:
    """What was found, in the order in which it was looked for; the later ones are False where an earlier one is."""

    database: bool
    """The database answers."""
    schema: bool
    """It has exactly this version's tables."""
    worker: bool
    """A worker has beaten lately: what is due will fire."""
    beat_at: datetime | None = None
    """The newest beat of any worker."""

    @property
    def ready(self) -> bool:
        return self.database and self.schema and self.worker

    def as_json(self) -> dict[str, object]:
        return {
            "ready": self.ready, "database": self.database, "schema": self.schema, "worker": self.worker,
            "beat_at": self.beat_at.isoformat() if self.beat_at else None,
        }


def look(store: Store) -> Health:
    """The state of an installation. Raises nothing: what cannot be asked is not well."""
    try:
        if not _schema_is_current(store):
            return Health(database=True, schema=False, worker=False)
        with store.read() as session:
            beat_at = session.scalar(select(func.max(Heartbeat.beat_at)))
    except SQLAlchemyError:
        return Health(database=False, schema=False, worker=False)
    fresh = beat_at is not None and store.clock.now() - beat_at < FRESH
    return Health(database=True, schema=True, worker=fresh, beat_at=beat_at)


def _schema_is_current(store: Store) -> bool:
    """Whether the schema is this version's; once it is, it stays so for the life of the process."""
    if not store.cache.get("schema_is_current"):
        store.cache["schema_is_current"] = is_current(store.engine)
    return bool(store.cache["schema_is_current"])
