"""What each node of a diagram does with a token: tasks and subprocesses.

SpiffWorkflow asks a spec through `_update` (a token has come), `_run_hook` (act) and our `leave` (go on).
Specs are built once per diagram and shared by threads: they hold nothing about a running process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.model import OperationError, Step, StepKind
from engine.process.interpreter.tokens import Scope, Token, new_root


class Several(Protocol):
    """The multi-instance activity around an inside node, told of each instance that is done."""

    def instance_done(self, container: Token, token: Token) -> None: ...


class Node(BpmnTaskSpec):  # type: ignore[misc]
    """A node that acts by itself and goes on; the base of all others."""

    #: Someone works in or on it, so the trace says when it was entered and left.
    reports_entering = False
    #: Its completion is an event that happened ("fired").
    is_catching_event = False
    #: Overrides the step's kind in the trace.
    trace_kind: StepKind | None = None
    #: Set when this is the inside of a multi-instance activity.
    instance_of: Several | None = None
    #: A boundary event.
    attached = False
    #: Set by the network: the specs that follow, in the order of the flows.
    following: tuple[Node, ...] = ()

    def __init__(self, process: Any, name: str, step: Step | None) -> None:
        super().__init__(process, name)
        self.step = step

    def test(self) -> None:
        """The structure check did this once for all, when the diagram was read."""

    def _predict(self, my_task: Token, seen: Any = None, looked_ahead: int = 0, mask: int = 0) -> None:
        """Nothing is predicted: a token exists when it has come."""

    def _update(self, my_task: Token) -> None:
        if self._update_hook(my_task):
            my_task._ready()

    def _update_hook(self, my_task: Token) -> bool:
        return True

    def _run_hook(self, my_task: Token) -> bool:
        return True

    def leave(self, token: Token) -> None:
        """Withdraw the events of the activity, then put tokens on what follows."""
        parent = token.parent
        if parent is not None and isinstance(parent.task_spec, ActivitySplit) and not self.attached:
            for sibling in parent.children:
                if sibling is not token:
                    sibling.cancel()
        if self.instance_of is not None:
            self.instance_of.instance_done(token.parent, token)
            return
        for spec in self.following:
            token.spawn(spec)


class Root(Node):
    """Stands before the start event of a scope."""


class ActivitySplit(Node):
    """Stands before an activity with boundary events: a token for it, and one for each event."""

    def _update(self, my_task: Token) -> None:
        my_task._set_state(TaskState.COMPLETED)
        for spec in self.following:
            # An activity never ends while it is entered, so the later events still find it live.
            my_task.spawn(spec)


class HumanTask(Node):
    """Waits until somebody outside completes it: a user task, a call activity, a topic."""

    reports_entering = True

    def __init__(self, process: Any, name: str, step: Step | None) -> None:
        super().__init__(process, name, step)
        self.manual = True


class Parameters(Mapping[str, Any]):
    """What an operation is given, evaluated when it is asked for: a host that runs nothing needs none of it."""

    def __init__(self, engine: Any, token: Token, texts: Mapping[str, str]) -> None:
        self._engine, self._token, self._texts = engine, token, texts

    def __getitem__(self, name: str) -> Any:
        return self._engine.evaluate(self._token, self._texts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


class Service(Node):
    """Runs a named operation of the host now."""

    def __init__(
        self, process: Any, name: str, step: Step, parameters: Mapping[str, str], out: str | None
    ) -> None:
        super().__init__(process, name, step)
        self.parameters = parameters
        self.out = out

    def _run_hook(self, my_task: Token) -> bool:
        assert self.step is not None
        engine, host = my_task.process.script_engine, my_task.process.host
        values = Parameters(engine, my_task, self.parameters)
        try:
            result = host.operate(self.step, values)
        except OperationError as error:
            if not throw(my_task, "error", error.code):
                raise
            return False
        if self.out:
            host.variables[self.out] = result
        return True


class Script(Node):
    """Assigns case data, one line after the other."""

    def __init__(self, process: Any, name: str, step: Step, lines: tuple[tuple[str, str], ...]) -> None:
        super().__init__(process, name, step)
        self.lines = lines

    def _run_hook(self, my_task: Token) -> bool:
        engine, host = my_task.process.script_engine, my_task.process.host
        for variable, text in self.lines:
            host.variables[variable] = engine.evaluate(my_task, text)
        return True


class Subprocess(Node):
    """An embedded subprocess: its inside runs in a scope of its own."""

    reports_entering = True

    def __init__(self, process: Any, name: str, step: Step, inside: str) -> None:
        super().__init__(process, name, step)
        self.inside = inside

    def _update(self, my_task: Token) -> None:
        self.open(my_task).begin()

    def open(self, my_task: Token) -> Scope:
        """The activity has begun; no token is inside yet."""
        process = my_task.process
        my_task._set_state(TaskState.STARTED)
        scope = Scope(process.subprocess_specs[self.inside], my_task.id, process, my_task.workflow)
        process.subprocesses[my_task.id] = scope
        root = new_root(scope)
        root.data, root._state = my_task.data, TaskState.COMPLETED
        return scope

    def finish(self, scope: Scope) -> None:
        """No token is left inside: the activity goes on."""
        activity = scope.activity
        activity.process.subprocesses.pop(activity.id, None)
        if scope.last_task is not None and scope.last_task.data:
            activity.data = scope.last_task.data
        activity._set_state(TaskState.READY)


class ProcessSpec(BpmnProcessSpec):  # type: ignore[misc]
    """The nodes of one scope, without Spiff's own start and end-join: no element id is reserved."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.task_specs.clear()
        self.end = None
        self.start = Root(self, "[root]", None)

    def node(self, name: str) -> Node | None:
        """The node of that name."""
        found: Node | None = self.task_specs.get(name)
        return found if isinstance(found, Node) else None


def catcher_of(token: Token, kind: str, code: str) -> Token | None:
    """The waiting boundary event that handles an error or escalation thrown at `token`.

    The nearest enclosing activity decides, going outward scope by scope; on one activity the exact code
    comes before an event without a code. (SpiffWorkflow looks at all waiting events of the process.)
    """
    at: Token | None = token
    while at is not None:
        parent: Token | None = at.parent
        if parent is not None and isinstance(parent.task_spec, ActivitySplit) and not at.task_spec.attached:
            events: list[Token] = [event for event in parent.children if event.live and event.task_spec.attached]
            events = [event for event in events if event.task_spec.catches_code(kind, code)]
            if events:
                return min(events, key=lambda event: bool(event.task_spec.code is None))
        if at.task_spec.instance_of is not None:
            at = parent
        else:
            at = at.workflow.activity if isinstance(at.workflow, Scope) else None
    return None


def throw(token: Token, kind: str, code: str) -> bool:
    """Hand an error or escalation to whoever catches it; False if nobody does."""
    catcher = catcher_of(token, kind, code)
    if catcher is None:
        return False
    catcher.task_spec.happen(catcher)
    return True
