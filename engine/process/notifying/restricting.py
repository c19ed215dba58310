"""What leaves the product of restricted cases 受限: that there is something, and nothing else."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.process.restricted import is_restricted
from engine.process.tables import Instance

#: What leaves instead of the content.
HEADING = "您有一条新消息"
TEXT = "您有一条新消息，请登录系统查看"


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
