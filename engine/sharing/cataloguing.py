"""What cases do to the catalogue: draft an entry, look for twins of it, publish, change and withdraw it.

The elements are the answers of the case under their own names (`elements.WRITTEN`), so that a form that asks for one more of
them needs no new parameter. Which class code a department's own entries get, how long a serial is and how much likeness is
worth a warning are parameters: they stand in the diagram.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.rows import next_number
from engine.sharing.catalogue import Resource, change_resource, lock_resource
from engine.sharing.elements import KINDS, WRITTEN, differences, in_words, read_items
from engine.sharing.negative_list import entry_in, keep_change, listed_entry
from engine.sharing.subjects import value_of
from engine.sharing.words import unit_of
from engine.store.errors import Invalid

#: What a form says where the records of a resource are about no person and no body.
NO_IDENTIFIER = "none"
#: More twins than these are not told one by one.
MOST_SIMILAR = 10


@operation(
    "catalogue.draft",
    {
        "kind": "basic | theme | business",
        "class_code": "the class code; the entry's own code is this, a slash and a serial",
        "provider": "code of the unit that provides it",
        "serial_digits": "how many digits a serial has at least",
    },
)
def draft(call: Call, *, kind: str, class_code: str, provider: str, serial_digits: Any) -> dict[str, Any]:
    """Enters the answers of this case as a draft, or brings its draft up to them; returns it as `resource` values.

    The code is given once and stays, whatever is amended later. Raises Invalid at the field of an element that cannot be.
    """
    session = call.work.session
    elements = _written(call.variables)
    row = _drafted(call)
    if row is None:
        if kind not in KINDS:
            raise OperationError("bad-kind", f"没有“{kind}”这一资源属性")
        row = Resource(
            code=_next_code(session, class_code, int(serial_digits)), class_code=class_code, kind=kind,
            provider_id=unit_of(session, provider).id, state="draft", version=0, changed_at=call.at, withheld_items=[], **elements,
        )  # fmt: skip
        session.add(row)
        call.instance.subject_key = row.code
    else:
        for name, value in elements.items():
            setattr(row, name, value)
        row.changed_at = call.at
    session.flush()
    return value_of(row, session.get_one(Unit, row.provider_id)) | {"items": list(row.items)}


@operation("catalogue.check", {"resource": "the resource (value or code)"}, repeatable=True)
def check(call: Call, *, resource: Any) -> bool:
    """Whether the answers of this case can become elements of the resource: asked before anybody reviews them.

    Raises Invalid at the field of an element that cannot be, OperationError `unknown-resource`.
    """
    _written({**_asked_of(lock_resource(call.work.session, resource)), **call.variables})
    return True


@operation(
    "catalogue.similar",
    {"resource": "the resource (value or code)", "percent": "share of its items that another entry must hold to be told"},
    repeatable=True,
)
def similar(call: Call, *, resource: Any, percent: Any) -> list[dict[str, Any]]:
    """Published entries that may be the same data from another source: of the same name, or holding most of its items.

    Of each `value` (its code) and `label`, as options of a form, and the items that both hold (`shared`); most alike first.
    """
    session = call.work.session
    row = lock_resource(session, resource)
    mine = set(row.items)
    others = session.execute(
        select(Resource.code, Resource.name, Resource.items, Unit.name).join(Unit, Unit.id == Resource.provider_id)
        .where(Resource.state == "published", Resource.id != row.id, Resource.sharing_class != "withheld")
        .order_by(Resource.code)
    )
    found = []
    for code, name, items, provider in others:
        shared = [item for item in items if item in mine]
        if name == row.name or (mine and 100 * len(shared) >= int(percent) * len(mine)):
            alike = f"，相同信息项：{in_words('items', shared)}" if shared else ""
            found.append({"value": code, "label": f"{name}（{code}，{provider}）{alike}", "shared": shared})
    return sorted(found, key=lambda one: -len(one["shared"]))[:MOST_SIMILAR]


@operation("catalogue.publish", {"resource": "the resource (value or code)", "summary": "what its history says of this version"})
def publish(call: Call, *, resource: Any, summary: str) -> dict[str, Any]:
    """Publishes a draft as its first version; returns `version`.

    Raises OperationError `no-basis` for a withheld one that does not stand on the negative list.
    """
    session = call.work.session
    row = lock_resource(session, resource)
    if row.sharing_class == "withheld" and listed_entry(session, row) is None:
        raise OperationError("no-basis", f"“{row.name}”未列入负面清单，不能作为不予共享类发布")
    change_resource(session, row, at=call.at, summary=summary, instance_id=call.instance.id, state="published")
    return {"version": row.version}


@operation("catalogue.change", {"resource": "the resource (value or code)", "summary": "what its history says of this version"})
def change(call: Call, *, resource: Any, summary: str) -> dict[str, Any]:
    """Takes over the answers of this case as the next version; returns `version`, `changes` (`key`, `label`, `before`, `after`), `text` and `resource`.

    To withhold a resource is for the negative list to say, so an answer that wants that leaves the class as it is. Raises
    OperationError `listed` where a listed one would be shared, Invalid at the field of an element that cannot be.
    """
    session = call.work.session
    row = lock_resource(session, resource)
    wanted = _written({**_asked_of(row), **call.variables})
    is_withheld, to_withhold = row.sharing_class == "withheld", wanted["sharing_class"] == "withheld"
    if to_withhold and not is_withheld:
        wanted |= {"sharing_class": row.sharing_class, "conditions": row.conditions}
    elif is_withheld and not to_withhold:
        if listed_entry(session, row) is not None:
            raise OperationError("listed", f"“{row.name}”在负面清单中，应当先申请移出")
        wanted["state"] = "published"
        _unblock(call, row, wanted["sharing_class"])
    before = {name: getattr(row, name) for name in wanted}
    change_resource(session, row, at=call.at, summary=summary, instance_id=call.instance.id, **wanted)
    return _outcome(session, row, before)


@operation("catalogue.withdraw", {"resource": "the resource (value or code)", "summary": "what its history says of this version"})
def withdraw(call: Call, *, resource: Any, summary: str) -> dict[str, Any]:
    """Takes a resource out of the catalogue, where its code and history stay on record; a draft is merely given up.

    Returns the same as `catalogue.change`. Raises OperationError `listed` for one on the negative list.
    """
    session = call.work.session
    row = lock_resource(session, resource)
    if listed_entry(session, row) is not None:
        raise OperationError("listed", f"“{row.name}”在负面清单中，应当先申请移出")
    before = {"state": row.state}
    if row.version == 0:
        row.state, row.changed_at = "withdrawn", call.at
    else:
        change_resource(session, row, at=call.at, summary=summary, instance_id=call.instance.id, state="withdrawn")
    session.flush()
    return _outcome(session, row, before)


def _drafted(call: Call) -> Resource | None:
    """The draft that this case has entered, locked."""
    own = call.variables.get("resource")
    if not isinstance(own, Mapping) or not call.instance.subject_key:
        return None
    row = lock_resource(call.work.session, own)
    if row.state != "draft":
        raise OperationError("not-a-draft", f"“{row.name}”已发布，应当办理变更")
    return row


def _written(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The elements as answered, ready for the columns; one that was not asked for is empty. Raises Invalid by field."""
    taken: dict[str, Any] = {name: str(answers.get(name) or "").strip() for name in WRITTEN}
    taken["open_to_public"] = bool(answers.get("open_to_public"))
    try:
        taken["items"], taken["item_types"] = read_items(str(answers.get("items") or ""))
    except ValueError as error:
        raise Invalid({"items": str(error)}) from error
    if taken["identifier"] == NO_IDENTIFIER:
        taken["identifier"] = ""
    if taken["identifier"] and taken["items"] and taken["identifier"] not in taken["items"]:
        missing = f"信息项中没有“{taken['identifier']}”，请补充该信息项，或者另选标识"
        raise Invalid({"identifier": missing})
    if taken["sharing_class"] == "unconditional":
        taken["conditions"] = ""
    return taken


def _asked_of(row: Resource) -> dict[str, Any]:
    """The elements of a resource as answers, for what a form does not ask about."""
    return {name: getattr(row, name) for name in WRITTEN} | {"items": "\n".join(row.items)}


def _outcome(session: Session, row: Resource, before: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a resource, as values and as lines of text."""
    found = differences(before, {name: getattr(row, name) for name in before})
    lines = [f"{one.label}：{one.before or '（空）'} → {one.after or '（空）'}" for one in found]
    value = value_of(row, session.get_one(Unit, row.provider_id))
    return {"version": row.version, "changes": [one.as_json() for one in found], "text": "\n".join(lines), "resource": value}


def _next_code(session: Session, class_code: str, digits: int) -> str:
    """The next code of a class that nothing has ever had."""
    while True:
        code = f"{class_code}/{next_number(session, f'resource:{class_code}'):0{digits}}"
        if session.scalar(select(Resource.id).where(Resource.code == code)) is None:
            return code


def _unblock(call: Call, row: Resource, sharing_class: str) -> None:
    """What was blocked for want of a basis is shared after all: the blocked entry is closed and stays on record."""
    entry = entry_in(call.work.session, row, "blocked")
    if entry is not None:
        entry.state, entry.closed_at = "closed", call.at
        keep_change(call.work.session, entry, "closed", call.at, in_words("sharing_class", sharing_class), call.instance.id)
