"""The floor under every completion: load a running case, complete a task, save it, all in memory.

Stock SpiffWorkflow and our interpreter run the same diagram (a task with a reminder and an interrupting deadline, a
gateway, a second task) interleaved in one run. Stock is measured twice: with its own serializer, which writes the
diagram into every state, and with the diagram kept in memory, which is the best that its serializer can do.
Nothing is asserted: figures of one machine are no test.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, WorkflowConverter
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.util.task import TaskState

from benchmarks.report import Table, ms
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.reader import read_diagram

ROUNDS = 400
LOOPS = 1000

#: The diagram that all benchmarks run.
XML = (Path(__file__).parent / "review" / "diagram.bpmn").read_bytes()


class Desk:
    """The smallest host."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {"applicant_unit": "007"}
        self.words: Mapping[str, Callable[..., Any]] = {}

    def operate(self, step: object, parameters: Mapping[str, Any]) -> None:
        """The diagram has no operation."""


class Ours:
    """Our interpreter, saved as JSON text of live tokens."""

    name = "ours"

    def __init__(self) -> None:
        self.diagram = read_diagram(XML)

    def start(self) -> bytes:
        """A new case, saved."""
        machine = Machine.start(self.diagram, host=Desk())
        machine.run()
        return machine.save()

    def complete(self, state: bytes, step: str, decision: str) -> bytes:
        """Load, complete one task, save."""
        host = Desk()
        host.variables["decision"] = decision
        machine = Machine.load(self.diagram, state, host=host)
        machine.complete(next(waiting.token for waiting in machine.waiting() if waiting.step == step))
        return machine.save()


class Stock:
    """SpiffWorkflow with its own serializer."""

    name = "stock, diagram in every state"

    def __init__(self) -> None:
        parser = SpiffBpmnParser()
        parser.add_bpmn_xml(etree.fromstring(XML))
        self.spec = parser.get_spec("bench_review")
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))

    def start(self) -> bytes:
        """A new case, saved."""
        workflow = BpmnWorkflow(self.spec)
        workflow.do_engine_steps()
        return self.save(workflow)

    def complete(self, state: bytes, step: str, decision: str) -> bytes:
        """Load, complete one task, save."""
        workflow = self.load(state)
        task = workflow.get_next_task(state=TaskState.READY, spec_name=step)
        task.data["decision"] = decision
        task.run()
        workflow.do_engine_steps()
        return self.save(workflow)

    def save(self, workflow: Any) -> bytes:
        """As text."""
        text: str = self.serializer.serialize_json(workflow)
        return text.encode()

    def load(self, state: bytes) -> Any:
        """From text."""
        return self.serializer.deserialize_json(state.decode())


class _StateOnly(BpmnWorkflowConverter):  # type: ignore[misc]
    """Leaves the diagram out of the state."""

    spec: Any = None

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        found: dict[str, Any] = WorkflowConverter.to_dict(self, workflow)
        found["subprocesses"] = self.mapping_to_dict(workflow.subprocesses)
        return found

    def from_dict(self, dct: dict[str, Any]) -> Any:
        workflow = self.target_class(self.spec, {}, script_engine=PythonScriptEngine(), deserializing=True)
        workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks[UUID(dct["root"])]
        self.set_default_attributes(workflow, dct)
        return workflow


class StockStateOnly(Stock):
    """SpiffWorkflow with the diagram kept in memory."""

    name = "stock, state only"

    def __init__(self) -> None:
        super().__init__()
        _StateOnly.spec = self.spec
        configuration = {**SPIFF_CONFIG, BpmnWorkflow: _StateOnly}
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(configuration))

    def save(self, workflow: Any) -> bytes:
        return json.dumps(self.serializer.to_dict(workflow)).encode()

    def load(self, state: bytes) -> Any:
        return self.serializer.from_dict(json.loads(state))


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Milliseconds (median) of a start and of a completion, and bytes of a state, by interpreter; interleaved."""
    contenders: list[Ours | Stock] = [Ours(), StockStateOnly(), Stock()]
    times: dict[str, dict[str, list[float]]] = {one.name: {"start": [], "complete": []} for one in contenders}
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        for one in contenders:
            before = time.perf_counter()
            state = one.start()
            middle = time.perf_counter()
            one.complete(state, "review", "yes")
            after = time.perf_counter()
            times[one.name]["start"].append((middle - before) * 1000)
            times[one.name]["complete"].append((after - middle) * 1000)
            sizes[one.name] = len(state)
    return {
        name: {**{act: statistics.median(found) for act, found in acts.items()}, "bytes": float(sizes[name])}
        for name, acts in times.items()
    }


def measure_loops(loops: int = LOOPS) -> dict[str, float]:
    """A case after many rounds of our interpreter: ms of the first and the last hundred completions, bytes at the end."""
    ours = Ours()
    state = ours.start()
    times = []
    for _ in range(loops):
        before = time.perf_counter()
        state = ours.complete(state, "review", "again")
        times.append((time.perf_counter() - before) * 1000)
    return {
        "first": statistics.median(times[:100]),
        "last": statistics.median(times[-100:]),
        "bytes": float(len(state)),
    }


def table(rounds: int = ROUNDS, loops: int = LOOPS) -> Table:
    """The figures beside each other, the stock classes with the diagram kept in memory as 1."""
    found = measure(rounds)
    floor = found["stock, state only"]["complete"]
    result = Table(
        "The interpreter alone, in memory", ("", "start, save: ms", "load, complete, save: ms", "× stock, state only", "state: bytes"),
        "The same diagram, no database.",
    )  # fmt: skip
    for name, figures in found.items():
        complete = figures["complete"]
        result.add(name, ms(figures["start"]), ms(complete), f"{complete / floor:.2f}", f"{figures['bytes']:.0f}")
    after = measure_loops(loops)
    result.add(f"ours, after {loops:,} rounds", "", ms(after["last"]), f"{after['last'] / floor:.2f}", f"{after['bytes']:.0f}")
    return result


if __name__ == "__main__":
    print(table().text())
