"""What a case may be about: for the diagrams of data sharing, a resource of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from engine.people.tables import Account, Appointment, Unit, UnitBody
from engine.process.operations import Subject, subject
from engine.sharing.catalogue import Resource, shareable
from engine.sharing.elements import SHARING_CLASSES, STATES, WRITTEN, write_items
from engine.sharing.grants import Grant
from engine.sharing.holding import require_free
from engine.sharing.negative_list import entry_value, listed_entry
from engine.sharing.renewal import renewed_grant
from engine.store.errors import Invalid

#: Whose experts are heard on whether a basis holds: law, network security, secrecy.
EXPERT_BODIES = ("justice", "cyberspace", "secrecy")
EXPERT_POST = "expert"
#: What every subject that is a resource brings, with the code that named it.
ABOUT = ("provider_unit", "resource", "resource_code")


@subject("resource", brings=(*ABOUT, "grant", "renewed"))
def resource_asked_for(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The published resource that `resource_code` names, if it is one to ask its provider for.

    Where a `grant` is named the request is to renew it: it stands in `renewed`, which is None otherwise. Raises Invalid at
    `resource_code` for none, an unknown one, one of the asking unit itself, one that is not published, and one of another
    class: what is shared without conditions needs no request, what is withheld has ways of its own. Raises Invalid at
    `grant` for one that cannot be renewed.
    """
    resource, provider = _named(session, answers)
    if provider.code == answers.get("applicant_unit"):
        raise Invalid({"resource_code": f"“{resource.name}”由本单位提供"})
    if resource.state != "published":
        raise Invalid({"resource_code": f"“{resource.name}”{STATES[resource.state]}，不能申请"})
    if resource.sharing_class != "conditional":
        label = SHARING_CLASSES[resource.sharing_class]
        raise Invalid({"resource_code": f"“{resource.name}”属于{label}类，不走有条件共享申请"})
    # `grant` is what this case will grant: until then there is none.
    return subject_of(resource, provider, grant=None, renewed=renewed_grant(session, resource, answers))


@subject("own_resource", brings=ABOUT)
def own_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The resource that `resource_code` names, provided by the starter's own unit (`applicant_unit`), whatever its class.

    Raises Invalid at `resource_code` for none, an unknown one, another unit's, one that was withdrawn, one that stands on the
    negative list already, and one that another running case may change.
    """
    resource, provider = _own(session, answers)
    if resource.state == "withdrawn":
        raise Invalid({"resource_code": f"“{resource.name}”{STATES[resource.state]}"})
    if listed_entry(session, resource) is not None:
        raise Invalid({"resource_code": f"“{resource.name}”已在负面清单中"})
    require_free(session, resource.code, resource.name)
    return subject_of(resource, provider, items=resource.items)


@subject("own_listed_resource", brings=(*ABOUT, "entry"))
def own_listed_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The resource of the starter's own unit that `resource_code` names, with its entry on the negative list as `entry`.

    Raises Invalid at `resource_code` as `own_resource` does, and for one that is not on the list.
    """
    resource, provider = _own(session, answers)
    entry = listed_entry(session, resource)
    if entry is None:
        raise Invalid({"resource_code": f"“{resource.name}”不在负面清单中"})
    require_free(session, resource.code, resource.name)
    return subject_of(resource, provider, items=resource.items, entry=entry_value(entry))


@subject("new_resource", brings=("provider_unit",))
def new_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """A resource that is not in the catalogue yet; its name is the answer `name`. Its code comes with the draft.

    Raises Invalid at `resource_code` where one is named, at `name` where the unit has an entry of that name already.
    """
    if answers.get("resource_code"):
        raise Invalid({"resource_code": "该信息资源已编入目录"})
    name, unit = str(answers.get("name") or "").strip(), answers.get("applicant_unit")
    twin = session.scalar(
        select(Resource.code).join(Unit, Unit.id == Resource.provider_id)
        .where(Resource.name == name, Unit.code == unit, Resource.state != "withdrawn")
    )
    if name and twin:
        raise Invalid({"name": f"本单位目录中已有“{name}”（{twin}），应当办理变更"})
    return Subject({"provider_unit": unit}, "", name)


@subject("changed_resource", brings=(*ABOUT, "listed", "written"))
def changed_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The resource of the starter's own unit that `resource_code` names, to be changed or withdrawn; `written` are its
    elements as a form asks for them, `listed` whether it stands on the negative list.

    Raises Invalid at `resource_code` for none, an unknown one, another unit's, one that was withdrawn or never published, and
    one that another running case may change; at `occurred_on` for a day that lies ahead.
    """
    resource, provider = _own(session, answers)
    if str(answers.get("occurred_on") or "") > shanghai_day(session.info["store"].clock.now()).isoformat():
        raise Invalid({"occurred_on": "发生日不能晚于今天"})
    if resource.state not in ("published", "blocked"):
        raise Invalid({"resource_code": f"“{resource.name}”{STATES[resource.state]}"})
    require_free(session, resource.code, resource.name)
    written = {key: getattr(resource, key) for key in WRITTEN} | {"items": write_items(resource.items, resource.item_types)}
    listed = listed_entry(session, resource) is not None
    return subject_of(resource, provider, items=resource.items, written=written, listed=listed)


@subject("unconditional_resource", brings=ABOUT)
def unconditional_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The published resource of another unit that `resource_code` names, if it is shared without conditions.

    Raises Invalid at `resource_code` for none, an unknown one, one of another class, and one that the unit uses already.
    """
    resource, provider = foreign(session, answers)
    if resource.sharing_class != "unconditional":
        label = SHARING_CLASSES[resource.sharing_class]
        raise Invalid({"resource_code": f"“{resource.name}”属于{label}类，不能直接获取"})
    held = session.scalar(
        select(Grant.number).join(Unit, Unit.id == Grant.unit_id)
        .where(Grant.resource_id == resource.id, Grant.state == "active", Unit.code == answers.get("applicant_unit"))
    )
    if held:
        raise Invalid({"resource_code": f"本单位已订阅“{resource.name}”（{held}）"})
    return subject_of(resource, provider)


@subject("withheld_resource", brings=(*ABOUT, "all_items", "entry", "experts_offered", "itemised"))
def withheld_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The published resource that `resource_code` names, if it is withheld, in whole or in part, and another unit's.

    Its items are kept from the case's `resource` and stand in `all_items` for those who decide (`itemised`: whether the
    catalogue tells any); `entry` is its entry on the
    negative list (None where there is none), `experts_offered` the units whose experts can be heard. Raises Invalid at
    `resource_code` for none, an unknown one, one that is not published or not withheld, and the starter's own.
    """
    resource, provider = foreign(session, answers)
    entry = listed_entry(session, resource)
    if entry is None and resource.sharing_class != "withheld":
        label = SHARING_CLASSES[resource.sharing_class]
        raise Invalid({"resource_code": f"“{resource.name}”属于{label}类，不在不予共享之列"})
    return subject_of(
        resource, provider, all_items=list(resource.items), itemised=bool(resource.items), entry=entry_value(entry) if entry else None,
        experts_offered=experts_offered(session),
    )  # fmt: skip


@subject("needed_resource", brings=(*ABOUT, "all_items", "entry", "experts_offered", "itemised"))
def needed_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """As `withheld_resource`, for a process that may change its entry: refused too while another case may do that."""
    found = withheld_resource(session, answers)
    require_free(session, found.key, found.name)
    return found


def foreign(session: Session, answers: Mapping[str, Any]) -> tuple[Resource, Unit]:
    """The published resource of another unit that `resource_code` names, with its provider. Raises Invalid."""
    resource, provider = _named(session, answers)
    if resource.state != "published":
        raise Invalid({"resource_code": f"“{resource.name}”{STATES[resource.state]}"})
    if provider.code == answers.get("applicant_unit"):
        raise Invalid({"resource_code": f"“{resource.name}”由本单位提供"})
    return resource, provider


def experts_offered(session: Session) -> list[dict[str, Any]]:
    """The units of law, network security and secrecy whose experts can be heard now, as options of a form."""
    query = (
        select(Unit.code, Unit.name)
        .where(
            Unit.id.in_(select(UnitBody.unit_id).where(UnitBody.body.in_(EXPERT_BODIES))),
            Unit.id.in_(
                select(Appointment.unit_id)
                .join(Account, Account.id == Appointment.account_id)
                .where(Appointment.post == EXPERT_POST, Account.active)
            ),
        )
        .order_by(Unit.code)
    )
    return [{"value": code, "label": name} for code, name in session.execute(query)]


def subject_of(resource: Resource, provider: Unit, *, items: list[Any] | None = None, **more: Any) -> Subject:
    """The subject that is this resource; `items` are those that the case may know where not just the shareable ones."""
    value = value_of(resource, provider)
    if items is not None:
        value["items"] = list(items)
    return Subject({"resource": value, "provider_unit": provider.code, **more}, resource.code, resource.name)


def _own(session: Session, answers: Mapping[str, Any]) -> tuple[Resource, Unit]:
    resource, provider = _named(session, answers)
    if provider.code != answers.get("applicant_unit"):
        raise Invalid({"resource_code": f"“{resource.name}”不是本单位提供的信息资源"})
    return resource, provider


def _named(session: Session, answers: Mapping[str, Any]) -> tuple[Resource, Unit]:
    code = str(answers.get("resource_code") or "").strip()
    if not code:
        raise Invalid({"resource_code": "请选择信息资源"})
    # A resource's page asks about every process that might be started: the same rows each time, live in the session.
    known: dict[str, tuple[Resource, Unit]] = session.info.setdefault("named_resources", {})
    if code not in known:
        row = session.execute(
            select(Resource, Unit).join(Unit, Unit.id == Resource.provider_id).where(Resource.code == code)
        ).one_or_none()
        if row is None:
            raise Invalid({"resource_code": f"目录中没有编码为“{code}”的信息资源"})
        known[code] = (row[0], row[1])
    return known[code]


def value_of(resource: Resource, provider: Unit) -> dict[str, Any]:
    """A resource as the expressions of a diagram see it."""
    return {
        "code": resource.code,
        "name": resource.name,
        "kind": resource.kind,
        "sharing_class": resource.sharing_class,
        "provider": provider.code,
        "items": shareable(resource),
        "conditions": resource.conditions,
        "method": resource.method,
    }
