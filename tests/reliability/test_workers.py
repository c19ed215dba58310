"""Workers as real processes: two at a time, killed, stopped, and after an outage. Each timer fires exactly once."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.health import look
from engine.history import History
from engine.history_seal import verify
from engine.process.tables import Heartbeat, Instance, Timer
from engine.store.clock import WallClock, shanghai
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element, timer
from tests.engine.process.office import Office
from tests.reliability import stalling
from tests.reliability.processes import Launcher, Process

#: The file that the diagram's operation is registered in; importing it is what makes the test's deployment possible.
STALLING = [sys.executable, "-m", stalling.__name__]


def fired(office: Office) -> int:
    with office.store.read() as session:
        return session.scalar(select(func.count()).select_from(Timer).where(Timer.state == "fired")) or 0


def require_each_fired_once(office: Office, cases: list[int]) -> None:
    """Three timers of each case, one supervision of each, in the rows and in the history; nothing half done."""
    with office.store.read() as session:
        states = Counter(session.scalars(select(Timer.state).where(Timer.instance_id.in_(cases))))
        entries = Counter(session.scalars(select(History.instance_id).where(History.act == "timer_fired")))
        watches = Counter(session.scalars(select(Instance.parent_id).where(Instance.process_key == "watch")))
    assert states == {"fired": 3 * len(cases)}
    assert entries == dict.fromkeys(cases, 3)
    assert watches == dict.fromkeys(cases, 1)
    assert office.incidents() == []
    assert verify(office.store).ok


def test_two_workers_on_one_database_fire_each_timer_once(office: Office, launcher: Launcher) -> None:
    cases = [office.start() for _ in range(25)]
    workers = [launcher.start("worker", "--once", "--json") for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0], [worker.said for worker in workers]
    counts = [json.loads(worker.said[worker.said.index("{\n"):])["fired"] for worker in workers]
    assert sum(counts) == 3 * len(cases)
    require_each_fired_once(office, cases)
    assert launcher.once()["fired"] == 0


def test_a_worker_killed_again_and_again_loses_nothing_and_repeats_nothing(office: Office, launcher: Launcher) -> None:
    cases = [office.start() for _ in range(60)]
    for _ in range(3):
        before = fired(office)
        worker = launcher.start("worker")
        worker.until(lambda: fired(office) >= before + 7, "it fires")
        worker.signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    assert 0 < fired(office) < 3 * len(cases), "killed in the middle of its work"
    launcher.once()
    require_each_fired_once(office, cases)


def stalled(office: Office, launcher: Launcher, folder: Path) -> Process:
    """A worker that stands still in the middle of the transaction in which a timer fires."""
    office.deploy(
        "start > user:ask > end", "late > service:stall > user:overdue > end:over", timer("ask", "late", duration="PT1H"),
        element("ask", unit="'A'", post="handler"), element("overdue", unit="'A'", post="head"),
        element("stall", operation="test.stall"), key="stalling",
    )
    office.start(key="stalling")
    files = {"STALL_REACHED": str(folder / "reached"), "STALL_GO": str(folder / "go")}
    worker = launcher.run_program([*STALLING, "worker"], **files)
    worker.until((folder / "reached").exists, "it reaches the operation")
    return worker


def test_a_worker_killed_inside_a_transaction_leaves_no_trace_of_it(office: Office, launcher: Launcher, tmp_path: Path) -> None:
    worker = stalled(office, launcher, tmp_path)
    worker.signal(signal.SIGKILL)
    worker.wait()
    assert [timer.state for timer in office.timers()] == ["waiting"]
    assert office.open_steps() == ["ask"]
    again = launcher.run_program([*STALLING, "worker", "--once"])
    assert again.wait() == 0, again.said
    assert [timer.state for timer in office.timers()] == ["fired"]
    assert office.open_steps() == ["ask", "overdue"]


def test_a_worker_that_is_told_to_stop_finishes_the_transaction_in_hand(office: Office, launcher: Launcher, tmp_path: Path) -> None:
    worker = stalled(office, launcher, tmp_path)
    worker.signal(signal.SIGTERM)
    worker.until(lambda: office.open_steps() == ["ask"], "the transaction is still open")
    (tmp_path / "go").touch()
    assert worker.wait() == 0, worker.said
    assert "worker stopped" in worker.said
    assert office.open_steps() == ["ask", "overdue"]
    with office.store.read() as session:
        assert session.scalars(select(Heartbeat.worker)).all() == []


def test_a_worker_with_much_to_do_stops_soon_and_another_does_the_rest(office: Office, launcher: Launcher) -> None:
    cases = [office.start() for _ in range(60)]
    worker = launcher.start("worker")
    worker.until(lambda: fired(office) > 0, "it fires")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.said
    launcher.once()
    require_each_fired_once(office, cases)


def test_after_an_outage_what_is_overdue_fires_once_as_of_when_it_was_due(office: Office, launcher: Launcher) -> None:
    """A case of 2024 whose deadline passed while nothing ran at all."""
    case = office.start()
    now = WallClock().now()
    worker = launcher.start("worker")
    worker.until(lambda: fired(office) == 3, "what is overdue fires")
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Heartbeat)) == 1
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.said
    require_each_fired_once(office, [case])
    [deadline] = office.timers(role="deadline")
    assert deadline.due_at == shanghai("2024-03-20")  # ten working days after 5 March end with the 19th
    assert deadline.fired_at is not None and timedelta() <= deadline.fired_at - now < timedelta(minutes=5)
    [watch] = office.instances("watch")
    assert watch.started_at == shanghai("2024-03-20")


def test_a_worker_says_that_it_lives_and_no_longer_when_it_has_stopped(office: Office, launcher: Launcher) -> None:
    today = Store(office.store.url.render_as_string(hide_password=False))
    assert not look(today).ready
    worker = launcher.start("worker")
    worker.until(lambda: look(today).ready, "a heartbeat")
    worker.signal(signal.SIGTERM)
    worker.wait()
    assert not look(today).ready
    today.close()
