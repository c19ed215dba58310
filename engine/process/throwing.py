"""A signal that a case throws, written down in the transaction in which it does; the rest is the worker's (`signals`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.process.event_tables import Signal, Subscription

if TYPE_CHECKING:
    from engine.process.case import Case

#: Signals one out of the other, without anybody doing anything, before we call it a circle.
DEPTH_MAX = 20


def throw_out(case: Case, said: dict[str, Any]) -> bool:
    """Throws out of the case what its interpreter threw in this move; whether there was anything. Raises RecursionError for a circle."""
    thrown = case.machine.take_thrown()
    depth = int(case.work.notes.get("signal_depth", -1)) + 1
    if thrown and depth > DEPTH_MAX:
        raise RecursionError("信号相互触发过多，请检查流程图")
    for one in thrown:
        signal = Signal(
            name=one.signal, payload=dict(one.payload), thrown_at=case.work.now, instance_id=case.instance.id, source=case.instance.number,
            unit_id=case.instance.unit_id, depth=depth, up_to_id=last_listener(case.work.session, one.signal),
        )  # fmt: skip
        case.work.session.add(signal)
        case.work.notes.setdefault("thrown", []).append(signal)
        said.setdefault("thrown", []).append({"signal": one.signal, "step": one.step})
    return bool(thrown)


def last_listener(session: Session, name: str) -> int:
    """The greatest subscription to a signal; 0 where there is none. One query."""
    found = select(func.max(Subscription.id)).where(Subscription.kind == "signal", Subscription.name == name)
    return session.scalar(found) or 0
