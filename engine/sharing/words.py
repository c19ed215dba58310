"""What a diagram's expressions may look up in the registers: a body's unit, a unit's name, who supplies a resource.

A unit or body that does not exist is a fault of the diagram or of the installation, hence an OperationError: it becomes an
incident for the operator rather than a sentence that tells an official they did something wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine.people.units import UnitFacts, body_unit, unit_by_code
from engine.process.interpreter.model import OperationError
from engine.process.operations import word
from engine.store.errors import NotFound

#: The body whose unit runs the sharing platform and supplies what is not one department's own business data.
PLATFORM = "platform"


def unit_of(session: Session, code: str) -> UnitFacts:
    """The unit with this code. Raises OperationError (`unknown-unit`)."""
    unit = unit_by_code(session, str(code))
    if unit is None:
        raise OperationError("unknown-unit", f"没有代码为“{code}”的单位")
    return unit


@word("body")
def body(session: Session, name: str) -> str:
    """The code of the unit that holds the body `name`, such as "leadership_office".

    Raises OperationError (`unknown-body`) where no unit holds it.
    """
    try:
        return body_unit(session, str(name)).code
    except NotFound as error:
        raise OperationError("unknown-body", error.message) from error


@word("unit_name")
def unit_name(session: Session, code: str) -> str:
    """The name of the unit with this code. Raises OperationError (`unknown-unit`)."""
    return unit_of(session, code).name


@word("supplier")
def supplier(session: Session, resource: Mapping[str, Any]) -> str:
    """The code of the unit that supplies a resource: its provider for business data, the platform's unit for the rest."""
    return str(resource["provider"]) if resource["kind"] == "business" else body(session, PLATFORM)
