"""What events do: start and end, timers, messages, signals, errors and escalations.

A catching event waits for `happen`; it never looks at a clock and never polls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.gateways import EventGateway
from engine.process.interpreter.model import Step, Thrown, UncaughtError
from engine.process.interpreter.nodes import Node, Parameters, throw
from engine.process.interpreter.tokens import Process, Token


class Start(Node):
    """The start of a scope."""


class Throw(Node):
    """An intermediate throw event: an escalation, a signal, or none (a milestone)."""

    def __init__(self, process: Any, name: str, step: Step, escalation: str | None) -> None:
        super().__init__(process, name, step)
        self.escalation = escalation

    def _run_hook(self, my_task: Token) -> bool:
        if self.escalation is not None:
            throw(my_task, "escalation", self.escalation)
        throw_signal(my_task)
        return True


def throw_signal(token: Token) -> None:
    """Throws the signal of a throw or end event, if it is one: to the process itself at once, to others by its host."""
    step: Step = token.task_spec.step
    if step.signal is None:
        return
    texts = {name.removeprefix("in."): text for name, text in step.properties.items() if name.startswith("in.")}
    token.process.thrown.append(Thrown(step.signal, step.id, dict(Parameters(token.process.script_engine, token, texts))))
    hear(token.process, [each.id for each in listeners(token.process, step.signal)])


def listeners(process: Process, signal: str) -> list[Token]:
    """The tokens of a process that wait for a signal now."""
    return [
        token for scope in process.scopes() for token in scope.live()
        if token._state == TaskState.WAITING and isinstance(token.task_spec, Catch | Boundary) and token.task_spec.signal == signal
    ]  # fmt: skip


def hear(process: Process, tokens: Iterable[str]) -> list[str]:
    """Lets what these tokens wait for happen; returns those for which it did: an earlier one may have withdrawn a later one."""
    reached = []
    for name in tokens:
        found = next((scope.tasks[name] for scope in process.scopes() if name in scope.tasks), None)
        if found is not None and found._state == TaskState.WAITING:
            reached.append(name)
            found.task_spec.happen(found)
    return reached


class End(Node):
    """An end event: plain, terminating, an error, an escalation or a signal."""

    def __init__(self, process: Any, name: str, step: Step, event: str, code: str | None) -> None:
        super().__init__(process, name, step)
        self.event = event
        self.code = code

    def _run_hook(self, my_task: Token) -> bool:
        scope = my_task.workflow
        my_task._set_state(TaskState.COMPLETED)
        scope.last_task = my_task
        if isinstance(scope, Process):
            side = "side" in my_task.internal_data
            scope.ended_by(self.name, 3 if self.event == "terminate" else 1 if side else 2)
        throw_signal(my_task)
        if self.event == "terminate":
            scope.withdraw()
        elif self.event == "error":
            if not throw(my_task, "error", self.code or ""):
                raise UncaughtError(self.code or "")
        elif self.event == "escalation":
            throw(my_task, "escalation", self.code or "")
        return False


class Catch(Node):
    """An intermediate event or receive task that waits for a timer, a message or a signal."""

    reports_entering = True

    def __init__(self, process: Any, name: str, step: Step) -> None:
        super().__init__(process, name, step)
        self.message, self.signal = step.message, step.signal
        # A receive task is a task that completes; an event happens.
        self.is_catching_event = step.kind != "receive"

    def _update(self, my_task: Token) -> None:
        my_task._set_state(TaskState.WAITING)

    def happen(self, token: Token) -> None:
        """The timer is due, or the message or signal has come."""
        parent = token.parent
        if parent is not None and isinstance(parent.task_spec, EventGateway):
            for rival in parent.children:
                if rival is not token:
                    rival.cancel()
        token._ready()


class Boundary(Node):
    """An event on the edge of an activity: timer, message, signal, error or escalation."""

    is_catching_event = True
    attached = True

    def __init__(
        self,
        process: Any,
        name: str,
        step: Step,
        event: str,
        *,
        code: str | None = None,
        interrupting: bool = True,
    ) -> None:
        super().__init__(process, name, step)
        self.event = event
        self.message, self.signal = step.message, step.signal
        self.code = code
        self.interrupting = interrupting

    def _update(self, my_task: Token) -> None:
        my_task._set_state(TaskState.WAITING)

    def catches_code(self, kind: str, code: str) -> bool:
        """Whether it handles that error or escalation; without a code of its own it handles every one."""
        return self.event == kind and self.code in (None, code)

    def happen(self, token: Token) -> None:
        """Interrupt the activity, or open a branch beside it."""
        split = token.parent
        if self.interrupting:
            for sibling in split.children:
                if sibling is not token:
                    sibling.cancel()
        else:
            token.internal_data["side"] = token.id
            # A timer is due once; a message, a signal or an escalation may come again.
            if self.event != "timer":
                split.spawn(self)
        token._ready()
