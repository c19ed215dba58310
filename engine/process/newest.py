"""The newest cases that somebody may see, as SQL: `permissions.case_scope` in a form that stays quick in a large town.

One condition with OR over all the ways in which a person may see a case makes the database read every case. So each way
(a unit's part in the case, an own start, the escalated mark) gives its newest page in the order of an index, and the pages
are merged. A statement is built once for each shape of question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, select, union
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.searching import WORDS_MAX, words_of
from engine.process.tables import Instance, Party

_Select = Select[*tuple[Any, ...]]
_EQUAL = {"state": Instance.state, "process_key": Instance.process_key, "subject_key": Instance.subject_key}
_WORDS = frozenset(f"word_{place}" for place in range(WORDS_MAX))


@dataclass(frozen=True, slots=True)
class _Ways:
    """By which ways an actor sees cases; `parties` is a number of (unit, post) pairs."""

    all: bool = False
    own: bool = False
    escalated: bool = False
    parties: int = 0


def newest_cases(
    session: Session, actor: Actor, asked: Mapping[str, Any], *, own: bool, most: int
) -> list[Row[*tuple[Any, ...]]]:
    """The newest `most` cases that the actor may see (`own`: has started), with the columns of a line. One query.

    `asked` may hold `state`, `process_key`, `subject_key`, `text` (words in number, title, unit or their initials) and `after` (an id).
    """
    names = {"most": most, "account": actor.account_id, **{name: value for name, value in asked.items() if value not in (None, "")}}
    words = words_of(names.pop("text", ""))[:WORDS_MAX]
    names |= {f"word_{place}": f"%{_escape(word)}%" for place, word in enumerate(words)}
    ways = _Ways(own=True)
    if not own:
        scope = permissions.case_scope(actor)
        parties = sorted({(unit_id, "") for unit_id in scope.unit_ids} | scope.pairs)
        for place, (unit_id, post) in enumerate(parties):
            names |= {f"unit_{place}": unit_id, f"post_{place}": post}
        ways = _Ways(scope.all, scope.account_id != permissions.NOBODY, scope.escalated, len(parties))
    if ways == _Ways():
        return []
    return list(session.execute(_statement(ways, frozenset(names) & {*_EQUAL, *_WORDS, "after"}), names).all())


@lru_cache(maxsize=256)
def _statement(ways: _Ways, asked: frozenset[str]) -> _Select:
    columns = (
        select(Instance.id, Instance.number, Instance.title, Instance.process_key, Instance.state, Instance.outcome_name,
               Instance.started_at, Instance.ended_at, Unit.name.label("unit_name"))
        .outerjoin(Unit, Unit.id == Instance.unit_id).order_by(Instance.id.desc())
    )  # fmt: skip
    if ways.all:  # of a removed case nobody has a part, a start or a mark any more: the other ways need not say so
        return columns.where(Instance.removed_at.is_(None), *_conditions(asked)).limit(bindparam("most"))
    pages = []
    for way in _each(ways, asked):
        page = way.where(*_conditions(asked)).limit(bindparam("most")).subquery()
        pages.append(select(page.c.id))
    found = union(*pages).subquery()
    newest = select(found.c.id).order_by(found.c.id.desc()).limit(bindparam("most")).subquery()
    return columns.join(newest, newest.c.id == Instance.id)


def _each(ways: _Ways, asked: frozenset[str]) -> Iterator[_Select]:
    by_case = select(Instance.id.label("id")).order_by(Instance.id.desc())
    if ways.own:
        yield by_case.where(Instance.starter_id == bindparam("account"))
    if ways.escalated:
        yield by_case.where(Instance.escalated.is_(True))
    for place in range(ways.parties):
        # In the order of the party's index: only the cases of this unit are looked at.
        part = (
            select(Party.instance_id.label("id")).join(Instance, Instance.id == Party.instance_id)
            .where(Party.unit_id == bindparam(f"unit_{place}"), Party.post == bindparam(f"post_{place}"))
            .order_by(Party.instance_id.desc())
        )  # fmt: skip
        yield part.where(Party.instance_id < bindparam("after")) if "after" in asked else part


def _conditions(asked: frozenset[str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [column == bindparam(name) for name, column in _EQUAL.items() if name in asked]
    conditions += [Instance.search.like(bindparam(word), escape="\\") for word in sorted(asked & _WORDS)]
    if "after" in asked:
        conditions.append(Instance.id < bindparam("after"))
    return conditions


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
