"""Signals and subscriptions in the kernel: who hears what was thrown, once and by the worker; who waits, as rows; cases from before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from engine.history import History
from engine.history_seal import verify
from engine.process import signals
from engine.process.definitions import NotDeployable, deployed
from engine.process.event_tables import UNREAD, Signal, SignalDelivery, Subscription
from engine.process.incidents import MOST_ATTEMPTS, CaseFault, retry_incident
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.outside.correlating import Sought, cases_waiting, tell_cases
from engine.process.returning import return_task
from engine.process.signals import NobodyHears, deliver_signals, throw_signal
from engine.process.tables import Instance
from engine.process.telling import tell
from engine.process.undoing import kept
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.desk.test_at_once import at_once
from tests.engine.interpreter.diagrams import (
    catches_message, element, message, of_signal, script, signal, sub, timer,
)  # fmt: skip
from tests.engine.process.office import Office

#: Longer than any timer here, and than the time between two tries.
HOURS = timedelta(hours=2)
A, B = {"unit": "'A'", "post": "handler"}, {"unit": "'B'", "post": "handler"}
WAITS = ("start > catch:wait > user:after > end", of_signal("wait", "flood"), element("after", **A))


def throw(office: Office, name: str = "flood", **payload: object) -> None:
    throw_signal(office.store, name, payload, actor=office["otto"])


def awaited(office: Office, case: int) -> list[tuple[str, str, str]]:
    with office.store.read() as session:
        rows = session.execute(select(Subscription.kind, Subscription.name, Subscription.step).where(Subscription.instance_id == case))
        return sorted(tuple(row) for row in rows)


def entries(office: Office, case: int, act: str = "signal") -> list[dict[str, object]]:
    with office.store.read() as session:
        return list(session.scalars(select(History.data).where(History.instance_id == case, History.act == act).order_by(History.seq)))


def left(office: Office) -> tuple[int, int]:
    """Signals and deliveries that are not done with."""
    with office.store.read() as session:
        return len(session.scalars(select(Signal.id)).all()), len(session.scalars(select(SignalDelivery.id)).all())


def test_a_signal_from_outside_reaches_all_that_wait_for_it_and_nobody_twice(office: Office) -> None:
    office.deploy(*WAITS)
    cases = [office.start() for _ in range(3)]
    throw(office, level=4)
    assert office.open_steps() == [], "the worker brings it"
    later = office.start()
    assert deliver_signals(office.store) == 3 and office.open_steps() == ["after"] * 3
    assert awaited(office, later) == [("signal", "flood", "wait")], "who began to wait afterwards is not reached"
    assert [office.instance(case).variables["level"] for case in cases] == [4, 4, 4]
    (entry,) = entries(office, cases[0])
    assert (entry["signal"], entry["from"], entry["payload"]) == ("flood", "Otto", {"level": 4})
    with office.store.read() as session:
        assert tell("signal", entry, deployed(session, office.instance(cases[0]).definition_id))[0] == "收到信号“flood”（由Otto发出）"
    assert deliver_signals(office.store) == 0 and left(office) == (0, 0)
    throw(office)
    assert deliver_signals(office.store) == 1
    assert verify(office.store).ok and office.incidents() == []


def test_one_interrupts_one_opens_a_branch_and_who_is_suspended_hears_nothing(office: Office) -> None:
    office.deploy("start > user:work > end", signal("work", "stop", "flood"), "stop > user:rescue > end:x", element("work", **A),
                  element("rescue", **B), key="stops")
    office.deploy("start > user:work > end", signal("work", "beside", "flood", interrupting=False), "beside > user:note > end:x",
                  element("work", **A), element("note", **B), key="notes")
    stops, notes = office.start(key="stops"), office.start(key="notes")
    office.deploy(*WAITS)
    asleep, before = office.start(), office.start()
    suspend_instance(office.store, asleep, actor=office["gu"], reason="暂停")
    throw(office)
    suspend_instance(office.store, before, actor=office["gu"], reason="轮到之前")
    throw(office)
    assert deliver_signals(office.store) == 3, "the one that opens a branch hears both"
    assert office.open_steps(stops) == ["rescue"] and office.open_steps(notes) == ["note", "note", "work"]
    for case in (asleep, before):
        assert office.open_steps(case) == [] and awaited(office, case) == [("signal", "flood", "wait")]
        resume_instance(office.store, case, actor=office["gu"], reason="恢复")
    assert deliver_signals(office.store) == 0
    throw(office)
    assert deliver_signals(office.store) == 3 and office.open_steps(asleep) == ["after"]


def test_what_a_case_throws_it_hears_itself_at_once_and_others_by_the_worker(office: Office) -> None:
    office.deploy(*WAITS, key="others")
    other = office.start(key="others")
    office.deploy(
        "start > and:f > user:work > throw:alarm > user:after > end:e1", "f > catch:own > user:heard > end:e2",
        element("work", **A), element("after", **A), element("heard", **A), of_signal("alarm", "flood", in_level="1 + 1"), of_signal("own", "flood"),
        actions="withdraw",
    )
    case = office.start()
    office.complete("anna", "work")
    assert office.open_steps(case) == ["after", "heard"] and office.open_steps(other) == []
    (entry,) = entries(office, case, "completed")
    assert entry["thrown"] == [{"signal": "flood", "step": "alarm"}]
    with office.store.read() as session:
        row = session.get_one(Instance, case)
        assert "发出信号“flood”" in tell("completed", entry, deployed(session, row.definition_id))[1]
        assert kept(row) is None, "others were moved: it cannot be taken back"
    assert deliver_signals(office.store) == 1 and office.open_steps(other) == ["after"]
    assert entries(office, other)[0]["from"] == office.instance(case).number and office.instance(other).variables["level"] == 2
    assert entries(office, case) == [], "it is not told again what it threw"


def test_a_signal_for_one_case_comes_at_once(office: Office) -> None:
    office.deploy(*WAITS)
    case, other = office.start(), office.start()
    throw_signal(office.store, "flood", {"x": 1}, actor=office["otto"], instance_id=case)
    assert office.open_steps(case) == ["after"] and office.open_steps(other) == []
    with pytest.raises(NobodyHears):
        throw_signal(office.store, "flood", actor=office["otto"], instance_id=case)
    with pytest.raises(NotFound):
        throw_signal(office.store, "flood", actor=office["otto"], instance_id=10**9)
    with pytest.raises(NotAllowed):
        throw_signal(office.store, "flood", actor=office["anna"])
    for name in ("", "x" * 201):
        with pytest.raises(Invalid):
            throw_signal(office.store, name, actor=office["otto"])


def test_a_case_that_cannot_take_it_is_an_incident_and_stops_nobody(office: Office) -> None:
    office.deploy("start > catch:wait > script:s > user:after > end", of_signal("wait", "flood"), script("s", "y = 10 / level"), element("after", **A))
    poisoned = office.start()
    office.deploy(*WAITS, key="others")
    other = office.start(key="others")
    throw(office, level=0)
    assert deliver_signals(office.store) == 1 and office.open_steps(other) == ["after"]
    (incident,) = office.incidents()
    assert (incident.instance_id, incident.attempts) == (poisoned, 1) and awaited(office, poisoned) == [("signal", "flood", "wait")]
    assert deliver_signals(office.store) == 0, "it is tried again later"
    for tries in range(2, MOST_ATTEMPTS + 1):
        office.clock.to(office.clock.now() + HOURS)
        deliver_signals(office.store)
        assert office.incidents()[0].attempts == tries
    office.clock.to(office.clock.now() + HOURS)
    assert deliver_signals(office.store) == 0 and left(office) == (1, 1), "now it waits for the operator"
    with office.store.work() as work:
        work.session.execute(update(Signal).values(payload={"level": 2}))
    retry_incident(office.store, incident.id, actor=office["otto"])
    assert deliver_signals(office.store) == 1 and office.incidents() == [] and left(office) == (0, 0)
    assert office.instance(poisoned).variables["y"] == 5


def test_a_worker_that_dies_in_between_loses_nothing_and_repeats_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.deploy("start > user:work > end", signal("work", "beside", "flood", interrupting=False), "beside > user:note > end:x",
                  element("work", **A), element("note", **B))
    cases = [office.start() for _ in range(7)]
    throw(office)
    monkeypatch.setattr(signals, "SPREAD_PAGE", 3)
    real, done = signals.perform, []

    def dies(*given: object, **named: object) -> bool:
        result = real(*given, **named)  # type: ignore[arg-type]
        done.append(named["instance_id"])
        if len(done) in (3, 5):
            raise KeyboardInterrupt  # in the middle of a transaction, after the case was moved
        return result

    monkeypatch.setattr(signals, "perform", dies)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            deliver_signals(office.store)
    deliver_signals(office.store)
    assert [office.open_steps(case) for case in cases] == [["note", "work"]] * 7 and left(office) == (0, 0)
    assert [len(entries(office, case)) for case in cases] == [1] * 7 and verify(office.store).ok


def test_what_is_overdue_fires_first_and_may_end_the_waiting(office: Office) -> None:
    office.deploy("start > user:work > end", signal("work", "stop", "flood"), "stop > user:rescue > end:x",
                  timer("work", "late", interrupting=True, duration="PT1H"), "late > user:overdue > end:y",
                  element("work", **A), element("rescue", **A), element("overdue", **A))
    case = office.start()
    throw(office)
    office.clock.to(office.clock.now() + HOURS)
    assert deliver_signals(office.store) == 1
    assert office.open_steps(case) == ["overdue"] and entries(office, case) == []


def test_a_signal_starts_the_processes_that_begin_by_it_for_the_unit_of_who_threw_it(office: Office) -> None:
    office.deploy("start > user:check > end", of_signal("start", "flood"), element("check", **B), key="begins", startPosts="")
    office.deploy("start > user:work > throw:alarm > end", element("work", **A), of_signal("alarm", "flood", in_level="3"))
    office.start()
    office.complete("anna", "work")
    assert deliver_signals(office.store) == 1
    (case,) = office.instances("begins")
    assert (case.unit_id, case.starter_id, case.variables["level"]) == (office.units["A"], None, 3)
    (entry,) = entries(office, case.id, "started")
    assert entry["signal"] == "flood"
    throw(office)
    assert deliver_signals(office.store) == 1 and office.instances("begins")[1].unit_id == office.units["O"]
    assert deliver_signals(office.store) == 0 and left(office) == (0, 0)


def test_signals_that_call_each_other_without_end_are_stopped(office: Office) -> None:
    office.deploy("start > throw:t > end", of_signal("start", "ping"), of_signal("t", "pong"), key="one", startPosts="")
    office.deploy("start > throw:t > end", of_signal("start", "pong"), of_signal("t", "ping"), key="two", startPosts="")
    throw(office, "ping")
    heard = 0
    while now := deliver_signals(office.store):
        heard += now
    last = (office.instances("one") + office.instances("two"))[-1].id
    assert heard == 20 == len(office.instances("one")) + len(office.instances("two"))
    assert [(incident.instance_id, "请检查流程图" in incident.error) for incident in office.incidents()] == [(last, True)]


@pytest.mark.parametrize("name", ["startForm", "startPosts", "subject"])
def test_a_process_that_a_signal_starts_asks_nobody_anything(office: Office, name: str) -> None:
    with pytest.raises(NotDeployable, match="启动时没有人填写"):
        office.deploy("start > user:check > end", of_signal("start", "flood"), element("check", **B), **{"startPosts": "", name: "handler"})


# -- who waits, as rows ---------------------------------------------------------------------------


def test_the_rows_say_what_a_case_waits_for_after_every_move(office: Office) -> None:
    office.deploy("start > user:work > catch:paper > user:read > end", message("work", "more", "material", interrupting=False), "more > end:x",
                  signal("work", "stop", "flood"), "stop > end:y", catches_message("paper", "paper"), element("work", **A), element("read", **A),
                  actions="return")
    case = office.start()
    both = [("message", "material", "more"), ("signal", "flood", "stop")]
    assert awaited(office, case) == both
    with office.store.read() as session:
        first = session.scalar(select(Subscription.id).where(Subscription.name == "material"))
    office.tell(case, "material")
    assert awaited(office, case) == both
    with office.store.read() as session:
        assert session.scalar(select(Subscription.id).where(Subscription.name == "material")) == first, "it waits on: the same row"
    office.complete("anna", "work")
    assert awaited(office, case) == [("message", "paper", "paper")]
    office.tell(case, "paper")
    assert awaited(office, case) == []
    return_task(office.store, office.task("read").id, actor=office["anna"], to="work", reason="再办")
    assert awaited(office, case) == both
    terminate_instance(office.store, case, actor=office["gu"], reason="不办了")
    assert awaited(office, case) == []


def test_nobody_goes_back_over_a_signal_that_was_thrown(office: Office) -> None:
    office.deploy("start > user:work > throw:alarm > user:read > end", of_signal("alarm", "flood"), element("work", **A), element("read", **A),
                  actions="return")
    office.start()
    office.complete("anna", "work")
    with pytest.raises((Invalid, NotAllowed)):
        return_task(office.store, office.task("read").id, actor=office["anna"], to="work", reason="再办")


def test_cases_from_before_are_read_when_somebody_asks_and_by_the_worker(office: Office) -> None:
    office.deploy("start > catch:wait > user:a > end", catches_message("wait", "news"), element("a", **A))
    office.deploy("start > user:a > end", element("a", **A), key="plain")
    one, moved, plain = office.start(), office.start(), office.start(key="plain")
    with office.store.work() as work:  # as the migration leaves them
        work.session.execute(delete(Subscription))
        for case in (one, moved, plain):
            work.session.add(Subscription(instance_id=case, token="", kind=UNREAD, name="", step="", created_at=work.now))
    office.store.cache.clear()
    suspend_instance(office.store, moved, actor=office["gu"], reason="停")
    resume_instance(office.store, moved, actor=office["gu"], reason="行")
    assert cases_waiting(office.store, Sought("news")) == [one, moved]
    assert awaited(office, plain) == [] and awaited(office, one) == [("message", "news", "wait")]
    office.tell(one, "news")
    assert office.open_steps(one) == ["a"]


# -- messages that seek their case ------------------------------------------------------------------


def test_a_message_finds_cases_by_what_they_hold_and_tells_each_by_itself(office: Office) -> None:
    chains = ("start > catch:wait > xor:g", "g [(10 / level) > 0] > user:a > end", "g [default] > end:x")
    office.deploy(*chains, catches_message("wait", "news"), element("a", **A), startForm="ask",
                  forms={"ask": {"title": "x", "fields": [{"key": "place", "type": "text", "label": "地点"}, {"key": "level", "type": "integer", "label": "级"}]}})
    cases = [office.start(place=place, level=level) for place, level in (("东", 1), ("西", 1), ("东", 0), ("东", 2))]
    assert cases_waiting(office.store, Sought("news", keys={"place": "东"})) == [cases[0], cases[2], cases[3]]
    assert cases_waiting(office.store, Sought("news", keys={"place": "东", "level": 2})) == [cases[3]]
    assert cases_waiting(office.store, Sought("news", keys={"place": None})) == cases_waiting(office.store, Sought("news", keys={"level": "1"})) == []
    assert cases_waiting(office.store, Sought("news", business_key=office.instance(cases[1]).number)) == [cases[1]]
    assert cases_waiting(office.store, Sought("other")) == []
    sought = Sought("news", keys={"place": "东"})
    done = tell_cases(office.store, [cases[0], cases[2], cases[3]], sought, {"from": "市"}, actor=office["otto"])
    assert (done.cases, done.failed) == ((cases[0], cases[3]), (cases[2],))
    assert [incident.instance_id for incident in office.incidents()] == [cases[2]]
    assert office.instance(cases[0]).variables["from"] == "市" and "from" not in office.instance(cases[2]).variables
    with pytest.raises(CaseFault):
        office.tell(cases[2], "news")
    with pytest.raises(NotAllowed):
        tell_cases(office.store, cases, sought, {}, actor=office["anna"])
    assert tell_cases(office.store, cases[:1], sought, {}, actor=office["otto"]).cases == ()


def test_of_two_messages_at_once_one_is_heard_and_a_signal_beside_them_loses_nothing(office: Office) -> None:
    office.deploy("start > catch:wait > user:a > end", catches_message("wait", "news"), element("a", **A))
    office.deploy("start > user:work > end", signal("work", "beside", "flood", interrupting=False), "beside > user:note > end:x",
                  element("work", **A), element("note", **B), key="listens")
    told, listens = office.start(), office.start(key="listens")
    throw(office)
    throw(office)
    said = at_once(lambda: office.tell(told, "news"), lambda: office.tell(told, "news"),
                   lambda: deliver_signals(office.store), lambda: deliver_signals(office.store))
    assert said[:2].count("ok") == 1 and said[2:] == ["ok", "ok"], said
    deliver_signals(office.store)
    assert office.open_steps(told) == ["a"] and office.open_steps(listens) == ["note", "note", "work"]
    assert len(entries(office, told, "message")) == 1 and len(entries(office, listens)) == 2 and verify(office.store).ok


def test_a_subprocess_hears_what_it_waits_for_inside(office: Office) -> None:
    office.deploy("start > sub:s > end", sub("s", "start > catch:c > user:a > end:e", of_signal("c", "flood"), element("a", **A)))
    case = office.start()
    throw(office)
    assert deliver_signals(office.store) == 1 and office.open_steps(case) == ["a"]
    with office.store.read() as session:
        assert session.get_one(Instance, case).state == "running"
