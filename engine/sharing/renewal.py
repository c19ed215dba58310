"""Renewal of grants 续期: a request for the same resource that names the grant it is to follow.

Nothing of the earlier grant is written over: what is agreed becomes a grant of its own, and the earlier one ends then and
there (`sharing.grant` with `renews`). Here is what a request may name, and what its form starts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from engine.people.tables import Unit
from engine.process.tables import OPEN_STATES, Instance
from engine.sharing.catalogue import Resource
from engine.sharing.grants import Grant, label_of
from engine.store.errors import Invalid

#: What the unit said when it asked for the grant, and need not type again.
ASKED = ("basis", "scenario", "scope", "frequency", "volume", "system", "safety_officer", "safety_phone")


def renewed_grant(session: Session, resource: Resource, answers: Mapping[str, Any]) -> dict[str, Any] | None:
    """The grant named as `grant`, which a request of `applicant_unit` for `resource` is to renew; None where none is named.

    Raises Invalid at `grant` for one that is not the unit's own, not of this resource, not in force or without an end, and
    while another case renews it.
    """
    given = str(answers.get("grant") or "").strip()
    if not given:
        return None
    row = _find(session, given, answers.get("applicant_unit"))
    if row is None:
        raise Invalid({"grant": "只能续期本单位的共享授权"})
    if row.resource_id != resource.id:
        raise Invalid({"grant": f"{row.number}不是“{resource.name}”的共享授权"})
    label = label_of(row, shanghai_day(session.info["store"].clock.now()))
    if label != "有效":
        raise Invalid({"grant": f"{row.number}{label}，不能续期"})
    if row.valid_until is None:
        raise Invalid({"grant": f"{row.number}没有设定期限，不需要续期"})
    if (running := _running(session, resource, row)) is not None:
        raise Invalid({"grant": f"{row.number}正在办理续期（{running}），办结前不能再次申请"})
    made_by = session.get_one(Instance, row.instance_id).variables
    return {
        "id": row.id, "number": row.number, "fields": list(row.fields), "use": row.use, "method": row.method,
        "valid_until": row.valid_until.isoformat(),
        "asked": {name: made_by[name] for name in ASKED if made_by.get(name) is not None},
    }  # fmt: skip


def _find(session: Session, given: str, unit_code: Any) -> Grant | None:
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        return None
    query = select(Grant).join(Unit, Unit.id == Grant.unit_id).where(Grant.id == int(given), Unit.code == unit_code)
    if session.connection().get_execution_options().get("sharing_write"):
        # Of two that start at once one waits here, and is told of the other.
        query = query.with_for_update(of=Grant)
    return session.scalar(query)


def _running(session: Session, resource: Resource, grant: Grant) -> str | None:
    """The number of the running case that renews the grant."""
    query = select(Instance).where(
        Instance.subject_key == resource.code, Instance.unit_id == grant.unit_id, Instance.state.in_(OPEN_STATES)
    )
    for instance in session.scalars(query.order_by(Instance.id)):
        if (instance.variables.get("renewed") or {}).get("id") == grant.id:
            return instance.number
    return None
