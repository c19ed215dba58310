"""Who holds an entry of the catalogue or of the negative list: the one running case that may change it.

Two cases that would change the same entry at once would overwrite each other, so the second is told about the first and
does not start. Which processes change an entry is said by the diagrams themselves (process property `holds="resource"`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.process.definitions import deployed
from engine.process.tables import OPEN_STATES, Instance
from engine.sharing.catalogue import Resource
from engine.store.errors import Invalid


@dataclass(frozen=True, slots=True)
class Holder:
    """The running case that holds a resource."""

    instance_id: int
    number: str
    process_key: str
    process_name: str


def holder_of(session: Session, code: str, *, but: int | None = None) -> Holder | None:
    """The oldest running case that may change the resource with this code; `but` is a case that does not count."""
    query = select(Instance).where(Instance.subject_key == code, Instance.state.in_(OPEN_STATES)).order_by(Instance.id)
    for instance in session.scalars(query):
        definition = deployed(session, instance.definition_id)
        if instance.id != but and definition.diagram.properties.get("holds") == "resource":
            return Holder(instance.id, instance.number, instance.process_key, definition.name)
    return None


def require_free(session: Session, code: str, name: str, *, but: int | None = None) -> None:
    """Raises Invalid at `resource_code`, naming the case, where the resource is held.

    In a writing transaction the resource is locked first, so that of two that start at once one waits and is told.
    """
    if session.connection().get_execution_options().get("sharing_write"):
        session.execute(select(Resource.id).where(Resource.code == code).with_for_update())
    held = holder_of(session, code, but=but)
    if held is not None:
        raise Invalid({"resource_code": f"“{name}”正在办理{held.process_name}（{held.number}），办结前不能再次提出变更"})
