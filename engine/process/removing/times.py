"""When the record of an ended case may be removed, as a person sets it: later than its diagram says, or never; sooner by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from engine.history import Entry
from engine.people.actor import Actor
from engine.people.permissions import Sight, require, sight
from engine.process.case import lock_instance
from engine.process.definitions import deployed
from engine.process.history_of import append_entry
from engine.process.retention import removal_time
from engine.process.sheets.seeing import case_facts
from engine.process.tables import Instance
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, command

#: Cases of one call.
MOST = 200


def said_by_diagram(session: Session, instance: Instance) -> datetime | None:
    """When a case may be removed by the version that it followed; None: never, or it has not ended."""
    if instance.ended_at is None:
        return None
    return removal_time(deployed(session, instance.definition_id).diagram.properties, instance.ended_at)


@command
def set_removal_time(
    store: Store, ids: Sequence[int], *, actor: Actor, at: datetime | None = None, calculated: bool = False, origin: Origin = Origin()
) -> int:
    """Sets from when on ended cases may be removed: `at`, never (None), or as their diagrams say (`calculated`); how many changed.

    All or none. Raises NotAllowed, NotFound, Invalid for a case that has not ended, or a time sooner than its diagram says.
    """
    require(actor, "propose_removals")
    if len(set(ids)) > MOST:
        raise Invalid(message=f"一次不能超过{MOST}件")
    changed = 0
    with store.work(actor, origin) as work:
        for instance_id in sorted(set(ids)):
            instance = lock_instance(work, instance_id)
            if sight(actor, case_facts(work.session, instance)) is Sight.NONE:
                raise NotFound("没有找到该办件")
            if instance.ended_at is None:
                raise Invalid(message=f"办件{instance.number}尚未办结，办结时按流程图确定保管期限")
            least = said_by_diagram(work.session, instance)
            wanted = least if calculated else at
            if wanted is not None and (least is None or wanted < least):
                raise Invalid(message=f"办件{instance.number}的保管期限只能延长，不能短于流程图的规定")
            if wanted == instance.removal_at:
                continue
            data = {"from": _text(instance.removal_at), "to": _text(wanted)}
            instance.removal_at = wanted
            append_entry(work, instance, Entry("removal_time_set", at=work.now, definition_id=instance.definition_id, data=data))
            changed += 1
    return changed


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
