"""What the tests of removals share: a process whose cases end at once, and a removal by two people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.history_seal import seal
from engine.process.removing.commands import approve_removal, propose_removal
from engine.process.removing.running import remove_waiting
from engine.process.removing.tables import Removal, RemovalItem
from engine.store.base import Base
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, form, text

#: What must not be found anywhere afterwards.
SECRET = "只在本件中的内容"
FORMS = {"ask": form(text("why")), "answer": form(text("reply"))}
WORK = {"unit": "'B'", "post": "handler", "form": "answer", "actions": "copy_to"}


def deploy(office: Office, key: str = "test", **properties: object) -> int:
    return office.deploy("start > user:reply > end", element("reply", name="答复", **WORK), forms=FORMS, key=key, startForm="ask", title="'件：' + why",
                         **properties)  # fmt: skip


def ended(office: Office, key: str = "test", why: str = SECRET) -> int:
    """A case that was asked, answered and is over."""
    case = office.start(key=key, why=why)
    office.complete("dora", "reply", opinion=why, reply=why)
    return case


def removes(office: Office, uploads: Path, at: str | None = "2036-02-11 09:00", **asked: Any) -> int:
    """Gu proposes, Hu approves, a worker carries it out; returns its id."""
    if at:
        office.clock.to(at)
    number = propose_removal(office.store, actor=office["gu"], reason="已鉴定，无保存价值", **asked)
    approve_removal(office.store, number, actor=office["hu"])
    while seal(office.store):
        pass
    remove_waiting(office.store, uploads)
    return number


def everything(store: Store) -> str:
    """All that the database holds, as text."""
    with store.read() as session:
        return "\n".join(str(tuple(row)) for table in Base.metadata.sorted_tables for row in session.execute(select(table)))


def removal(office: Office, number: int) -> Removal:
    with office.store.read() as session:
        return session.get_one(Removal, number)


def reasons(office: Office, number: int) -> dict[int, str | None]:
    with office.store.read() as session:
        rows = session.execute(select(RemovalItem.instance_id, RemovalItem.reason).where(RemovalItem.removal_id == number, RemovalItem.state == "stayed"))
        return {instance: reason for instance, reason in rows}
