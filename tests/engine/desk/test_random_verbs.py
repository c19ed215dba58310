"""Random verbs at random times: whatever people do to a case in whatever order, it stays sound and can still come to its end.

A refusal changes nothing, and everything else leaves every running case with somebody to act, no task without a token and no
token without a task, clocks that are explained to the day, and a history that holds. At the end every case is driven home.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from engine.history import History
from engine.history_seal import seal, verify
from engine.people.actor import Actor
from engine.process.belonging import delegated, held, may_work
from engine.process.clocks import explain
from engine.process.correcting import correct_data
from engine.process.definitions import deployed
from engine.process.desk.handing import delegate_task, hand_back_task, take_back_task, transfer_task
from engine.process.desk.signatures import add_signers, remove_signer
from engine.process.desk.urging import urge_task
from engine.process.editions import current_edition
from engine.process.event_tables import Subscription
from engine.process.incidents import CaseFault
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.interpreter.machine import Machine, Onlooker
from engine.process.interpreter.model import Waiting
from engine.process.outside.task_data import prepare
from engine.process.returning import return_targets, return_task
from engine.process.signals import deliver_signals, throw_signal
from engine.process.subscriptions import awaited
from engine.process.tables import OPEN_STATES, Instance, Task, Timer
from engine.process.tasks import claim_task, complete_task, unclaim_task
from engine.process.timers import fire_due
from engine.process.withdrawing import give_up, withdraw_start, withdraw_task, withdrawable
from engine.store.clock import MovableClock
from engine.store.errors import Refused
from engine.store.store import Store
from tests.conftest import START
from tests.database import close_sqlite, sqlite_url
from tests.engine.interpreter.diagrams import call, element, message, multi, of_signal, signal, sub, timer
from tests.engine.process.office import Office, choice, form
from tests.engine.process.test_timers import FRAME, WATCH

A, B, HEAD = {"unit": "'A'", "post": "handler"}, {"unit": "'B'", "post": "handler"}, {"unit": "'A'", "post": "head"}
ALL = "return, withdraw, transfer, delegate, add_signer, copy_to, urge"
FORMS = {"judge": form(choice("again", "yes", "no", required=True))}
PEOPLE = ("anna", "ben", "clara", "dora", "emil", "fritz", "gu")

LOOP = ("start > xor:in > user:draft > user:check > xor:ok", "ok [again == 'yes'] > in", "ok [default] > user:sign > end",
        element("draft", limit="3", **A), element("check", form="judge", **B), element("sign", limit="5", onPause="pause", **HEAD))
BLOCK = ("start > user:ask > sub:review > user:sum > end", "due > end:late",
         sub("review", "start > and:fork > user:law > user:more > and:join > end", "fork > user:vote > join",
             element("law", **A), element("more", clock="pause", **B), element("vote", unit="body", post="handler"),
             multi("vote", over="['A', 'B', 'A']", item="body", until="nrOfCompletedInstances == 2")),
         timer("review", "due", workingDays=6, role="deadline"), element("ask", **A), element("sum", limit="4", **B))
CALL = ("start > user:prep > and:fork > call:child > and:join > user:close > end", "fork > user:own > join", call("child", "child"),
        element("prep", **A), element("own", limit="5", **B), element("close", **A))
CHILD = ("start > user:inner > user:report > end", element("inner", limit="4", **B), element("report", **B))
SERIES = ("start > user:write > user:each > user:file > end", element("write", **A), element("each", unit="body", post="handler", limit="2"),
          multi("each", over="['A', 'B']", item="body", sequential=True), element("file", **B))
FLOOD = ("start > user:watch > xor:go > user:rescue > throw:alarm > user:tidy > end", "rising > user:note > end:noted", "help > user:assist > end:helped",
         "again > go", signal("watch", "rising", "flood", interrupting=False), message("rescue", "help", "help"), of_signal("alarm", "flood"),
         signal("tidy", "again", "flood"), element("watch", limit="3", **A), element("rescue", **B), element("tidy", **A), element("note", **B),
         element("assist", **HEAD))
KEYS = ("loop", "block", "call", "series", "flood")


@cache
def founded() -> tuple[Office, Path]:
    """An office with its processes, in a database file that is copied for every story."""
    file = Path(tempfile.mkdtemp(prefix="sharing-verbs-")) / "sharing.db"
    from engine.store.migrate import upgrade

    upgrade(sqlite_url(file))
    store = Store(sqlite_url(file), MovableClock(START))
    office = Office(store, MovableClock(START))
    office.deploy(*WATCH, key="watch")
    office.deploy(*CHILD, key="child", actions=ALL, startPosts="", **FRAME)
    for key, parts in zip(KEYS, (LOOP, BLOCK, CALL, SERIES, FLOOD), strict=True):
        office.deploy(*parts, key=key, forms=FORMS, actions=ALL, **FRAME)
    store.close()
    close_sqlite(file)
    return office, file


class RandomVerbs(RuleBasedStateMachine):
    """People who do something to some case, whether it makes sense or not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sharing-verbs-"))

    @initialize(key=st.sampled_from(KEYS))
    def opens(self, key: str) -> None:
        template, file = founded()
        shutil.copy(file, self.folder / "sharing.db")
        self.office = copy.copy(template)
        self.office.clock = MovableClock(START)
        self.office.store = Store(sqlite_url(self.folder / "sharing.db"), self.office.clock)
        self.store = self.office.store
        self.office.start("anna", key)

    # -- what people do -----------------------------------------------------------------------

    @rule(key=st.sampled_from(KEYS), who=st.sampled_from(("anna", "ben", "dora")))
    def start(self, key: str, who: str) -> None:
        if self.count(Instance) < 6:
            self.tries(lambda: self.office.start(who, key))

    @rule(pick=st.integers(0, 99), by=st.integers(0, 9), again=st.booleans())
    def complete(self, pick: int, by: int, again: bool) -> None:
        if (task := self.a_task(pick)) is not None:
            self.tries(lambda: complete_task(self.store, task.id, actor=self.somebody(task, by), answers=answers(task, again)))

    @rule(pick=st.integers(0, 99), by=st.integers(0, 9))
    def claim(self, pick: int, by: int) -> None:
        if (task := self.a_task(pick)) is not None:
            verb = claim_task if task.assignee_id is None else unclaim_task
            self.tries(lambda: verb(self.store, task.id, actor=self.somebody(task, by)))

    @rule(pick=st.integers(0, 99), by=st.integers(0, 9), where=st.integers(0, 9))
    def send_back(self, pick: int, by: int, where: int) -> None:
        if (task := self.a_task(pick)) is None:
            return
        actor = self.somebody(task, by)
        with self.store.read() as session:
            targets = [one.step for one in return_targets(session, actor, task.id)] or ["draft"]
        self.tries(lambda: return_task(self.store, task.id, actor=actor, to=targets[where % len(targets)], reason="请更正"))

    @rule(case=st.integers(0, 9), who=st.sampled_from(PEOPLE), pick=st.integers(0, 9))
    def take_back(self, case: int, who: str, pick: int) -> None:
        """What the person may take back; if there is nothing, what they may not."""
        found = self.rows(Instance)
        instance = found[case % len(found)]
        with self.store.read() as session:
            offered = [(one, thing) for one in (who, *PEOPLE) if (thing := withdrawable(session, self.office[one], instance.id)) is not None]
        by, thing = offered[0] if offered else (who, None)
        if thing is not None and thing.task_id is None:
            self.tries(lambda: withdraw_start(self.store, instance.id, actor=self.office[by]))
            return
        done = [task.id for task in self.rows(Task) if task.instance_id == instance.id and task.state != "open"]
        task_id = thing.task_id if thing is not None else (done[pick % len(done)] if done else None)
        if task_id is not None:
            self.tries(lambda: withdraw_task(self.store, task_id, actor=self.office[by]))

    @rule(pick=st.integers(0, 9))
    def gives_up(self, pick: int) -> None:
        held_at_start = [task for task in self.open_tasks() if task.step == "start"]
        if held_at_start and pick < 3:
            task = held_at_start[pick % len(held_at_start)]
            self.tries(lambda: give_up(self.store, task.id, actor=self.somebody(task, 0), reason="不办了"))

    @rule(pick=st.integers(0, 99), by=st.integers(0, 7))
    def goes_on(self, pick: int, by: int) -> None:
        """Somebody just does their work, so that the stories get somewhere."""
        if tasks := [task for task in self.open_tasks() if not held(task) and not delegated(task)]:
            task = tasks[pick % len(tasks)]
            self.tries(lambda: complete_task(self.store, task.id, actor=self.somebody(task, by), answers=answers(task, again=False)))

    @rule(case=st.integers(0, 9), what=st.sampled_from(("resume", "suspend", "terminate")), chance=st.integers(0, 5))
    def office_acts(self, case: int, what: str, chance: int) -> None:
        if chance > {"resume": 5, "suspend": 1, "terminate": 0}[what]:
            return  # else most cases would be stopped most of the time
        found = [one for one in self.rows(Instance) if one.state in OPEN_STATES]
        verbs: dict[str, Callable[..., None]] = {"suspend": suspend_instance, "resume": resume_instance, "terminate": terminate_instance}
        if found:
            self.tries(lambda: verbs[what](self.store, found[case % len(found)].id, actor=self.office["gu"], reason="核查"))

    @rule(case=st.integers(0, 9), again=st.sampled_from(("yes", "no", "maybe")), who=st.sampled_from(("gu", "gu", "anna")))
    def corrects(self, case: int, again: str, who: str) -> None:
        """What a gateway goes by is put right: of a case that knows it, by who may, into what may be answered."""
        if found := [one for one in self.rows(Instance) if one.state in OPEN_STATES]:
            one = found[case % len(found)]
            self.tries(lambda: correct_data(self.store, one.id, actor=self.office[who], values={"again": again}, reason="核对"))

    @rule(pick=st.integers(0, 99), by=st.integers(0, 9), again=st.booleans())
    def sets_ahead(self, pick: int, by: int, again: bool) -> None:
        if (task := self.a_task(pick)) is not None:
            self.tries(lambda: prepare(self.store, task.id, actor=self.somebody(task, by), values=answers(task, again)))

    @rule(hours=st.integers(1, 100), sweeps=st.booleans())
    def waits(self, hours: int, sweeps: bool) -> None:
        """Time passes; the worker may come late."""
        now = self.store.clock.now()
        self.office.clock.to(now.fromtimestamp(now.timestamp() + hours * 3600, now.tzinfo))
        if sweeps:
            fire_due(self.store)
            assert self.office.incidents() == []

    @rule(pick=st.integers(0, 99), by=st.integers(0, 9), to=st.sampled_from(PEOPLE), verb=st.sampled_from(("transfer", "delegate")))
    def hands_on(self, pick: int, by: int, to: str, verb: str) -> None:
        if (task := self.a_task(pick)) is not None:
            hand = transfer_task if verb == "transfer" else delegate_task
            self.tries(lambda: hand(self.store, task.id, actor=self.somebody(task, by), to=self.office[to].account_id))

    @rule(pick=st.integers(0, 9), back=st.booleans())
    def hands_back(self, pick: int, back: bool) -> None:
        pending = [task for task in self.open_tasks() if delegated(task)]
        if not pending:
            return
        task = pending[pick % len(pending)]
        if back:
            self.tries(lambda: hand_back_task(self.store, task.id, actor=self.somebody(task, 0), opinion="已核对", answers={}))
        else:
            self.tries(lambda: take_back_task(self.store, task.id, actor=self.person(task.owner_id)))

    @rule(pick=st.integers(0, 99), by=st.integers(0, 9), to=st.sampled_from(PEOPLE), signing=st.sampled_from(("before", "beside", "after")))
    def asks_to_sign(self, pick: int, by: int, to: str, signing: str) -> None:
        if (task := self.a_task(pick)) is not None:
            people = [self.office[to].account_id]
            self.tries(lambda: add_signers(self.store, task.id, actor=self.somebody(task, by), people=people, signing=signing))

    @rule(pick=st.integers(0, 9), who=st.sampled_from(PEOPLE))
    def removes_signer(self, pick: int, who: str) -> None:
        asked = [task for task in self.rows(Task) if task.main_id is not None and task.state in ("open", "planned")]
        if asked:
            self.tries(lambda: remove_signer(self.store, asked[pick % len(asked)].id, actor=self.office[who]))

    @rule(pick=st.integers(0, 99), who=st.sampled_from(PEOPLE))
    def urges(self, pick: int, who: str) -> None:
        if (task := self.a_task(pick)) is not None:
            self.tries(lambda: urge_task(self.store, task.id, actor=self.office[who]))

    @rule(heard=st.booleans())
    def hears(self, heard: bool) -> None:
        """A signal comes from outside, beside those that cases throw; the worker may come late."""
        throw_signal(self.store, "flood", actor=self.office["otto"])
        if heard:
            deliver_signals(self.store)
            assert self.office.incidents() == []

    @rule(case=st.integers(0, 9))
    def is_told(self, case: int) -> None:
        found = self.rows(Instance)
        self.tries(lambda: self.office.tell(found[case % len(found)].id, "help"))

    # -- what must hold -----------------------------------------------------------------------

    @invariant()
    def every_token_has_its_task_and_every_case_somebody_to_act(self) -> None:
        if not hasattr(self, "store"):
            return
        waiting = self.waiting()
        tasks = {(task.instance_id, task.token): task for task in self.open_tasks() if task.main_id is None}
        tokens = {(case, token.token) for case, found in waiting.items() for token in found if token.kind == "task"}
        assert set(tasks) == tokens, "a task without a token, or a token without a task"
        for task in tasks.values():
            assert task.unit_id and task.post
        mains = {task.id for task in tasks.values()}
        assert all(task.main_id in mains for task in self.open_tasks() if task.main_id is not None), "a signature without its task"
        parents = {one.parent_token for one in self.rows(Instance) if one.state in OPEN_STATES and one.parent_token}
        calls = {token.token for found in waiting.values() for token in found if token.kind == "call"}
        assert parents == calls, "a child without a call that waits for it, or a call without a child"
        for found in waiting.values():
            assert any(token.kind in ("task", "call", "message") for token in found), "nobody can act"

    @invariant()
    def what_waits_for_the_outside_is_a_row(self) -> None:
        if not hasattr(self, "store"):
            return
        tokens = {(case, token.token, *awaited(token)) for case, found in self.waiting().items() for token in found if token.kind in ("message", "signal")}
        assert {(row.instance_id, row.token, row.kind, row.name) for row in self.rows(Subscription)} == tokens

    @invariant()
    def clocks_are_explained_to_the_day(self) -> None:
        if not hasattr(self, "store"):
            return
        waiting = self.waiting()
        timers = [clock for clock in self.rows(Timer) if clock.state in ("waiting", "paused", "fired") and clock.instance_id in waiting]
        with self.store.work() as work:
            edition = current_edition(work)
        for clock in timers:
            if clock.state == "waiting" and (explained := explain(clock, edition)) is not None:
                assert explained.deadline.due == clock.due_at
            assert (clock.state == "paused") == (clock.state != "fired" and any(end is None for _, end, *_ in clock.pauses))
        for case, found in waiting.items():
            homes = {token.token: {token.token, *token.path} for token in found if token.kind == "task"}
            for task in (task for task in self.open_tasks() if task.instance_id == case and task.main_id is None):
                around = [clock for clock in timers if clock.instance_id == case and clock.role == "deadline"
                          and (clock.activity or clock.token) in homes[task.token]]  # fmt: skip
                assert task.due_at == min((clock.due_at for clock in around if clock.due_at), default=None)

    def teardown(self) -> None:
        try:
            if hasattr(self, "store"):
                self.drive_home()
                seal(self.store)
                verdict = verify(self.store)
                assert verdict.ok, verdict.first_broken
                self.store.close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def drive_home(self) -> None:
        """Every case comes to its end, if people just do what they are asked to do."""
        for instance in self.rows(Instance):
            if instance.state == "suspended" and instance.parent_id is None:
                resume_instance(self.store, instance.id, actor=self.office["gu"], reason="继续办理")
        for _ in range(200):
            tasks = [task for task in self.open_tasks() if not held(task)]
            if not tasks:
                break
            # Who is asked first signs first: a task may have to wait for its signatures.
            task = max(tasks, key=lambda task: (task.main_id is not None, -task.id))
            if delegated(task):
                take_back_task(self.store, task.id, actor=self.person(task.owner_id))
            else:
                complete_task(self.store, task.id, actor=self.somebody(task, 0), answers=answers(task, again=False))
        assert self.open_tasks() == []
        assert [one.number for one in self.rows(Instance) if one.state in OPEN_STATES] == []
        assert [clock.id for clock in self.rows(Timer) if clock.state in ("waiting", "paused")] == []

    # -- helpers ------------------------------------------------------------------------------

    def tries(self, act: Callable[[], Any]) -> None:
        """Something is done, or refused in a sentence and nothing has changed."""
        before = self.count(History)
        try:
            act()
        except CaseFault as fault:
            raise AssertionError(f"a fault: {[one.detail for one in self.office.incidents()]}") from fault
        except Refused as refused:
            assert refused.message
            assert self.count(History) == before, "refused, and yet something was done"

    def rows(self, table: Any) -> list[Any]:
        with self.store.read() as session:
            return list(session.scalars(select(table).order_by(table.id)))

    def count(self, table: Any) -> int:
        with self.store.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def open_tasks(self) -> list[Task]:
        return [task for task in self.rows(Task) if task.state == "open"]

    def a_task(self, pick: int) -> Task | None:
        tasks = self.open_tasks()
        return tasks[pick % len(tasks)] if tasks else None

    def somebody(self, task: Task, by: int) -> Actor:
        """Mostly one of those who may work on the task."""
        able = [actor for actor in self.office.actors.values() if may_work(actor, task)]
        assert able, "a task that nobody may work on"
        return able[by % len(able)] if by < 8 else self.office[PEOPLE[by % len(PEOPLE)]]

    def person(self, account_id: int | None) -> Actor:
        return next(actor for actor in self.office.actors.values() if actor.account_id == account_id)

    def waiting(self) -> dict[int, list[Waiting]]:
        """What the interpreter waits for, of every case that has not ended."""
        with self.store.read() as session:
            return {
                one.id: Machine.load(deployed(session, one.definition_id).diagram, one.saved, host=Onlooker()).waiting()
                for one in session.scalars(select(Instance).where(Instance.state.in_(OPEN_STATES)).options(undefer(Instance.saved)))
            }


def answers(task: Task, again: bool) -> dict[str, Any]:
    if task.main_id is not None:
        return {"stance": "agree"}
    return {"again": "yes" if again else "no"} if task.step == "check" else {}


TestRandomVerbs = RandomVerbs.TestCase
TestRandomVerbs.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
