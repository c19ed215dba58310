"""What a dry run says of the registers above the kernel: their names, their columns, and what it must not tell.

The kernel knows no register. Whoever keeps one describes its table here (`describe`), so that a dry run can say in words
which rows a draft would write, and covers what not everybody may read (`cover`): a process admin rehearses with real
registers, but must not come to know through them what a department keeps to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import DeclarativeBase, Session

from engine.store.store import Work


@dataclass(frozen=True, slots=True)
class Register:
    """A register's table in words."""

    name: str
    """What the register is called: 共享授权."""
    columns: Mapping[str, str]
    """Column → what it is called; a column that is not named is not told."""
    title: Callable[[Any], str]
    """What a row is called among its like: a number, a name."""
    values: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    """Column → key → the word for it."""
    public: bool = False
    """Whether every department may read every row; of a register that is not, existing rows are told without names."""
    letter: Callable[[Any], str] | None = None
    """The text of a row that is an issued document; None for a register proper."""


#: In a move's `about`: instead of a real row, one that is made for this run alone.
MADE_UP = "made-up"

REGISTERS: dict[type[DeclarativeBase], Register] = {}
COVERS: dict[type[DeclarativeBase], Callable[[Any], Mapping[str, Any]]] = {}
BEGINNINGS: list[Callable[[Session, str, str, datetime], Mapping[str, Any]]] = []
MAKERS: dict[str, Callable[[Work, Mapping[str, str], int], str]] = {}


def describe(table: type[DeclarativeBase], register: Register) -> None:
    """Lets a dry run tell the rows of a table."""
    REGISTERS[table] = register


def cover(table: type[DeclarativeBase], covered: Callable[[Any], Mapping[str, Any]]) -> None:
    """Has a dry run see other values in rows of `table`: `covered(row)` gives column → value, empty where nothing is secret."""
    COVERS[table] = covered


def make_up(name: str, maker: Callable[[Work, Mapping[str, str], int], str]) -> None:
    """Lets a run be about a row that nobody has: `maker(work, about, unit id)` writes it and gives its key.

    For processes that begin with what only some may see, such as a unit's grant.
    """
    MAKERS[name] = maker


def begin_with(facts: Callable[[Session, str, str, datetime], Mapping[str, Any]]) -> None:
    """Lets processes that nobody starts be tried: `facts(session, process, unit code, at)` is what one would be started with.

    Empty for a process that it does not know.
    """
    BEGINNINGS.append(facts)


def with_made_up(work: Work, about: Mapping[str, str], unit_id: int) -> dict[str, str]:
    """`about` with keys of freshly made rows wherever it says MADE_UP. Raises Invalid where none can be made."""
    return {
        name: MAKERS[name](work, about, unit_id) if value == MADE_UP and name in MAKERS else value for name, value in about.items()
    }
