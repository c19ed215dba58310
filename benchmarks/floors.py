"""The floors: what a completion cannot be cheaper than. One durable transaction, and a request that does next to nothing.

(The third floor, the interpreter alone in memory, is in `floor_interpreter.py`.)
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.floor_interpreter import StockStateOnly
from benchmarks.measure import Act

_TABLES = (
    "CREATE TABLE floor_case (id INTEGER PRIMARY KEY, state TEXT, revision INTEGER)",
    "CREATE TABLE floor_task (id INTEGER PRIMARY KEY, case_id INTEGER, body TEXT)",
    "CREATE TABLE floor_history (id INTEGER PRIMARY KEY, case_id INTEGER, body TEXT)",
)
CASES = 200
#: As much as our state and our rows hold.
_STATE, _BODY = "s" * 400, "b" * 600


def open_raw(url: str) -> Any:
    """A connection of the bare driver, with the durability that the product has. Both drivers know `execute` and `commit`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        connection = sqlite3.connect(Path(str(parsed.database)), isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection
    return psycopg.connect(host=str(parsed.query["host"]), dbname=parsed.database, user=parsed.username, autocommit=True)


@contextmanager
def durable_transaction(url: str) -> Iterator[Act]:
    """An act that updates one row, inserts two and commits, by the bare driver."""
    connection = open_raw(url)
    for table in _TABLES:
        connection.execute(table)
    mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    update = f"UPDATE floor_case SET state = {mark}, revision = revision + 1 WHERE id = {mark}"
    inserts = [f"INSERT INTO {table} (id, case_id, body) VALUES ({mark}, {mark}, {mark})" for table in ("floor_task", "floor_history")]
    for number in range(CASES):
        connection.execute(f"INSERT INTO floor_case VALUES ({mark}, {mark}, 0)", (number, _STATE))
    numbers = itertools.count(1)

    def act() -> None:
        number = next(numbers)
        connection.execute("BEGIN")
        connection.execute(update, (_STATE, number % CASES))
        for insert in inserts:
            connection.execute(insert, (number, number % CASES, _BODY))
        connection.execute("COMMIT")

    try:
        yield act
    finally:
        connection.close()


def interpreter_acts() -> tuple[Act, Act]:
    """Stock SpiffWorkflow in memory, the diagram kept between cases: a start, saved; and load, complete, save."""
    stock = StockStateOnly()
    state = stock.start()
    return stock.start, lambda: stock.complete(state, "review", "yes")
