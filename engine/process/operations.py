"""What a diagram may call by name: operations (service tasks), words (functions in expressions), subjects.

The kernel knows no register; the floors above register here what their diagrams need. Importing a module registers its
operations, so `engine.sharing.registry` imports them all once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from engine.process.interpreter.model import Step
from engine.process.package import Package
from engine.process.tables import Instance
from engine.store.store import Work


@dataclass(frozen=True, slots=True)
class Call:
    """The circumstances of one operation: the open transaction, the instance, the step, and when it counts as done.

    `at` is the effective instant (an overdue timer acts as of its due time); `work.now` is when it really happens.
    `template(kind)` gives a document template deployed with this version; `note(key, fact)` puts a fact (JSON) into the
    history entry of the move that leads here, in a list under that key.
    """

    work: Work
    instance: Instance
    step: Step
    at: datetime
    variables: dict[str, Any]
    template: Callable[[str], bytes]
    note: Callable[[str, Any], None]

    @property
    def article(self) -> str | None:
        """The article that the step cites, from the diagram."""
        return self.step.article


@dataclass(frozen=True, slots=True)
class Operation:
    """A registered operation: its name, parameters (name → what it means) and what it does."""

    name: str
    parameters: Mapping[str, str]
    doc: str
    run: Callable[..., Any]
    review: Callable[[Step, Package], Iterable[tuple[str, str]]] | None = None
    """Looks at a step of a diagram that is to be deployed: (rule, what is wrong)."""
    repeatable: bool = False
    """It only reads, or tells people: a case may be returned over it, and it runs again."""

    @property
    def required(self) -> frozenset[str]:
        """Parameters that a diagram must give: those of the function without a default."""
        given = inspect.signature(self.run).parameters.values()
        return frozenset(p.name for p in given if p.kind is p.KEYWORD_ONLY and p.default is p.empty)

    @property
    def open_ended(self) -> bool:
        """Whether it takes further named values (for a document's template)."""
        return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(self.run).parameters.values())


@dataclass(frozen=True, slots=True)
class Subject:
    """What a case is about, as found when it starts: variables to add, its key and the text for the case title."""

    variables: dict[str, Any]
    key: str
    """A resource's code, by which its page finds its cases; empty where the case is about something else."""
    name: str


F = TypeVar("F", bound=Callable[..., Any])

OPERATIONS: dict[str, Operation] = {}
WORDS: dict[str, Callable[..., Any]] = {}
SUBJECTS: dict[str, Callable[[Session, Mapping[str, Any]], Subject]] = {}
#: Subject → the names of the variables that it adds to a case.
BROUGHT: dict[str, frozenset[str]] = {}


def operation(
    name: str, parameters: Mapping[str, str], *, review: Callable[[Step, Package], Iterable[tuple[str, str]]] | None = None,
    repeatable: bool = False,
) -> Callable[[F], F]:  # fmt: skip
    """Registers `run(call, **parameters)` under `name`. A diagram gives the parameters as `in.<name>` expressions.

    `repeatable` is one that only reads or tells people: running it again does no harm.
    """

    def register(run: F) -> F:
        OPERATIONS[name] = Operation(name, dict(parameters), (run.__doc__ or "").strip(), run, review, repeatable)
        return run

    return register


def word(name: str) -> Callable[[F], F]:
    """Registers `function(session, *arguments)` as a word of the expression language; it must only read."""

    def register(function: F) -> F:
        WORDS[name] = function
        return function

    return register


def subject(name: str, *, brings: Iterable[str] = ()) -> Callable[[F], F]:
    """Registers `find(session, answers) -> Subject` for diagrams with the property `subject="<name>"`.

    `brings` names every variable that a case may have for being about it, so that a diagram that reads another one is told.
    It raises Invalid when the answers name nothing that a case may be started about.
    """

    def register(find: F) -> F:
        SUBJECTS[name] = find
        BROUGHT[name] = frozenset(brings)
        return find

    return register
