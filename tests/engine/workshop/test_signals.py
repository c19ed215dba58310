"""Signals in the workshop: rehearsed among the cases of the run, replayed from the record, kept by an import, moved to another version."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.process.event_tables import Signal, Subscription
from engine.process.interpreter.document import index
from engine.process.package import Package
from engine.process.signals import deliver_signals, throw_signal
from engine.process.workshop.comparing.compare import compare
from engine.process.workshop.dry_run.script import read_script
from engine.process.workshop.importing.foreign import read_foreign
from engine.process.workshop.migrating.plan import check_plan
from engine.process.interpreter.reader import read_diagram
from engine.store.clock import MovableClock
from engine.store.errors import Invalid
from engine.store.store import Store
from tests.engine.interpreter.diagrams import call, diagram, element, of_signal, signal
from tests.engine.process.office import Office
from tests.engine.workshop.dry_walks import drawn, fingerprint
from tests.engine.workshop.foreign import END, START, event, file, node, way
from tests.engine.workshop.migrating import moves
from tests.engine.workshop.replaying import findings, told

A, B = {"unit": "'A'", "post": "handler"}, {"unit": "'B'", "post": "handler"}
WAITS = ("start > catch:wait > user:after > end", of_signal("wait", "flood"), element("after", name="之后", **A))


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


# -- dry run --------------------------------------------------------------------------------------


def test_a_signal_from_outside_comes_to_the_cases_of_a_dry_run_and_to_no_other(office: Office) -> None:
    office.deploy(*WAITS)
    real = office.start()
    before = fingerprint(office.store)
    walk = drawn(office, *WAITS)
    assert walk.starts("A", "anna").cases[0].signals == ["flood"]
    found = walk.makes(do="signal", signal="flood", given={"level": 3})
    assert walk.open() == ["after"] and found.moves[-1].title == "发出信号“flood”"
    assert [entry.title for entry in found.moves[-1].effects.record] == ["收到信号“flood”（由试运行发出）"]
    again = walk.makes(do="signal", signal="flood")
    assert again.stopped is not None and "没有等待信号" in again.stopped.message
    assert fingerprint(office.store) == before and office.open_steps(real) == []
    for wrong in ({"do": "signal", "signal": 1}, {"do": "signal", "message": "x"}):
        with pytest.raises(Invalid):
            read_script([{"do": "start"}, wrong])


def test_what_a_case_throws_in_a_dry_run_reaches_those_that_it_started(office: Office) -> None:
    office.deploy(*WAITS, key="child")
    office.deploy("start > user:begun > end", of_signal("start", "flood"), element("begun", **B), key="begins", startPosts="")
    outside = office.start(key="child")
    before = fingerprint(office.store)
    walk = drawn(office, "start > and:f > call:ask > end:e1", "f > user:work > throw:alarm > end:e2", call("ask", "child"),
                 element("work", **A), of_signal("alarm", "flood"))
    walk.starts("A", "anna")
    found = walk.does("work")
    assert found.stopped is None and [case.sheet.process_key for case in found.cases] == ["test", "child", "begins"]
    assert sorted(walk.open()) == ["after", "begun"]
    assert fingerprint(office.store) == before and office.open_steps(outside) == []


def test_signals_without_end_stop_a_dry_run_with_a_sentence(office: Office) -> None:
    office.deploy("start > throw:t > end", of_signal("start", "ping"), of_signal("t", "pong"), key="one", startPosts="")
    office.deploy("start > throw:t > end", of_signal("start", "pong"), of_signal("t", "ping"), key="two", startPosts="")
    walk = drawn(office, "start > user:work > throw:t > end", element("work", **A), of_signal("t", "ping"))
    walk.starts("A", "anna")
    stopped = walk.does("work").stopped
    assert stopped is not None and stopped.fault and "信号相互触发过多" in stopped.message


# -- back-test ------------------------------------------------------------------------------------


def test_signals_are_replayed_when_they_came_with_what_they_brought(office: Office) -> None:
    chains = ("start > catch:wait > xor:what", "what [level == 2] > end:high", "what [default] > end:low")
    office.deploy(*chains, of_signal("wait", "flood"))
    case = office.start()
    throw_signal(office.store, "flood", {"level": 2}, actor=office["otto"])
    assert deliver_signals(office.store) == 1 and office.instance(case).outcome == "high"
    assert findings(office.store, *chains, of_signal("wait", "flood")) == {}
    assert told(findings(office.store, *chains, of_signal("wait", "other"))[case]) == [("route", "wait")]


def test_what_a_case_threw_to_itself_happens_again_in_a_back_test(office: Office) -> None:
    chains = ("start > and:f > user:work > throw:t > end:e1", "f > catch:c > user:heard > end:e2")
    steps = (element("work", **A), element("heard", **A), of_signal("t", "flood"), of_signal("c", "flood"))
    office.deploy(*chains, *steps)
    office.start()
    office.complete("anna", "work")
    office.complete("anna", "heard")
    assert findings(office.store, *chains, *steps) == {}


# -- another version ------------------------------------------------------------------------------


def test_a_case_that_moves_waits_for_the_signal_of_the_new_version(office: Office) -> None:
    before = office.deploy("start > user:work > end", signal("work", "stop", "flood"), "stop > end:x", element("work", name="办理", **A))
    kept, gone = office.start(), office.start()
    after = office.deploy("start > user:work > end", signal("work", "halt", "storm"), "halt > end:x", element("work", name="办理", **A), at="2026-02-01")
    plain = office.deploy("start > user:work > end", element("work", name="办理", **A), at="2026-02-02")
    with office.store.read() as session:
        old = session.scalar(select(Subscription.id).where(Subscription.instance_id == kept))
    moves(office, before, after, stop="halt")
    with office.store.read() as session:
        row = session.scalars(select(Subscription).where(Subscription.instance_id == kept)).one()
    assert (row.id, row.name, row.step) == (old, "storm", "halt")
    moves(office, after, plain)
    with office.store.read() as session:
        assert session.scalars(select(Subscription)).all() == [], "the new version has no such events"
    assert office.instance(gone).state == "running"


def test_the_plan_of_a_migration_and_a_comparison_say_that_the_signal_is_another() -> None:
    old, new = (read_diagram(diagram("start > catch:wait > end", of_signal("wait", name))) for name in ("flood", "storm"))
    assert [problem.rule for problem in check_plan(old, new, {"wait": "wait"})] == ["plan-signal"]
    found = compare(Package("r", old.xml, {}), Package("r", new.xml, {}))
    assert any("flood" in str(change) and "storm" in str(change) for change in found.changes)


# -- import ---------------------------------------------------------------------------------------


def test_signals_of_other_tools_stay_signals() -> None:
    found = read_foreign(file(
        START, node("intermediateCatchEvent", "c", event("signal", signalRef="S")), node("intermediateThrowEvent", "t", event("signal"), name="报警"),
        node("userTask", "u"), node("boundaryEvent", "b", event("signal", signalRef="nothing"), attachedToRef="u"), node("endEvent", "x", event("signal", signalRef="N")),
        END, way("s", "c", "t", "u", "e"), way("b", "x"), around='<signal id="S" name="汛情"/><signal id="N"/>',
    ))
    document = index(found.xml)
    names = {name: document.signals[element.events[0].get("signalRef") or ""] for name, element in document.elements.items() if element.event == "signal"}
    assert names == {"c": "汛情", "t": "报警", "b": "b", "x": "N"}
    assert {one.rule for one in found.rewritten} >= {"signal-named"} and "awaits-message" not in {one.rule for one in found.rewritten}


def test_nothing_of_a_dry_run_is_left_for_the_worker(office: Office) -> None:
    walk = drawn(office, "start > user:work > throw:alarm > end", element("work", **A), of_signal("alarm", "flood"))
    walk.starts("A", "anna")
    assert walk.does("work").stopped is None
    with office.store.read() as session:
        assert session.scalars(select(Signal)).all() == []
