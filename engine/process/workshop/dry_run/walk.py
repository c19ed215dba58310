"""The dry run 试运行: a draft walked with the real engine on a virtual clock, in a transaction that is always undone.

A run is nothing but its script: each look at it walks the script again from the beginning, on the registers as they are now,
with the draft in force. So nothing has to be kept between two clicks, a step back is a shorter script, and the same script
tries the next revision of the draft.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from engine.people.actor import Actor
from engine.people.units import unit_id_of
from engine.process.advance import advance
from engine.process.case import lock_instance
from engine.process.definitions import deployed, in_force, known_processes
from engine.process.instances import start_by_system, start_in, start_posts
from engine.process.interpreter.model import Diagram, Problem
from engine.process.interpreter.reader import read_diagram
from engine.process.moves import Deliver, Finish
from engine.process.package import Package, as_text
from engine.process.signals import hear_in, heard_within
from engine.process.tables import Definition, ExternalTask, Instance, Task, Timer
from engine.process.tasks import complete_in
from engine.process.timers import fire_in
from engine.process.workshop.checking import checked
from engine.process.workshop.drafts import require_workshop
from engine.process.workshop.dry_run.bounds import TooMuch, bounded
from engine.process.workshop.dry_run.cases import CaseShown, NextTimer, next_timer, shown_cases
from engine.process.workshop.dry_run.effects import Effects, Watch
from engine.process.workshop.dry_run.people import person_of, pretended_files, somebody
from engine.process.workshop.dry_run.registers import with_made_up
from engine.process.workshop.dry_run.script import ScriptMove, instant_of
from engine.store.clock import MovableClock
from engine.store.errors import Invalid, Refused, Stale
from engine.store.store import Store, Work, command

log = logging.getLogger("dry_run")

#: Timers that one run fires: more is a clock that winds itself up.
TIMERS_MAX = 200
#: Drafts of which the findings are remembered, so that a click needs no check.
FINDINGS_KEPT = 32


class NotRehearsable(Invalid):
    """流程图检查未通过，修改后才能试运行。"""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__()


@dataclass(frozen=True, slots=True)
class Told:
    """A move that was made, and what it did."""

    number: int
    """From 1."""
    title: str
    person: str
    """Who did it; empty for time, messages and signals."""
    at: datetime
    """When the virtual clock stood after it."""
    effects: Effects
    faults: tuple[str, ...] = ()
    """Timers behind which the diagram failed: in reality incidents, and their cases would stand still."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The move at which the script could not go on; nothing of it was done."""

    number: int
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """Field → what is wrong, where answers were refused."""
    fault: bool = False
    """Whether the diagram failed, rather than the move being refused."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A dry run as it stands after its script."""

    now: datetime
    """Where the virtual clock stands."""
    moves: tuple[Told, ...]
    stopped: Stopped | None
    cases: tuple[CaseShown, ...]
    next: NextTimer | None
    """The timer that fires next; None where none waits."""


def findings(store: Store, package: Package) -> list[Problem]:
    """The findings of a package's check, remembered until the draft or the deployed processes change."""
    with store.read() as session:
        known = known_processes(session)
    kept: dict[Any, list[Problem]] = store.cache.setdefault("findings", {})
    asked = (package.digest, known)
    if asked not in kept:
        found = checked(package, known)
        while len(kept) >= FINDINGS_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[asked] = found
    return kept.get(asked) or []


def rehearse(store: Store, package: Package, script: Sequence[ScriptMove], *, actor: Actor | None) -> Rehearsal:
    """Walks the script on the package and says what happened; nothing real is touched.

    `actor` is None for whoever holds the installation itself, at its command line. Raises NotAllowed for who may neither
    edit nor approve diagrams, NotRehearsable with the findings of a draft that has errors.
    """
    if actor is not None:
        require_workshop(actor)
    require_rehearsable(store, package)
    return _walk(store, package, script)


def require_rehearsable(store: Store, package: Package) -> None:
    """Raises NotRehearsable with the findings of a package that has errors."""
    errors = [problem for problem in findings(store, package) if problem.severity == "error"]
    if errors:
        raise NotRehearsable(errors)


@command
def _walk(store: Store, package: Package, script: Sequence[ScriptMove]) -> Rehearsal:
    at = instant_of(script[0].at) if script and script[0].at else store.clock.now()
    with store.rehearsal(at) as work, bounded(work):
        return _Run(work, package).walk(script)


class _Run:
    """One walk of a script."""

    def __init__(self, work: Work, package: Package) -> None:
        self.work = work
        self.session = work.session
        self.watch = Watch(work.session)
        self.fired = 0
        self.key, self.draft = put_in_force(work, package)

    def walk(self, script: Sequence[ScriptMove]) -> Rehearsal:
        made: list[Told] = []
        stopped: Stopped | None = None
        for number, move in enumerate(script, 1):
            outcome = self._make(number, move)
            if isinstance(outcome, Stopped):
                stopped = outcome
                break
            made.append(outcome)
        self._fresh()
        cases = tuple(shown_cases(self.work, self.watch.cases, self.draft))
        return Rehearsal(self.work.now, tuple(made), stopped, cases, next_timer(self.session, self.watch.cases))

    def _make(self, number: int, move: ScriptMove) -> Told | Stopped:
        self._fresh()
        before, now = len(self.watch.cases), self.work.now
        try:
            with self.session.begin_nested():
                if move.do in ("timer", "until"):
                    return self._pass_time(number, move)
                title, person = self._do(move)
                self._hear()
                self.session.flush()
            return Told(number, title, person.name if person else "", self.work.now, self.watch.effects())
        except OperationalError:
            raise
        except Refused as refusal:
            fields = refusal.fields if isinstance(refusal, Invalid) else {}
            stopped = Stopped(number, "；".join(fields.values()) or refusal.message, fields)
        except Exception as error:  # noqa: BLE001 - whatever a draft brings about is a sentence for its editor
            log.info("a dry run failed", exc_info=error)
            stopped = Stopped(number, plain(error), fault=True)
        self._undone(before)
        self.work.now, self.session.info["store"].clock = now, MovableClock(now)
        return stopped

    def _do(self, move: ScriptMove) -> tuple[str, Actor | None]:
        match move.do:
            case "start":
                return self._start(move)
            case "complete":
                return self._complete(move)
            case "worker":
                return self._work(move), None
            case "signal":
                return self._throw(move), None
            case _:
                case_id = self._case(move.case)
                advance(self.work, lock_instance(self.work, case_id), Deliver(move.message, dict(move.given)))
                return f"发送消息“{move.message}”", None

    # -- people -------------------------------------------------------------------------------

    def _start(self, move: ScriptMove) -> tuple[str, Actor | None]:
        key = move.process or self.key
        definition = in_force(self.session, key, self.work.now)
        posts = sorted(start_posts(definition))
        title = f"发起“{definition.name}”"
        if not posts:
            start_by_system(self.work, key, unit_code=move.unit or None, variables=dict(move.given))
            return title, None
        unit_id = unit_id_of(self.session, move.unit)
        person = self.work.actor = somebody(self.work, move.by, unit_id, posts[0])
        files, attachments = pretended_files(self.work, person, move.files)
        about = with_made_up(self.work, move.about, unit_id)
        self.watch.beforehand()
        start_in(self.work, key, actor=person, answers={**move.answers, **files}, variables=about, unit_id=unit_id,
                 attachments=attachments)  # fmt: skip
        return title, person

    def _complete(self, move: ScriptMove) -> tuple[str, Actor | None]:
        query = select(Task).where(Task.instance_id == self._case(move.case), Task.step == move.step, Task.state == "open")
        tasks = self.session.scalars(query.order_by(Task.id)).all()
        if move.nth >= len(tasks):
            raise Stale(f"此时没有环节“{self._name_of(move)}”的待办")
        task = tasks[move.nth]
        own = person_of(self.session, task.assignee_id)
        person = self.work.actor = somebody(self.work, move.by or (own[0].login if own else ""), task.unit_id, task.post)
        files, attachments = pretended_files(self.work, person, move.files)
        complete_in(self.work, task.id, actor=person, answers={**move.answers, **files}, opinion=move.opinion, attachments=attachments)
        return f"办结“{task.name}”", person

    def _work(self, move: ScriptMove) -> str:
        """A worker outside is played: it gives what the script says."""
        case_id = self._case(move.case)
        instance = lock_instance(self.work, case_id)
        query = select(ExternalTask).where(
            ExternalTask.instance_id == case_id, ExternalTask.step == move.step, ExternalTask.state == "waiting"
        )
        rows = self.session.scalars(query.order_by(ExternalTask.id)).all()
        if move.nth >= len(rows):
            raise Stale(f"此时环节“{self._name_of(move)}”没有等待外部程序")
        name, said = self._name_of(move), {"error": move.error} if move.error else {}
        advance(self.work, instance, Finish(rows[move.nth], dict(move.given), move.error or None, said))
        return f"外部程序办结“{name}”" if not move.error else f"外部程序报告“{name}”未能办成"

    def _throw(self, move: ScriptMove) -> str:
        """A signal from outside comes to every case of the run that waits for it."""
        self.session.flush()
        heard = [hear_in(self.work, case, move.signal, dict(move.given), {"from": "试运行"}) for case in self.watch.cases]
        if not any(heard):
            raise Stale(f"此时没有等待信号“{move.signal}”的办件")
        return f"发出信号“{move.signal}”"

    def _hear(self) -> None:
        """What the cases threw reaches the others of the run; no other case, as nothing real is touched."""
        thrown = self.work.notes.pop("thrown", None)
        if not thrown:
            return
        self.session.flush()
        heard_within(self.work, thrown, [*self.watch.cases])
        self._hear()

    def _case(self, place: int) -> int:
        if place >= len(self.watch.cases):
            raise Stale("此时还没有该办件")
        return self.watch.cases[place]

    def _name_of(self, move: ScriptMove) -> str:
        definition_id = self.session.get_one(Instance, self._case(move.case)).definition_id
        step = deployed(self.session, definition_id).diagram.steps.get(move.step)
        return (step.name if step is not None else "") or move.step

    # -- time ---------------------------------------------------------------------------------

    def _pass_time(self, number: int, move: ScriptMove) -> Told:
        """Time passes as if a worker were awake all along: what is due fires in the order in which it is due."""
        first = self._due()
        if move.do == "timer":
            if first is None:
                raise Stale("没有等待中的定时")
            target = max(first[1], self.work.now)
            title = "推进到下一个定时"
        else:
            target = instant_of(move.at)
            if target < self.work.now:
                raise Invalid({"at": "虚拟时间不能倒退"})
            title = "推进到指定时间"
        effects, faults = Effects(), []
        while (due := self._due()) is not None and due[1] <= target:
            self._clock_to(max(due[1], self.work.now))
            fault = self._fire(due[0])
            if fault is not None:
                faults.append(fault)
            effects = effects.then(self.watch.effects())
        self._clock_to(target)
        return Told(number, title, "", target, effects, tuple(faults))

    def _due(self) -> tuple[int, datetime] | None:
        """The timer of the run that is due first."""
        waiting = select(Timer.id, Timer.wake_at).where(
            Timer.instance_id.in_(self.watch.cases), Timer.state == "waiting", Timer.wake_at.is_not(None)
        )
        found = self.session.execute(waiting.order_by(Timer.wake_at, Timer.id).limit(1)).first()
        return (found[0], found[1]) if found is not None and found[1] is not None else None

    def _fire(self, timer_id: int) -> str | None:
        """Fires one timer; where the diagram fails behind it, says how: in reality that is an incident."""
        self.fired += 1
        if self.fired > TIMERS_MAX:
            raise TooMuch("定时触发过多，请检查流程图中的定时")
        self._fresh()
        before = len(self.watch.cases)
        name = self.session.scalars(select(Timer.activity_name).where(Timer.id == timer_id)).one()
        try:
            with self.session.begin_nested():
                fire_in(self.work, timer_id)
                self._hear()
                self.session.flush()
            return None
        except (OperationalError, TooMuch):
            raise
        except Exception as error:  # noqa: BLE001 - as a worker does
            log.info("a timer of a dry run failed", exc_info=error)
            self._undone(before)
            self.session.execute(update(Timer).where(Timer.id == timer_id).values(wake_at=None))
            return f"“{name}”的定时触发后：{plain(error)}"

    def _clock_to(self, moment: datetime) -> None:
        self.work.now = moment
        self.session.info["store"].clock.to(moment)

    # -- between moves ------------------------------------------------------------------------

    def _fresh(self) -> None:
        """What a transaction of its own would find: nobody acts, nothing is noted."""
        self.work.actor = None
        self.work.notes.clear()
        self.watch.begin()

    def _undone(self, cases: int) -> None:
        self.watch.undone(cases)
        self.session.expunge_all()  # what is read again must be covered again
        for memo in set(self.session.info) - {"store"}:
            del self.session.info[memo]
        self._fresh()


@lru_cache(maxsize=16)
def _parsed(xml: bytes) -> Diagram:
    return read_diagram(xml)


def put_in_force(work: Work, package: Package) -> tuple[str, int]:
    """Makes the package the version that every case of the run follows; returns its key and its id."""
    diagram = _parsed(package.xml)
    session, of = work.session, Definition.key == diagram.key
    # A version that is to take effect later must not overtake the draft while the virtual clock runs on.
    session.execute(update(Definition).where(of, Definition.effective_at > work.now).values(effective_at=work.now))
    newest = session.scalar(select(func.max(Definition.version)).where(of)) or 0
    row = Definition(
        key=diagram.key, version=newest + 1, rule_set=package.rule_set, name=diagram.name, digest=package.digest, xml=package.xml,
        forms=dict(package.forms), documents=as_text(package.documents), deployed_at=work.now, deployed_by="", approved_by="",
        reason="试运行", effective_at=work.now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return diagram.key, row.id


_CHINESE = re.compile("[\u4e00-\u9fff]")


def plain(error: BaseException) -> str:
    """What failed, for who drew the diagram: the engine's own sentences; anything else is the program's fault, and logged."""
    text = str(error)
    return text if _CHINESE.search(text) else "执行该环节的程序出现异常，请联系系统管理员"
