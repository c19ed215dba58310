"""Which cases are restricted 受限: of them nothing leaves the product but that there is something.

The diagram says so: property `restricted` of the process, an expression over the case's data.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.process.definitions import deployed
from engine.process.interpreter.expressions import ExpressionError, evaluate
from engine.process.operations import WORDS
from engine.process.tables import Instance

#: What leaves instead of the content.
HEADING = "您有一条新消息"
TEXT = "您有一条新消息，请登录系统查看"


def is_restricted(session: Session, instance: Instance) -> bool:
    """Whether the case is restricted as its data stand now. An expression that cannot be evaluated keeps the content in.

    Costs nothing where the process says nothing.
    """
    text = deployed(session, instance.definition_id).diagram.properties.get("restricted")
    if not text:
        return False
    try:
        return bool(evaluate(text, instance.variables, {name: partial(word, session) for name, word in WORDS.items()}))
    except (ExpressionError, ArithmeticError, LookupError, TypeError, ValueError):
        return True


def restricted_of(session: Session, instance_ids: Collection[int]) -> frozenset[int]:
    """Those of the cases that are restricted. One query."""
    if not instance_ids:
        return frozenset()
    cases = session.scalars(select(Instance).where(Instance.id.in_(sorted(set(instance_ids))))).all()
    return frozenset(case.id for case in cases if is_restricted(session, case))


def case_is_restricted(session: Session, instance_id: int | None) -> bool:
    """Whether that case is restricted; no case is not. No query for a case that is being moved."""
    case = session.get(Instance, instance_id) if instance_id is not None else None
    return case is not None and is_restricted(session, case)
