"""How the tests of back-tests ask: a draft against the cases that an office has on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine.process.definitions import deployed
from engine.process.interpreter.reader import read_diagram
from engine.process.tables import Instance
from engine.process.workshop.back_testing.commands import replay_cases
from engine.process.workshop.back_testing.replay import Finding, Plan
from engine.process.workshop.back_testing.surroundings import Surroundings
from engine.store.store import Store
from tests.engine.interpreter.diagrams import diagram


def findings(
    store: Store, *parts: object, forms: Mapping[str, Any] | None = None, key: str = "test", **properties: object
) -> dict[int, list[Finding]]:
    """Case → what would have gone differently under a process drawn in chains; cases without findings have none."""
    xml = diagram(*parts, key=key, **{"startPosts": "handler", **properties})
    return replayed(store, Plan(read_diagram(xml), dict(forms or {})), key)


def replayed(store: Store, plan: Plan, key: str) -> dict[int, list[Finding]]:
    """The same for a plan, over all cases of a process."""
    with store.read() as session:
        ids = list(session.scalars(select(Instance.id).where(Instance.process_key == key).order_by(Instance.id)))
        # A minute later: whatever happens at this very instant has happened.
        done = replay_cases(session, plan, Surroundings(), ids, store.clock.now() + timedelta(minutes=1))
    assert [case.instance_id for case in done] == ids
    return {case.instance_id: case.findings for case in done if case.findings}


def replayed_as_they_ran(store: Store) -> dict[int, list[Finding]]:
    """Every case there is, against the very version that it follows: silence is what proves the replay."""
    found: dict[int, list[Finding]] = {}
    with store.read() as session:
        rows = session.execute(select(Instance.definition_id, Instance.id).order_by(Instance.id)).all()
        around = Surroundings()
        for version in dict.fromkeys(version for version, _ in rows):
            definition = deployed(session, version)
            ids = [case for ran, case in rows if ran == version]
            done = replay_cases(session, Plan(definition.diagram, definition.forms), around, ids, store.clock.now())
            assert len(done) == len(ids)
            found |= {case.instance_id: case.findings for case in done if case.findings}
    return found


def told(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """Kind and step of each finding, in order."""
    return [(finding.kind, finding.step) for finding in found]
