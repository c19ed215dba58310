"""What a person may start about a subject: the processes in force whose diagram says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.people import permissions
from engine.process.definitions import Deployed, all_in_force
from engine.process.instances import find_subject, start_body, start_posts
from engine.store.errors import Invalid
from web.context import me, store


@dataclass(frozen=True, slots=True)
class Start:
    """A process that the reader may start: its key and name, and what the button says."""

    key: str
    name: str
    label: str


def startable(session: Any, subject: Mapping[str, Any], place: str = "resource") -> list[Start]:
    """The processes that the reader may start about `subject` (such as {"resource_code": …}) now.

    `place` is where the reader stands; a diagram says with `startFrom` on which pages it is offered, a resource's if it
    does not.
    """
    found: list[Start] = []
    fits: dict[str, bool] = {}
    for definition in _offered(session, place):
        kind = definition.diagram.properties["subject"]
        if kind not in fits:  # asked once, however many processes are about the same kind of thing
            fits[kind] = _fits(session, definition, subject)
        if fits[kind]:
            found.append(_start(definition))
    return found


def offered(session: Any, place: str) -> list[Start]:
    """The processes that the reader may start from a page, whatever they turn out to be about."""
    return [_start(definition) for definition in _offered(session, place)]


def offered_by_itself(session: Any) -> list[Start]:
    """The processes that are about nothing in particular, which the reader's posts allow: the inbox offers them.

    A diagram that names other pages alone is left to those. One query.
    """
    return [
        _start(definition) for definition in all_in_force(session, store().clock.now(), startable=True)
        if not definition.diagram.properties.get("subject")
        and "desk" in definition.diagram.properties.get("startFrom", "desk").split(",")
        and permissions.may_start(me(), start_posts(definition), me().unit_id, start_body(definition))
    ]  # fmt: skip


def _start(definition: Deployed) -> Start:
    label = definition.diagram.properties.get("startLabel") or f"发起{definition.name}"
    return Start(definition.key, definition.name, label)


def _offered(session: Any, place: str) -> list[Deployed]:
    """Those about some subject, which `place` offers and the reader's posts allow."""
    return [
        definition for definition in all_in_force(session, store().clock.now(), startable=True)
        if definition.diagram.properties.get("subject")
        and place in definition.diagram.properties.get("startFrom", "resource").split(",")
        and permissions.may_start(me(), start_posts(definition), me().unit_id, start_body(definition))
    ]  # fmt: skip


def _fits(session: Any, definition: Deployed, subject: Mapping[str, Any]) -> bool:
    try:
        return find_subject(session, definition, {"applicant_unit": me().unit_code, **subject}) is not None
    except Invalid:
        return False
