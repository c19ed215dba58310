"""What may be done with a case as a whole from its page: urge what is open, show it to others, take the start or a step back.

Read beside the page's own sheet, so that what the sheet knows is not asked twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.actions import actions_of
from engine.process.definitions import deployed
from engine.process.desk.tables import Copy
from engine.process.desk.urging import may_urge
from engine.process.interpreter.model import Diagram
from engine.process.sheets.case import CaseSheet, TaskView
from engine.process.sheets.deadline import ClockView
from engine.process.sheets.seeing import case_facts, find_instance
from engine.process.withdrawing import Withdrawable, withdrawable

#: Copies that a page lists.
MOST = 100


@dataclass(frozen=True, slots=True)
class CaseOffers:
    """What the reader may do with a case now."""

    urge: tuple[TaskView, ...] = ()
    """The open tasks that the reader may urge, if they have not just done so."""
    copy: bool = False
    withdraw: Withdrawable | None = None
    redate: tuple[ClockView, ...] = ()
    """The running deadlines that the reader may give another date by hand."""


@dataclass(frozen=True, slots=True)
class CopyLine:
    """A copy of the case, and its receipt."""

    id: int
    reader: str
    sent_by: str
    note: str
    sent_at: datetime
    read_at: datetime | None
    remark: str | None


def case_offers(session: Session, actor: Actor, sheet: CaseSheet) -> CaseOffers:
    """What the actor may do with the case. Some five queries. Each command checks for itself again."""
    diagram = deployed(session, sheet.definition_id).diagram
    instance = find_instance(session, sheet.instance_id)
    running = sheet.state == "running"
    open_ = [task for task in sheet.open_tasks if task.main_id is None and "urge" in actions_of(diagram, task.step)]
    urged = [task for task in open_ if task.assignee_id != actor.account_id or task.held]
    mine = [
        task for task in sheet.tasks
        if instance.starter_id == actor.account_id or actor.account_id in (task.assignee_id, task.completed_by)
    ]
    shows = any("copy_to" in actions_of(diagram, step) for step in {task.step for task in mine})
    return CaseOffers(
        urge=tuple(urged) if running and urged and may_urge(session, actor, instance) else (),
        copy=shows and permissions.may_show(actor, case_facts(session, instance), task=None),
        withdraw=_withdraw(session, actor, sheet, diagram) if running else None,
        redate=tuple(clock for clock in sheet.clocks if clock.state == "waiting") if running and permissions.may(actor, "supervise") else (),
    )


def _withdraw(session: Session, actor: Actor, sheet: CaseSheet, diagram: Diagram) -> Withdrawable | None:
    """What the actor may take back, where the diagram lets it be taken back."""
    found = withdrawable(session, actor, sheet.instance_id)
    if found is None:
        return None
    steps = [task.step for task in sheet.tasks if task.id == found.task_id]
    if found.task_id is None:
        steps = [step.id for step in diagram.steps.values() if step.kind == "start" and step.parent is None]
    return found if any("withdraw" in actions_of(diagram, step) for step in steps) else None


def copies_of(session: Session, instance_id: int) -> list[CopyLine]:
    """To whom the case was shown, the newest first, with who has read it. One query."""
    reader, sender = aliased(Account), aliased(Account)
    rows = session.execute(
        select(Copy, reader.name, sender.name).join(reader, reader.id == Copy.account_id).join(sender, sender.id == Copy.sent_by)
        .where(Copy.instance_id == instance_id).order_by(Copy.id.desc()).limit(MOST)
    )  # fmt: skip
    return [CopyLine(row.id, name, sent_by, row.note, row.sent_at, row.read_at, row.remark) for row, name, sent_by in rows]
