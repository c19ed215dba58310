"""What the tests of migrations share: processes in a few versions, a migration by two people, and all that a case is."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from engine.history import History
from engine.process.tables import Instance, Party, Task, Timer
from engine.process.workshop.migrating.commands import plan_migration, start_migration
from engine.process.workshop.migrating.running import move_waiting
from engine.process.workshop.migrating.sheets import items
from tests.engine.interpreter.diagrams import element, timer
from tests.engine.process.office import Office

#: Everything that says what a case is.
TABLES = (Instance, Task, Timer, Party, History)


def moves(office: Office, before: int, after: int, **chosen: str) -> int:
    """Petra plans the migration, Paul starts it, a worker carries it out; returns its id."""
    migration = plan_migration(
        office.store, actor=office["petra"], from_id=before, to_id=after, chosen=chosen, reason="按新规定办理"
    )
    start_migration(office.store, migration, actor=office["paul"])
    move_waiting(office.store)
    return migration


def stayed(office: Office, migration: int) -> dict[int, str | None]:
    """Case → why it stayed."""
    with office.store.read() as session:
        return {line.instance_id: line.reason for line in items(session, office["petra"], migration, state="stayed").lines}


def entry(office: Office, case: int) -> dict[str, Any]:
    """What the record of the case says of its last move to another version."""
    with office.store.read() as session:
        return dict(session.scalars(
            select(History.data).where(History.instance_id == case, History.act == "migrated").order_by(History.seq.desc())
        ).first() or {})  # fmt: skip


def rows(office: Office, *cases: int) -> list[Any]:
    """Every column of every row of some cases."""
    found: list[Any] = []
    with office.store.read() as session:
        for table in TABLES:
            key = Instance.id if table is Instance else table.instance_id  # type: ignore[attr-defined]
            columns = list(table.__table__.columns)
            found += session.execute(select(*columns).where(key.in_(cases)).order_by(*table.__table__.primary_key.columns)).all()
    return found


def due(office: Office, step: str) -> date | None:
    return office.task(step).due_day


WORK = {"unit": "'B'", "post": "handler"}


def reply(days: object, *more: object, step: str = "reply", name: str = "答复") -> tuple[object, ...]:
    """A reply within a number of working days: a deadline on the edge of the task, and a reminder before it."""
    return (
        f"start > user:{step} > user:file > end", element(step, name=name, **WORK), element("file", name="归档", **WORK),
        timer(step, "late", role="deadline", workingDays=days, article="第十五条"),
        timer(step, "soon", role="reminder", beforeDeadline=2), *more,
    )  # fmt: skip


FRAME = {"limitReminder": "2", "limitEscalation": "3"}


def short(limit: int | None, **more: object) -> tuple[object, ...]:
    limits = {} if limit is None else {"limit": limit}
    return ("start > user:reply > end", element("reply", name="答复", **WORK, **limits, **more))


PLAIN = ("start > user:reply > user:file > end", element("reply", name="答复", **WORK), element("file", name="归档", **WORK))
