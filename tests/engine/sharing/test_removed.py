"""What the registers keep of a case whose record is removed 销毁, and what they keep it for."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from engine.history import History
from engine.history_seal import verify
from engine.process.case import Removed
from engine.process.removing.commands import approve_removal, propose_removal
from engine.process.removing.tables import RemovalItem
from engine.process.tables import Instance
from engine.sharing.documents import Document, document_file
from engine.sharing.grants import Grant
from engine.store.settings import Settings
from engine.worker import Worker
from tests.town import Town


@pytest.fixture
def worker(town: Town, tmp_path: Path) -> Worker:
    return Worker(town.store, Settings(home=tmp_path, database_url="", secret_key="", base_url=""))


def removes(town: Town, worker: Worker) -> dict[int, str | None]:
    """The office's supervisor proposes, its head approves, the worker comes by; case → why it stayed."""
    number = propose_removal(town.store, actor=town.officer("024", "supervisor"), reason="无查考价值")
    approve_removal(town.store, number, actor=town.officer("024", "head"))
    worker.once()
    with town.store.read() as session:
        rows = session.execute(select(RemovalItem.instance_id, RemovalItem.reason).where(RemovalItem.removal_id == number, RemovalItem.state == "stayed"))
        return {instance: reason for instance, reason in rows}


def test_a_grant_keeps_its_case_while_it_lasts_and_outlives_it(town: Town, worker: Worker) -> None:
    rule = '<spiffworkflow:property name="ruleSet"'
    town.changes("conditional_share", rule, f'<spiffworkflow:property name="retention" value="30d"/>{rule}')
    case = town.submits(at="2026-02-10 09:30")
    town.reviews(case)
    for step in ("Task_Reply", "Task_SupplyByPlatform", "Task_Accept"):
        town.does(case, step)
    town.clock.to("2026-03-20 09:00")
    with town.store.read() as session:
        grant = session.scalars(select(Grant).where(Grant.instance_id == case)).one()
        letter = session.scalars(select(Document).where(Document.instance_id == case)).first()
        assert session.get_one(Instance, case).state == "completed" and letter is not None and letter.title
    assert removes(town, worker) == {case: f"形成的共享授权{grant.number}尚未终止"}
    town.clock.to("2028-03-20 09:00")  # its last day is over, and the worker has ended it
    worker.once()
    assert removes(town, worker) == {}
    reader = town.officer("024", "supervisor")
    with town.store.read() as session:
        kept = session.get_one(Grant, grant.id)
        assert (kept.number, kept.use, kept.conditions, kept.instance_id) == (grant.number, grant.use, grant.conditions, case)
        left = session.get_one(Document, letter.id, populate_existing=True)
        assert (left.number, left.year, left.serial, left.title, left.docx) == (letter.number, letter.year, letter.serial, "", b"")
        assert session.scalars(select(History).where(History.instance_id == case)).all() == []
        with pytest.raises(Removed):
            document_file(session, reader, letter.id)
    verdict = verify(town.store)
    assert verdict.ok and verdict.removed > 5, verdict.first_broken
