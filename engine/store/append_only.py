"""Tables that only ever grow: the triggers by which the database itself refuses UPDATE, DELETE and TRUNCATE on them.

One door is open since removals 销毁 exist: an entry that has its tombstone, with the same place and the same hashes, may be
deleted. Whether somebody approved of it the database cannot know; `engine.history_seal.verify` does.

On the store floor because migrations run them; what the tables mean is `engine.history`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

_FIRST = ("history", "history_seal", "history_seal_item")
#: Tables that only ever grow, but for entries that have a tombstone.
APPEND_ONLY = (*_FIRST, "history_removed")

#: SQLite deletes a conflicting row for INSERT OR REPLACE without asking a DELETE trigger; so each key is asked for first.
_TAKEN = {
    "history": "id = NEW.id OR (stream = NEW.stream AND seq = NEW.seq)",
    "history_seal": "id = NEW.id",
    "history_seal_item": "history_id = NEW.history_id",
    "history_removed": "history_id = NEW.history_id OR (stream = NEW.stream AND seq = NEW.seq)",
}
#: Which tombstone lets a row be deleted.
_TOMBSTONE = {
    "history": "r.history_id = OLD.id AND r.stream = OLD.stream AND r.seq = OLD.seq AND r.prev_hash = OLD.prev_hash AND r.hash = OLD.hash",
    "history_seal_item": "r.history_id = OLD.history_id AND r.seal_id = OLD.seal_id",
}


def _sqlite(table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    made = [f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}" for verb in ("UPDATE", "DELETE")]
    made.append(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {_TAKEN[table]}) {refuse}"
    )
    return made


def _postgresql(table: str, verbs: str = "UPDATE OR DELETE OR TRUNCATE") -> str:
    return (
        f"CREATE TRIGGER {table}_no_change BEFORE {verbs} ON {table} FOR EACH STATEMENT EXECUTE PROCEDURE history_is_append_only()"
    )


_FUNCTION = (
    "CREATE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
)

#: Dialect name → the statements by which the database refuses UPDATE, DELETE and TRUNCATE; the first migration runs them.
TRIGGERS: Mapping[str, list[str]] = {
    "sqlite": [statement for table in _FIRST for statement in _sqlite(table)],
    "postgresql": [_FUNCTION, *(_postgresql(table) for table in _FIRST)],
}


def _sqlite_door(table: str) -> list[str]:
    return [
        f"DROP TRIGGER {table}_no_delete",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        f"WHEN NOT EXISTS (SELECT 1 FROM history_removed r WHERE {_TOMBSTONE[table]}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
    ]


def _postgresql_door(table: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_has_tombstone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF EXISTS (SELECT 1 FROM history_removed r WHERE {_TOMBSTONE[table]}) THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$",
        f"DROP TRIGGER {table}_no_change ON {table}",
        _postgresql(table, "UPDATE OR TRUNCATE"),
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE PROCEDURE {table}_has_tombstone()",
    ]


#: The same for the migration that brings tombstones: they only grow, and what has one may be deleted.
REMOVAL_TRIGGERS: Mapping[str, list[str]] = {
    "sqlite": [*_sqlite("history_removed"), *(statement for table in _TOMBSTONE for statement in _sqlite_door(table))],
    "postgresql": [_postgresql("history_removed"), *(statement for table in _TOMBSTONE for statement in _postgresql_door(table))],
}
