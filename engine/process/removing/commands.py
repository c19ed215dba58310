"""Removals 销毁 as people decide them: one proposes a list of cases whose time has come, another approves it or refuses.

The list is fixed when it is proposed, with its digest in the history: what was approved is what is removed, and never more.
Nothing is removed before somebody else than who proposed it has approved; then the worker takes the cases one by one
(`running`), and what must stay after all stays as it was, with the reason.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.history import Entry, append, removal_stream
from engine.people.actor import Actor
from engine.people.permissions import may, require
from engine.process.notices import notify_person, notify_power
from engine.process.removing.tables import Removal, RemovalItem
from engine.process.tables import Instance
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

REASON_MAX = 1000
#: Cases of one list: somebody reads it before it is approved.
MOST = 2000
#: Why the rest stays when somebody stops a removal.
STOPPED = "销毁已由{name}停止"


def require_reader(actor: Actor) -> None:
    """Removals are for who may propose or approve them, and for auditors and others who see every case. Raises NotAllowed."""
    if not any(may(actor, power) for power in ("propose_removals", "approve_removals", "see_all_cases")):
        raise NotAllowed


@command
def propose_removal(
    store: Store, *, actor: Actor, process_key: str | None = None, reason: str, origin: Origin = Origin()
) -> int:
    """Lists the cases whose time has come, of one process or of all, oldest first and at most `MOST`, for a second person; its id.

    Raises NotAllowed, Invalid where there is none that is not in another list under way, or the reason is missing.
    """
    require(actor, "propose_removals")
    said = _text(reason, "reason", "请填写鉴定意见")
    with store.work(actor, origin) as work:
        session = work.session
        query = select(Instance.id).where(*due(work.now, process_key)).order_by(Instance.removal_at, Instance.id).limit(MOST)
        ids = list(session.scalars(query.with_for_update(skip_locked=True)))
        if not ids:
            raise Invalid(message="没有保管期满、尚未列入销毁的办件")
        row = Removal(process_key=process_key or None, reason=said, digest=_digest(ids), state="proposed", created_by=actor.account_id,
                      created_at=work.now, total=len(ids), removed=0, stayed=0)  # fmt: skip
        session.add(row)
        session.flush()
        session.execute(insert(RemovalItem), [{"removal_id": row.id, "instance_id": each, "state": "waiting"} for each in ids])
        _record(work, row, "removal_proposed", process=row.process_key, cases=row.total, digest=row.digest, reason=said)
        notify_power(
            work, "approve_removals", kind="workshop", title="办件销毁待审批", but=[actor.account_id],
            text=f"{actor.name}提出销毁保管期满的办件{row.total}件（第{row.id}号），请到“保管与销毁”核对清册后审批。",
        )
        return row.id


def due(now: Any, process_key: str | None = None) -> list[Any]:
    """The conditions of a case whose time has come and that is in no list under way. Its index answers."""
    listed = (
        select(RemovalItem.id).join(Removal, Removal.id == RemovalItem.removal_id)
        .where(RemovalItem.instance_id == Instance.id, RemovalItem.state == "waiting", Removal.state.in_(("proposed", "running")))
    )
    found: list[Any] = [Instance.removal_at <= now, Instance.removal_at.is_not(None), Instance.removed_at.is_(None), ~listed.exists()]
    return [*found, Instance.process_key == process_key] if process_key else found


@command
def approve_removal(store: Store, removal_id: int, *, actor: Actor, decision: str = "", origin: Origin = Origin()) -> None:
    """A second person approves: from now on the worker removes the cases of the list.

    Raises NotAllowed (also for who proposed it), NotFound, Stale when it was decided, or where the list is no longer the one that was
    proposed, Invalid.
    """
    require(actor, "approve_removals")
    said = _text(decision, "decision", None)
    with store.work(actor, origin) as work:
        row = _locked(work.session, removal_id)
        if row.created_by == actor.account_id:
            raise NotAllowed("销毁须由另一人审批，提出人与审批人不能是同一人")
        _require_open(row)
        query = select(RemovalItem.instance_id).where(RemovalItem.removal_id == row.id).order_by(RemovalItem.id)
        if _digest(work.session.scalars(query).all()) != row.digest:
            raise Stale("清册与提出时不一致，不能审批，请撤回后重新提出")
        row.state, row.decided_by, row.decided_at, row.decision = "running", actor.account_id, work.now, said or None
        _record(work, row, "removal_approved", cases=row.total, digest=row.digest, proposed_by=row.created_by, decision=said)
        _tell(work, row, f"已由{actor.name}批准，系统正在逐件销毁")


@command
def refuse_removal(store: Store, removal_id: int, *, actor: Actor, decision: str, origin: Origin = Origin()) -> None:
    """The second person refuses; all cases stay. Raises as `approve_removal`, Invalid without a reason."""
    require(actor, "approve_removals")
    said = _text(decision, "decision", "请填写不同意销毁的理由")
    with store.work(actor, origin) as work:
        row = _locked(work.session, removal_id)
        _require_open(row)
        row.state, row.decided_by, row.decided_at, row.decision, row.ended_at = "refused", actor.account_id, work.now, said, work.now
        _record(work, row, "removal_refused", decision=said)
        _tell(work, row, f"未获{actor.name}批准：{said}")


@command
def withdraw_removal(store: Store, removal_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Who proposed it takes it back before it is decided. Raises NotAllowed, NotFound, Stale."""
    require(actor, "propose_removals")
    with store.work(actor, origin) as work:
        row = _locked(work.session, removal_id)
        if row.created_by != actor.account_id:
            raise NotAllowed("只有提出人可以撤回")
        _require_open(row)
        row.state, row.ended_at = "withdrawn", work.now
        _record(work, row, "removal_withdrawn")


@command
def stop_removal(store: Store, removal_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Stops a removal that is under way: what is removed is gone, the rest stays. For who proposed it or may approve.

    Raises NotAllowed, NotFound, Stale when it is not under way.
    """
    require_reader(actor)
    with store.work(actor, origin) as work:
        row = _locked(work.session, removal_id)
        if row.created_by != actor.account_id:
            require(actor, "approve_removals")
        if row.state != "running":
            raise Stale("该销毁没有在进行")
        items = RemovalItem.__table__.c
        # A case that a worker has in hand is locked: this waits for it, and then finds it removed.
        work.session.execute(
            update(RemovalItem).where(items.removal_id == row.id, items.state == "waiting")
            .values(state="stayed", reason=STOPPED.format(name=actor.name), dealt_at=work.now)
        )
        end_removal(work, row, "stopped")


def end_removal(work: Work, row: Removal, state: str) -> None:
    """Closes a removal in which nothing waits any more."""
    counts = counts_of(work.session, row.id)
    row.state, row.ended_at = state, work.now
    row.removed, row.stayed = counts.get("removed", 0), counts.get("stayed", 0)
    _record(work, row, f"removal_{state}", removed=row.removed, stayed=row.stayed)


def counts_of(session: Session, removal_id: int) -> dict[str, int]:
    """State → how many cases of a removal. One query, from an index."""
    rows = session.execute(
        select(RemovalItem.state, func.count()).where(RemovalItem.removal_id == removal_id).group_by(RemovalItem.state)
    )
    return {state: count for state, count in rows}


def _text(given: str, field: str, missing: str | None) -> str:
    said = given.strip()
    if not said and missing:
        raise Invalid({field: missing})
    if len(said) > REASON_MAX or "\x00" in said:
        raise Invalid({field: f"不能超过{REASON_MAX}字，且不含无法保存的字符"})
    return said


def _digest(ids: Any) -> str:
    return hashlib.sha256("\n".join(str(each) for each in ids).encode()).hexdigest()


def _locked(session: Session, removal_id: int) -> Removal:
    found = session.scalars(select(Removal).where(Removal.id == removal_id).with_for_update()).first()
    if found is None:
        raise NotFound("没有找到该销毁清册")
    return found


def _require_open(row: Removal) -> None:
    if row.state != "proposed":
        raise Stale("该销毁已审批或已撤回")


def _record(work: Work, row: Removal, act: str, **facts: Any) -> None:
    append(work, removal_stream(row.id), [Entry(act, data={"removal": row.id, **facts})])


def _tell(work: Work, row: Removal, how: str) -> None:
    text = f"您提出的第{row.id}号销毁清册（{row.total}件）{how}。"
    notify_person(work, row.created_by, kind="workshop", title="办件销毁", text=text)
