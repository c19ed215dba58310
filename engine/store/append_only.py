"""Tables that only ever grow: the triggers by which the database itself refuses UPDATE, DELETE and TRUNCATE on them.

On the store floor because the first migration runs them; what the tables mean is `engine.history`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Tables that only ever grow.
APPEND_ONLY = ("history", "history_seal", "history_seal_item")

#: SQLite deletes a conflicting row for INSERT OR REPLACE without asking a DELETE trigger; so each key is asked for first.
_TAKEN = {
    "history": "id = NEW.id OR (stream = NEW.stream AND seq = NEW.seq)",
    "history_seal": "id = NEW.id",
    "history_seal_item": "history_id = NEW.history_id",
}


def _sqlite_triggers() -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END"
    made: list[str] = []
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            made.append(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse.format(table)}")
        made.append(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {_TAKEN[table]}) {refuse.format(table)}"
        )
    return made


def _postgresql_triggers() -> list[str]:
    function = (
        "CREATE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )
    return [function] + [
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE PROCEDURE history_is_append_only()"
        for table in APPEND_ONLY
    ]


#: Dialect name → the statements by which the database refuses UPDATE, DELETE and TRUNCATE; the first migration runs them.
TRIGGERS: Mapping[str, list[str]] = {"sqlite": _sqlite_triggers(), "postgresql": _postgresql_triggers()}
