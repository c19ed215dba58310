"""The worker: everything that happens without anybody doing anything.

APScheduler is only the metronome. What is due stands in the database (timers, letters, unsealed history), so any number
of workers may run, none remembers anything, and one that was killed is replaced by starting another.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError

from engine.channels.registry import open_channels
from engine.channels.robots import Robot
from engine.history_seal import seal
from engine.housekeeping import tidy
from engine.logs import say
from engine.outbox import deliver
from engine.process.desk.standing_in import settle
from engine.process.notifying.digests import send_digests
from engine.process.notifying.robots import robot_address
from engine.process.outside.webhooks import find_webhook
from engine.process.removing.running import remove_waiting
from engine.process.signals import deliver_signals
from engine.process.tables import Heartbeat
from engine.process.timekeeping.recounting import recount
from engine.process.timekeeping.reminding import remind_of_missing_notice
from engine.process.timers import fire_due
from engine.process.workshop.back_testing.commands import run_back_tests
from engine.process.workshop.migrating.running import move_waiting
from engine.sharing import registry
from engine.sharing.duties import open_due
from engine.sharing.expiry import expire
from engine.store.settings import Settings
from engine.store.store import WORKER, Store

log = logging.getLogger("worker")

#: Diagrams call operations by name: whoever moves a case must have imported what it may call.
REGISTERS = registry.__all__

#: Timers fired between two looks at whether the worker is to stop.
BATCH = 50
#: History entries sealed in one transaction.
SEAL_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Swept:
    """What one round did."""

    fired: int
    """Timers."""
    delivered: int
    """Letters of the outbox."""
    removed: int
    """Expired sign-ins, dead heartbeats, drafts of tasks that are over, old answers and deliveries, and files of failed uploads."""
    sealed: int
    """Entries of the history."""
    migrated: int = 0
    """Cases of migrations that moved to another version, or stayed for a reason."""
    replayed: int = 0
    """Past cases replayed for back-tests."""
    signalled: int = 0
    """Cases that heard a signal or were started by one."""


class Worker:
    """The metronome and its jobs. `run` returns after `stop`, when the transactions in hand are finished."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:100]
        self.channels = open_channels(settings, self._find_robot, store.clock, partial(find_webhook, store))
        self._stopping = threading.Event()
        self._troubles: dict[str, str] = {}

    def stop(self) -> None:
        """Asks the worker to end; may be called from any thread and from a signal handler."""
        self._stopping.set()

    def jobs(self) -> list[tuple[str, float, Callable[[], object]]]:
        """What is done every so many seconds. Most turns find nothing: then they have only read, all but the heartbeat."""
        return [
            ("recount", 5, self.recount),
            ("fire", 1, self.fire),
            ("signals", 1, self.deliver_signals),
            ("absences", 5, self.settle_absences),
            ("migrate", 2, self.migrate),
            ("back-tests", 2, self.run_back_tests),
            ("deliver", 2, self.deliver),
            ("beat", 5, self.beat),
            ("seal", 15, self.seal),
            ("remove", 5, self.remove),
            ("duties", 60, self.open_duties),
            ("digests", 30, self.send_digests),
            ("housekeeping", 3600, self.housekeeping),
        ]

    def run(self) -> None:
        """Beats until `stop`. Needs no turn of its own at the start: after an outage the first beat finds all that is overdue."""
        jobs = self.jobs()
        scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(len(jobs))})
        for name, seconds, job in jobs:
            scheduler.add_job(
                self._guarded, "interval", args=(name, job), id=name, seconds=seconds,
                max_instances=1, coalesce=True, misfire_grace_time=None,
            )
        self._guarded("beat", self.beat)
        scheduler.add_job(self._guarded, args=("housekeeping", self.housekeeping))  # now, beside the first beats
        say(log, "worker started", worker=self.name, channels=sorted(self.channels))
        scheduler.start()
        try:
            self._stopping.wait()
        finally:
            self._stopping.set()
            scheduler.shutdown(wait=True)
            self._guarded("leave", self.leave)
        say(log, "worker stopped", worker=self.name)

    def once(self) -> Swept:
        """Does all that is due now, in this thread. Unlike `run`, lets an error out: whoever called must learn of it."""
        self.recount()
        self.settle_absences()
        self.open_duties()
        self.send_digests()
        migrated = self.migrate()  # first: what is overdue by the new version's rule fires in the same round
        swept = Swept(
            migrated=migrated, fired=self.fire(), signalled=self.deliver_signals(), replayed=self.run_back_tests(), delivered=self.deliver(),
            removed=self.housekeeping(), sealed=self.seal(),
        )  # fmt: skip
        self.remove()  # only what is sealed can go
        return swept

    def _guarded(self, name: str, job: Callable[[], object]) -> None:
        """Runs a job; whatever it raises is logged, once as long as it stays the same, and the metronome goes on."""
        try:
            job()
        except Exception as error:  # noqa: BLE001 - a failing job must never stop the others
            trouble = f"{type(error).__name__}: {error}"
            if self._troubles.get(name) != trouble:
                self._troubles[name] = trouble
                # A database that is away is known by its message; everything else is a fault, and needs its place.
                trace = None if isinstance(error, DBAPIError) else error
                log.error("job failed", exc_info=trace, extra={"facts": {"job": name, "error": trouble}})
        else:
            if self._troubles.pop(name, None) is not None:
                say(log, "job works again", job=name)

    def _all_of(self, batch: Callable[[], int]) -> int:
        """Batch by batch until one finds nothing, or we are to stop; returns how many in all."""
        done = 0
        while not self._stopping.is_set() and (now := batch()):
            done += now
        return done

    # -- the jobs -----------------------------------------------------------------------------

    def fire(self) -> int:
        """Fires the due timers; what that makes due is fired too. Returns how many."""
        fired = self._all_of(lambda: fire_due(self.store, most=BATCH))
        if fired:
            say(log, "timers fired", count=fired)
        return fired

    def deliver_signals(self) -> int:
        """Lets cases hear the signals that were thrown; those that they throw by it are heard too. Returns how many cases heard one."""
        heard = self._all_of(lambda: deliver_signals(self.store, most=BATCH))
        if heard:
            say(log, "signals heard", cases=heard)
        return heard

    def recount(self) -> int:
        """Counts open deadlines again that were counted with an older calendar; returns how many cases were looked at."""
        looked = self._all_of(lambda: recount(self.store, most=BATCH * 10))
        if looked:
            say(log, "deadlines counted again", cases=looked)
        return looked

    def settle_absences(self) -> int:
        """Lets the leaves begin and end that are due; returns how many tasks changed hands."""
        moved = settle(self.store)
        if moved:
            say(log, "tasks moved for leaves", count=moved)
        return moved

    def migrate(self) -> int:
        """Moves the cases of the migrations that were started, one by one; returns how many were dealt with."""
        moved = self._all_of(lambda: move_waiting(self.store, most=BATCH))
        if moved:
            say(log, "cases migrated", count=moved)
        return moved

    def remove(self) -> int:
        """Removes the cases of approved removals, one by one; returns how many were dealt with."""
        dealt = self._all_of(lambda: remove_waiting(self.store, self.settings.uploads, most=BATCH))
        if dealt:
            say(log, "cases removed", count=dealt)
        return dealt

    def run_back_tests(self) -> int:
        """Replays past cases for the back-tests that somebody asked for; returns how many."""
        replayed = run_back_tests(self.store, stopping=self._stopping.is_set)
        if replayed:
            say(log, "cases replayed", count=replayed)
        return replayed

    def open_duties(self) -> int:
        """Opens what the calendar demands of units today and ends what ends today; returns how many cases were opened."""
        opened = open_due(self.store, self.settings.diagrams)
        expire(self.store, self.settings.diagrams)
        remind_of_missing_notice(self.store)
        if opened:
            say(log, "duties opened", count=opened)
        return opened

    def send_digests(self) -> int:
        """Posts the digests of notices whose minute has come; returns how many."""
        posted = self._all_of(lambda: send_digests(self.store, self.settings.base_url))
        if posted:
            say(log, "digests posted", count=posted)
        return posted

    def _find_robot(self, recipient: str) -> Robot | None:
        """Where the robot of a letter lives, for the channels."""
        found = robot_address(self.store, recipient)
        return Robot(*found) if found is not None else None

    def deliver(self) -> int:
        """Sends what the outbox holds. Without any channel the letters wait."""
        sent = 0
        while self.channels and not self._stopping.is_set() and (now := deliver(self.store, self.channels, limit=BATCH)):
            sent += now
        if sent:
            say(log, "letters sent", count=sent)
        return sent

    def seal(self) -> int:
        """Seals new history entries into the global chain; returns how many."""
        sealed = last = seal(self.store, SEAL_BATCH)
        while last == SEAL_BATCH and not self._stopping.is_set():
            last = seal(self.store, SEAL_BATCH)
            sealed += last
        return sealed

    def beat(self) -> None:
        """Says that this worker lives."""
        with self.store.work(None, WORKER) as work:
            work.session.merge(Heartbeat(worker=self.name, beat_at=work.now))

    def leave(self) -> None:
        """Takes the heartbeat back: nobody should count on a worker that has stopped."""
        with self.store.work(None, WORKER) as work:
            work.session.execute(delete(Heartbeat).where(Heartbeat.worker == self.name))

    def housekeeping(self) -> int:
        """Removes what nobody can use any more and mends what is left over; returns how many rows and files were removed."""
        return tidy(self.store, self.settings.uploads, self._stopping.is_set)
