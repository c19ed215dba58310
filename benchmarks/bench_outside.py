"""Other programs: a page of the interface beside its own query, a worker outside beside a person, webhooks, and what waiting costs.

Two processes of one step are compared, which a person does or a worker outside. A hundred thousand cases are copied in bulk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any

import orjson
from sqlalchemy import func, select

from benchmarks.browser import served
from benchmarks.ground import PASSWORD, Ground, Statements, analyze
from benchmarks.measure import WARM_UP, Act, in_turns
from benchmarks.report import Table, ms
from benchmarks.timers import copy_case
from engine.people.accounts import create_account
from engine.people.actor import Actor, load_actor
from engine.people.tokens import create_token
from engine.people.units import unit_id_of
from engine.process.definitions import deploy_in
from engine.process.instances import start_instance
from engine.process.outside import cases, todo
from engine.process.outside.fetching import Asked, Fetched, fetch_and_lock
from engine.process.outside.finishing import complete_external
from engine.process.outside.listing import Cut
from engine.process.outside.webhooks import add_webhook
from engine.process.package import Package
from engine.process.tables import ExternalTask, Task
from engine.process.tasks import complete_task
from engine.store.clock import shanghai
from engine.store.settings import Settings
from engine.store.store import Store
from engine.worker import Worker
from tests.engine.interpreter.diagrams import diagram, element

PERSON, OUTSIDE, TOPIC = "bench_person", "bench_outside", "bench"
LOCK = timedelta(minutes=5)
#: How long a client of the original rests between two questions, in seconds.
REST = 0.3
#: More than the ordinary rate of requests a minute: here one token asks for many.
_RATE = {"SHARING_BPM_API_RATE": "1000000"}


def run(ground: Ground, rounds: int, size: int, waiting: int = 50) -> list[Table]:
    """Figures of one database, with `size` open cases, and `waiting` workers outside that find nothing to do."""
    _deploy(ground)
    robot = _somebody(ground, "platform_operator")
    acts = _acts(ground, robot, rounds)
    together = _together(ground, robot, rounds)
    idle = _idle(ground, robot)
    copy_case(ground, start_instance(ground.store, PERSON, actor=ground.actor, answers={}), size)
    analyze(ground)
    with served(ground.url, ground.folder, **_RATE) as (person, bare):
        person_token = _token(ground, ground.actor, "read")
        with _program(person.port, person_token) as asks:
            pages = _pages(ground, rounds, size, asks, lambda: bare.get("/"))
        person.reconnect()  # the server ends connections that were idle for half a minute
        bare.reconnect()
        compared = {"bare": lambda: bare.get("/"), "page": lambda: person.get("/inbox/mine")}
        crowd = _crowd(ground, rounds, waiting, person.port, _token(ground, robot, "external"), compared)
    return [pages, acts, together, idle, crowd]


def _deploy(ground: Ground) -> None:
    steps = {PERSON: ("user:do", element("do", name="核对", unit="'007'", post="handler")),
             OUTSIDE: ("service:do", element("do", name="开通", topic=TOPIC))}  # fmt: skip
    with ground.store.work() as work:
        for key, (step, drawn) in steps.items():
            package = Package("liaoyang_2018", diagram(f"start > {step} > end", drawn, key=key, startPosts="handler"), {})
            deploy_in(work, package, by="bench", approved_by="bench", reason="benchmark", effective_at=shanghai("2018-11-26"))


def _somebody(ground: Ground, post: str) -> Actor:
    with ground.store.read() as session:
        unit = unit_id_of(session, "024")
    account = create_account(ground.store, f"bench_{post}", "Bench", unit, actor=None, password=PASSWORD, appointments=[(unit, post)])
    with ground.store.read() as session:
        actor = load_actor(session, account)
    assert actor is not None
    return actor


def _token(ground: Ground, actor: Actor, scope: str) -> str:
    end = ground.store.clock.now() + timedelta(days=1)
    return create_token(ground.store, account_id=actor.account_id, name="bench", scopes=[scope], expires_at=end, actor=actor)


@contextmanager
def _program(port: int, token: str) -> Iterator[Callable[..., Any]]:
    """A program with its connection: asks for a path, by POST where it sends something, and reads the answer."""
    connection = HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(path: str, sent: Any = None) -> Any:
        connection.request("GET" if sent is None else "POST", f"/engine-rest{path}", None if sent is None else orjson.dumps(sent), headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path}: {answer.status} {body[:500]!r}"
        return orjson.loads(body)

    try:
        yield ask
    finally:
        connection.close()


def _pages(ground: Ground, rounds: int, size: int, asks: Callable[..., Any], bare: Act) -> Table:
    """First pages over HTTP beside the queries behind them."""
    table = Table(
        f"Pages of the interface, {ground.kind}", ("", "p50 ms", "p95 ms", "× its query"),
        f"50 of {size:,} open cases, by token; the queries run in this process.",
    )  # fmt: skip

    def query(listed: Callable[..., object], filters: dict[str, Any]) -> Act:
        def act() -> None:
            with ground.store.read() as session:
                listed(session, ground.actor, filters, Cut(most=50))

        return act

    lists: dict[str, tuple[str, Callable[..., object], dict[str, Any]]] = {
        "tasks": ("/task?maxResults=50", todo.open_tasks, {}),
        "tasks of a group": ("/task?maxResults=50&candidateGroup=007/handler", todo.open_tasks, {"candidateGroup": "007/handler"}),
        "cases": ("/process-instance?maxResults=50", cases.open_cases, {}),
        "cases of the record": ("/history/process-instance?maxResults=50", cases.past_cases, {}),
    }
    acts: dict[str, Act] = {"bare Flask request": bare}
    for name, (path, listed, filters) in lists.items():
        acts |= {f"{name}: query": query(listed, filters), f"{name}: over HTTP": lambda path=path: asks(path)}  # type: ignore[misc]
    found = in_turns(rounds, acts)
    for name, times in found.items():
        own = found.get(name.replace(": over HTTP", ": query"))
        table.add(name, ms(times.p50), ms(times.p95), f"{times.p50 / own.p50:.1f}" if own is not None and own is not times else "")
    return table


def _acts(ground: Ground, robot: Actor, rounds: int) -> Table:
    """A worker outside beside a person, and a completion that a webhook hears of."""
    table = Table(
        f"A step by a person and by a worker outside, {ground.kind}", ("", "p50 ms", "p95 ms", "× by a person", "statements"),
        "By command, everything committed; a case of one step, which ends with it.",
    )  # fmt: skip
    heard = Store(ground.url, ground.store.clock, channels=frozenset({"webhook"}))
    add_webhook(heard, actor=_somebody(ground, "system_admin"), name="bench", url="https://receiver.example/hook")
    turns = rounds + WARM_UP + 1
    tasks, others = _tasks(ground, turns), _tasks(ground, turns)
    _start(ground, OUTSIDE, turns)
    acts: dict[str, tuple[Store, Act]] = {
        "a person completes": (ground.store, lambda: _complete(ground.store, ground, tasks)),
        "a worker fetches one and completes it": (ground.store, lambda: _work(ground.store, robot, "one")),
        "a person completes, a webhook is told": (heard, lambda: _complete(heard, ground, others)),
    }
    counts = {}
    for name, (store, act) in acts.items():
        with Statements(store) as statements:
            act()
        counts[name] = statements.count
    found = in_turns(rounds, {name: act for name, (_, act) in acts.items()})
    first = next(iter(found.values()))
    for name, times in found.items():
        table.add(name, ms(times.p50), ms(times.p95), f"{times.p50 / first.p50:.2f}", counts[name])
    heard.close()
    return table


def _together(ground: Ground, robot: Actor, rounds: int) -> Table:
    """Several workers at once: how much they get done, and that none is given what another has."""
    table = Table(
        f"Workers outside at once, {ground.kind}", ("workers", "tasks", "a second", "× one worker", "given twice"),
        "Each fetches one task at a time and completes it.",
    )  # fmt: skip
    alone = 0.0
    for workers in (1, 4):
        _start(ground, OUTSIDE, rounds)
        done: list[int] = []
        threads = [threading.Thread(target=_work_off, args=(ground.store, robot, f"w{number}", done)) for number in range(workers)]
        before = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        speed = len(done) / (time.perf_counter() - before)
        alone = alone or speed
        with ground.store.read() as session:
            left = session.scalar(select(func.count()).select_from(ExternalTask).where(ExternalTask.state == "waiting"))
        assert left == 0, f"{left} tasks were left"
        table.add(workers, len(done), f"{speed:,.0f}", f"{speed / alone:.2f}", len(done) - len(set(done)))
    return table


def _idle(ground: Ground, robot: Actor) -> Table:
    """What waiting asks of the database: counted over one turn of each job, and told for a minute."""
    table = Table(f"A minute in which nothing happens, {ground.kind}", ("", "statements", "transactions that may write"), "Counted, not measured.")
    store = Store(ground.url, ground.store.clock, channels=frozenset({"webhook"}))
    worker = Worker(store, Settings(home=ground.folder / "idle", database_url=ground.url, secret_key="", base_url=""))
    # Nothing is to be sent: the letters of the webhook would leave this machine.
    worker.channels = {"webhook": lambda letter: None}
    worker.once()
    asked, wrote = 0.0, 0.0
    for _, seconds, job in worker.jobs():
        job()
        with Statements(store) as statements:
            job()
        asked += statements.count * 60 / seconds
        wrote += statements.commits * 60 / seconds
    table.add("our worker", f"{asked:,.0f}", f"{wrote:.0f}")
    with Statements(store) as statements:
        assert not _fetch(store, robot, "idle")
    table.add("a worker outside that waits", f"{statements.count * 120}", f"{statements.commits * 120}")
    store.close()
    return table


def _crowd(ground: Ground, rounds: int, waiting: int, port: int, token: str, acts: dict[str, Act]) -> Table:
    """A page alone, and while many workers outside wait for work as the original's clients do."""
    table = Table(
        f"A page while {waiting} workers outside wait, {ground.kind}", ("", "p50 ms", "p95 ms", "× a bare request"),
        "Each asks to be kept waiting, and again 0.3 s after an empty answer.",
    )  # fmt: skip
    alone = in_turns(rounds, acts)
    stopped = threading.Event()
    sent = {"workerId": "crowd", "maxTasks": 1, "asyncResponseTimeout": 10_000, "topics": [{"topicName": "nothing", "lockDuration": 1000}]}

    def wait() -> None:
        with _program(port, token) as asks:
            while not stopped.is_set():
                assert asks("/external-task/fetchAndLock", sent) == []
                stopped.wait(REST)

    threads = [threading.Thread(target=wait, daemon=True) for _ in range(waiting)]
    for thread in threads:
        thread.start()
    among = in_turns(rounds, acts)
    stopped.set()
    for thread in threads:
        thread.join(20)
    for name, times in (("a page of the inbox, alone", alone), (f"the same, {waiting} wait", among)):
        page, bare = times["page"], times["bare"]
        table.add(name, ms(page.p50), ms(page.p95), f"{page.p50 / bare.p50:.1f}")
    return table


# -- acts -------------------------------------------------------------------------------------------------------


def _start(ground: Ground, key: str, count: int) -> list[int]:
    return [start_instance(ground.store, key, actor=ground.actor, answers={}) for _ in range(count)]


def _tasks(ground: Ground, count: int) -> deque[int]:
    started = _start(ground, PERSON, count)
    with ground.store.read() as session:
        return deque(session.scalars(select(Task.id).where(Task.instance_id.in_(started)).order_by(Task.id)))


def _complete(store: Store, ground: Ground, tasks: deque[int]) -> None:
    complete_task(store, tasks.popleft(), actor=ground.actor, answers={})


def _fetch(store: Store, robot: Actor, worker: str) -> Sequence[Fetched]:
    return fetch_and_lock(store, actor=robot, worker=worker, most=1, topics=[Asked(TOPIC, LOCK)])


def _work(store: Store, robot: Actor, worker: str) -> int | None:
    """Does one task; returns its id, None where there is none."""
    found = _fetch(store, robot, worker)
    for task in found:
        complete_external(store, task.id, actor=robot, worker=worker, given={})
    return found[0].id if found else None


def _work_off(store: Store, robot: Actor, worker: str, done: list[int]) -> None:
    while (task := _work(store, robot, worker)) is not None:
        done.append(task)
