"""Back-tests 回测: past cases of a process replayed against a draft, to see what it would have done to them.

Somebody asks for one; the worker does it. Cases are read page by page without any lock and replayed in memory; only the
findings of a page are written, in a transaction of their own, so that nobody at a desk ever waits. Any number of workers
may run: a test belongs to the one that claimed it as long as that one writes; one that was killed is taken over behind
its last page, and one that was only slow finds the next page written and lets go.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, undefer

from engine.people.actor import Actor
from engine.process.definitions import deployed, known_processes
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.interpreter.reader import read_diagram
from engine.process.tables import Instance
from engine.process.workshop.back_testing.parting import findings_of
from engine.process.workshop.back_testing.record import Record, read_records
from engine.process.workshop.back_testing.replay import Finding, Plan, replay
from engine.process.workshop.back_testing.surroundings import Surroundings
from engine.process.workshop.checking import checked
from engine.process.workshop.drafts import draft_sheet, require_workshop
from engine.process.workshop.tables import BackTest, BackTestCase, Draft
from engine.store.errors import Invalid, NotFound, Stale
from engine.store.store import WORKER, Origin, Store, Work, command

log = logging.getLogger("back_test")

#: Cases read and written at once.
PAGE = 50
#: Seconds of replaying after which what is done is written, however few it is: a sign of life, and progress to see.
PAGE_SECONDS = 5.0
#: A test whose worker has written nothing for so long has lost it.
DEAD_AGE = timedelta(seconds=60)
#: More cases than this tell nothing new; a shorter period does.
CASES_MAX = 20_000

_ENDED = "该草稿已发布或已放弃，不能再回测"
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"


class NotTestable(Invalid):
    """草稿检查未通过，修改后才能回测。"""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(message="草稿检查未通过，修改后才能回测：" + "；".join(problem.message for problem in problems[:5]))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A case and what would have gone differently in it."""

    instance_id: int
    number: str
    findings: list[Finding]

    @property
    def kinds(self) -> list[str]:
        """Each kind once, in the order of first appearance."""
        return list(dict.fromkeys(finding.kind for finding in self.findings))


# -- replaying, without a row of ours ----------------------------------------------------------


def _received(key: str, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Cases of a process received from `since` up to `until` (exclusive), whose record is still kept."""
    return Instance.process_key == key, Instance.started_at >= since, Instance.started_at < until, Instance.removed_at.is_(None)


def case_ids(session: Session, key: str, since: datetime, until: datetime, *, after: int = 0, most: int = PAGE) -> list[int]:
    """The next cases of a process received from `since` up to `until` (exclusive), by id."""
    query = (
        select(Instance.id)
        .where(*_received(key, since, until), Instance.id > after)
        .order_by(Instance.id).limit(most)
    )  # fmt: skip
    return list(session.scalars(query))


def replay_cases(
    session: Session, plan: Plan, around: Surroundings, instance_ids: Sequence[int], now: datetime
) -> list[Replayed]:
    """Replays some cases as at `now`; all that were replayed within `PAGE_SECONDS`, at least one. Writes nothing."""
    around.use(session)
    begun, done = time.monotonic(), []
    for record in read_records(session, instance_ids, now):
        done.append(Replayed(record.instance_id, record.number, _findings(session, plan, around, record, now)))
        if time.monotonic() - begun > PAGE_SECONDS:
            break
    return done


def _findings(session: Session, plan: Plan, around: Surroundings, record: Record, now: datetime) -> list[Finding]:
    try:
        versions = {record.definition_id, *(move.definition_id for move in record.moves)}
        pairings = {version: plan.pairing(deployed(session, version)) for version in versions}
        return findings_of(replay(record, plan, pairings, around, now), now)
    except DBAPIError:
        raise
    except Exception:
        # One case that we cannot replay must not end the test; whoever reads the log learns why.
        log.exception("case %s could not be replayed", record.number)
        return [Finding("failed", "", plan.diagram.name, now, "本件未能回放，详情已记入系统日志", parts=True)]


def replay_period(store: Store, plan: Plan, key: str, since: datetime, until: datetime) -> Iterator[list[Replayed]]:
    """Replays all cases of a process received in a period, page by page, running ones up to now. Writes nothing."""
    now, around, last = store.clock.now(), Surroundings(), 0
    while True:
        with store.read() as session:
            ids = case_ids(session, key, since, until, after=last)
            done = replay_cases(session, plan, around, ids, now) if ids else []
        if not done:
            return
        yield done
        last = done[-1].instance_id


# -- commands ----------------------------------------------------------------------------------


@command
def order_back_test(
    store: Store, draft_id: int, *, actor: Actor, received_from: datetime, received_until: datetime, origin: Origin = Origin()
) -> int:
    """Asks for a back-test of the draft as it stands, on the cases received in a period; returns its id.

    The worker does it. Running cases are replayed up to now. Raises NotAllowed, NotFound, NotTestable with what the check
    found, Invalid for a period without cases or with too many, Stale while one of the same draft is under way.
    """
    require_workshop(actor)
    with store.read() as session:
        sheet = draft_sheet(session, actor, draft_id)
        known = known_processes(session)
    if sheet.state != "open":
        raise Stale(_ENDED)
    errors = [problem for problem in checked(sheet.package, known) if problem.severity == "error"]
    if errors:
        raise NotTestable(errors)
    with store.work(actor, origin) as work:
        draft = work.session.get(Draft, draft_id, with_for_update=True)
        if draft is None or draft.state != "open":
            raise Stale(_ENDED)
        if draft.revision != sheet.revision:
            raise Stale("草稿刚刚被保存过，请刷新后再回测")
        under_way = select(BackTest.id).where(BackTest.draft_id == draft_id, BackTest.state.in_((WAITING, RUNNING)))
        if work.session.scalar(under_way.limit(1)) is not None:
            raise Stale("该草稿已有回测正在进行，请等待完成或先取消")
        until = min(received_until, work.now)
        test = BackTest(
            draft_id=draft_id, draft_revision=draft.revision, key=sheet.key, xml=sheet.package.xml, forms=dict(sheet.package.forms),
            received_from=received_from, received_until=until, state=WAITING, total=_total(work, sheet.key, received_from, until),
            done=0, last_id=0, counts={}, created_by=actor.account_id, created_at=work.now,
        )  # fmt: skip
        work.session.add(test)
        work.session.flush()
        return test.id


def _total(work: Work, key: str, since: datetime, until: datetime) -> int:
    if since >= until:
        raise Invalid({"received_from": "起始日期应早于截止日期，且不晚于今天"})
    total = work.session.scalar(select(func.count()).select_from(Instance).where(*_received(key, since, until))) or 0
    if total == 0:
        raise Invalid({"received_from": "该期间没有收到过该流程的办件，无可回测"})
    if total > CASES_MAX:
        raise Invalid({"received_from": f"该期间有{total}件，超过{CASES_MAX}件，请缩短期间"})
    return total


@command
def cancel_back_test(store: Store, test_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Stops a back-test; what it has found so far stays. Raises NotAllowed, NotFound, Stale where it has ended."""
    require_workshop(actor)
    with store.work(actor, origin) as work:
        test = work.session.get(BackTest, test_id, with_for_update=True)
        if test is None:
            raise NotFound("没有找到该回测")
        if test.state not in (WAITING, RUNNING):
            raise Stale("该回测已结束，无需取消")
        test.state, test.ended_at = CANCELLED, work.now


# -- the worker --------------------------------------------------------------------------------


def run_back_tests(store: Store, *, page: int = PAGE, stopping: Callable[[], bool] = lambda: False) -> int:
    """Does the back-tests that wait or were left by a dead worker; returns how many cases were replayed.

    `stopping` is asked between two pages; a test that is left then is taken over later.
    """
    replayed = 0
    while not stopping() and _somebody_waits(store) and (test := claim(store)) is not None:
        replayed += run_claimed(store, test, page, stopping)
    return replayed


@dataclass(slots=True)
class Claimed:
    """A test that this worker has."""

    id: int
    key: str
    xml: bytes
    forms: Mapping[str, Any]
    received_from: datetime
    received_until: datetime
    now: datetime
    """When it was asked for: running cases are replayed up to then, whoever does it and whenever."""
    last_id: int


def _open(now: datetime) -> Any:
    lost = (BackTest.state == RUNNING) & (BackTest.beat_at < now - DEAD_AGE)
    # The list of states is that of the index, word by word.
    return BackTest.state.in_((WAITING, RUNNING)) & or_(BackTest.state == WAITING, lost)


def _somebody_waits(store: Store) -> bool:
    """Asked without a lock: on SQLite a worker that looked for work with one would make every desk wait."""
    with store.read() as session:
        return session.scalar(select(BackTest.id).where(_open(store.clock.now())).limit(1)) is not None


@command
def claim(store: Store) -> Claimed | None:
    """The oldest test that waits or whose worker is dead, now this worker's; None where there is none."""
    with store.work(None, WORKER) as work:
        test = work.session.scalars(
            select(BackTest).where(_open(work.now)).order_by(BackTest.id).limit(1)
            .options(undefer(BackTest.xml), undefer(BackTest.forms)).with_for_update(skip_locked=True)
        ).first()  # fmt: skip
        if test is None:
            return None
        test.state, test.started_at, test.beat_at = RUNNING, test.started_at or work.now, work.now
        return Claimed(
            test.id, test.key, test.xml, test.forms, test.received_from, test.received_until, test.created_at, test.last_id
        )  # fmt: skip


def run_claimed(store: Store, test: Claimed, page: int, stopping: Callable[[], bool]) -> int:
    """Replays page after page until the test has ended or belongs to another; returns how many cases."""
    replayed = 0
    try:
        plan, around = Plan(read_diagram(test.xml), test.forms), Surroundings()
        while not stopping():
            with store.read() as session:
                ids = case_ids(session, test.key, test.received_from, test.received_until, after=test.last_id, most=page)
                done = replay_cases(session, plan, around, ids, test.now) if ids else []
            if not _write(store, test, done):
                break
            replayed += len(done)
            if not done:
                break
            test.last_id = done[-1].instance_id
    except DBAPIError:
        raise  # the database is away: the next look takes the test over
    except Exception as error:
        log.exception("back-test %s failed", test.id)
        what = "；".join(p.message for p in error.problems[:3]) if isinstance(error, DiagramError) else "系统异常，详情已记入日志"
        _fail(store, test.id, f"回测未能完成：{what}"[:500])
    return replayed


@command
def _write(store: Store, test: Claimed, done: Sequence[Replayed]) -> bool:
    """Writes a page; an empty one ends the test. False where it was cancelled or another worker went on with it."""
    with store.work(None, WORKER) as work:
        row = work.session.get(BackTest, test.id, with_for_update=True)
        if row is None or row.state != RUNNING or row.last_id != test.last_id:
            return False
        row.beat_at = work.now
        if not done:
            row.state, row.ended_at, row.total = DONE, work.now, row.done
            return True
        different = [case for case in done if case.findings]
        if different:
            work.session.execute(insert(BackTestCase), [_row(test.id, case) for case in different])
        row.counts = counted(row.counts, different)
        row.done, row.last_id = row.done + len(done), done[-1].instance_id
        return True


@command
def _fail(store: Store, test_id: int, error: str) -> None:
    with store.work(None, WORKER) as work:
        row = work.session.get(BackTest, test_id, with_for_update=True)
        if row is not None and row.state == RUNNING:
            row.state, row.ended_at, row.error = FAILED, work.now, error


def _row(test_id: int, case: Replayed) -> dict[str, Any]:
    findings = [as_kept(finding) for finding in case.findings]
    return {"back_test_id": test_id, "instance_id": case.instance_id, "number": case.number, "kinds": case.kinds, "findings": findings}


def as_kept(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    kept: dict[str, Any] = {
        "kind": finding.kind, "step": finding.step, "name": finding.name, "at": finding.at.isoformat(), "text": finding.text,
    }  # fmt: skip
    if finding.before is not None or finding.after is not None:
        kept |= {"before": finding.before, "after": finding.after}
    return {**kept, "parts": True} if finding.parts else kept


def counted(before: Mapping[str, Any], cases: Sequence[Replayed]) -> dict[str, Any]:
    """The numbers with some more cases that differ: each counts once for a kind, and once for a kind at a step."""
    kinds = Counter(before.get("kinds", {}))
    steps: dict[str, dict[str, Any]] = {
        step: {"name": known["name"], "kinds": Counter(known["kinds"])} for step, known in before.get("steps", {}).items()
    }
    for case in cases:
        kinds.update(case.kinds)
        for step, name, kind in dict.fromkeys((found.step, found.name, found.kind) for found in case.findings):
            steps.setdefault(step, {"name": name, "kinds": Counter()})["kinds"][kind] += 1
    return {
        "cases": before.get("cases", 0) + len(cases), "kinds": dict(kinds),
        "steps": {step: {"name": known["name"], "kinds": dict(known["kinds"])} for step, known in steps.items()},
    }  # fmt: skip


