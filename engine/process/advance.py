"""The one road: whatever moves a process instance goes through `advance`.

A person, a timer, a message, a signal, an ended child and an operator all become a `Move`. The road first fires what is overdue,
applies the move, brings the rows in line, writes one history entry and saves the state; what this means for other
instances (a child to start, a parent that waits, a supervision case to close) is queued and done in the same
transaction, so that nobody ever sees half of it.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from engine.process import by_hand, external_tasks, incidents, subscriptions, turning_back
from engine.process.case import Case, lock_instance
from engine.process.clocks import acts_at
from engine.process.definitions import deployed, in_force
from engine.process.frame import deadline_facts, fire_limit
from engine.process.interpreter.model import Waiting
from engine.process.migrating import migrate
from engine.process.moves import (
    Begin,
    ChildEnded,
    Complete,
    Correct,
    Deliver,
    Finish,
    Fire,
    Hear,
    Migrate,
    Move,
    Resume,
    Return,
    SetDue,
    Suspend,
    Terminate,
    Withdraw,
)
from engine.process.notifying.new_tasks import tell_of_new_tasks
from engine.process.opening import Under, open_instance
from engine.process.projection import project
from engine.process.putting_right import put_right
from engine.process.redating import bring_up_to_date
from engine.process.retention import removal_time
from engine.process.suspension import resume, suspend
from engine.process.tables import OPEN_STATES, Instance, Task, Timer
from engine.process.throwing import throw_out
from engine.process.undoing import Before, before, keep, keep_start, restore, start_step
from engine.store.errors import NotRunning, Stale
from engine.store.store import Work

#: More automatic moves than this in one transaction is a circle of processes starting each other.
MOST_MOVES = 500


def advance(work: Work, instance: Instance, move: Move, *, at: datetime | None = None) -> None:
    """Moves a locked (or just opened) instance, and whatever follows from it, in the open transaction.

    `at` is when it counts as done (an overdue timer acts as of its due time); it defaults to now. After an exception
    the transaction must be rolled back.
    """
    road: Road = work.notes.setdefault("road", Road(work))
    road.go(instance, move, at or work.now)


class Road:
    """The moves of one transaction."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.queue: deque[tuple[int, Move, datetime]] = deque()
        self.cases: dict[int, Case] = {}
        self.opened: list[Task] = []
        self.moving = False

    def go(self, instance: Instance, move: Move, at: datetime) -> None:
        self.queue.append((instance.id, move, at))
        if instance.id not in self.cases:
            self.cases[instance.id] = Case(self.work, instance, new=isinstance(move, Begin))
        if self.moving:
            return
        self.moving = True
        moves = 0
        while self.queue:
            moves += 1
            if moves > MOST_MOVES:
                raise RecursionError("流程相互启动过多，请检查流程图")
            self._take(*self.queue.popleft())
        for case in self.cases.values():
            if case.entries:
                case.save()
        tell_of_new_tasks(self.work, self.opened)
        self.opened = []
        self.cases.clear()
        self.moving = False

    def case(self, instance_id: int) -> Case:
        """The open case of an instance, locked on first use."""
        if instance_id not in self.cases:
            self.cases[instance_id] = Case(self.work, lock_instance(self.work, instance_id))
        return self.cases[instance_id]

    def _take(self, instance_id: int, move: Move, at: datetime) -> None:
        case = self.case(instance_id)
        if case.instance.state == "suspended" and isinstance(move, Resume | Terminate | Correct):
            self._apply(case, move, at)
            return
        if case.instance.state != "running":
            if isinstance(move, Complete | Finish | Return | Withdraw | Terminate | Migrate | Correct | Suspend | Resume | SetDue):
                raise NotRunning
            return  # it ended while the message or the timer was on its way
        # Stale before due: a new notice may have moved this very date.
        bring_up_to_date(case)
        if isinstance(move, Fire) and not _still_due(case, move, self.work.now):
            return
        if isinstance(move, Complete | Finish | Return | Withdraw | Deliver | Hear | Terminate | Suspend | SetDue):
            # What has failed already must not hold up who stops the case because of it.
            self._fire_overdue(case, failed_too=not isinstance(move, Terminate | Suspend))
            if isinstance(move, Hear) and case.instance.state != "running":
                return
            if case.instance.state != "running" or (isinstance(move, Complete | Finish | Return) and move.task.state == "cancelled"):
                raise NotRunning("到期处理已先行生效，该待办已关闭")
            if isinstance(move, Withdraw) and any(entry.act == "timer_fired" for entry in case.entries):
                raise Stale("到期处理已先行生效，不能再撤回")
        self._apply(case, move, at)

    def _fire_overdue(self, case: Case, *, failed_too: bool) -> None:
        """What is overdue fires before anything that comes late, in the order in which it was due."""
        while case.instance.state == "running":
            overdue = [
                timer for timer in case.timers
                if timer.state == "waiting" and timer.due_at is not None and timer.due_at <= self.work.now and (failed_too or not timer.attempts)
            ]
            if not overdue:
                return
            self.work.session.flush()  # what an earlier one of them opened has no id yet
            first = min(overdue, key=lambda timer: (timer.due_at, timer.id))
            self._apply(case, Fire(first.id), acts_at(first))

    # -- one move -----------------------------------------------------------------------------

    def _apply(self, case: Case, move: Move, at: datetime) -> None:
        case.at = at
        cause: Timer | None = None
        if isinstance(move, Fire):
            cause = next((timer for timer in case.timers if timer.id == move.timer_id and timer.state == "waiting"), None)
            if cause is None:
                return  # already fired, or its clock stands still
            cause.state, cause.fired_at, cause.wake_at = "fired", self.work.now, None
            if cause.attempts:
                incidents.resolve(self.work, timer_id=cause.id)
            if cause.role not in ("deadline", "reminder"):
                case.timers.remove(cause)
        elif isinstance(move, ChildEnded) and all(token.token != move.token for token in case.machine.waiting()):
            return  # the call was withdrawn while its child came to an end
        elif isinstance(move, Hear) and all(token.token not in move.tokens for token in case.machine.waiting()):
            return  # what was overdue has ended the waiting
        if isinstance(move, Complete):
            # Only now: a notice that came in meanwhile may have given more time.
            move.task.late = move.task.due_at is not None and self.work.now >= move.task.due_at
        said = self._enter(case, move, cause)
        if cause is not None and cause.kind == "limit":
            called = fire_limit(case, cause)
            if called:
                self._start_child(case, called, deadline_facts(case, cause), said, token=None, cause=cause)
            return
        if isinstance(move, Suspend | Resume):
            self._stop_or_go(case, move, said)
            return
        if isinstance(move, SetDue):
            by_hand.set_due(case, move, said)
            return
        if isinstance(move, Correct):
            put_right(case, move, said)
            return
        was = None
        if isinstance(move, Migrate):
            migrate(case, deployed(self.work.session, move.definition_id), move.plan, said)
        else:
            if isinstance(move, Complete):
                was = before(case, move.task.step)
            self._step(case, move, cause, said)
        self._settle(case, move, cause, said, was)

    def _stop_or_go(self, case: Case, move: Suspend | Resume, said: dict[str, Any]) -> None:
        """Stops or goes on, and likewise everything that the case has started: none of it may wait for one that stands still."""
        stops = isinstance(move, Suspend)
        (suspend if stops else resume)(case, said)
        below = select(Instance.id).where(Instance.parent_id == case.instance.id, Instance.state == ("running" if stops else "suspended"))
        for child_id in self.work.session.scalars(below).all():
            self.go(self.case(child_id).instance, move, case.at)

    def _enter(self, case: Case, move: Move, cause: Timer | None) -> dict[str, Any]:
        """Opens the history entry of this move."""
        match move:
            case Begin(said):
                return case.record("started", **said)
            case Complete(task, said=said, by=by):
                step = case.diagram_steps[task.step]
                return case.record("completed", step=task.step, article=step.article, by=by, name=task.name, late=task.late, **said)
            case Finish(external, error=error, said=said):
                step = case.diagram_steps[external.step]
                act = "external_completed" if error is None else "external_error"
                return case.record(act, step=step.id, article=step.article, name=step.name, topic=external.topic, **said)
            case Return(task, to, reason):
                to = to or start_step(case)
                return case.record("returned", step=task.step, article=case.diagram_steps[task.step].article,
                                   **turning_back.facts(task, to, case.diagram_steps[to].name, reason))
            case Withdraw(task, reason=reason):
                if task is None:
                    return case.record("start_withdrawn", step=start_step(case), reason=reason)
                return case.record("withdrawn", step=task.step, name=task.name, task=task.id, reason=reason)
            case Fire():
                assert cause is not None
                name = case.diagram_steps[cause.element].name if cause.element in case.diagram_steps else cause.activity_name
                return case.record(
                    "timer_fired", step=cause.element, article=cause.rule.get("article"), role=cause.role, name=name,
                    activity=cause.activity_name, due=cause.due_at.isoformat() if cause.due_at else None,
                )
            case Deliver(message, payload):
                entry = case.record("message", message=message)
                if payload:
                    entry["payload"] = dict(payload)
                return entry
            case Hear(signal, payload, said=said):
                entry = case.record("signal", signal=signal, **said)
                if payload:
                    entry["payload"] = dict(payload)
                return entry
            case ChildEnded(_, child, outcome):
                return case.record("child_ended", child=child, child_outcome=outcome)
            case Terminate(reason, given_up):
                return case.record("given_up" if given_up else "terminated", reason=reason)
            case Migrate(said=said):
                return case.record("migrated", **said)
            case Correct(said=said):
                return case.record("corrected", **said)
            case Suspend(reason):
                return case.record("suspended", reason=reason)
            case Resume(reason):
                return case.record("resumed", reason=reason)
            case SetDue():
                return by_hand.enter(case, move)

    def _step(self, case: Case, move: Move, cause: Timer | None, entry: dict[str, Any]) -> None:
        """Moves the interpreter."""
        match move:
            case Begin():
                case.begin().run()
            case Return(task, to):
                task.state = "cancelled"
                if to is None:
                    case.machine.hold_start()
                else:
                    case.machine.go_back(task.token, to)
            case Withdraw(None):
                case.machine.hold_start()
            case Withdraw(task, undo) if task is not None:
                restore(case, undo, task)
            case Complete(task, values, data, said, by):
                actor = by or self.work.actor
                task.state, task.completed_at = "done", case.at
                task.completed_by = task.assignee_id = actor.account_id if actor else None
                task.answers, task.opinion, task.prepared = dict(values), said.get("opinion") or None, None
                step = case.diagram_steps[task.step]
                if not step.multi:
                    case.variables.update(data)
                case.machine.complete(task.token, local=dict(data) if step.multi else None)
            case Finish(external, given, error):
                external_tasks.finish(case, external, given, error, entry)
            case Fire():
                assert cause is not None
                case.machine.fire(cause.token)
            case Deliver(message, payload):
                case.variables.update(payload)
                case.machine.deliver(message, dict(payload))
            case Hear(signal, payload, tokens):
                case.machine.signal(signal, dict(payload), only=tokens)
            case ChildEnded(token):
                self._return(case, move)
            case Terminate():
                case.machine.cancel()

    def _return(self, case: Case, move: ChildEnded) -> None:
        """Takes what the call activity wants from the child (`out.*`), then goes on."""
        step = case.diagram_steps[next(w.step for w in case.machine.waiting() if w.token == move.token)]
        names = {**move.variables, "outcome": move.outcome}
        for name, text in step.properties.items():
            if name.startswith("out."):
                case.variables[name.removeprefix("out.")] = case.evaluate_over(text, names)
        case.machine.complete(move.token)

    def _settle(self, case: Case, move: Move, cause: Timer | None, said: dict[str, Any], was: Before | None) -> None:
        """Brings the rows in line after the interpreter moved, and queues what follows for other instances."""
        instance = case.instance
        passed = case.fresh_steps()
        said["passed"] = [[step.step, step.how] for step in passed]
        failing = [timer for timer in case.timers if timer.attempts]
        changes = project(case)
        for timer in failing:
            if timer.state == "cancelled":
                incidents.resolve(self.work, timer_id=timer.id)  # it will never be tried again
        self.opened += changes.opened
        said.update(changes.said)
        external_tasks.bring_in_line(case, said)
        thrown = throw_out(case, said)
        subscriptions.bring_in_line(case, moved=isinstance(move, Migrate))
        if isinstance(move, Return):
            turning_back.sent(case, changes, move.to or start_step(case), move.reason)
        elif isinstance(move, Withdraw):
            turning_back.taken_back(case, changes, move.task, move.reason)
        running = self._running_calls(case) if changes.calls else frozenset()
        for call in changes.calls:
            if call.token not in running:
                self._call(case, call, cause, said)
        if case.machine.ended or isinstance(move, Terminate):
            self._end(case, said, move)
        elif withdrawn := [step.token for step in passed if step.kind == "call" and step.how == "cancelled"]:
            self._end_children(case, "上级办件不再等待其结果", Instance.parent_token.in_(withdrawn))
        if changes.left and instance.supervised:
            self._close_sources(case, changes.alive)
        if isinstance(move, Complete) and was is not None and not thrown:
            keep(case, was, move.task, passed, changes)
        elif isinstance(move, Begin) and not thrown:
            keep_start(case, passed)

    def _running_calls(self, case: Case) -> frozenset[str | None]:
        """The tokens of call activities whose child has been started."""
        return frozenset(
            self.work.session.scalars(
                select(Instance.parent_token).where(Instance.parent_id == case.instance.id, Instance.parent_token.is_not(None))
            )
        )

    def _call(self, case: Case, call: Waiting, cause: Timer | None, said: dict[str, Any]) -> None:
        """Starts the child instance that a call activity stands for."""
        step = case.diagram_steps[call.step]
        given = {
            name.removeprefix("in."): case.evaluate(text, call)
            for name, text in step.properties.items() if name.startswith("in.")
        }
        if cause is not None and cause.role == "deadline":
            given = {**deadline_facts(case, cause), **given}
        self._start_child(case, str(step.called), given, said, token=call.token, cause=cause)

    def _start_child(
        self, case: Case, key: str, given: dict[str, Any], said: dict[str, Any], *, token: str | None, cause: Timer | None,
    ) -> None:
        """Opens an instance of `key` under this one. With `token` the parent waits for it."""
        for name in ("applicant_unit", "provider_unit", "resource"):
            if name in case.variables:
                given.setdefault(name, case.variables[name])
        under = Under(case.instance.id, token)
        if cause is not None and cause.role == "deadline":
            under = Under(case.instance.id, token, case.instance.id, cause.activity or cause.token)
            case.instance.supervised = True
        child = open_instance(
            self.work, in_force(self.work.session, key, case.at), variables=given, at=case.at, under=under,
            unit_id=case.instance.unit_id, subject_key=case.instance.subject_key, subject_name=given.get("source_title"),
        )
        said.setdefault("children", []).append({"id": child.id, "number": child.number, "process": key})
        self.go(child, Begin({"parent": case.instance.number}), case.at)

    def _end(self, case: Case, said: dict[str, Any], move: Move) -> None:
        instance = case.instance
        instance.ended_at, instance.undo = case.at, None
        instance.removal_at = removal_time(case.definition.diagram.properties, case.at)
        instance.state = "terminated" if isinstance(move, Terminate) else "completed"
        if not isinstance(move, Terminate):
            end = case.diagram_steps.get(case.machine.outcome or "")
            instance.outcome = end.properties.get("outcome", end.id) if end else None
            instance.outcome_name = end.name if end else None
            said["outcome"] = instance.outcome_name
        else:
            instance.outcome, instance.outcome_name = ("withdrawn", "已撤回") if move.given_up else ("terminated", "已终止")
        incidents.close_all(self.work, instance.id)
        self._end_children(case, "上级办件已结束", Instance.parent_token.is_not(None))
        if instance.parent_id is not None and instance.parent_token is not None:
            parent = self.case(instance.parent_id)
            self.go(
                parent.instance, ChildEnded(instance.parent_token, instance.id, instance.outcome, dict(case.variables)), case.at
            )

    def _end_children(self, case: Case, reason: str, which: ColumnElement[bool]) -> None:
        """Terminates the cases on which call activities of this one had waited: nobody will ever ask for what they bring."""
        for child in self.work.session.scalars(
            select(Instance).where(Instance.parent_id == case.instance.id, Instance.state.in_(OPEN_STATES), which)
        ).all():
            if child.state in OPEN_STATES:  # else it ended in this very transaction, and its row is not written yet
                self.go(self.case(child.id).instance, Terminate(reason), case.at)

    def _close_sources(self, case: Case, alive: frozenset[str]) -> None:
        """Tells the instances that a missed deadline had started that the activity is now left."""
        for child_id, token in self.work.session.execute(
            select(Instance.id, Instance.source_token).where(Instance.source_id == case.instance.id, Instance.state == "running")
        ).all():
            if token not in alive:
                self.go(self.case(child_id).instance, Deliver("source_closed"), case.at)


def _still_due(case: Case, move: Fire, now: datetime) -> bool:
    """Whether the timer that was to fire is due under the calendar as it is known now."""
    timer = next((timer for timer in case.timers if timer.id == move.timer_id), None)
    return timer is None or timer.due_at is None or timer.due_at <= now
