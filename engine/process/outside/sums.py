"""Sums over time as other programs know them: only what the rows tell exactly, and nothing that would be guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, distinct, func, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.permissions import may
from engine.process.tables import Instance, Task
from engine.store.errors import NotAllowed

Between = Callable[[Any], list[Any]]


def _starts(between: Between) -> Select[Any]:
    # A case that another waits for is a part of that one.
    return select(func.count()).select_from(Instance).where(Instance.parent_token.is_(None), *between(Instance.started_at))


def _workers(between: Between) -> Select[Any]:
    return select(func.count(distinct(Task.completed_by))).where(Task.state == "done", *between(Task.completed_at))


def _removed(between: Between) -> Select[Any]:
    return select(func.count()).select_from(Instance).where(Instance.removed_at.is_not(None), *between(Instance.removed_at))


#: Name → what it counts. Two names for the same, as in the original.
SUMS: Mapping[str, Callable[[Between], Select[Any]]] = {
    "root-process-instance-start": _starts, "process-instances": _starts, "task-users": _workers, "unique-task-workers": _workers,
    "history-cleanup-removed-process-instances": _removed,
}  # fmt: skip


def total(session: Session, actor: Actor, name: str, since: datetime | None, until: datetime | None) -> int:
    """A sum from `since` on and before `until` (None: without that end), for who operates the system or sees every case.

    Raises NotAllowed, KeyError for a name that is none of `SUMS`. One query.
    """
    if not (may(actor, "operate") or may(actor, "see_all_cases")):
        raise NotAllowed("统计数字限运行管理人员和可查看全部办件的人员查询")

    def between(column: Any) -> list[Any]:
        return [*([column >= since] if since else []), *([column < until] if until else [])]

    return int(session.scalar(SUMS[name](between)) or 0)
