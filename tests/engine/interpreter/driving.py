"""A host and a driver for tests: complete steps by name, save and load at every turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import Diagram, Step, Waiting
from engine.process.interpreter.reader import read_diagram


class Desk:
    """A host as the kernel would be: case data, words, and operations given by name."""

    def __init__(self, variables: dict[str, Any] | None = None, **operations: Callable[..., Any]) -> None:
        self.variables: dict[str, Any] = variables or {}
        self.words: Mapping[str, Callable[..., Any]] = {}
        self.operations = operations
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        assert step.operation is not None
        self.calls.append((step.operation, dict(parameters)))
        return self.operations[step.operation](**parameters) if step.operation in self.operations else None


class Case:
    """A running process; it is saved and loaded again before every act, as the kernel does."""

    def __init__(self, xml: bytes | Diagram, host: Desk | None = None, **variables: Any) -> None:
        self.diagram = read_diagram(xml) if isinstance(xml, bytes) else xml
        self.host = host or Desk(dict(variables))
        self.machine = Machine.start(self.diagram, host=self.host)
        self.machine.run()
        self.done: set[str] = set()

    def reload(self) -> None:
        self.machine = Machine.load(self.diagram, self.machine.save(), host=self.host)

    @property
    def waits(self) -> list[str]:
        """Steps that wait, sorted."""
        return sorted(waiting.step for waiting in self.machine.waiting())

    def at(self, step: str) -> Waiting:
        """The oldest token waiting at a step."""
        return next(waiting for waiting in self.machine.waiting() if waiting.step == step)

    def all_at(self, step: str) -> list[Waiting]:
        return [waiting for waiting in self.machine.waiting() if waiting.step == step]

    def complete(self, step: str, local: dict[str, Any] | None = None, **answers: Any) -> Case:
        self.reload()
        self.host.variables.update(answers)
        self.machine.complete(self.at(step).token, local=local)
        self.done.add(step)
        return self

    def fire(self, step: str) -> Case:
        self.reload()
        self.machine.fire(self.at(step).token)
        return self

    def deliver(self, name: str, **payload: Any) -> list[str]:
        self.reload()
        return self.machine.deliver(name, payload)

    def hear(self, name: str, **payload: Any) -> list[str]:
        """Steps that a signal from outside reached."""
        self.reload()
        steps = {waiting.token: waiting.step for waiting in self.machine.waiting()}
        return sorted(steps[token] for token in self.machine.signal(name, payload))

    def targets(self, step: str) -> list[str]:
        """To which steps that were done one could go back from the oldest token at a step."""
        return sorted(self.machine.could_go_back(self.at(step).token, self.done))

    def go_back(self, step: str, target: str) -> Case:
        """Goes back from the oldest token at a step."""
        self.reload()
        self.machine.go_back(self.at(step).token, target)
        return self

    @property
    def trace(self) -> list[str]:
        """What the last act did: `step:how`."""
        return [f"{passed.step}:{passed.how}" for passed in self.machine.passed()]
