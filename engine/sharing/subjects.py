"""What a case may be about: for the diagrams of data sharing, a resource of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.tables import Unit
from engine.process.operations import Subject, subject
from engine.sharing.catalogue import SHARING_CLASSES, STATES, Resource
from engine.store.errors import Invalid


@subject("resource")
def resource_asked_for(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The published resource that `resource_code` names, if it is one to ask its provider for.

    Raises Invalid at `resource_code` for none, an unknown one, one that is not published, and one of another class:
    what is shared without conditions needs no request, what is withheld has ways of its own.
    """
    resource, provider = _named(session, answers)
    if resource.state != "published":
        raise Invalid({"resource_code": f"“{resource.name}”{STATES[resource.state]}，不能申请"})
    if resource.sharing_class != "conditional":
        label = SHARING_CLASSES[resource.sharing_class]
        raise Invalid({"resource_code": f"“{resource.name}”属于{label}类，不走有条件共享申请"})
    return _subject(resource, provider)


@subject("own_resource")
def own_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The resource that `resource_code` names, provided by the starter's own unit (`applicant_unit`), whatever its class.

    Raises Invalid at `resource_code` for none, an unknown one, another unit's, and one that was withdrawn.
    """
    resource, provider = _named(session, answers)
    if provider.code != answers.get("applicant_unit"):
        raise Invalid({"resource_code": f"“{resource.name}”不是本单位提供的信息资源"})
    if resource.state == "withdrawn":
        raise Invalid({"resource_code": f"“{resource.name}”{STATES[resource.state]}"})
    return _subject(resource, provider)


def _named(session: Session, answers: Mapping[str, Any]) -> tuple[Resource, Unit]:
    code = str(answers.get("resource_code") or "").strip()
    if not code:
        raise Invalid({"resource_code": "请选择信息资源"})
    row = session.execute(
        select(Resource, Unit).join(Unit, Unit.id == Resource.provider_id).where(Resource.code == code)
    ).one_or_none()
    if row is None:
        raise Invalid({"resource_code": f"目录中没有编码为“{code}”的信息资源"})
    return row[0], row[1]


def _subject(resource: Resource, provider: Unit) -> Subject:
    value = value_of(resource, provider)
    return Subject({"resource": value, "provider_unit": provider.code}, resource.code, resource.name)


def value_of(resource: Resource, provider: Unit) -> dict[str, Any]:
    """A resource as the expressions of a diagram see it."""
    return {
        "code": resource.code,
        "name": resource.name,
        "kind": resource.kind,
        "sharing_class": resource.sharing_class,
        "provider": provider.code,
        "items": list(resource.items),
        "conditions": resource.conditions,
        "method": resource.method,
    }
