"""The yearly maintenance of the catalogue 目录全面维护: each unit goes through all of its entries once a year.

What must change is changed by the processes for that, never here: the maintenance only knows whether such a case was
begun since it opened, and is not signed before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.tables import Instance
from engine.sharing.catalogue import Resource
from engine.sharing.elements import SHARING_CLASSES
from engine.sharing.negative_list import NegativeListEntry
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json

#: What is done about an entry, and the process that does it.
ACTIONS: Mapping[str, str] = {"confirm": "确认", "change": "变更", "withdraw": "撤销", "rebase": "依据变化，申请移出"}
DONE_BY: Mapping[str, str] = {
    "change": "catalogue_change", "withdraw": "catalogue_change", "rebase": "negative_list_removal",
}  # fmt: skip


class Maintenance(Base):
    """One unit's maintenance of one year."""

    __tablename__ = "catalogue_maintenance"
    __table_args__ = (UniqueConstraint("unit_id", "period"),)

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    period: Mapped[str] = mapped_column(String(64))
    due_day: Mapped[date]
    entries: Mapped[list[Any]] = mapped_column(Json)
    """Each with `code`, `name`, `class`, `basis` (of a withheld one) and, once checked, `action`."""
    opened_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


@operation("maintenance.list", parameters={"period": "key of the year", "due_day": "ISO date by which it must be done"})
def list_entries(call: Call, *, period: str, due_day: str) -> dict[str, Any]:
    """Takes down the unit's entries as they stand. Returns `id`, `count`, `entries` and `withheld` as options of a form."""
    session = call.work.session
    unit = unit_of(session, call.variables["applicant_unit"])
    row = _row(session, call.instance.id)
    if row is None:
        row = Maintenance(
            unit_id=unit.id, period=period, due_day=date.fromisoformat(due_day), entries=[], opened_at=call.at,
            completed_at=None, instance_id=call.instance.id,
        )  # fmt: skip
        session.add(row)
    row.entries = _entries(session, unit.id)
    session.flush()
    return {
        "id": row.id,
        "count": len(row.entries),
        "entries": [{"value": e["code"], "label": f"{e['name']}（{e['class']}）"} for e in row.entries],
        "withheld": [{"value": e["code"], "label": f"{e['name']}（{e['basis']}）"} for e in row.entries if e["basis"]],
    }


@operation(
    "maintenance.record",
    parameters={
        "changed": "codes of the entries to be changed",
        "withdrawn": "codes of those to be withdrawn",
        "rebased": "codes of the withheld ones whose basis has changed",
    },
)
def record(
    call: Call,
    *,
    changed: Sequence[str] | None = None,
    withdrawn: Sequence[str] | None = None,
    rebased: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Writes down what each entry needs; all others are confirmed.

    Returns the counts `confirmed`, `changed`, `withdrawn`, `rebased`, and `outstanding`: those that need a case which
    nobody has begun since the maintenance opened, in words; `text` says of every entry what is done about it. Raises OperationError `no-maintenance`.
    """
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-maintenance", "该办件没有对应的目录维护")
    action = {code: "change" for code in changed or ()}
    action |= {code: "withdraw" for code in withdrawn or ()}
    action |= {code: "rebase" for code in rebased or ()}
    row.entries = [{**entry, "action": action.get(entry["code"], "confirm")} for entry in row.entries]
    call.work.session.flush()
    begun = _begun(call.work.session, row)
    counts = {name: sum(entry["action"] == name for entry in row.entries) for name in ACTIONS}
    outstanding = [
        f"{entry['name']}（{ACTIONS[entry['action']]}）"
        for entry in row.entries
        if entry["action"] in DONE_BY and (DONE_BY[entry["action"]], entry["code"]) not in begun
    ]
    return {
        "confirmed": counts["confirm"],
        "changed": counts["change"],
        "withdrawn": counts["withdraw"],
        "rebased": counts["rebase"],
        "outstanding": outstanding,
        "outstanding_text": "\n".join(outstanding),
        "text": "\n".join(f"{entry['name']}：{ACTIONS[entry['action']]}" for entry in row.entries),
    }


@operation("maintenance.complete", parameters={})
def complete(call: Call) -> dict[str, Any]:
    """Marks the maintenance of this case as done. Raises OperationError `no-maintenance`."""
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-maintenance", "该办件没有对应的目录维护")
    row.completed_at = call.at
    call.work.session.flush()
    return {"id": row.id}


def _entries(session: Session, unit_id: int) -> list[dict[str, Any]]:
    """The unit's entries by code; a withheld one with the basis that stands on the negative list."""
    listed = (NegativeListEntry.resource_id == Resource.id) & (NegativeListEntry.state == "listed")
    query = (
        select(Resource, NegativeListEntry)
        .outerjoin(NegativeListEntry, listed)
        .where(Resource.provider_id == unit_id, Resource.state != "withdrawn")
        .order_by(Resource.code)
    )
    return [
        {
            "code": resource.code,
            "name": resource.name,
            "class": SHARING_CLASSES[resource.sharing_class],
            "basis": f"《{entry.basis}》{entry.article}" if entry else "",
        }
        for resource, entry in session.execute(query)
    ]


def _begun(session: Session, row: Maintenance) -> set[tuple[str, str]]:
    """Process and resource code of the cases about this unit's entries since the maintenance opened."""
    query = select(Instance.process_key, Instance.subject_key).where(
        Instance.process_key.in_(set(DONE_BY.values())),
        Instance.subject_key.in_([entry["code"] for entry in row.entries]),
        Instance.started_at >= row.opened_at,
    )
    return {(process, str(code)) for process, code in session.execute(query)}


def _row(session: Session, instance_id: int) -> Maintenance | None:
    return session.scalar(select(Maintenance).where(Maintenance.instance_id == instance_id))
