"""What is measured on: a fresh database of each kind that keeps its promises (synced to disk), with the demo town in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from engine.demo.town import load_town
from engine.people.accounts import create_account
from engine.people.actor import Actor, load_actor
from engine.people.units import unit_id_of
from engine.process.definitions import deploy_in, deploy_rule_set, in_force
from engine.process.editions import load_shipped_notices
from engine.process.forms import prefill
from engine.process.instances import start_form, start_instance
from engine.process.operations import SUBJECTS
from engine.process.package import read_package
from engine.sharing import registry
from engine.store.clock import Clock, shanghai
from engine.store.migrate import upgrade
from engine.store.settings import ROOT
from engine.store.store import Store
from tests.database import Cluster, sqlite_url
from tests.town import APPLICATION, HOUSING

assert registry  # imported so that the diagrams' operations are known

REVIEW = "bench_review"
SHARE = "conditional_share"
KINDS = ("sqlite", "postgresql")
#: Strong enough for the sign-in, and of no use to anybody.
PASSWORD = "Stopwatch-2026-only"
#: A person with several posts in two units.
POSTS = (("007", "handler"), ("007", "head"), ("007", "intake"), ("007", "cataloguer"), ("024", "handler"), ("024", "supervisor"))


@dataclass(frozen=True, slots=True)
class Ground:
    """A database with the town, and somebody who works there. `kind` is its name in the tables."""

    kind: str
    url: str
    store: Store
    folder: Path
    actor: Actor
    """Holds all of POSTS; signs in as `bench` with PASSWORD."""
    application: dict[str, Any]
    """Valid answers for a start of SHARE about HOUSING."""

    def start_review(self) -> int:
        """A case of the benchmarks' own diagram, waiting at its first task."""
        return start_instance(self.store, REVIEW, actor=self.actor, answers={})

    def start_share(self) -> int:
        """A case of the product's main process, waiting for its head to sign."""
        return start_instance(
            self.store, SHARE, actor=self.actor, answers=self.application, variables={"resource_code": HOUSING}
        )


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of a kind, on a server of our own that is gone afterwards."""
    if kind == "sqlite":
        yield sqlite_url(folder / "bench.db")
        return
    with Cluster(durable=True) as cluster:
        yield cluster.url(cluster.create())


@contextmanager
def ground(kind: str, url: str, folder: Path, clock: Clock | None = None) -> Iterator[Ground]:
    """Founds the town in an empty database."""
    upgrade(url)
    store = Store(url, clock)
    try:
        load_town(store, password=None)
        with store.work() as work:
            load_shipped_notices(work)
            rules = deploy_rule_set(work, ROOT / "bpmn" / "liaoyang_2018", shanghai("2018-11-26"))
            package = read_package(ROOT / "benchmarks" / "review", "liaoyang_2018")
            assert rules
            deploy_in(work, package, by="bench", approved_by="bench", reason="benchmark", effective_at=shanghai("2018-11-26"))
        yield Ground(kind, url, store, folder, _person(store), _application(store))
    finally:
        store.close()


def _person(store: Store) -> Actor:
    with store.read() as session:
        units = {code: unit_id_of(session, code) for code, _ in POSTS}
    account = create_account(
        store, "bench", "Bench", units["007"], actor=None, password=PASSWORD,
        appointments=[(units[code], post) for code, post in POSTS],
    )  # fmt: skip
    with store.read() as session:
        actor = load_actor(session, account)
    assert actor is not None
    return actor


def _application(store: Store) -> dict[str, Any]:
    with store.read() as session:
        form = start_form(in_force(session, SHARE, store.clock.now())) or {}
        subject = SUBJECTS["resource"](session, {"resource_code": HOUSING})
    offered = {"requested_fields": subject.variables["resource"]["items"], **prefill(form, subject.variables)}
    return {**offered, **APPLICATION, "valid_until": "2099-12-31"}


class Statements:
    """Counts what goes to the database while it is open: statements (a commit among them), and rows of an executemany as one."""

    def __init__(self, store: Store) -> None:
        self._engines = {store.engine, store.reading}
        self.count = self.commits = 0

    def __enter__(self) -> Statements:
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._executed)
            event.listen(engine, "commit", self._committed)
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self._engines:
            event.remove(engine, "before_cursor_execute", self._executed)
            event.remove(engine, "commit", self._committed)

    def _executed(self, _connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        # SQLite is told BEGIN by us and PostgreSQL by its driver, together with the first statement.
        if not statement.startswith("BEGIN"):
            self.count += 1

    def _committed(self, _connection: Connection) -> None:
        self.count += 1
        self.commits += 1


def analyze(ground: Ground) -> None:
    """Tells the planner what the tables hold, as autovacuum does in the life of a database."""
    with ground.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
