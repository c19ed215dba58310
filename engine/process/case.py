"""One instance inside one transaction: its rows, its interpreter, and the single history entry of each move.

Only the road (`advance`) makes a `Case`. Everything is loaded in three reads and written back once, when the road has
come to its end, whatever happened in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy import bindparam, or_, select, text
from sqlalchemy.orm import undefer
from sqlalchemy.orm.exc import StaleDataError

from calendars.edition import Edition
from engine.history import Entry, Head, chain, insert_rows
from engine.people.actor import Actor
from engine.people.tables import Appointment
from engine.people.units import unit_id_of
from engine.process import events
from engine.process.actions import listed
from engine.process.assigning import assign
from engine.process.definitions import Deployed, deployed
from engine.process.editions import current_edition, known
from engine.process.event_tables import Subscription
from engine.process.interpreter.expressions import evaluate
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import Diagram, OperationError, Passed, Step, Waiting
from engine.process.operations import OPERATIONS, WORDS, Call
from engine.process.projection import BadAssignment, calendar_for
from engine.process.rows import add_missing
from engine.process.tables import ExternalTask, Instance, Party, Task, Timer
from engine.store.errors import NotFound, Stale
from engine.store.store import Work

# Every move asks these. They are built once, as building a statement takes longer than the database does to answer it.
_LOCKED = (
    select(Instance).where(Instance.id == bindparam("instance")).options(undefer(Instance.saved))
    .with_for_update(of=Instance).execution_options(populate_existing=True)
)
#: With the signatures that open only when their step's task is completed (`planned`).
_OPEN_TASKS = select(Task).where(Task.instance_id == bindparam("instance"), Task.state.in_(("open", "planned")))
# What fired still dates the tasks of its activity: red after the deadline, yellow after the reminder.
_TIMERS = (
    select(Timer)
    # The list of states is that of the index, word by word: without it the index does not apply.
    .where(Timer.instance_id == bindparam("instance"), text("timer.state IN ('waiting', 'paused', 'fired')"),
           or_(Timer.state != "fired", Timer.role == "deadline", Timer.role == "reminder"))
    .order_by(Timer.id)
)


class Removed(NotFound):
    """该办件保管期满，已按规定销毁。"""


def require_kept(instance: Instance) -> None:
    """Raises Removed for what is left of a case whose record was removed."""
    if instance.removed_at is not None:
        raise Removed(f"该办件保管期满，已按规定销毁，仅在销毁清册（第{instance.removal_id}号）中留有一行")


def lock_instance(work: Work, instance_id: int) -> Instance:
    """The instance row, locked until the transaction ends. Raises NotFound, Removed."""
    found = work.session.scalars(_LOCKED, {"instance": instance_id}).first()
    if found is None:
        raise NotFound("没有找到该办件")
    require_kept(found)
    return found


class Case:
    """An open instance. `instance` must be locked (or new) in this transaction."""

    def __init__(self, work: Work, instance: Instance, *, new: bool = False) -> None:
        self.work = work
        self.instance = instance
        self.definition: Deployed = deployed(work.session, instance.definition_id)
        self._variables: dict[str, Any] | None = None
        self.words: Mapping[str, Callable[..., Any]] = {
            name: partial(function, work.session) for name, function in WORDS.items()
        }
        self.at: datetime = work.now
        self.entries: list[Entry] = []
        self.undo: dict[str, Any] | None = None
        """How to take the last entry back, where that is possible."""
        self._machine: Machine | None = None
        self._told = 0
        self._head = Head(instance.history_seq, instance.history_hash)
        self.tasks: dict[str, Task] = {}
        self.signatures: dict[int, list[Task]] = {}
        self.timers: list[Timer] = []
        self.opened: list[Task] = []
        """The tasks that this transaction opened, as far as it is not written."""
        self.external: dict[str, ExternalTask] | None = {} if new else None
        """Waiting external tasks by token; None until they are asked for, as few processes have any."""
        self.subscriptions: dict[str, Subscription] | None = {} if new else None
        """What it waits for from outside by token; None until that is asked for."""
        if not new:
            self._load_rows()

    def _load_rows(self) -> None:
        session, this = self.work.session, {"instance": self.instance.id}
        for task in session.scalars(_OPEN_TASKS, this):
            self.take(task)
        self.timers = list(session.scalars(_TIMERS, this))

    def take(self, task: Task) -> None:
        """A task that is not done yet: the step's own, or a signature that was added to one."""
        if task.main_id is None:
            self.tasks[task.token] = task
        else:
            self.signatures.setdefault(task.main_id, []).append(task)

    @property
    def variables(self) -> dict[str, Any]:
        """The case's data, to be changed freely; copied when it is first needed, as counting deadlines never needs it."""
        if self._variables is None:
            self._variables = deepcopy(self.instance.variables)
        return self._variables

    @variables.setter
    def variables(self, changed: dict[str, Any]) -> None:
        self._variables = changed

    # -- the interpreter ----------------------------------------------------------------------

    @property
    def machine(self) -> Machine:
        """The interpreter, loaded when it is first needed: reminders of limits never need it."""
        if self._machine is None:
            self._machine = Machine.load(self.definition.diagram, self.instance.saved, host=self)
        return self._machine

    def state(self) -> bytes:
        """The interpreter's state as it is now."""
        return self.instance.saved if self._machine is None else self._machine.save()

    def go_on_from(self, state: bytes) -> None:
        """The interpreter stands as it did when it was saved so."""
        self._machine, self._told = Machine.load(self.definition.diagram, state, host=self), 0

    def begin(self) -> Machine:
        """A fresh interpreter at the start event."""
        self._machine = Machine.start(self.definition.diagram, host=self)
        return self._machine

    def go_on_under(self, definition: Deployed, state: bytes) -> Machine:
        """The case goes on under another version, with its state as it was moved there."""
        self.definition = definition
        self.instance.definition_id = definition.id
        self.go_on_from(state)
        return self.machine

    def fresh_steps(self) -> Sequence[Passed]:
        """The steps passed since this was last asked."""
        passed = self.machine.passed()
        fresh, self._told = passed[self._told :], len(passed)
        return fresh

    @property
    def diagram(self) -> Diagram:
        return self.definition.diagram

    @property
    def diagram_steps(self) -> Mapping[str, Step]:
        return self.definition.diagram.steps

    def process_property(self, name: str) -> str | None:
        """A property of the process, or None where it is absent or empty."""
        return self.definition.diagram.properties.get(name) or None

    def evaluate(self, text: str, waiting: Waiting | None = None) -> Any:
        """An expression over the case's data (and the token's own, such as a multi-instance item)."""
        return self.machine.evaluate(text, waiting.token if waiting else None)

    def evaluate_over(self, text: str, names: Mapping[str, Any]) -> Any:
        """An expression over other data than the case's own, with the same words."""
        return evaluate(text, names, self.words)

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        """Runs a service task's operation now (the interpreter's Host)."""
        found = OPERATIONS.get(str(step.operation))
        if found is None:
            raise OperationError("unknown-operation", f"操作“{step.operation}”不存在")
        call = Call(self.work, self.instance, step, self.at, self.variables, self.template, self.note)
        result, out = found.run(call, **parameters), step.properties.get("out")
        if out and self.variables.get(out) not in (None, result):
            # The data hold the last result only; whoever replays the case must know what a gateway saw in an earlier round.
            self.note("replaced", [out, self.variables[out]])
        return result

    def note(self, key: str, fact: Any) -> None:
        """Puts what an operation did into the history entry of the move that is under way."""
        if isinstance(data := self.entries[-1].data, dict):
            data.setdefault(key, []).append(fact)

    def template(self, kind: str) -> bytes:
        """A document template deployed with this version. Raises NotFound."""
        if kind not in self.definition.documents:
            raise NotFound(f"没有公文模板“{kind}”")
        return self.definition.documents[kind]

    # -- the rows, as `projection` asks for them ----------------------------------------------

    @property
    def edition(self) -> Edition:
        """The calendar edition of this transaction."""
        return current_edition(self.work)

    def edition_in(self, calendar: str) -> Edition:
        """The edition of a calendar that a unit is bound to."""
        return current_edition(self.work, calendar)

    @property
    def labels(self) -> Mapping[str, Any]:
        """What every task says of its case."""
        this = self.instance
        return {"instance_id": this.id, "process_key": this.process_key, "process_name": self.definition.name,
                "number": this.number, "title": this.title, "search": this.search, "case_unit_id": this.unit_id}

    def unit_id(self, code: str) -> int:
        """The id of a unit by its code. Raises NotFound."""
        return unit_id_of(self.work.session, code)

    def at_start(self) -> tuple[int, str]:
        """Unit and post of the task to correct the start and submit it again: a starting post that the starter holds, if any."""
        assert self.instance.unit_id is not None
        posts = listed(self.process_property("startPosts") or "")
        if not posts:
            raise BadAssignment("该流程没有可以发起的岗位")
        held = set(self.work.session.scalars(select(Appointment.post).where(
            Appointment.account_id == self.instance.starter_id, Appointment.unit_id == self.instance.unit_id)))  # fmt: skip
        return self.instance.unit_id, next((post for post in posts if post in held), posts[0])

    def keep(self, row: Task | Timer) -> None:
        """A new row is written when the case is saved."""
        if isinstance(row, Timer):
            row.calendar = calendar_for(self, row, known(self.work.session).bindings)
        self.work.session.add(row)

    def assign(self, wanted: Sequence[tuple[Task, Any]]) -> Mapping[str, Mapping[str, str]]:
        """Gives new tasks to the people whose logins the diagram gives, or to who stands in for them. Raises BadAssignment."""
        return assign(self.work.session, wanted, self.at)

    def admit(self, tasks: Sequence[Task]) -> None:
        """Whoever got a task takes part in the case, and may see it."""
        self.opened += [task for task in tasks if task.id is None]
        parts = dict.fromkeys((task.unit_id, task.post) for task in tasks)
        add_missing(self.work.session, Party,
                    [{"instance_id": self.instance.id, "unit_id": unit_id, "post": post} for unit_id, post in parts])

    def take_opened(self) -> list[Task]:
        """The tasks that were opened since this was last asked, and still are."""
        taken, self.opened = [task for task in self.opened if task.state == "open"], []
        return taken

    def take_recounts(self) -> set[str]:
        """The activities whose clocks an operation changed in this move."""
        taken: set[str] = self.work.notes.pop(f"recount:{self.instance.id}", set())
        return taken

    # -- writing back -------------------------------------------------------------------------

    def record(self, act: str, *, step: str | None = None, article: str | None = None, by: Actor | None = None, **data: Any) -> dict[str, Any]:
        """Adds the history entry of a move; its data may still be filled until the case is saved.

        `by` is whose act it was, where that is not who acts now.
        """
        self.undo = None
        edition = self.work.notes.get("edition")
        entry = Entry(act=act, at=self.at, step=step, article=article, definition_id=self.definition.id,
                      edition=edition.id if edition else None, data=data, actor=by)
        self.entries.append(entry)
        return data

    def save(self) -> None:
        """Writes everything back, guarded by the revision. Raises Stale when another writer was quicker."""
        save_all(self.work, [self])

    def seal(self) -> list[dict[str, Any]]:
        """Puts data, state and the head of the history onto the row; returns the entries' rows, which are still to be written."""
        if self._variables is not None and self._variables != self.instance.variables:
            self.instance.variables = self._variables
        if self._machine is not None:
            self.instance.saved = self._machine.save()
        return self.chained()

    def chained(self) -> list[dict[str, Any]]:
        """The entries' rows, with the head of the history put onto the row: all of `seal` where neither data nor state changed."""
        instance = self.instance
        rows, self._head = chain(self._head, f"instance:{instance.id}", self.entries, self.work, instance_id=instance.id)
        instance.history_seq, instance.history_hash = self._head.seq, self._head.hash
        self.entries = []
        if self.undo is not None:
            instance.undo = orjson.dumps({**self.undo, "seq": instance.history_seq})
        return rows


def save_all(work: Work, cases: Iterable[Case]) -> None:
    """Writes several cases back at once, each guarded by its revision. Raises Stale when another writer was quicker."""
    sealed = [(case, case.seal()) for case in cases]
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale from error
    insert_rows(work.session, [row for _, rows in sealed for row in rows])
    events.tell(work, [event for case, rows in sealed for event in events.of_case(case.instance, rows, case.take_opened())])
