"""A copy of a draft with another diagram or other forms: how a second editor keeps their own work when somebody else saved first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.workshop.drafts import add_draft, draft_sheet
from engine.store.store import Origin, Store, command


@command
def copy_draft(
    store: Store, draft_id: int, *, actor: Actor, xml: bytes | None = None, forms: Mapping[str, Any] | None = None,
    origin: Origin = Origin(),
) -> int:
    """Begins a draft of the same process with `xml` as its diagram, or these `forms` in the place of its own of those names; returns its id.

    The draft that it is copied from stays as it is, whatever its state. Raises NotAllowed, NotFound, Invalid for XML that
    is not safe to open.
    """
    require(actor, "edit_diagrams")
    with store.work(actor, origin) as work:
        sheet = draft_sheet(work.session, actor, draft_id)
        package = replace(sheet.package, xml=sheet.package.xml if xml is None else xml, forms={**sheet.package.forms, **(forms or {})})
        return add_draft(work, package, actor=actor, base_id=sheet.base_id)
