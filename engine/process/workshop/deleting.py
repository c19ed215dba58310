"""Deleting a version 删除版本 that no case ever followed: a mark, and the version is gone from every list, start and call.

The row stays: proposals and the chained history name it, and its number never comes back. What cases have followed is a part
of their record and stays for good, however long ago: they can be migrated, a version can be suspended, neither is undone.
"""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.definitions import THERE, in_force, lock_newest
from engine.process.notices import notify_power
from engine.process.tables import Definition, Instance
from engine.process.workshop.tables import Migration
from engine.store.errors import Invalid, NotFound, Refused
from engine.store.store import Origin, Store, command

REASON_MAX = 1000


class VersionStays(Refused):
    """该流程版本不能删除。"""


@command
def delete_version(
    store: Store, definition_id: int, *, actor: Actor, reason: str, direct: bool = False, origin: Origin = Origin()
) -> None:
    """Deletes a version that no case ever followed and that is not in force, nor the first of its rule set; it stays on record.

    `direct` is for an installation for development, which deploys at once: there the version in force may go as well, and the one
    before it comes into force again; and the only version of a process, with which the process is gone. Raises NotAllowed,
    NotFound, Invalid without a reason, VersionStays with the cause.
    """
    require(actor, "edit_diagrams")
    said = reason.strip()
    if not said or len(said) > REASON_MAX or "\x00" in said:
        raise Invalid({"reason": f"请填写删除理由，不超过{REASON_MAX}字"})
    with store.work(actor, origin) as work:
        session = work.session
        key = session.scalar(select(Definition.key).where(Definition.id == definition_id, THERE))
        if key is None:
            raise NotFound("没有找到该流程版本")
        lock_newest(work, key)
        # Whoever is about to open a case by it holds the row (`hold_version`): this waits for them, and then finds the case.
        row = session.scalars(select(Definition).where(Definition.id == definition_id, THERE).with_for_update()).first()
        if row is None:
            raise NotFound("没有找到该流程版本")
        why = why_stays(session, row, direct=direct)
        if why is not None:
            raise VersionStays(why)
        row.deleted_at = work.now
        facts = {"key": row.key, "version": row.version, "digest": row.digest, "reason": said}
        append(work, f"definition:{row.key}", [Entry(act="version_deleted", definition_id=row.id, data=facts)])
        if not direct:
            text = f"{actor.name}删除了《{row.name}》第{row.version}版：{said}"
            notify_power(work, "approve_diagrams", kind="workshop", title="流程版本已删除", text=text, but=[actor.account_id])


def reason_to_keep(session: Session, definition_id: int) -> str | None:
    """`why_stays` for a page. Raises NotFound for a version that is not there (any more)."""
    row = session.scalars(select(Definition).where(Definition.id == definition_id, THERE)).first()
    if row is None:
        raise NotFound("没有找到该流程版本")
    return why_stays(session, row)


def why_stays(session: Session, row: Definition, *, direct: bool = False) -> str | None:
    """Why a version cannot be deleted, in a sentence; None where it can. At most five queries."""
    followed = select(Instance.id).where(Instance.process_key == row.key, Instance.definition_id == row.id).limit(1)
    if session.scalar(followed) is not None:
        return "已有办件按该版本办理，不能删除；可以停用该版本，或者迁移在办的办件"
    named = select(Migration.id).where(or_(Migration.from_id == row.id, Migration.to_id == row.id), Migration.state != "withdrawn").limit(1)
    migration = session.scalar(named)
    if migration is not None:
        return f"办件迁移（编号{migration}）涉及该版本，不能删除"
    if not direct and _in_force(session, row) == row.id:
        return "该版本现行有效，不能删除；请先发布新的版本"
    others = session.execute(select(Definition.rule_set, Definition.version).where(Definition.key == row.key, Definition.id != row.id, THERE)).all()
    if direct and not others:
        return None
    if all(rule_set != row.rule_set or version > row.version for rule_set, version in others):
        return "该版本是本规则集的首个版本，其中的法定内容约束以后各版，不能删除"
    return None


def _in_force(session: Session, row: Definition) -> int | None:
    try:
        return in_force(session, row.key, session.info["store"].clock.now()).id
    except NotFound:
        return None
