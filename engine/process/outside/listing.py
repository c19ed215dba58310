"""Lists as other programs ask for them: filters by name, sorting by several columns, pages by number or by keyset.

A filter that is not declared is refused by the floor above, so that nothing is ignored in silence. Every order ends with
the id, so that it is stable and a page can go on behind the last row of the one before.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnClause, ColumnElement, Row, Select, and_, false, func, inspect, literal, or_, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import coercions, roles, visitors

from engine.store.base import UtcDateTime
from engine.store.errors import Invalid

AnySelect = Select[*tuple[Any, ...]]
Condition = ColumnElement[bool]
Filter = Callable[[Any], Condition | None]
#: Rows of one page; who asks for more gets an error rather than the machine's memory.
MOST = 1000
#: How far pages by number reach; behind that, keyset pages cost what the first did.
FURTHEST = 100_000


class TooMany(Invalid):
    """结果过多，请用 maxResults 分页，或用 after 接着上一页查询。"""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a list: from the `first` on or behind the cursor `after`, at most `most` rows (None: all, if they fit).

    `order` are (name, descending) pairs.
    """

    first: int = 0
    most: int | None = None
    after: str | None = None
    order: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """Some rows, and the cursor of the next page; None at the end."""

    rows: Sequence[Row[Any]]
    next: str | None


def fetch(session: Session, query: AnySelect, sorts: Mapping[str, ColumnElement[Any]], id_column: Any, cut: Cut) -> Listed:
    """One part of a list. One query. Raises TooMany for a list that does not fit, Invalid for a cursor of another order."""
    keys = _keys(sorts, id_column, cut)
    return _listed(session, _page(query.add_columns(*_marks(keys)), keys, cut), keys, cut)


@dataclass(frozen=True, slots=True)
class Rows:
    """A long list: the rows of one table, which others only describe.

    A page is found in that table alone, and only its rows are described: else a hundred thousand rows would be joined and
    sorted with all their columns for the fifty that are shown. Another table is joined to find a page where a filter or an
    order asks about it, and not otherwise; databases do not see by themselves that it may be left away.
    """

    id_column: Any
    shown: Sequence[Any]
    """The columns of a row."""
    others: Sequence[tuple[Any, Any]]
    """(table, ON), each behind those that its ON needs. All are joined by OUTER, so that none loses or doubles a row."""

    def columns(self) -> AnySelect:
        """Every row with what is shown of it."""
        return self._joined(select(*self.shown), self.others)

    def ids(self, *conditions: Condition, keys: Sequence[ColumnElement[Any]] = ()) -> AnySelect:
        """The ids of the rows that hold, with `keys`."""
        asked, needed = _tables(*conditions, *keys), []
        for other, on in reversed(self.others):
            if inspect(other).selectable in asked:
                asked |= _tables(on)
                needed.append((other, on))
        return self._joined(select(self.id_column, *keys), needed[::-1]).where(*conditions)

    def page(self, session: Session, conditions: Sequence[Condition], sorts: Mapping[str, ColumnElement[Any]], cut: Cut) -> Listed:
        """One part of the rows that hold. One query; raises what `fetch` raises."""
        keys = _keys(sorts, self.id_column, cut)
        found = _page(self.ids(*conditions, keys=[column for column, _ in keys]).with_only_columns(*_marks(keys), maintain_column_froms=True), keys, cut).subquery("page")
        again = [found.c[mark.name] for mark in _marks(keys)]
        order = (mark.desc() if down else mark for mark, (_, down) in zip(again, keys, strict=True))
        return _listed(session, self.columns().join(found, again[-1] == self.id_column).add_columns(*again).order_by(*order), keys, cut)

    def number(self, session: Session, conditions: Sequence[Condition]) -> int:
        """How many rows hold. One query."""
        return count(session, self.ids(*conditions))

    def _joined(self, query: AnySelect, others: Sequence[tuple[Any, Any]]) -> AnySelect:
        query = query.select_from(self.id_column.table)
        for other, on in others:
            query = query.outerjoin(other, on)
        return query


_Keys = Sequence[tuple[ColumnElement[Any], bool]]


def _tables(*expressions: Any) -> set[Any]:
    """The tables, under their names in the query, that expressions ask about."""
    plain = (coercions.expect(roles.ColumnArgumentRole, expression) for expression in expressions)
    columns = (each for expression in plain for each in visitors.iterate(expression) if isinstance(each, ColumnClause))
    return {column.table for column in columns if column.table is not None}


def _keys(sorts: Mapping[str, ColumnElement[Any]], id_column: Any, cut: Cut) -> _Keys:
    keys = [(sorts[name], down) for name, down in cut.order if sorts[name] is not id_column]
    id_down = next((down for name, down in cut.order if sorts[name] is id_column), keys[-1][1] if keys else False)
    return [*keys, (id_column, id_down)]


def _marks(keys: _Keys) -> list[Any]:
    return [column.label(f"sort_{place}") for place, (column, _) in enumerate(keys)]


def _page(query: AnySelect, keys: _Keys, cut: Cut) -> AnySelect:
    """The rows of the part, and one more that tells whether the list goes on."""
    if cut.after is not None:
        query = query.where(_behind(keys, _read(cut.after, keys)))
    most = MOST if cut.most is None else cut.most
    return query.order_by(*(column.desc() if down else column for column, down in keys)).offset(cut.first or None).limit(most + 1)


def _listed(session: Session, query: AnySelect, keys: _Keys, cut: Cut) -> Listed:
    rows = session.execute(query).all()
    most = MOST if cut.most is None else cut.most
    if cut.most is None and len(rows) > most:
        raise TooMany(message=f"结果超过{MOST}条，请给出 maxResults 分页查询")
    more = len(rows) > most and most > 0
    return Listed(rows[:most], _write([rows[most - 1]._mapping[mark.name] for mark in _marks(keys)]) if more else None)


def count(session: Session, query: AnySelect) -> int:
    """How many rows a query has. One query."""
    return int(session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0)


def _behind(keys: _Keys, values: Sequence[Any]) -> Condition:
    marks = [literal(value, column.type) for (column, _), value in zip(keys, values, strict=True)]
    columns = [column for column, _ in keys]
    if len({down for _, down in keys}) == 1:
        here, there = tuple_(*columns), tuple_(*marks)
        return here < there if keys[0][1] else here > there
    ways = []
    for place, ((column, down), mark) in enumerate(zip(keys, marks, strict=True)):
        same = [one == other for one, other in zip(columns[:place], marks[:place], strict=True)]
        ways.append(and_(*same, column < mark if down else column > mark))
    return or_(*ways)


def _write(values: Sequence[Any]) -> str:
    plain = [["t", value.isoformat()] if isinstance(value, datetime) else ["v", value] for value in values]
    return base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("=")


def _read(cursor: str, keys: _Keys) -> list[Any]:
    try:
        plain = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [datetime.fromisoformat(value) if kind == "t" else value for kind, value in plain]
        fits = len(values) == len(keys) and all(
            type(value) is (datetime if isinstance(column.type, UtcDateTime) else column.type.python_type) and not (isinstance(value, datetime) and value.tzinfo is None)
            and not (isinstance(value, str) and "\x00" in value)
            for value, (column, _) in zip(values, keys, strict=True)
        )  # fmt: skip
    except (ValueError, TypeError):
        fits = False
    if not fits:
        raise Invalid({"after": "翻页位置无效，或属于另一种排序，请从第一页重新查询"})
    return values


# -- filters ----------------------------------------------------------------------------------


def conditions(filters: Mapping[str, Filter], asked: Mapping[str, Any]) -> list[Condition]:
    """The conditions of what was asked. Raises KeyError for a filter that does not exist."""
    found = (filters[name](value) for name, value in asked.items())
    return [condition for condition in found if condition is not None]


def number(text: str) -> int:
    """An id in a text; for one that no row can have, -1."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1


def same(column: Any) -> Filter:
    return lambda value: column == value


def other(column: Any) -> Filter:
    return lambda value: column != value


def among(column: Any) -> Filter:
    return lambda values: column.in_(values)


def not_among(column: Any) -> Filter:
    return lambda values: column.not_in(values)


def ident(column: Any) -> Filter:
    return lambda value: column == number(value)


def idents(column: Any) -> Filter:
    return lambda values: column.in_([number(value) for value in values])


def before(column: Any) -> Filter:
    return lambda value: column < value


def after(column: Any) -> Filter:
    return lambda value: column > value


def like(column: Any, *, negated: bool = False) -> Filter:
    """By a pattern with % and _, a backslash before one that is meant itself."""

    def condition(pattern: str) -> Condition:
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            pattern += "\\"  # a pattern must not end in the middle of an escape
        found: Condition = column.like(pattern, escape="\\")
        return ~found if negated else found

    return condition


def when(condition: Condition) -> Filter:
    """For filters that may only be true; false asks for nothing, as in the original."""
    return lambda value: condition if value else None


def any_of(filters: Mapping[str, Filter], groups: Iterable[Mapping[str, Any]]) -> Condition | None:
    """Each group joined by OR; all groups must hold. An empty group asks for nothing."""
    parts = [or_(*found) for group in groups if (found := conditions(filters, group))]
    return and_(*parts) if parts else None


def definition_number(text: str) -> int:
    """The row's number in a definition id `key:version:number`, or the number alone; -1 for anything else."""
    return number(text.rpartition(":")[2])


def definition(column: Any) -> Filter:
    return lambda value: column == definition_number(value)


def nothing(_value: Any) -> Condition:
    return false()
