"""What a migration would do to each case: the real move, made in a transaction that is always undone.

So the preview cannot say anything else than what will happen. Nothing is written, and no case is held longer than its own
line takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import History
from engine.people.actor import Actor
from engine.people.posts import POSTS
from engine.people.tables import Account, Unit
from engine.process.advance import advance
from engine.process.case import lock_instance
from engine.process.moves import Migrate
from engine.process.paging import Page, make_page, read_id_cursor
from engine.process.tables import OPEN_STATES, Instance, Task
from engine.process.workshop.migrating.plan import full_plan, require_reader
from engine.process.workshop.migrating.running import not_running, reason_of
from engine.store.clock import SHANGHAI
from engine.store.errors import NotRunning, Refused
from engine.store.store import Origin, Store

PAGE = 20
_TRIAL = Origin("", "preview")
_ROLES = {"deadline": "时限", "reminder": "提醒", "escalation": "升级", "timer": "定时"}
_WHAT = {"added": "增加", "removed": "取消", "changed": "改变"}


@dataclass(frozen=True, slots=True)
class TaskBefore:
    """An open task as it is now."""

    id: int
    name: str
    unit: str
    post: str
    assignee: str | None
    due_day: date | None


@dataclass(frozen=True, slots=True)
class TaskPreview:
    """An open task, before and after."""

    before: TaskBefore
    after: TaskBefore

    @property
    def moved(self) -> bool:
        return self.before.name != self.after.name

    @property
    def handed_over(self) -> bool:
        return (self.before.unit, self.before.post) != (self.after.unit, self.after.post)

    @property
    def released(self) -> bool:
        """The claim does not survive."""
        return self.before.assignee is not None and self.after.assignee is None


@dataclass(frozen=True, slots=True)
class DeadlineMove:
    """A deadline that moves, begins or ends; a day is None where there is none, or its clock stands still."""

    activity: str
    from_day: date | None
    to_day: date | None
    overdue: bool
    """It will be past as soon as the case has moved, and acts at once."""
    why: str
    provisional: bool = False
    """Whether a notice may still move the new day."""


@dataclass(frozen=True, slots=True)
class CasePreview:
    """One case: what it would become, or why it would stay."""

    instance_id: int
    number: str
    open_tasks: tuple[TaskBefore, ...]
    tasks: tuple[TaskPreview, ...]
    deadlines: tuple[DeadlineMove, ...]
    others: tuple[str, ...]
    """Other clocks and steps, in words."""
    stays: str | None


class _Undone(Exception):
    """Ends the transaction of a trial."""


def preview(
    store: Store, *, actor: Actor, from_id: int, to_id: int, chosen: Mapping[str, str] | None = None, after: str | None = None,
    limit: int = PAGE,
) -> Page[CasePreview]:
    """A page of the cases that run on a version, each tried under the other. Raises NotAllowed, NotFound, Invalid."""
    require_reader(actor)
    with store.read() as session:
        plan = full_plan(session, from_id, to_id, chosen)
    return preview_plan(store, actor=actor, from_id=from_id, to_id=to_id, plan=plan, after=after, limit=limit)


def preview_plan(
    store: Store, *, actor: Actor, from_id: int, to_id: int, plan: Mapping[str, str], after: str | None = None, limit: int = PAGE,
) -> Page[CasePreview]:
    """The same for a plan that is complete already, such as a stored one."""
    require_reader(actor)
    query = select(Instance.id, Instance.number).where(Instance.definition_id == from_id, Instance.state.in_(OPEN_STATES))
    if after:
        query = query.where(Instance.id > read_id_cursor(after))
    with store.read() as session:
        rows = session.execute(query.order_by(Instance.id).limit(limit + 1)).all()
        tasks = _tasks(session, [row.id for row in rows[:limit]])
    page = make_page(rows, limit, lambda row: (row.id, row.number), lambda row: str(row.id))
    lines = [_tried(store, instance_id, number, to_id, plan, tasks[instance_id]) for instance_id, number in page.lines]
    return Page(lines, page.next)


def _tried(
    store: Store, instance_id: int, number: str, to_id: int, plan: Mapping[str, str], before: Sequence[TaskBefore],
) -> CasePreview:
    after: list[TaskBefore] = []
    said: Mapping[str, Any] = {}
    now = store.clock.now()
    try:
        with store.work(None, _TRIAL) as work:
            instance = lock_instance(work, instance_id)
            if instance.state != "running":
                raise NotRunning(not_running(instance.state))
            advance(work, instance, Migrate(to_id, plan))
            after = _tasks(work.session, [instance_id])[instance_id]
            said = work.session.scalars(
                select(History.data).where(History.instance_id == instance_id).order_by(History.seq.desc()).limit(1)
            ).one()
            raise _Undone
    except _Undone:
        pass
    except (Refused, Exception) as error:  # noqa: BLE001 - whatever fails is the reason why the case would stay
        return CasePreview(instance_id, number, tuple(before), (), (), (), reason_of(error))
    were = {task.id: task for task in before}
    pairs = tuple(TaskPreview(were[task.id], task) for task in after if task.id in were)
    return CasePreview(instance_id, number, tuple(before), pairs, deadlines_of(said, now), others_of(said), None)


def _tasks(session: Session, instances: Sequence[int]) -> dict[int, list[TaskBefore]]:
    """The open tasks of some cases, in one query."""
    rows = session.execute(
        select(Task.instance_id, Task.id, Task.name, Unit.name, Task.post, Account.name, Task.due_day)
        .join(Unit, Unit.id == Task.unit_id).outerjoin(Account, Account.id == Task.assignee_id)
        .where(Task.instance_id.in_(instances), Task.state == "open", Task.main_id.is_(None)).order_by(Task.id)
    )  # fmt: skip
    found: dict[int, list[TaskBefore]] = defaultdict(list)
    for instance_id, task_id, name, unit, post, person, due_day in rows:
        label = POSTS[post].label if post in POSTS else post
        found[instance_id].append(TaskBefore(task_id, name, unit, label, person, due_day))
    return found


# -- the record of the move in words ------------------------------------------------------------


def deadlines_of(said: Mapping[str, Any], now: datetime) -> tuple[DeadlineMove, ...]:
    """The deadlines that a move changed, each with its reason."""
    facts = list(said.get("timers", ()))
    moves = []
    for change in said.get("deadlines", ()):
        fact = _fact(facts, change["activity"])
        to = datetime.fromisoformat(change["to"]) if change["to"] else None
        over = to is not None and to <= now
        doubt = bool(change.get("provisional")) and not over
        moves.append(DeadlineMove(change["activity"], _day(change["from"]), _day(change["to"]), over, _why(fact), doubt))
    gone = [fact for fact in facts if fact["what"] == "removed" and fact["role"] == "deadline"]
    return (*moves, *(DeadlineMove(fact["activity"], None, None, False, "新版本没有这个时限") for fact in gone))


def _fact(facts: Iterable[Mapping[str, Any]], activity: str) -> Mapping[str, Any] | None:
    return next((fact for fact in facts if fact["role"] == "deadline" and fact["activity"] == activity), None)


def _why(fact: Mapping[str, Any] | None) -> str:
    if fact is None:
        return "随所在环节的时限重新推算"
    if fact["what"] == "added":
        return "新版本增加的时限，自环节开始之日起算"
    before, after = (fact[end].get("working_days") for end in ("from", "to"))
    if before is None or after is None:
        return "新版本改变了时限的算法"
    more = f"，含已延长的{fact['extended']}个工作日" if fact.get("extended") else ""
    return f"由{before}个工作日改为{after}个工作日，起算日和暂停不变{more}"


def others_of(said: Mapping[str, Any]) -> tuple[str, ...]:
    """What else changed: reminders, escalations, calls and events."""
    lines = [
        f"{_WHAT[fact['what']]}“{fact['activity']}”的{_ROLES.get(fact['role'], '定时')}"
        for fact in said.get("timers", ()) if fact["role"] != "deadline"
    ]
    lines += [f"“{clock['activity']}”{'暂停计时' if clock['what'] == 'paused' else '恢复计时'}" for clock in said.get("clocks", ())]
    lines += [f"“{fact['name']}”对应“{fact['to_name']}”" for fact in said.get("moved", ()) if fact["name"] != fact["to_name"]]
    return tuple(dict.fromkeys(lines))


def _day(instant: str | None) -> date | None:
    """The last day of an exclusive end."""
    return (datetime.fromisoformat(instant) - timedelta(seconds=1)).astimezone(SHANGHAI).date() if instant else None
