"""What processes do to the negative list: put a resource on it, narrow an entry, close it, or let it stand after a review.

Every change names the case that made it; an objection that the case deals with is concluded by the same act.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from engine.people.tables import Unit
from engine.process.definitions import deployed
from engine.process.interpreter.model import OperationError
from engine.process.notices import notify_post
from engine.process.operations import Call, operation
from engine.process.restricted import restricts
from engine.process.tables import Instance
from engine.sharing.catalogue import Resource, change_resource, code_of, lock_resource
from engine.sharing.negative_list import (
    BASIS_TYPES,
    NegativeListEntry,
    Objection,
    enter,
    entry_in,
    keep_change,
    listed_entry,
)
from engine.store.errors import Invalid

#: Classes that a resource may have when it comes off the list.
SHARED = ("unconditional", "conditional")
#: The types of basis that a diagram need not name; another regulation's diagram says what it admits.
ADMITTED = ("law", "administrative_regulation", "central_policy")


@operation(
    "negative_list.list",
    parameters={
        "resource": "the resource (value or code)",
        "basis_type": "law | administrative_regulation | central_policy | state_council_decision",
        "basis": "title of the law, regulation or policy",
        "article": "the article of it",
        "text": "what that article says",
        "reason": "why sharing in part would not do",
        "valid_until": "ISO date until which the basis holds; may be empty",
        "admitted": "the types of basis that the regulation admits; absent: all but state_council_decision",
    },
)
def list_resource(
    call: Call,
    *,
    resource: Any,
    basis_type: str,
    basis: str,
    article: str,
    text: str = "",
    reason: str = "",
    valid_until: str | None = None,
    admitted: Sequence[str] = ADMITTED,
) -> dict[str, Any]:
    """Puts a resource on the negative list and withholds it.

    Raises OperationError `no-basis` for a basis that cannot justify that, `already-listed` where it stands there already.
    """
    if basis_type not in admitted or not (basis or "").strip() or not (article or "").strip():
        wanted = "、".join(BASIS_TYPES[kind] for kind in admitted)
        raise OperationError("no-basis", f"列入负面清单须有{wanted}依据，并写明名称和条款")
    session = call.work.session
    row = lock_resource(session, resource)
    if listed_entry(session, row) is not None:
        raise OperationError("already-listed", f"“{row.name}”已在负面清单中")
    fields: dict[str, Any] = {
        "state": "listed",
        "basis_type": basis_type,
        "basis": basis.strip(),
        "article": article.strip(),
        "text": (text or "").strip(),
        "reason": (reason or "").strip(),
        "valid_until": date.fromisoformat(valid_until) if valid_until else None,
    }
    entry = entry_in(session, row, "blocked")
    if entry is None:
        entry = enter(session, row, at=call.at, instance_id=call.instance.id, note=fields["reason"], **fields)
    else:  # what was blocked for want of a basis has one now
        for name, value in {**fields, "listed_at": call.at}.items():
            setattr(entry, name, value)
        keep_change(session, entry, "listed", call.at, fields["reason"], call.instance.id)
    change_resource(
        session, row, at=call.at, summary="列入负面清单", instance_id=call.instance.id,
        sharing_class="withheld", withheld_items=[], state="published",
    )  # fmt: skip
    return {"id": entry.id, "basis": entry.basis, "article": entry.article}


@operation(
    "negative_list.close",
    parameters={
        "resource": "the resource (value or code)",
        "sharing_class": "what it becomes: unconditional | conditional",
        "conditions": "the conditions it is shared on from now; may be empty",
        "method": "the method it is shared by from now; may be empty",
        "reason": "why the entry ends",
        "document": "number of the decision; may be empty",
    },
)
def close_entry(
    call: Call, *, resource: Any, sharing_class: str, conditions: str | None = None, method: str | None = None,
    reason: str = "", document: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Closes the listed entry of a resource, which stays on record, and shares the resource again.

    Raises OperationError `not-listed` where there is no listed entry, `bad-class` for another class.
    """
    _require_shared(sharing_class)
    row, entry = _listed(call, resource)
    _share(call, row, sharing_class, conditions, method, "移出负面清单")
    entry.state, entry.closed_at = "closed", call.at
    keep_change(call.work.session, entry, "closed", call.at, reason, call.instance.id)
    _conclude(call, "removed", document)
    return {"id": entry.id, "sharing_class": sharing_class}


@operation(
    "negative_list.release",
    parameters={
        "resource": "the resource (value or code)",
        "sharing_class": "what it becomes: unconditional | conditional",
        "conditions": "the conditions it is shared on from now; may be empty",
        "method": "the method it is shared by from now; may be empty",
        "reason": "why it is shared",
    },
)
def release(
    call: Call, *, resource: Any, sharing_class: str, conditions: str | None = None, method: str | None = None,
    reason: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Shares a withheld resource, closing its entry where it has one. Raises OperationError `bad-class`."""
    _require_shared(sharing_class)
    row = lock_resource(call.work.session, resource)
    if listed_entry(call.work.session, row) is not None:
        return close_entry(
            call, resource=resource, sharing_class=sharing_class, conditions=conditions, method=method, reason=reason
        )
    _share(call, row, sharing_class, conditions, method, "变更为共享类")
    return {"id": None, "sharing_class": sharing_class}


@operation(
    "negative_list.narrow",
    parameters={
        "resource": "the resource (value or code)",
        "fields": "the items that are shared from now, by name (a list, or one a line)",
        "conditions": "the conditions they are shared on; may be empty",
        "method": "the method they are shared by; may be empty",
        "reason": "why the entry is narrowed",
        "document": "number of the decision; may be empty",
    },
)
def narrow(
    call: Call, *, resource: Any, fields: Any, conditions: str | None = None, method: str | None = None, reason: str = "",
    document: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Shares some items of a listed resource on conditions; its entry stays in force for the others.

    Raises OperationError `not-listed` where there is no listed entry, `unknown-fields` for an item that the resource does
    not hold (where the catalogue tells several); Invalid at `released_fields` where no item would be shared or none withheld.
    """
    row, entry = _listed(call, resource)
    released = [str(name) for name in fields] if isinstance(fields, list | tuple) else str(fields or "").split()
    # Where the catalogue tells one item or none, the released part is named for the first time.
    items = list(row.items) if len(row.items) > 1 else list(dict.fromkeys([*row.items, *released]))
    if unknown := [name for name in released if name not in items]:
        raise OperationError("unknown-fields", f"“{row.name}”没有数据项：{'、'.join(unknown)}")
    withheld = [name for name in items if name not in released]
    if not released or (len(row.items) > 1 and not withheld):
        raise Invalid({"released_fields": "应当既有改为共享的数据项，也有仍不予共享的数据项"})
    _share(call, row, "conditional", conditions, method, "负面清单条目部分调整", items=items, withheld_items=withheld)
    keep_change(call.work.session, entry, "narrowed", call.at, f"改为共享：{'、'.join(released)}。{reason}", call.instance.id)
    _conclude(call, "narrowed", document)
    return {"id": entry.id, "fields": released}


@operation(
    "negative_list.uphold",
    parameters={
        "resource": "the resource (value or code)",
        "reason": "why the entry stays",
        "document": "number of the decision; may be empty",
    },
)
def uphold(call: Call, *, resource: Any, reason: str = "", document: str = "") -> dict[str, Any]:
    """Lets a listed entry stand after a review; the review stays on record. Raises OperationError `not-listed`."""
    _, entry = _listed(call, resource)
    keep_change(call.work.session, entry, "upheld", call.at, reason, call.instance.id)
    _conclude(call, "upheld", document)
    return {"id": entry.id}


@operation(
    "negative_list.tell_applicants",
    parameters={
        "resource": "the resource (value or code)",
        "title": "heading of the notice",
        "text": "what it says",
    },
)
def tell_applicants(call: Call, *, resource: Any, title: str, text: str) -> int:
    """Tells the handlers of every unit that ever asked for the resource or disputed it; returns how many people were told."""
    session = call.work.session
    asked = (
        select(Instance.unit_id)
        .join(Unit, Unit.id == Instance.unit_id)
        .where(
            Instance.subject_key == code_of(resource), Instance.parent_id.is_(None), Unit.active,
            Instance.unit_id.not_in(select(Resource.provider_id).where(Resource.code == code_of(resource))),
        )
        .distinct()
        .order_by(Instance.unit_id)
    )  # fmt: skip
    restricted = restricts(session, deployed(session, call.instance.definition_id), call.variables)
    return sum(
        # Who is told may not see the case that tells them, so the notice does not name it.
        notify_post(call.work, unit_id, "handler", title=title, text=text, restricted=restricted)
        for unit_id in session.scalars(asked).all()
        if unit_id is not None
    )


def _listed(call: Call, resource: Any) -> tuple[Resource, NegativeListEntry]:
    row = lock_resource(call.work.session, resource)
    entry = listed_entry(call.work.session, row)
    if entry is None:
        raise OperationError("not-listed", f"“{row.name}”不在负面清单中")
    return row, entry


def _require_shared(sharing_class: str) -> None:
    if sharing_class not in SHARED:
        raise OperationError("bad-class", "移出负面清单后的共享类型应为无条件共享或有条件共享")


def _share(
    call: Call, row: Resource, sharing_class: str, conditions: str | None, method: str | None, summary: str, **elements: Any
) -> None:
    terms = {name: value.strip() for name, value in (("conditions", conditions), ("method", method)) if value and value.strip()}
    change_resource(
        call.work.session, row, at=call.at, summary=summary, instance_id=call.instance.id,
        **{"withheld_items": [], **elements, **terms}, sharing_class=sharing_class, state="published",
    )  # fmt: skip


def _conclude(call: Call, state: str, document: str) -> None:
    """Ends the objection that this case deals with, if it deals with one."""
    objection = call.work.session.scalar(select(Objection).where(Objection.instance_id == call.instance.id))
    if objection is not None:
        objection.state, objection.concluded_at, objection.document = state, call.at, document
        call.work.session.flush()
