"""Objections 异议 to entries of the negative list: who may raise one, how it is registered and taken up, what became of it.

Any unit but the provider may object. While one objection runs a second is told to wait; when one has been decided, the same
ground is heard again only with a basis that the earlier cases did not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, Subject, operation, subject
from engine.sharing.catalogue import lock_resource
from engine.sharing.holding import require_free
from engine.sharing.negative_list import NegativeListEntry, Objection, entry_value, listed_entry
from engine.sharing.subjects import ABOUT, experts_offered, foreign, subject_of
from engine.sharing.words import unit_of
from engine.store.errors import Invalid

GROUNDS: Mapping[str, str] = {
    "lapsed": "依据失效",
    "insufficient": "依据不足",
    "too_broad": "范围过宽",
    "can_be_masked": "可以脱敏",
    "wrongly_listed": "错列",
}
STATES: Mapping[str, str] = {
    "filed": "已提出",
    "under_review": "异议审核中",
    "dismissed": "不予受理",
    "upheld": "维持",
    "narrowed": "部分调整",
    "removed": "移出",
}
#: Ends by which a ground counts as heard; one that was not taken up may be raised again.
_HEARD = ("upheld", "narrowed", "removed")


@dataclass(frozen=True, slots=True)
class ObjectionLine:
    """An objection on the page of its entry."""

    unit_name: str
    ground_label: str
    state_label: str
    filed_at: datetime
    concluded_at: datetime | None
    document: str
    instance_id: int


@subject("listed_resource", brings=(*ABOUT, "all_items", "entry", "experts_offered", "itemised"))
def listed_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The listed resource that `resource_code` names, of another unit, with its entry as `entry`, to object to.

    Where the answers give `ground` and `new_basis`, they are judged too. Raises Invalid at `resource_code` for none, an
    unknown one, the starter's own, one that is not on the list or that another running case may change; at `new_basis` for
    a ground that was heard before when nothing new is brought forward.
    """
    resource, provider = foreign(session, answers)
    entry = listed_entry(session, resource)
    if entry is None:
        raise Invalid({"resource_code": f"“{resource.name}”不在负面清单中"})
    require_free(session, resource.code, resource.name)
    _require_something_new(session, entry, answers)
    return subject_of(
        resource, provider, all_items=list(resource.items), itemised=len(resource.items) > 1, entry=entry_value(entry),
        experts_offered=experts_offered(session),
    )  # fmt: skip


def _require_something_new(session: Session, entry: NegativeListEntry, answers: Mapping[str, Any]) -> None:
    heard = session.scalars(
        select(Objection).where(
            Objection.entry_id == entry.id, Objection.ground == str(answers.get("ground") or ""), Objection.state.in_(_HEARD)
        )
    ).all()
    brought = str(answers.get("new_basis") or "").strip()
    if heard and (not brought or brought in {earlier.new_basis for earlier in heard}):
        label = GROUNDS[heard[0].ground]
        raise Invalid({"new_basis": f"以“{label}”为由的异议已经审核（{heard[-1].document}），没有新的依据不再受理"})


def objections_of(session: Session, entry_id: int) -> list[ObjectionLine]:
    """The objections to an entry, newest first. Like the list itself they are open to every department."""
    query = select(Objection, Unit.name).join(Unit, Unit.id == Objection.unit_id).where(Objection.entry_id == entry_id)
    return [
        ObjectionLine(
            name, GROUNDS[row.ground], STATES[row.state], row.filed_at, row.concluded_at, row.document, row.instance_id
        )
        for row, name in session.execute(query.order_by(Objection.id.desc()))
    ]


@operation(
    "negative_list.file_objection",
    parameters={
        "resource": "the resource (value or code)",
        "unit": "code of the unit that objects",
        "ground": "lapsed | insufficient | too_broad | can_be_masked | wrongly_listed",
        "new_basis": "what is brought forward that is new; may be empty",
    },
)
def file_objection(call: Call, *, resource: Any, unit: str, ground: str, new_basis: str = "") -> dict[str, Any]:
    """Registers the objection of this case against the listed entry of a resource; returns its id and the ground in words.

    Raises OperationError `not-listed`, `bad-ground`.
    """
    session = call.work.session
    entry = listed_entry(session, lock_resource(session, resource))
    if entry is None:
        raise OperationError("not-listed", "该信息资源不在负面清单中")
    if ground not in GROUNDS:
        raise OperationError("bad-ground", f"没有“{ground}”这一异议类型")
    objection = Objection(
        entry_id=entry.id, unit_id=unit_of(session, unit).id, ground=ground, new_basis=(new_basis or "").strip(),
        state="filed", filed_at=call.at, concluded_at=None, document="", instance_id=call.instance.id,
    )  # fmt: skip
    session.add(objection)
    session.flush()
    return {"id": objection.id, "ground": GROUNDS[ground]}


@operation("negative_list.take_up_objection", parameters={})
def take_up(call: Call) -> bool:
    """Marks the entry that this case objects to as under review. Raises OperationError `no-objection`."""
    _filed(call).state = "under_review"
    call.work.session.flush()
    return True


@operation("negative_list.dismiss_objection", parameters={"document": "number of the notice; may be empty"})
def dismiss(call: Call, *, document: str = "") -> bool:
    """Writes down that this case's objection was not taken up. Raises OperationError `no-objection`."""
    objection = _filed(call)
    objection.state, objection.concluded_at, objection.document = "dismissed", call.at, document
    call.work.session.flush()
    return True


def _filed(call: Call) -> Objection:
    row = call.work.session.scalar(select(Objection).where(Objection.instance_id == call.instance.id))
    if row is None:
        raise OperationError("no-objection", "该办件没有登记异议")
    return row
