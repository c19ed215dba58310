"""What the page of a correction 更正 offers: the answers that a case holds, as its forms call them, with what they say now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.correcting import POWER
from engine.process.corrigible import Datum, data_of, said_of
from engine.process.definitions import deployed
from engine.process.forms import options_of
from engine.process.interpreter.expressions import ExpressionError
from engine.process.sheets.seeing import find_instance, require_sight
from engine.process.tables import OPEN_STATES


@dataclass(frozen=True, slots=True)
class CorrigibleLine:
    """One answer that may be corrected on the page. What only steps have made is for programs: no form says what it is."""

    name: str
    label: str
    words: str
    """What it says now, cut where it is long; empty for nothing."""
    value: Any
    field: Mapping[str, Any]
    """How it is asked for, whatever else is answered."""


@dataclass(frozen=True, slots=True)
class CorrectionSheet:
    """The page of a correction."""

    instance_id: int
    number: str
    title: str
    open: bool
    """Whether the case has not ended."""
    lines: list[CorrigibleLine]
    names: Mapping[str, Any]
    """The case's data, for the choices of a field."""

    def line(self, name: str) -> CorrigibleLine | None:
        """The answer of that name, if it may be corrected here."""
        return next((line for line in self.lines if line.name == name), None)


def correction_sheet(session: Session, actor: Actor, instance_id: int) -> CorrectionSheet:
    """What the actor may correct of a case. Raises NotFound, and NotAllowed for who may not see it or does not supervise."""
    instance = find_instance(session, instance_id)
    require_sight(session, actor, instance)
    permissions.require(actor, POWER)
    known = data_of(deployed(session, instance.definition_id), instance.variables)
    lines = list(_lines(known, instance.variables))
    return CorrectionSheet(instance.id, instance.number, instance.title, instance.state in OPEN_STATES, lines, instance.variables)


def _lines(known: Mapping[str, Datum], held: Mapping[str, Any]) -> Iterator[CorrigibleLine]:
    for name, datum in known.items():
        if name not in held or not datum.fields or datum.is_file:
            continue
        field = {key: value for key, value in datum.fields[0].items() if key not in ("when", "value", "readonly")}
        try:
            options_of(field, held)
        except ExpressionError:
            continue  # its choices are known at its step alone
        yield CorrigibleLine(name, datum.label, said_of(datum, held[name], held), held[name], field)
