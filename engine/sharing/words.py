"""What a diagram's expressions may look up in the registers: a body's unit, a unit's name, who supplies a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.tables import Unit, UnitBody
from engine.process.interpreter.model import OperationError
from engine.process.operations import word

#: The body whose unit runs the sharing platform and supplies what is not one department's own business data.
PLATFORM = "platform"


def unit_of(session: Session, code: str) -> Unit:
    """The unit with this code. Raises OperationError (`unknown-unit`)."""
    unit = session.scalar(select(Unit).where(Unit.code == code))
    if unit is None:
        raise OperationError("unknown-unit", f"没有代码为“{code}”的单位")
    return unit


@word("body")
def body(session: Session, name: str) -> str:
    """The code of the unit that holds the body `name`, such as "leadership_office".

    Raises OperationError (`unknown-body`) where no unit holds it.
    """
    code = session.scalar(select(Unit.code).join(UnitBody, UnitBody.unit_id == Unit.id).where(UnitBody.body == name))
    if code is None:
        raise OperationError("unknown-body", f"尚未指定哪个单位承担“{name}”职责")
    return code


@word("unit_name")
def unit_name(session: Session, code: str) -> str:
    """The name of the unit with this code. Raises OperationError (`unknown-unit`)."""
    return unit_of(session, code).name


@word("supplier")
def supplier(session: Session, resource: Mapping[str, Any]) -> str:
    """The code of the unit that supplies a resource: its provider for business data, the platform's unit for the rest."""
    return str(resource["provider"]) if resource["kind"] == "business" else body(session, PLATFORM)
