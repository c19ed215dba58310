"""One running process: start or load it, let something happen, ask who waits, save it.

The machine knows no clock, no people and no database. It is cheap (well under a millisecond to load) and
lives for one transaction. After an exception it must be thrown away: its state is then undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Self

from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter import expressions
from engine.process.interpreter.events import Boundary, Catch, hear, listeners
from engine.process.interpreter.gateways import Inclusive
from engine.process.interpreter.going_back import go_back, hold_start, human_steps, is_beside, is_held, ways_back
from engine.process.interpreter.model import (
    Decided,
    Diagram,
    Host,
    NotWaiting,
    Passed,
    RunawayLoop,
    Step,
    Stuck,
    Thrown,
    UncaughtError,
    Waiting,
    WaitKind,
)
from engine.process.interpreter.network import Network
from engine.process.interpreter.nodes import ActivitySplit, Node, Subprocess, catcher_of, throw
from engine.process.interpreter.scripting import ScriptEngine, names_for
from engine.process.interpreter.state import load, save
from engine.process.interpreter.tokens import Process, Scope, Token, new_root

#: Automatic steps in one run before we call it a runaway loop. A diagram of the town takes under 50.
STEP_BUDGET = 5000

#: Automatic steps after which finished tokens are forgotten also within a run: a sweep looks at all tokens.
PRUNE_EVERY = 64

_KINDS: Mapping[str, WaitKind] = {"user": "task", "manual": "task", "call": "call", "service": "topic", "send": "topic"}


class Onlooker:
    """A host for whoever only looks at a saved process: it has no data and runs nothing."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self.words: Mapping[str, Callable[..., Any]] = {}

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        raise AssertionError("an onlooker runs nothing")


class Machine:
    """A process at a moment; all methods that move it run on until everything waits or it has ended."""

    def __init__(self, diagram: Diagram, process: Process, *, budget: int = STEP_BUDGET) -> None:
        self.diagram = diagram
        self._process = process
        self._budget = budget

    @classmethod
    def start(cls, diagram: Diagram, *, host: Host, budget: int = STEP_BUDGET) -> Self:
        """A new process standing at its start event; call `run` to let it go."""
        network: Network = diagram.spec
        process = Process(network.root, network.subprocesses, ScriptEngine(host), host)
        new_root(process)
        process.begin()
        return cls(diagram, process, budget=budget)

    @classmethod
    def load(cls, diagram: Diagram, state: bytes, *, host: Host, budget: int = STEP_BUDGET) -> Self:
        """The process as `save` wrote it. Raises StateError if the state does not fit the diagram."""
        return cls(diagram, load(diagram.spec, state, host), budget=budget)

    def save(self) -> bytes:
        """The state as slim JSON: live tokens only, without diagram and case data."""
        return save(self._process)

    # --- what is -----------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """No token is left."""
        return bool(self._process.completed)

    @property
    def outcome(self) -> str | None:
        """The end event of the root process, once it has been reached.

        A terminate end wins; the end of a branch beside the main one (after a non-interrupting event) counts
        only if there is no other.
        """
        return self._process.outcome

    def waiting(self) -> list[Waiting]:
        """Tokens that wait for somebody outside, enclosing scopes first, oldest first."""
        found = []
        for scope in self._process.scopes():
            enclosing: tuple[str, ...] | None = None
            for token in scope.tasks.values():
                kind = _waits_for(token)
                if kind is None:
                    continue
                if enclosing is None:
                    enclosing = _enclosing(scope)
                found.append(_waiting(token, kind, enclosing))
        return found

    def passed(self) -> list[Passed]:
        """What happened since start or load, in order."""
        return list(self._process.passed)

    def take_decided(self) -> list[Decided]:
        """The countersigns that were decided since this was last asked, in order."""
        taken, self._process.decided = self._process.decided, []
        return taken

    def take_thrown(self) -> list[Thrown]:
        """The signals that were thrown since this was last asked, in order; the process itself has heard them."""
        taken, self._process.thrown = self._process.thrown, []
        return taken

    def tokens_of(self, step: str) -> list[str]:
        """Live tokens of an element, whether they wait or not (a running subprocess has one)."""
        return [
            token.id
            for scope in self._process.scopes()
            for token in scope.live()
            if token.task_spec.step is not None and token.task_spec.step.id == step
        ]

    def is_beside(self, token: str) -> bool:
        """Whether a token stands on a branch beside the main one, or inside an activity of such a branch."""
        return is_beside(self._token(token))

    def evaluate(self, expression: str, token: str | None = None) -> Any:
        """The value of an expression over the case data, and over the token's own if one is given."""
        local = self._token(token).local if token is not None else {}
        host = self._process.host
        return expressions.evaluate(expression, names_for(host, local), host.words)

    # --- what happens --------------------------------------------------------------------------------------

    def run(self) -> None:
        """Take all automatic steps. Raises RunawayLoop, Stuck, NoPath, ExpressionError, UncaughtError."""
        steps = pruned_at = 0
        while True:
            done = self._sweep(self._budget - steps)
            steps += done
            if steps - pruned_at > PRUNE_EVERY:
                pruned_at = steps
                for scope in self._process.scopes():
                    scope.prune()
            if not done and not self._finish_scopes() and not self._settle_joins():
                break
        process = self._process
        if not any(token.live for token in process.tasks.values()):
            process.completed = True
        elif not any(_waits_for(token) for scope in process.scopes() for token in scope.tasks.values()):
            raise Stuck(f"流程“{self.diagram.name}”停在汇合处：等待的分支不会再来")

    def complete(self, token: str, *, local: Mapping[str, Any] | None = None) -> None:
        """A user task, a call or a topic is done; `local` values stay with its token. Then run.

        Raises NotWaiting if the token waits for no such thing.
        """
        found = self._token(token)
        if not (found._state == TaskState.READY and found.task_spec.manual) and not is_held(found):
            raise NotWaiting(f"“{found.task_spec.name}”没有在等待办理")
        if local:
            found.write(local)
        found.run()
        self.run()

    def fire(self, token: str) -> None:
        """A timer is due. Then run. Raises NotWaiting if the token is no waiting timer."""
        found = self._token(token)
        if _waits_for(found) != "timer":
            raise NotWaiting(f"“{found.task_spec.name}”没有在计时")
        found.task_spec.happen(found)
        self.run()

    def deliver(self, message: str, payload: Mapping[str, Any] | None = None) -> list[str]:
        """Hand a message to every token that waits for it now; returns those. Nothing is kept for later.

        The payload becomes case data if anybody waits.
        """
        waiting = [
            token
            for scope in self._process.scopes()
            for token in scope.live()
            if _waits_for(token) == "message" and token.task_spec.message == message
        ]
        if waiting and payload:
            self._process.host.variables.update(payload)
        reached = hear(self._process, [token.id for token in waiting])
        if reached:
            self.run()
        return reached

    def signal(self, name: str, payload: Mapping[str, Any] | None = None, *, only: Collection[str] | None = None) -> list[str]:
        """A signal from outside, for every token that waits for it now (of `only`, where they are given); returns those.

        The payload becomes case data if anybody waits. Nothing is kept for later.
        """
        waiting = [token.id for token in listeners(self._process, name) if only is None or token.id in only]
        if waiting and payload:
            self._process.host.variables.update(payload)
        reached = hear(self._process, waiting)
        if reached:
            self.run()
        return reached

    def catcher(self, token: str, code: str) -> str | None:
        """The boundary event that would take over on a BPMN error of that code in the activity of `token`; None where none would."""
        found = catcher_of(self._token(token), "error", code)
        return found.task_spec.name if found is not None else None

    def raise_error(self, token: str, code: str) -> None:
        """A BPMN error happened in the activity of `token`. Then run.

        Raises UncaughtError if no boundary event on it or around it catches the code.
        """
        found = self._token(token)
        if not found.live or found.task_spec.attached:
            raise NotWaiting(f"“{found.task_spec.name}”没有在办理")
        if not throw(found, "error", code):
            raise UncaughtError(code)
        self.run()

    def could_go_back(self, token: str, steps: Iterable[str] | None = None) -> dict[str, frozenset[str]]:
        """To which steps that people do (of `steps`, or all) the case could go back soundly from a waiting task.

        Each with the tokens that would be withdrawn, those inside of subprocesses included. Whether the case has been there
        is for the caller to know. Raises NotWaiting.
        """
        ways = ways_back(self._token(token), human_steps(self._process) if steps is None else steps)
        return {step: way.left for step, way in ways.items()}

    def go_back(self, token: str, step: str) -> None:
        """Withdraw a waiting task and go back to an earlier step. Then run. Raises NotWaiting, CannotGoBack."""
        go_back(self._token(token), step)
        self.run()

    def hold_start(self) -> None:
        """Withdraw everything and wait at the start event, as a task; completing it lets the process begin anew."""
        hold_start(self._process)

    def cancel(self) -> None:
        """Withdraw everything; the process has ended without an outcome of its own."""
        self._process.withdraw()
        self._process.completed = True

    # --- inside --------------------------------------------------------------------------------------------

    def _token(self, token: str) -> Token:
        for scope in self._process.scopes():
            found = scope.tasks.get(token)
            if found is not None and found.live:
                return found
        raise NotWaiting(f"令牌 {token} 已不存在")

    def _sweep(self, left: int) -> int:
        """Run every token that can run now, innermost scopes first; how many ran."""
        done = 0
        for scope in reversed(list(self._process.scopes())):
            for token in list(scope.tasks.values()):
                # Looked up again each time: a token may have been cancelled by the one before.
                if token._state == TaskState.READY and not token.task_spec.manual:
                    done += 1
                    if done > left:
                        raise RunawayLoop(
                            f"流程“{self.diagram.name}”在“{token.task_spec.name}”一带循环，从不等待"
                        )
                    token.run()
        return done

    def _finish_scopes(self) -> bool:
        """Let subprocesses go on in which no token is left."""
        finished = False
        for scope in list(self._process.subprocesses.values()):
            if not any(token.live for token in scope.tasks.values()):
                spec = scope.activity.task_spec
                assert isinstance(spec, Subprocess)
                spec.finish(scope)
                finished = True
        return finished

    def _settle_joins(self) -> bool:
        """Decide one inclusive join, now that nothing automatic is left to run."""
        if not self.diagram.spec.has_inclusive_joins:
            return False
        for scope in self._process.scopes():
            for token in scope.live():
                if isinstance(token.task_spec, Inclusive) and token._state == TaskState.WAITING:
                    if token.task_spec.settle(token):
                        return True
        return False


def _waits_for(token: Token) -> WaitKind | None:
    """What kind of outside help a token waits for; None if none."""
    spec: Node = token.task_spec
    if token._state == TaskState.READY and spec.manual:
        return _KINDS[spec.step.kind] if spec.step is not None else None
    if is_held(token):
        return "task"
    if token._state == TaskState.WAITING and isinstance(spec, Catch | Boundary):
        if spec.message is not None:
            return "message"
        if spec.signal is not None:
            return "signal"
        if not isinstance(spec, Boundary) or spec.event == "timer":
            return "timer"
    return None


def _waiting(token: Token, kind: WaitKind, enclosing: tuple[str, ...]) -> Waiting:
    spec: Node = token.task_spec
    assert spec.step is not None
    activity: str | None = None
    parent: Token | None = token.parent
    if spec.attached:
        assert parent is not None and isinstance(parent.task_spec, ActivitySplit)
        activity = next(child.id for child in parent.children if not child.task_spec.attached)
    elif spec.instance_of is not None:
        assert parent is not None
        enclosing = (*enclosing, parent.id)
    return Waiting(
        token=token.id,
        step=spec.step.id,
        kind=kind,
        path=enclosing,
        activity=activity,
        local=token.local,
        message=getattr(spec, "message", None),
        signal=getattr(spec, "signal", None),
    )


def _enclosing(scope: Process | Scope) -> tuple[str, ...]:
    """Tokens of the activities around a scope, outermost first."""
    return tuple(reversed(list(_outward(scope))))


def _outward(scope: Process | Scope) -> Iterator[str]:
    while isinstance(scope, Scope):
        activity = scope.activity
        yield activity.id
        if activity.task_spec.instance_of is not None:
            assert activity.parent is not None
            yield activity.parent.id
        scope = scope.parent
