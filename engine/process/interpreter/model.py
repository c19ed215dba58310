"""What a diagram and a running process look like to the rest of the kernel.

Plain frozen values: nobody outside this package ever holds an object of SpiffWorkflow. A `Diagram`
is read once, never changed and may be shared by all threads of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Severity = Literal["error", "warning"]
WaitKind = Literal["task", "timer", "message", "signal", "call", "topic"]
How = Literal["entered", "completed", "cancelled", "fired"]
StepKind = Literal[
    "user",
    "manual",
    "service",
    "script",
    "send",
    "receive",
    "call",
    "subprocess",
    "start",
    "end",
    "gateway",
    "timer",
    "message",
    "signal",
    "event",
]


@dataclass(frozen=True, slots=True)
class TimerRule:
    """One timer of a diagram, as written; when it is due is for the kernel's clock to say.

    Expressions are kept as text. `article` and `statutory_max` (working days) say what the law allows.
    """

    element: str
    name: str
    role: str
    """deadline | reminder | escalation | timer"""
    working_days: str | None = None
    before_deadline: str | None = None
    """Working days before the timer with role deadline on the same activity."""
    after_deadline: str | None = None
    calendar_date: str | None = None
    """Expression that gives an ISO date."""
    duration: str | None = None
    """ISO 8601 duration as literal text, such as PT1H."""
    count_from: str | None = None
    """Expression that gives the ISO date from which `working_days` are counted; None: when the clock starts."""
    on_pause: str = "pause"
    """What a pausing task inside does to this clock: pause | restart | none"""
    statutory_max: int | None = None
    article: str | None = None
    attached_to: str | None = None
    """Element id of the activity; None for an intermediate timer."""
    interrupting: bool = False
    office_hours: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a diagram, boundary events included."""

    id: str
    name: str
    kind: StepKind
    lane: str | None = None
    """Name of the innermost lane; None outside lanes."""
    unit: str | None = None
    """Expression giving a unit code: the step's own, else its lane's."""
    post: str | None = None
    form: str | None = None
    article: str | None = None
    limit: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    """The element's own properties (lane properties are not mixed in)."""
    parent: str | None = None
    """Element id of the enclosing subprocess."""
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    """Element ids of the boundary timers that sit on it."""
    called: str | None = None
    """Process key that a call activity starts."""
    multi: bool = False
    attached_to: str | None = None
    """The activity that a boundary event sits on."""
    message: str | None = None
    """Name of the message that it waits for; of a start event, that starts the process."""
    signal: str | None = None
    """Name of the signal that it waits for (kind `signal`), throws (an end or throw event), or that starts the process."""
    topic: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; `condition` is the expression as written."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Diagram:
    """A process definition that passed the structure check."""

    key: str
    name: str
    properties: Mapping[str, str]
    steps: Mapping[str, Step]
    flows: Mapping[str, Flow]
    timers: Mapping[str, TimerRule]
    digest: str
    """SHA-256 (hex) of the canonical XML: white space between elements and attribute order do not count."""
    xml: bytes
    warnings: tuple[Problem, ...]
    spec: Any = field(repr=False)
    """For the machine only."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A token that waits for somebody outside."""

    token: str
    """Stable over save and load."""
    step: str
    kind: WaitKind
    path: tuple[str, ...] = ()
    """Tokens of the enclosing activities (subprocesses), outermost first."""
    activity: str | None = None
    """For a boundary event: the token of the activity it sits on."""
    local: Mapping[str, Any] = field(default_factory=dict)
    """Token-local data, such as the item of a multi-instance activity."""
    message: str | None = None
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Thrown:
    """A signal that a step threw; the process itself has heard it already."""

    signal: str
    step: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What the event hands over (`in.*`)."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that happened to a step since the machine was started or loaded."""

    step: str
    kind: StepKind
    token: str
    how: How
    """entered (user tasks, subprocesses, calls, waiting steps) | completed | cancelled | fired (events)"""


@dataclass(frozen=True, slots=True)
class Decided:
    """How a countersign 会签 came out."""

    step: str
    name: str
    mode: str
    """all · any · ratio"""
    passed: bool
    yes: int
    no: int
    total: int
    """All who were asked; those beyond `yes` and `no` were not needed any more."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of a diagram check."""

    element: str | None
    name: str | None
    rule: str
    """Short kebab-case English, for tests and links to the handbook."""
    message: str
    """Plain Chinese, naming the element."""
    article: str | None = None
    severity: Severity = "error"


class Host(Protocol):
    """What the interpreter asks of the kernel while it runs."""

    variables: dict[str, Any]
    """Live case data: scripts and operations write here."""
    words: Mapping[str, Callable[..., Any]]
    """Extra functions of the expression language."""

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        """Run the operation that `step` names, now and inside the transaction.

        May raise OperationError: a BPMN error if a boundary error event catches its code.
        """
        ...


class InterpreterError(Exception):
    """Base of what running a diagram may raise; afterwards the Machine must be thrown away."""


class DiagramError(InterpreterError):
    """The diagram is refused; `problems` says why, by element."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("；".join(problem.message for problem in problems) or "流程图无法使用")


class NotWaiting(InterpreterError):
    """The token does not wait (any more): it was completed, cancelled, or never existed."""


class CannotGoBack(InterpreterError):
    """No case could stand soundly where it is to go back to; the message is a Chinese sentence."""


class RunawayLoop(InterpreterError):
    """Too many automatic steps in one run: the diagram goes round without waiting."""


class NoPath(InterpreterError):
    """No condition of a gateway matched and it has no default flow."""


class Stuck(InterpreterError):
    """Tokens are left, but all wait at joins for branches that cannot come any more."""


class StateError(InterpreterError):
    """The saved state does not belong to this diagram or is damaged."""


class UncaughtError(InterpreterError):
    """A BPMN error that no boundary event around it catches."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"错误“{code}”没有边界事件处理")


class OperationError(InterpreterError):
    """A service task's operation failed in a way that the diagram may handle as BPMN error `code`."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)
