"""The worker within one process: what a round does, what it removes, and that no failing job stops the others."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from sqlalchemy import event, select, text

from engine.health import FRESH, look
from engine.history import History, HistorySealItem
from engine.housekeeping import ORPHAN_AGE
from engine.logs import JsonLines
from engine.outbox import OutboxLetter, post
from engine.people.absences import enter_absence
from engine.people.accounts import deactivate
from engine.people.tables import SignIn
from engine.process.attachments import upload
from engine.process.tables import Attachment, Heartbeat
from engine.store.clock import MovableClock
from engine.store.settings import ROOT, Mail, Settings
from engine.store.store import Store
from engine.worker import Worker
from tests.engine.interpreter.diagrams import element, timer
from tests.engine.process.office import Office


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url="", secret_key="", base_url="")


@pytest.fixture
def office(sqlite_store: Store, clock: MovableClock) -> Office:
    return Office(sqlite_store, clock)


def deploy_with_timer(office: Office) -> None:
    office.deploy(
        "start > user:ask > end", "late > user:remind > end:reminded", timer("ask", "late", duration="PT1H"),
        element("ask", unit="'A'", post="handler"), element("remind", unit="'A'", post="head"),
    )


def test_one_round_does_all_that_is_due_and_the_next_finds_nothing(office: Office, settings: Settings) -> None:
    deploy_with_timer(office)
    office.start()
    office.clock.to("2026-02-10 10:00")
    worker = Worker(office.store, settings)
    swept = worker.once()
    assert swept.fired == 1
    assert office.open_steps() == ["ask", "remind"]
    with office.store.read() as session:
        entries = session.scalars(select(History.id)).all()
        assert set(session.scalars(select(HistorySealItem.history_id))) == set(entries)
    assert swept.sealed == len(entries)
    again = worker.once()
    assert (again.fired, again.delivered, again.sealed, again.removed) == (0, 0, 0, 0)


class _Inbox(Message):
    """Keeps the mails that arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] = []

    def handle_message(self, message: object) -> None:
        self.subjects.append(str(message["Subject"]))  # type: ignore[index]


def test_letters_leave_by_mail_when_a_mail_server_is_set(office: Office, settings: Settings, tmp_path: Path) -> None:
    with office.store.work() as work:
        post(work, "mail", "anna@example.org", {"subject": "Reminder", "text": "…"}, "notice:1")
    assert Worker(office.store, settings).once().delivered == 0
    with office.store.read() as session:
        assert session.scalars(select(OutboxLetter.attempts)).all() == [0]  # nobody tried: it waits
    inbox = _Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with_mail = Settings(tmp_path, "", "", "", mail=Mail("127.0.0.1", port, "office@example.org"))
        assert Worker(office.store, with_mail).once().delivered == 1
    finally:
        server.stop()
    assert inbox.subjects == ["Reminder"]


def test_expired_sign_ins_and_dead_heartbeats_are_removed_and_live_ones_kept(office: Office, settings: Settings) -> None:
    now = office.clock.now()
    with office.store.work() as work:
        for name, hours in (("old", 0), ("new", 1)):
            work.session.add(SignIn(
                token_hash=name, account_id=office["anna"].account_id, created_at=now, seen_at=now,
                expires_at=now + timedelta(hours=hours), address="",
            ))
        work.session.add_all([
            Heartbeat(worker="dead", beat_at=now - timedelta(days=2)), Heartbeat(worker="alive", beat_at=now)
        ])
    assert Worker(office.store, settings).once().removed == 2
    with office.store.read() as session:
        assert session.scalars(select(SignIn.token_hash)).all() == ["new"]
        assert session.scalars(select(Heartbeat.worker)).all() == ["alive"]


def test_files_of_failed_uploads_are_removed_after_a_day_and_no_others(office: Office, settings: Settings, tmp_path: Path) -> None:
    given = tmp_path / "letter.txt"
    given.write_text("依据")
    with given.open("rb") as stream:
        upload(office.store, settings, actor=office["anna"], name="letter.txt", stream=stream)
    with office.store.read() as session:
        kept = session.scalars(select(Attachment.stored)).one()
    folder = settings.uploads / kept[:2]
    now = office.clock.now()
    ages = {kept: ORPHAN_AGE * 30, "failed": ORPHAN_AGE + timedelta(minutes=1), "under-way": ORPHAN_AGE - timedelta(minutes=1)}
    for name, age in ages.items():
        (folder / name).touch()
        os.utime(folder / name, times=((now - age).timestamp(),) * 2)
    assert Worker(office.store, settings).once().removed == 1
    assert {file.name for file in folder.iterdir()} == {kept, "under-way"}


def running(worker: Worker) -> threading.Thread:
    thread = threading.Thread(target=worker.run)
    thread.start()
    return thread


def until(holds: Callable[[], bool], what: str) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError(f"never: {what}")


def test_it_fires_within_seconds_of_the_moment_and_stops_when_told(office: Office, settings: Settings) -> None:
    deploy_with_timer(office)
    office.start()
    worker = Worker(office.store, settings)
    thread = running(worker)
    until(lambda: look(office.store).ready, "it beats")
    assert office.open_steps() == ["ask"]
    office.clock.to("2026-02-10 10:00")
    until(lambda: office.open_steps() == ["ask", "remind"], "it fires")
    worker.stop()
    thread.join(30)
    assert not thread.is_alive()
    with office.store.read() as session:
        assert session.scalars(select(Heartbeat.worker)).all() == []


def test_a_job_that_fails_is_told_once_and_stops_nothing(
    office: Office, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The history's table is away: sealing fails at each beat, firing goes on."""
    deploy_with_timer(office)
    with office.store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE history_seal RENAME TO elsewhere"))
    worker = Worker(office.store, settings)
    caplog.set_level(logging.INFO, logger="worker")
    for _ in range(3):
        worker._guarded("seal", worker.seal)
    office.start()
    office.clock.to("2026-02-10 10:00")
    worker._guarded("fire", worker.fire)
    assert office.open_steps() == ["ask", "remind"]
    with office.store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO history_seal"))
    worker._guarded("seal", worker.seal)
    told = [record.getMessage() for record in caplog.records]
    assert told == ["job failed", "timers fired", "job works again"]


def test_a_log_line_is_one_line_of_json_with_its_facts() -> None:
    record = logging.LogRecord("worker", logging.ERROR, __file__, 1, "job failed", None, None)
    record.facts = {"job": "seal", "error": "两行\n错误"}
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["event"], said["job"], said["error"]) == ("error", "job failed", "seal", "两行\n错误")


def test_a_worker_of_its_own_knows_whatever_the_shipped_diagrams_call() -> None:
    """Beside the web a worker is a fresh process: nobody else has imported the registers for it."""
    listing = "import engine.worker; from engine.process.operations import OPERATIONS; print(*OPERATIONS)"
    known = subprocess.run([sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    called = {
        name
        for file in (ROOT / "bpmn").glob("*/*/diagram.bpmn")
        for name in re.findall('name="operation" value="([^"]+)"', file.read_text(encoding="utf-8"))
    }
    assert called and called - set(known) == set()


def test_an_installation_is_ready_only_while_a_worker_beats(store: Store, clock: MovableClock, settings: Settings) -> None:
    assert (look(store).database, look(store).schema, look(store).worker) == (True, True, False)
    Worker(store, settings).beat()
    assert look(store).ready
    clock.to(clock.now() + FRESH)
    assert not look(store).ready


def test_an_empty_database_and_one_that_is_away_are_told_apart(empty_database_url: str, clock: MovableClock) -> None:
    empty = Store(empty_database_url, clock)
    assert (look(empty).database, look(empty).schema) == (True, False)
    empty.close()
    away = Store("postgresql+psycopg://nobody@127.0.0.1:1/nothing", clock)
    assert not look(away).database
    away.close()


def test_a_round_begins_leaves_and_gives_back_what_somebody_had_who_left(office: Office, settings: Settings) -> None:
    deploy_with_timer(office)
    office.start()
    office.start()
    office.claim("anna", "ask")
    starts = office.clock.now() + timedelta(hours=1)
    enter_absence(
        office.store, office["anna"].account_id, actor=office["anna"], starts_at=starts, ends_at=None, reason="病假", take_open=True,
        substitutes={(office.units["A"], "handler"): office["ben"].account_id},
    )  # fmt: skip
    office.clock.to("2026-02-10 10:00")
    worker = Worker(office.store, settings)
    worker.once()
    assert (office.task("ask").assignee_id, office.task("ask").for_id) == (office["ben"].account_id, office["anna"].account_id)
    deactivate(office.store, office["ben"].account_id, actor=None)
    worker.once()
    assert office.task("ask").assignee_id is None


def test_a_turn_that_finds_nothing_has_only_read(store: Store, clock: MovableClock, settings: Settings) -> None:
    """A transaction that may write makes all others wait on SQLite: nobody opens one to learn that there is nothing to do."""
    office = Office(store, clock)
    deploy_with_timer(office)
    office.start()
    worker = Worker(office.store, settings)
    assert "webhook" in worker.channels
    worker.once()
    opened: list[str] = []
    event.listen(office.store.engine, "begin", lambda connection: opened.append("w" if connection.get_execution_options().get("sharing_write") else "r"))
    for name, seconds, job in worker.jobs():
        if seconds < 3600 and name != "beat":
            opened.clear()
            job()
            assert "w" not in opened, f"{name} opened a transaction that may write"
    assert office.start() and worker.seal() > 0, "and what there is to do is found"
    with office.store.work() as work:
        post(work, "webhook", "1", {"subject": "", "text": ""}, "key")
    opened.clear()
    worker.deliver()
    assert "w" in opened
