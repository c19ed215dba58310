"""The unit of work: the one place that opens a transaction and commits it.

A command does `with store.work(actor) as work:`; nothing else commits. Reading goes through `store.read()`, which never
writes and never blocks a writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.store.clock import Clock, MovableClock, WallClock
from engine.store.errors import Stale
from engine.store.settings import Settings

if TYPE_CHECKING:
    from engine.people.actor import Actor


@dataclass(frozen=True, slots=True)
class Origin:
    """From where a command came: the client's address and the id of its request ("worker", "cli" for our own)."""

    address: str = ""
    request_id: str = ""


#: From where the worker's commands come.
WORKER = Origin("", "worker")


@dataclass(slots=True)
class Work:
    """One transaction of one command.

    `now` stands still for the whole transaction. `actor` is None when the system itself acts (a timer, the calendar).
    `notes` is scratch space for the floors above, keyed by module name; it dies with the transaction.
    """

    session: Session
    now: datetime
    actor: Actor | None
    origin: Origin
    notes: dict[str, Any] = field(default_factory=dict)


def store_of(settings: Settings, *, pool_size: int = 10) -> Store:
    """The store of an installation, on the wall clock."""
    return Store(settings.database_url, pool_size=pool_size, channels=channels_of(settings))


def channels_of(settings: Settings) -> frozenset[str]:
    """The channels of the outbox that an installation has configured, by their names in `engine/channels`."""
    robots = ("wecom", "dingtalk") if settings.robot_origins else ()
    configured = (("mail", settings.mail), ("sms", settings.sms))
    return frozenset({"webhook", *robots, *(name for name, given in configured if given is not None)})


class Store:
    """A database with its clock. Safe to share between threads; not between processes (each makes its own)."""

    #: Whether what a session of it does is undone, and seen by who may not see cases: real figures are kept from them.
    rehearsing = False

    def __init__(
        self, url: str, clock: Clock | None = None, *, pool_size: int = 10, channels: frozenset[str] = frozenset()
    ) -> None:
        #: The channels of the outbox that this installation delivers; letters for others are not written at all.
        self.channels = channels
        self.url = make_url(url)
        self.clock: Clock = clock or WallClock()
        self.engine = open_engine(self.url, pool_size)
        self.sqlite = self.engine.dialect.name == "sqlite"
        #: For queries only; on SQLite the same as `engine`.
        self.reading = self.engine if self.sqlite else _reading_engine(self.url, pool_size)
        #: What a process may remember about this database because it never changes (parsed definitions).
        self.cache: dict[Any, Any] = {}

    @contextmanager
    def work(self, actor: Actor | None = None, origin: Origin = Origin()) -> Iterator[Work]:
        """A writing transaction: committed when the block is left, rolled back when it raises.

        On SQLite the write lock is taken at once (BEGIN IMMEDIATE), so that a command that read before it wrote never
        fails half way because someone else wrote in between.
        """
        with self.engine.connect().execution_options(sharing_write=True) as connection:
            with Session(connection, expire_on_commit=False, autoflush=False, info={"store": self}) as session:
                work = Work(session, self.clock.now(), actor, origin)
                yield work
                session.commit()

    @contextmanager
    def rehearsal(self, at: datetime) -> Iterator[Work]:
        """A writing transaction that is undone whatever happens, on a clock of its own that begins at `at`.

        What is done in it sees the real rows and changes none: not the counters, not the history, not the outbox, and not
        what this process remembers. On SQLite nobody else can write meanwhile: keep it to the fraction of a second.
        """
        own = _Rehearsing(self, MovableClock(at))
        with self.engine.connect().execution_options(sharing_write=True) as connection:
            with Session(connection, expire_on_commit=False, autoflush=False, info={"store": own}) as session:
                try:
                    yield Work(session, at, None, Origin("", "rehearsal"))
                finally:
                    session.rollback()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries only: SQLite undoes whatever it changes, PostgreSQL refuses it."""
        with Session(self.reading, autoflush=False, info={"store": self}) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()
        self.reading.dispose()


class _Rehearsing(Store):
    """What a rehearsal's session knows as its store: another clock and a memory that dies with it, and no way to commit."""

    rehearsing = True

    def __init__(self, real: Store, clock: MovableClock) -> None:
        self.__dict__.update(real.__dict__)
        self.clock = clock
        self.cache = dict(real.cache)

    def work(self, actor: Actor | None = None, origin: Origin = Origin()) -> NoReturn:
        raise RuntimeError("a rehearsal opens no transaction of its own")

    def close(self) -> None:
        """The connections belong to the real store."""


P = ParamSpec("P")
R = TypeVar("R")

#: SQLSTATE of a deadlock and of a serialization failure on PostgreSQL: the transaction did nothing; it may be tried again.
_AGAIN = frozenset({"40P01", "40001"})


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a command: it opens one transaction, and is run again when the database chose it as a deadlock's victim.

    Two cases may wait for each other's rows (a parent and a child that end together); PostgreSQL then undoes one of
    the two, and running it again is right because nothing of it was kept. Gives up after three tries with Stale.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(3):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in _AGAIN:
                    raise
        raise Stale

    return run


def _reading_engine(url: URL, pool_size: int) -> Engine:
    """Connections to PostgreSQL that may only read, and ask each question in a transaction of its own.

    Every statement sees what is committed when it starts, as in any transaction of ours there; but nobody has to begin
    and roll back, which is half of the round trips of a page with one question.
    """
    return create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, isolation_level="AUTOCOMMIT",
        connect_args={"options": "-c default_transaction_read_only=on"},
    )


def open_engine(url: URL, pool_size: int = 10) -> Engine:
    """An engine with the settings that our promises need: WAL, foreign keys and a busy timeout on SQLite."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "cache_size=-65536"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        write = connection.get_execution_options().get("sharing_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
