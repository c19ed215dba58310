"""The tree of tokens of one running process, on SpiffWorkflow's tasks and workflows.

SpiffWorkflow predicts every future task, keeps every past one and asks its joins to find out from that
history which iteration of a loop they are in; most of its faults
come from there. Here a task is simply a token: it exists from the moment when the process reaches its node,
nothing is predicted, and a node decides by the live tokens alone. The past may be dropped at any moment.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.model import Decided, Host, Passed, Step, Thrown
from engine.process.interpreter.scripting import ScriptEngine

LIVE = TaskState.NOT_FINISHED_MASK
FINISHED = TaskState.FINISHED_MASK

#: Key in a token's data that remembers in which order its local values were written.
WRITTEN = "_written"


#: The node that a token stands on: a `Node` of nodes.py. Nodes know tokens, tokens know no node's class.
Spot = Any


class Token(Task):  # type: ignore[misc]
    """A task without logging, thread ids and predictions; its id is short, random and text."""

    task_spec: Spot
    workflow: Process | Scope

    def __init__(
        self,
        workflow: Process | Scope,
        task_spec: Spot,
        parent: Token | None = None,
        state: int = TaskState.FUTURE,
        id: str | None = None,
    ) -> None:
        self.id = id or secrets.token_hex(10)
        self.workflow = workflow
        self.task_spec = task_spec
        self._parent: str | None = None
        self._children: list[str] = []
        self._state = state
        self.triggered = False
        self.thread_id = 0
        self.data: dict[str, Any] = {}
        self.internal_data: dict[str, Any] = {}
        self.last_state_change = 0.0
        workflow.tasks[self.id] = self
        if parent is not None:
            self._parent = parent.id
            parent._children.append(self.id)
            if parent.data:
                self.data = dict(parent.data)
            if "side" in parent.internal_data:
                # On a branch that a non-interrupting event opened (its token): its end is not the end of the case.
                self.internal_data["side"] = parent.internal_data["side"]

    @property
    def live(self) -> bool:
        """Not completed, cancelled or failed."""
        return bool(self._state & LIVE)

    @property
    def process(self) -> Process:
        """The whole running process that this token belongs to."""
        top: Process = self.workflow.top_workflow
        return top

    @property
    def local(self) -> Mapping[str, Any]:
        """What only this token knows, such as the item of a multi-instance activity."""
        if WRITTEN not in self.data:
            return self.data
        return {key: value for key, value in self.data.items() if key != WRITTEN}

    def spawn(self, spec: Spot) -> Token:
        """Put a new token on `spec`, coming from here, and let the node decide what it does."""
        child = Token(self.workflow, spec, self)
        spec._update(child)
        return child

    def _add_child(self, task_spec: Spot, state: int = TaskState.FUTURE) -> Token:
        return Token(self.workflow, task_spec, self, state)

    def _inherit_data(self) -> None:
        """A token gets its local data when it is created; nothing flows in later."""

    def _set_state(self, value: int) -> None:
        if value == self._state:
            return
        left_live = self._state & LIVE and value & FINISHED
        self._state = value
        step = self.task_spec.step
        if step is None:
            return
        process = self.process
        if value & (TaskState.WAITING | TaskState.READY | TaskState.STARTED):
            if self.task_spec.reports_entering and "in" not in self.internal_data:
                self.internal_data["in"] = 1
                process.note(step, self, "entered")
        elif left_live and value == TaskState.COMPLETED:
            process.note(step, self, "fired" if self.task_spec.is_catching_event else "completed")
        elif left_live and "in" in self.internal_data:
            process.note(step, self, "cancelled")

    def _ready(self) -> None:
        if self.live:
            self._set_state(TaskState.READY)

    def run(self) -> None:
        """Run the node's act; a token that was cancelled or put to wait by it stays so."""
        done = self.task_spec._run_hook(self)
        if done and self.live:
            self.complete()
        elif self._state == TaskState.READY:
            self._set_state(TaskState.STARTED)

    def complete(self) -> None:
        """Leave the node, putting tokens on what follows."""
        self._set_state(TaskState.COMPLETED)
        self.workflow.last_task = self
        self.task_spec.leave(self)

    def write(self, values: Mapping[str, Any]) -> None:
        """Set local values, remembering the order of writing for a later join."""
        if not values:
            return
        process = self.process
        process.writes += 1
        written = dict(self.data.get(WRITTEN, {}))
        for key in values:
            written[key] = process.writes
        self.data = {**self.data, **values, WRITTEN: written}

    def cancel(self) -> None:
        """Withdraw this token and whatever runs inside its activity; what it led to earlier goes on."""
        if not self.live:
            return
        process = self.process
        for child in [self.workflow.tasks.get(key) for key in self._children]:
            if child is not None and child.live:
                child.cancel()
        inner = process.subprocesses.get(self.id)
        if inner is not None:
            inner.withdraw()
            process.subprocesses.pop(self.id, None)
        self._set_state(TaskState.CANCELLED)


class _Tokens:
    """What the root process and the scope of a subprocess have in common."""

    tasks: dict[str, Token]
    task_tree: Token

    def live(self) -> list[Token]:
        """Tokens that are not finished, oldest first."""
        return [token for token in self.tasks.values() if token._state & LIVE]

    def withdraw(self) -> None:
        """Cancel every live token of this scope."""
        for token in self.live():
            token.cancel()

    def begin(self) -> None:
        """Put the first token on the start event."""
        self.task_tree._set_state(TaskState.COMPLETED)
        self.task_tree.task_spec.leave(self.task_tree)

    def prune(self) -> None:
        """Forget finished tokens except the direct parents of live ones.

        A live token needs its parent to know by which flow it came and which events sit on its activity;
        nothing looks further back.
        """
        live = self.live()
        keep = {token.id for token in live}
        keep.update(token._parent for token in live if token._parent is not None)
        root = self.task_tree
        keep.add(root.id)
        if len(keep) == len(self.tasks):
            return
        self.tasks = {key: token for key, token in self.tasks.items() if key in keep}
        for token in self.tasks.values():
            token._children = []
        for token in self.tasks.values():
            if token is root:
                continue
            if token._parent not in keep:
                token._parent = root.id
            assert token._parent is not None
            self.tasks[token._parent]._children.append(token.id)


class Process(_Tokens, BpmnWorkflow):  # type: ignore[misc]
    """The running process itself; `host` is the kernel, through which all case data is reached."""

    def __init__(self, spec: Any, subprocess_specs: Mapping[str, Any], engine: ScriptEngine, host: Host) -> None:
        self.host = host
        self.passed: list[Passed] = []
        self.decided: list[Decided] = []
        self.thrown: list[Thrown] = []
        self.writes = 0
        self.outcome: str | None = None
        self.outcome_rank = 0
        super().__init__(spec, subprocess_specs, script_engine=engine, deserializing=True)

    def scopes(self) -> Iterator[Process | Scope]:
        """The root and every running subprocess, parents before children."""
        yield self
        yield from list(self.subprocesses.values())

    def note(self, step: Step, token: Token, how: Any) -> None:
        """Add a line to the trace."""
        self.passed.append(Passed(step.id, token.task_spec.trace_kind or step.kind, token.id, how))

    def ended_by(self, element: str, rank: int) -> None:
        """Remember by which end event the process ends: side branch < main branch < terminate."""
        if rank >= self.outcome_rank:
            self.outcome, self.outcome_rank = element, rank


class Scope(_Tokens, BpmnSubWorkflow):  # type: ignore[misc]
    """The inside of one running embedded subprocess."""

    def __init__(self, spec: Any, parent_task_id: str, top_workflow: Process, parent: Process | Scope) -> None:
        self.parent = parent
        super().__init__(spec, parent_task_id, top_workflow, deserializing=True)

    @property
    def parent_workflow(self) -> Process | Scope:
        """The scope in which the subprocess activity stands."""
        return self.parent

    @property
    def activity(self) -> Token:
        """The token of the subprocess activity in the parent scope."""
        return self.parent.tasks[self.parent_task_id]


def new_root(scope: Process | Scope) -> Token:
    """The token from which all tokens of a scope descend."""
    scope.task_tree = Token(scope, scope.spec.start)
    return scope.task_tree
