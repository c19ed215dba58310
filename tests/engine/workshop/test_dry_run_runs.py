"""Dry runs that are kept: every state has an address, and going back is going on from an earlier one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from engine.people.actor import Actor
from engine.process.package import Package
from engine.process.workshop.drafts import add_draft
from engine.process.workshop.dry_run.runs import KEPT, Origins, make_move, package_of, runs_of, script_to, version_of
from engine.process.workshop.dry_run.script import ScriptMove
from engine.process.workshop.tables import DryRunMove
from engine.store.errors import NotAllowed, NotFound
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.process.office import Office

START = ScriptMove("start", unit="A", by="anna")
ASK = ScriptMove("complete", step="ask", by="anna")


@pytest.fixture
def draft(office: Office) -> Origins:
    parts = ("start > user:ask > user:read > end", element("ask", unit="'A'", post="handler"), element("read", unit="'A'", post="head"))
    package = Package("test_rules", diagram(*parts, startPosts="handler"))
    with office.store.work(office["petra"]) as work:
        return Origins(draft_id=add_draft(work, package, actor=office["petra"]))


def made(office: Office, origins: Origins, after: int | None, move: ScriptMove, actor: Actor | None = None) -> int:
    address, found = make_move(office.store, origins, after, move, actor=actor or office["petra"])
    assert address is not None, found.stopped
    return address


def test_each_move_has_an_address_and_a_branch_leaves_the_other_as_it_was(office: Office, draft: Origins) -> None:
    start = made(office, draft, None, START)
    first = made(office, draft, start, ASK)
    other = made(office, draft, start, ScriptMove("complete", step="ask", by="ben"), office["paul"])
    with office.store.read() as session:
        assert [kept.id for kept in script_to(session, draft, first)] == [start, first]
        assert [kept.move.by for kept in script_to(session, draft, other)] == ["anna", "ben"]
        [run] = runs_of(session, draft)
    assert (run.newest, run.moves, run.begun_by) == (other, 3, "Petra")


def test_a_refused_move_is_not_kept_and_says_why(office: Office, draft: Origins) -> None:
    start = made(office, draft, None, START)
    address, found = make_move(office.store, draft, start, ScriptMove("complete", step="read"), actor=office["petra"])
    assert address is None and found.stopped is not None and "没有环节“read”的待办" in found.stopped.message
    assert len(found.moves) == 1
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(DryRunMove)) == 1


def test_a_move_of_another_draft_is_not_found_here(office: Office, draft: Origins) -> None:
    start = made(office, draft, None, START)
    with office.store.read() as session, pytest.raises(NotFound):
        script_to(session, Origins(definition_id=1), start)
    with office.store.read() as session, pytest.raises(NotFound):
        script_to(session, draft, start + 100)


def test_runs_that_nobody_went_on_with_are_thrown_away_with_the_next_start(office: Office, draft: Origins) -> None:
    old = made(office, draft, None, START)
    made(office, draft, old, ASK)
    office.clock.to(office.clock.now() + KEPT * 1.1)
    fresh = made(office, draft, None, START)
    with office.store.read() as session:
        assert list(session.scalars(select(DryRunMove.id))) == [fresh]


def test_a_deployed_version_can_be_rehearsed_too(office: Office) -> None:
    office.deploy("start > user:ask > end", element("ask", unit="'A'", post="handler"))
    with office.store.read() as session:
        found = version_of(session, office["paul"], "test", 1)
        with pytest.raises(NotFound):
            version_of(session, office["paul"], "test", 2)
        with pytest.raises(NotAllowed):
            package_of(session, office["anna"], Origins(definition_id=found.id))
    origins = Origins(definition_id=found.id)
    end = made(office, origins, made(office, origins, None, START), ASK)
    with office.store.read() as session:
        assert len(script_to(session, origins, end)) == 2
    assert office.instances("test") == []
