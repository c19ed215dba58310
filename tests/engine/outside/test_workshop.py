"""The workshop copes with a step that a worker outside does: dry run, back-test, migration."""

from __future__ import annotations

from datetime import timedelta

from engine.process.outside.fetching import Asked, fetch_and_lock
from engine.process.outside.finishing import complete_external, throw_error
from engine.process.package import Package
from tests.engine.interpreter.diagrams import diagram, element, error
from tests.engine.process.office import Office
from tests.engine.workshop.dry_walks import DryWalk
from tests.engine.workshop.migrating import moves, stayed
from tests.engine.workshop.replaying import findings, replayed_as_they_ran, told

GRANT = element("grant", name="开通授权", topic="grants", in_applicant="applicant_unit", out_grant_id="id", out="receipt")
CHECK = element("check", name="核对", unit="'A'", post="handler")
MEND = element("mend", name="改正", unit="'A'", post="handler")
PARTS = (
    "start > service:grant > xor:g", "g [grant_id == 'G-1'] > user:check > end", "g [default] > user:other > end:e2",
    "refused > user:mend > end:e3", GRANT, CHECK, MEND, error("grant", "refused", "NO"),
    element("other", name="另办", unit="'A'", post="handler"),
)  # fmt: skip


def works(office: Office, **given: object) -> None:
    """The worker does what waits."""
    for task in fetch_and_lock(office.store, actor=office["robot"], worker="w", most=9, topics=[Asked("grants", timedelta(minutes=1))]):
        if given:
            complete_external(office.store, task.id, actor=office["robot"], worker="w", given=given)
        else:
            throw_error(office.store, task.id, actor=office["robot"], worker="w", code="NO")


def test_in_a_dry_run_whoever_walks_it_plays_the_worker(office: Office) -> None:
    walk = DryWalk(office.store, Package("test_rules", diagram(*PARTS, startPosts="handler"), {}), office["petra"])
    run = walk.starts("A", by="anna")
    [topic] = run.cases[0].topics
    assert (topic.step, topic.topic, topic.given, topic.wanted) == ("grant", "grants", {"applicant": "A"}, ["id"])
    run = walk.makes(do="worker", case=0, step="grant", given={})
    assert run.stopped is not None and "id" in run.stopped.message
    run = walk.makes(do="worker", case=0, step="grant", given={"id": "G-1"})
    assert ([move.title for move in run.moves][-1], walk.open()) == ("外部程序办结“开通授权”", ["check"])
    run = walk.makes(do="worker", case=0, step="grant", given={"id": "G-1"})
    assert run.stopped is not None and "没有等待外部程序" in run.stopped.message
    other = DryWalk(office.store, walk.package, office["petra"])
    other.starts("A", by="anna")
    other.makes(do="worker", case=0, step="grant", error="NO")
    assert other.open() == ["mend"]


def test_a_back_test_gives_the_draft_what_the_worker_gave(office: Office) -> None:
    office.deploy(*PARTS)
    done, refused, waiting = office.start(), 0, 0
    works(office, id="G-1")
    office.complete("anna", "check")
    refused = office.start()
    works(office)
    office.complete("anna", "mend")
    waiting = office.start()
    assert replayed_as_they_ran(office.store) == {}
    turned = [part.replace("== 'G-1'", "!= 'G-1'") if isinstance(part, str) else part for part in PARTS]
    found = findings(office.store, *turned)
    assert list(found) == [done] and told(found[done])[0] == ("route", "other")
    found = findings(office.store, "start > user:by_hand > end", element("by_hand", name="人工开通", unit="'A'", post="handler"))
    assert set(found) == {done, refused, waiting}


def test_what_an_error_event_takes_goes_along_into_dry_run_and_back_test(office: Office) -> None:
    event = error("grant", "refused", "NO")
    event.properties["out.reason"] = "why + errorCode"
    parts = ("start > service:grant > end", "refused > xor:g", "g [reason == 'closedNO'] > user:mend > end:e2", "g [default] > end:e3",
             GRANT, MEND, event)  # fmt: skip
    office.deploy(*parts)
    case = office.start()
    [task] = fetch_and_lock(office.store, actor=office["robot"], worker="w", most=9, topics=[Asked("grants", timedelta(minutes=1))])
    throw_error(office.store, task.id, actor=office["robot"], worker="w", code="NO", given={"why": "closed"})
    assert office.open_steps() == ["mend"] and replayed_as_they_ran(office.store) == {}
    turned = [part.replace("closedNO", "open") if isinstance(part, str) else part for part in parts]
    assert set(findings(office.store, *turned)) == {case}

    walk = DryWalk(office.store, Package("test_rules", diagram(*parts, startPosts="handler"), {}), office["petra"])
    assert walk.starts("A", by="anna").cases[0].topics[0].wanted == ["id", "why"]
    walk.makes(do="worker", case=0, step="grant", given={"why": "closed"}, error="NO")
    assert walk.open() == ["mend"]


def test_a_case_that_waits_for_a_worker_goes_on_under_another_version(office: Office) -> None:
    before = office.deploy(*PARTS)
    case = office.start()
    [task] = fetch_and_lock(office.store, actor=office["robot"], worker="w", most=9, topics=[Asked("grants", timedelta(minutes=1))])
    after = office.deploy(
        "start > service:supply > xor:g", *PARTS[1:4], element("supply", name="供数开通", topic="grants", out_grant_id="id"),
        *PARTS[5:7], error("supply", "refused", "NO"), PARTS[8], at="2026-01-01",
    )  # fmt: skip
    assert stayed(office, moves(office, before, after, grant="supply")) == {}
    complete_external(office.store, task.id, actor=office["robot"], worker="w", given={"id": "G-1"})
    assert office.open_steps() == ["check"]
    assert office.instance(case).definition_id == after
