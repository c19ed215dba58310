"""What one move of a dry run did: the rows that it wrote, in words.

The session itself is watched, so that nothing an operation does goes untold, whichever register it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.orm.attributes import set_committed_value

from engine.history import History
from engine.people.tables import Account, Unit
from engine.process.definitions import deployed
from engine.process.tables import Instance, Notice
from engine.process.telling import tell
from engine.process.workshop.dry_run.registers import COVERS, REGISTERS, Register
from engine.store.clock import SHANGHAI

#: What is longer is cut in a list of changes.
TEXT_MAX = 400
HIDDEN = "（按权限不显示）"


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry of the record 办理记录 that the move wrote."""

    number: str
    """The case's."""
    title: str
    details: list[str]
    article: str | None
    at: datetime
    opinion: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice to some people."""

    people: tuple[str, ...]
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a changed row; `before` is empty in a new one."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RegisterChange:
    """One row of a register that the move wrote."""

    register: str
    act: str
    """new · changed · removed"""
    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A document that would be issued, with its words."""

    title: str
    number: str
    text: str


@dataclass(frozen=True, slots=True)
class VariableChange:
    """A value of a case's data that differs after the move; None where it is not there."""

    number: str
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that a move did."""

    record: tuple[Happened, ...] = ()
    notices: tuple[Sent, ...] = ()
    registers: tuple[RegisterChange, ...] = ()
    letters: tuple[LetterSeen, ...] = ()
    variables: tuple[VariableChange, ...] = ()
    others: int = 0
    """Real cases of the office that it would have moved too."""

    def then(self, later: Effects) -> Effects:
        """These effects and those that followed in the same move."""
        return Effects(
            self.record + later.record, self.notices + later.notices, self.registers + later.registers,
            self.letters + later.letters, self.variables + later.variables, self.others + later.others,
        )


class Watch:
    """Listens to the session of a dry run: which cases are of the run, and what each move writes."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.cases: list[int] = []
        """The cases of the run, in the order in which they were opened."""
        self._touched: dict[int, tuple[Any, str, dict[str, Any]]] = {}
        self._notices: list[Mapping[str, Any]] = []
        self._others: set[int] = set()
        self._own: set[tuple[Any, ...]] = set()
        """Rows that the run itself has made: nothing about them is secret."""
        self._last_entry = 0
        self._known: dict[int, dict[str, Any]] = {}
        event.listen(session, "after_flush", self._flushed)
        event.listen(session, "loaded_as_persistent", self._loaded)
        event.listen(session, "do_orm_execute", self._executing)

    def begin(self) -> None:
        """A new move begins."""
        self._touched, self._notices, self._others = {}, [], set()

    def undone(self, cases: int) -> None:
        """The move was undone: the cases that it had opened (all beyond the first `cases`) are gone."""
        del self.cases[cases:]
        self.begin()

    def beforehand(self) -> None:
        """What was written so far was made up for the run to begin with: no case of it, and no effect."""
        self.undone(0)

    def _loaded(self, session: Session, row: Any) -> None:
        covered = COVERS.get(type(row))
        if covered is not None:
            for name, value in covered(row).items():
                set_committed_value(row, name, value)

    def _executing(self, state: ORMExecuteState) -> None:
        """Notices are written as values, many at once: no object of theirs comes by at a flush."""
        if state.is_insert and state.bind_mapper is not None and state.bind_mapper.class_ is Notice:
            given = state.parameters
            self._notices += [given] if isinstance(given, Mapping) else given or []

    def _flushed(self, session: Session, _context: Any) -> None:
        for row in session.new:
            if isinstance(row, Instance):
                self.cases.append(row.id)
            elif type(row) in REGISTERS:
                self._touched.setdefault(id(row), (row, "new", {}))
                self._own.add(_key(row))
        for row in session.dirty:
            if isinstance(row, Instance):
                if row.id not in self.cases:
                    self._others.add(row.id)
            elif type(row) in REGISTERS:
                self._touched.setdefault(id(row), (row, "changed", {}))
                self._keep_before(row)
        for row in session.deleted:
            if type(row) in REGISTERS:
                self._touched[id(row)] = (row, "removed", _values(row))

    def _keep_before(self, row: Any) -> None:
        """The values as they were before the move's first change of them."""
        before = self._touched[id(row)][2]
        for name in REGISTERS[type(row)].columns:
            history = inspect(row).attrs[name].history
            if history.has_changes() and name not in before:
                before[name] = history.deleted[0] if history.deleted else None

    # -- telling ------------------------------------------------------------------------------

    def effects(self) -> Effects:
        """What the move did, after its last flush."""
        told = [self._tell(*touched) for touched in self._touched.values() if REGISTERS[type(touched[0])].letter is None]
        return Effects(
            record=self._record(), notices=self._sent(), registers=tuple(change for change in told if change is not None),
            letters=tuple(self._letters()), variables=tuple(self._variables()), others=len(self._others),
        )  # fmt: skip

    def _record(self) -> tuple[Happened, ...]:
        if not self.cases:
            return ()
        rows = self.session.execute(
            select(History, Instance.number, Instance.definition_id).join(Instance, Instance.id == History.instance_id)
            .where(History.instance_id.in_(self.cases), History.id > self._last_entry).order_by(History.id)
        ).all()  # fmt: skip
        happened = []
        for entry, number, definition_id in rows:
            self._last_entry = max(self._last_entry, entry.id)
            title, details = tell(entry.act, entry.data, deployed(self.session, definition_id))
            opinion = entry.data.get("opinion") or None
            happened.append(Happened(number, title, details, entry.article, entry.at, opinion))
        return tuple(happened)

    def _sent(self) -> tuple[Sent, ...]:
        """The notices, those of the same words together."""
        people: dict[tuple[str, str], list[str]] = {}
        for notice in self._notices:
            person = self.session.get(Account, notice["account_id"])
            people.setdefault((notice["title"], notice["text"]), []).append(person.name if person else "")
        return tuple(Sent(tuple(names), *words) for words, names in people.items())

    def _tell(self, row: Any, act: str, before: dict[str, Any]) -> RegisterChange | None:
        register = REGISTERS[type(row)]
        shown = register.public or _key(row) in self._own
        columns = []
        for name, label in register.columns.items():
            if act == "removed" or (act == "changed" and name not in before):
                continue
            old, new = before.get(name), getattr(row, name)
            if old == new or (act == "new" and new in (None, "", [], {})):
                continue
            if not shown and name not in register.values:
                columns.append(Column(label, HIDDEN, HIDDEN))
            else:
                columns.append(Column(label, self._say(row, register, name, old), self._say(row, register, name, new)))
        if act == "changed" and not columns:
            return None
        return RegisterChange(register.name, act, register.title(row) if shown else f"现有记录{HIDDEN}", tuple(columns))

    def _say(self, row: Any, register: Register, name: str, value: Any) -> str:
        """A column's value as people read it: keys become words, ids of other rows their names."""
        if value is None:
            return ""
        if name in register.values and not isinstance(value, list | dict):
            return register.values[name].get(value, str(value))
        for key in type(row).__table__.c[name].foreign_keys:
            return self._name_of(key.column.table.name, value)
        return in_words(value, register.values.get(name))

    def _name_of(self, table: str, row_id: Any) -> str:
        named: Mapping[str, tuple[type[DeclarativeBase], Any]] = {
            "unit": (Unit, lambda unit: unit.name), "account": (Account, lambda account: account.name),
            "instance": (Instance, lambda case: case.number if case.id in self.cases else HIDDEN),
            **{kind.__tablename__: (kind, register.title) for kind, register in REGISTERS.items()},
        }
        kind, title = named.get(table, (None, None))
        row = self.session.get(kind, row_id) if kind is not None else None
        return str(title(row)) if row is not None and title is not None else ""

    def _letters(self) -> Iterable[LetterSeen]:
        for row, act, _ in self._touched.values():
            letter = REGISTERS[type(row)].letter
            if letter is not None and act == "new":
                yield LetterSeen(row.title, row.number, letter(row))

    def _variables(self) -> Iterable[VariableChange]:
        for case_id in self.cases:
            case = self.session.get_one(Instance, case_id)
            now, before = case.variables, self._known.get(case_id, {})
            for name in sorted({*now, *before} - {"case"}):
                if now.get(name) != before.get(name):
                    yield VariableChange(case.number, name, before.get(name), now.get(name))
            self._known[case_id] = dict(now)


def _key(row: Any) -> tuple[Any, ...]:
    return (type(row), *inspect(row).mapper.primary_key_from_instance(row))


def _values(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in REGISTERS[type(row)].columns}


def in_words(value: Any, words: Mapping[Any, str] | None = None) -> str:
    """A plain value for reading: instants in Shanghai time, lists joined, yes and no in Chinese, cut where very long."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        text = "、".join(in_words(item, words) for item in value)
    elif isinstance(value, dict):
        text = "；".join(f"{name}：{in_words(item, words)}" for name, item in value.items())
    else:
        text = (words or {}).get(value, "" if value is None else str(value)) if not isinstance(value, list | dict) else ""
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…"
