"""A case that is only tried: the real interpreter and the kernel's own dating of tasks and timers, on a virtual clock.

Nothing of it is ever stored. Operations are not run: a service task gives what the case has on record, fails where the
record says that it failed, and gives an absent value where nothing is known, which is told as soon as a condition needs it.
The two operations that only reckon with the case's own clocks are reckoned anew, as the draft may say other numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from calendars import deadline
from calendars.edition import Edition
from engine.process.clocks import acts_at, lengthen, whole_days
from engine.process.interpreter.expressions import ExpressionError, evaluate
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import Diagram, OperationError, Passed, Step, Waiting
from engine.process.projection import calendar_for, project
from engine.process.redating import redate
from engine.process.suspension import stand_still, take_up
from engine.process.tables import Task, Timer
from engine.process.workshop.back_testing.surroundings import Surroundings

#: Automatic steps in one move, timers in one case and steps in one case, beyond which a draft goes round in circles.
STEP_BUDGET = 1000
MOST_FIRED = 500
MOST_PASSED = 20_000


class TooManyTimers(Exception):
    """The draft's timers fire again and again."""


class Unrecorded:
    """The result of an operation that the case never ran. Whoever decides by it is told so."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _refuse(self, *_: Any) -> Any:
        raise ExpressionError(f"记录中没有“{self.name}”的值")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __len__ = _refuse
    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Cause:
    """What led to a point of the trial."""

    name: str
    """Of the step, or of the timer."""
    opened: Sequence[str] = ()
    """The names of the tasks that the record opened after it."""
    timer: bool = False
    """A timer of the draft, of which the record may know nothing."""
    deadline: bool = False
    """A deadline was missed: what it calls goes on beside the case and is closed with the late activity."""


@dataclass(slots=True, eq=False)
class Stop:
    """A task or a call at which the trial stopped for somebody outside."""

    step: Step
    token: str
    opened_at: datetime
    cause: Cause
    row: Task | None = None
    """None for a call and for a step of a worker outside."""
    counted: bool = False
    """Of a call: set against a case on record."""
    state: str = "open"
    """open · done · cancelled"""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the record gives to service tasks."""

    results: Mapping[str, deque[Any]] = field(default_factory=dict)
    """Element of the draft → what the same step brought on record, each time that it ran; the last stays."""
    endings: Mapping[str, deque[str | None]] = field(default_factory=dict)
    """Element of the draft → the error code of each time that it ran, None where it went well."""
    children: Mapping[str, int] = field(default_factory=dict)
    """Process → how many cases of it the calls of this one have started."""


class Trial:
    """One case under a diagram. It is a `Docket` for the projection and the host of its interpreter."""

    def __init__(
        self, diagram: Diagram, instance_id: int, variables: dict[str, Any], known: OnRecord, around: Surroundings
    ) -> None:
        self.diagram = diagram
        self.variables = variables
        self.words = around.words
        self.labels: Mapping[str, Any] = {"instance_id": instance_id}
        self.tasks: dict[str, Task] = {}
        self.signatures: dict[int, list[Task]] = {}
        self.timers: list[Timer] = []
        self.deadlines: list[Timer] = []
        """Every deadline that ever ran."""
        self.stops: list[Stop] = []
        self.ended_at: datetime | None = None
        self.machine = Machine.start(diagram, host=self, budget=STEP_BUDGET)
        self._known, self._around = known, around
        self._has_topics = any(step.topic for step in diagram.steps.values())
        #: As of when the calendar is known, and its stage when the clocks were last counted with it.
        self._known_at: datetime
        self._stage = 0
        self._recounts: set[str] = set()
        self._live: dict[str, Stop] = {}
        self._children = dict(known.children)
        self._fired = 0

    # -- what it offers to the projection -----------------------------------------------------

    @property
    def edition(self) -> Edition:
        return self._around.edition(self._known_at)

    def edition_in(self, calendar: str) -> Edition:
        return self._around.edition(self._known_at, calendar)

    def evaluate(self, text: str, waiting: Waiting | None = None) -> Any:
        return self.machine.evaluate(text, waiting.token if waiting else None)

    def process_property(self, name: str) -> str | None:
        return self.diagram.properties.get(name) or None

    def unit_id(self, code: str) -> int:
        return self._around.unit_id(code)

    def at_start(self) -> tuple[int, str]:
        """Who submits again matters to no trial."""
        return 0, ""

    def keep(self, row: Task | Timer) -> None:
        if isinstance(row, Timer):
            row.calendar = calendar_for(self, row, self._around.calendars.bindings)
            if row.role == "deadline":
                self.deadlines.append(row)

    def assign(self, wanted: Sequence[tuple[Task, Any]]) -> Mapping[str, Mapping[str, str]]:
        """Nor has anybody anything to do."""
        return {}

    def admit(self, tasks: list[Task]) -> None:
        """Nobody takes part in a trial."""

    def take_recounts(self) -> set[str]:
        taken, self._recounts = self._recounts, set()
        return taken

    # -- what it offers to the interpreter ----------------------------------------------------

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        """Gives what the record knows of this step, or fails as it failed then."""
        endings = self._known.endings.get(step.id)
        code = endings.popleft() if endings else None
        if code is not None:
            raise OperationError(code, f"环节“{step.name}”在记录中未能办成")
        if step.operation == "cases.extend":
            return self._extend(step, parameters)
        if step.operation == "cases.due_day":
            last = deadline.due(self.at, whole_days(parameters["days"], step.id), self._edition_of(parameters.get("unit"))).last_day
            return last.isoformat() if last else None
        out = step.properties.get("out")
        if not out:
            return None
        results = self._known.results.get(step.id)
        if not results:
            return Unrecorded(out)
        return results.popleft() if len(results) > 1 else results[0]

    def _edition_of(self, unit: Any) -> Edition:
        """The edition by which a unit counts."""
        bound = self._around.calendars.bindings.get(self.unit_id(str(unit))) if unit else None
        return self._around.edition(self._known_at, bound)

    def _extend(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        days, activity = whole_days(parameters["days"], step.id), parameters["activity"]
        own = [timer for timer in self.timers if timer.kind == "machine" and self.activity_of(timer) == activity]
        lengthened = lengthen(own, days, self.at, lambda calendar: self._around.edition(self._known_at, calendar))
        if lengthened is None:
            raise OperationError("no-deadline", "该环节没有可以延长的时限")
        self._recounts.add(lengthened.activity)
        return lengthened.told(days)

    # -- what happens -------------------------------------------------------------------------

    def begin(self, at: datetime, known_at: datetime, opened: Sequence[str]) -> None:
        """Runs from the start event."""
        self.at, self._known_at, self._stage = at, known_at, self._around.stage(known_at)
        self.machine.run()
        self._settle(Cause("发起", opened))

    def pass_until(self, at: datetime, known_at: datetime, *, inclusive: bool = True) -> None:
        """Lets what is due by then fire, in the order in which it is due, under the calendar as it was known each time."""
        while self.ended_at is None:
            due = [
                timer for timer in self.timers
                if timer.state == "waiting" and timer.due_at is not None
                and (timer.due_at < at or (inclusive and timer.due_at == at))
            ]  # fmt: skip
            first = min(due, key=lambda timer: timer.due_at or at, default=None)
            # Stale before due: a new notice may have moved this very date.
            if self._notice_came((first.due_at if first is not None else None) or known_at):
                continue
            if first is None:
                return
            self._fired += 1
            if self._fired > MOST_FIRED or len(self.machine.passed()) > MOST_PASSED:
                raise TooManyTimers
            self._fire(first)

    def _notice_came(self, known_at: datetime) -> bool:
        """Whether the calendar has changed by then; if so the clocks are counted again."""
        self._known_at = max(self._known_at, known_at)
        stage = self._around.stage(self._known_at)
        if stage == self._stage:
            return False
        self._stage = stage
        redate(self, self._around.calendars.policies)
        return True

    def _fire(self, timer: Timer) -> None:
        self.at = acts_at(timer)
        timer.state, timer.fired_at = "fired", self.at
        if timer.role not in ("deadline", "reminder"):
            self.timers.remove(timer)
        if timer.kind == "limit":
            return  # it tells people and starts a case of its own; this one stays where it is
        self.machine.fire(timer.token)
        step = self.diagram.steps[timer.element]
        self._settle(Cause(step.name or timer.activity_name, timer=True, deadline=timer.role == "deadline"))

    def complete(
        self, stop: Stop, data: Mapping[str, Any], at: datetime, known_at: datetime, opened: Sequence[str]
    ) -> None:
        """Somebody completes a task, or the case that a call waits for has ended."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        stop.state = "done"
        if stop.row is not None:
            stop.row.state, stop.row.completed_at = "done", at
        several = (stop.row is not None or stop.step.topic is not None) and stop.step.multi
        if not several:
            self.variables.update(data)
        self.machine.complete(stop.token, local=dict(data) if several else None)
        self._settle(Cause(stop.step.name, opened))

    def fail(self, stop: Stop, code: str, data: Mapping[str, Any], at: datetime, known_at: datetime, opened: Sequence[str]) -> None:
        """A worker outside reports a BPMN error, with what its event took; the draft may fail to catch it."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        stop.state = "done"
        self.variables.update(data)
        self.machine.raise_error(stop.token, code)
        self._settle(Cause(stop.step.name, opened))

    def go_back(self, stop: Stop, step: str, at: datetime, known_at: datetime, opened: Sequence[str]) -> None:
        """Somebody returns a task to an earlier step. Raises CannotGoBack."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        self.machine.go_back(stop.token, step)
        self._settle(Cause(f"{stop.step.name}退回", opened))

    def hold_start(self, at: datetime, known_at: datetime, opened: Sequence[str]) -> None:
        """The case comes back to its starter: it was returned, or the start was taken back."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        self.machine.hold_start()
        self._settle(Cause("退回发起人", opened))

    def deliver(self, message: str, payload: Mapping[str, Any], at: datetime, known_at: datetime, opened: Sequence[str]) -> None:
        """A message arrives."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        self.variables.update(payload)
        if self.ended_at is None and self.machine.deliver(message):
            self._settle(Cause("收到消息", opened))

    def hear(self, signal: str, payload: Mapping[str, Any], at: datetime, known_at: datetime, opened: Sequence[str]) -> None:
        """A signal comes. What the case throws itself it has heard already, and nobody else hears a trial."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        if self.ended_at is None and self.machine.signal(signal, payload):
            self._settle(Cause("收到信号", opened))

    def suspend(self, at: datetime, known_at: datetime) -> None:
        """Somebody suspends the case: its clocks stand still."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        stand_still(self, {})

    def resume(self, at: datetime, known_at: datetime) -> None:
        """The case goes on with the working days that were left."""
        self.at, self._known_at = at, max(self._known_at, known_at)
        take_up(self, {})

    def returned(self, stop: Stop, outcome: str | None, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What a call activity takes over from the case that it had started."""
        names = {**variables, "outcome": outcome}
        return {
            name.removeprefix("out."): evaluate(text, names, self.words)
            for name, text in stop.step.properties.items() if name.startswith("out.")
        }  # fmt: skip

    # -- what is ------------------------------------------------------------------------------

    def open_stops(self) -> list[Stop]:
        """Where somebody is waited for now, oldest first."""
        return [stop for stop in self._live.values() if stop.state == "open"]

    def activity_of(self, timer: Timer) -> str | None:
        """The element whose clock a timer is."""
        return timer.element if timer.element not in self.diagram.timers else self.diagram.timers[timer.element].attached_to

    def passed(self) -> list[Passed]:
        return self.machine.passed()

    @property
    def end(self) -> Step | None:
        """The end event that it reached."""
        return self.diagram.steps.get(self.machine.outcome or "")

    def _settle(self, cause: Cause) -> None:
        changes = project(self)
        waiting = {call.token: call for call in changes.calls}
        if self._has_topics:
            waiting |= {token.token: token for token in self.machine.waiting() if token.kind == "topic"}
        for token, stop in list(self._live.items()):
            if token not in self.tasks and token not in waiting:
                stop.state = "cancelled" if stop.state == "open" else stop.state
                del self._live[token]
        for token, row in self.tasks.items():
            if token not in self._live:
                self._stop(self.diagram.steps[row.step], token, row, cause)
        for token, call in waiting.items():
            if token not in self._live:
                self._stop(self.diagram.steps[call.step], token, None, cause)
        if self.machine.ended:
            self.ended_at = self.at
        else:
            self._let_run_beside(cause)

    def _stop(self, step: Step, token: str, row: Task | None, cause: Cause) -> None:
        stop = Stop(step, token, self.at, cause, row)
        self.stops.append(stop)
        self._live[token] = stop

    def _let_run_beside(self, cause: Cause) -> None:
        """Passes a call that only the draft's missed deadline makes: nobody knows how that case would have ended."""
        for stop in [stop for stop in self.stops if stop.step.called and stop.state == "open" and not stop.counted]:
            stop.counted = True
            key = stop.step.called or ""
            if self._children.get(key, 0) > 0:
                self._children[key] -= 1
            elif cause.deadline and stop.cause is cause:
                outs = [name.removeprefix("out.") for name in stop.step.properties if name.startswith("out.")]
                self.stops.remove(stop)
                self.complete(stop, {name: Unrecorded(name) for name in outs}, self.at, self._known_at, ())
                return
