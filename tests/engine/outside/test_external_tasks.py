"""A worker outside does a step: fetched once, locked for a time, finished by who holds it; the slow one loses."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from engine.history import History
from engine.people.actor import Actor
from engine.process.check import check
from engine.process.incidents import CaseFault, retry_incident
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.outside.fetching import Asked, Fetched, fetch_and_lock
from engine.process.outside.finishing import (
    NotYours,
    complete_external,
    extend_lock,
    fail_external,
    set_priority,
    set_retries,
    throw_error,
    unlock,
)
from engine.process.package import Package
from engine.process.sheets.case import case_sheet
from engine.process.tables import ExternalTask
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning
from tests.engine.interpreter.diagrams import Details, diagram, element, error, multi, timer
from tests.engine.process.office import Office, form, text

MINUTE = timedelta(minutes=1)
GRANT = element("grant", name="开通授权", topic="grants", in_resource="resource", in_applicant="applicant_unit",
                out_grant_id="id", out_until="valid_until", out="receipt")
CHECK = element("check", name="核对", unit="'A'", post="handler")
START = {"startForm": "ask"}
ASK = {"ask": form(text("resource"))}


@pytest.fixture
def granting(office: Office) -> Office:
    """A process whose grant a worker carries out, within ten minutes or a person does it."""
    office.deploy(
        "start > service:grant > user:check > end", GRANT, CHECK, error("grant", "refused", "NO_SUCH_RESOURCE"),
        "refused > user:mend > end:e2", element("mend", name="改正", unit="'A'", post="handler"),
        timer("grant", "late", interrupting=True, duration="PT10M"), "late > user:by_hand > end:e3",
        element("by_hand", name="人工开通", unit="'A'", post="handler"), forms=ASK, **START,
    )  # fmt: skip
    return office


def fetch(office: Office, worker: str = "w1", *, who: str = "robot", most: int = 10, topic: str = "grants", **asked: Any) -> list[Fetched]:
    return fetch_and_lock(office.store, actor=office[who], worker=worker, most=most, topics=[Asked(topic, MINUTE, **asked)])


def rows(office: Office) -> list[ExternalTask]:
    with office.store.read() as session:
        return list(session.scalars(select(ExternalTask).order_by(ExternalTask.id)))


def passes(office: Office, time: timedelta) -> None:
    office.clock.to(office.clock.now() + time)


def robot(office: Office) -> Actor:
    return office["robot"]


def test_a_worker_is_given_what_the_diagram_hands_over_and_the_case_takes_what_it_names(granting: Office) -> None:
    case = granting.start(resource="房产登记")
    [task] = fetch(granting)
    assert (task.topic, task.step, task.instance_id, task.worker) == ("grants", "grant", case, "w1")
    assert task.given == {"resource": "房产登记", "applicant": "A"}
    assert task.business_key == granting.instance(case).number
    assert fetch(granting, "w2") == []  # it is w1's
    complete_external(granting.store, task.id, actor=robot(granting), worker="w1",
                      given={"id": "G-1", "valid_until": "2027-01-01", "secret": "x"})
    assert granting.open_steps() == ["check"]
    kept = granting.instance(case).variables
    assert (kept["grant_id"], kept["until"], "secret" in kept) == ("G-1", "2027-01-01", False)
    assert kept["receipt"] == {"id": "G-1", "valid_until": "2027-01-01", "secret": "x"}
    assert fetch(granting) == []
    with granting.store.read() as session:
        told = [(line.title, line.actor) for line in case_sheet(session, granting["anna"], case).timeline]
    assert ("外部程序办结“开通授权”", "Robot") in told


def test_a_lost_worker_loses_the_task_when_its_lock_has_run_out_and_comes_too_late(granting: Office) -> None:
    granting.start(resource="房产登记")
    [lost] = fetch(granting, "w1")
    passes(granting, MINUTE)
    [again] = fetch(granting, "w2")
    assert again.id == lost.id
    with pytest.raises(NotYours):
        complete_external(granting.store, lost.id, actor=robot(granting), worker="w1", given={"id": "G-1", "valid_until": "x"})
    with pytest.raises(NotYours):
        fail_external(granting.store, lost.id, actor=robot(granting), worker="w1", message="太晚")
    assert granting.open_steps() == []
    complete_external(granting.store, lost.id, actor=robot(granting), worker="w2", given={"id": "G-2", "valid_until": "x"})
    assert granting.open_steps() == ["check"]
    with pytest.raises(NotFound):
        complete_external(granting.store, lost.id, actor=robot(granting), worker="w2", given={"id": "G-2", "valid_until": "x"})


def test_a_late_result_is_welcome_while_nobody_else_has_the_task(granting: Office) -> None:
    granting.start(resource="房产登记")
    [task] = fetch(granting)
    passes(granting, 5 * MINUTE)
    with pytest.raises(NotYours, match="到期"):
        extend_lock(granting.store, task.id, actor=robot(granting), worker="w1", lock=MINUTE)
    complete_external(granting.store, task.id, actor=robot(granting), worker="w1", given={"id": "G-1", "valid_until": "x"})
    assert granting.open_steps() == ["check"]


def test_a_worker_may_ask_for_longer_or_give_the_task_back(granting: Office) -> None:
    granting.start(resource="房产登记")
    [task] = fetch(granting)
    extend_lock(granting.store, task.id, actor=robot(granting), worker="w1", lock=5 * MINUTE)
    passes(granting, 2 * MINUTE)
    assert fetch(granting, "w2") == []
    unlock(granting.store, task.id, actor=robot(granting))
    assert [found.id for found in fetch(granting, "w2")] == [task.id]


def test_tries_that_are_used_up_wait_for_the_operator(granting: Office) -> None:
    case = granting.start(resource="房产登记")
    [task] = fetch(granting)
    fail_external(granting.store, task.id, actor=robot(granting), worker="w1", message="平台无应答", retries=1, again_after=2 * MINUTE)
    assert granting.incidents() == []
    assert fetch(granting, "w2") == []  # not before its time
    passes(granting, 2 * MINUTE)
    [task] = fetch(granting, "w2")
    assert (task.error, task.retries) == ("平台无应答", 1)
    fail_external(granting.store, task.id, actor=robot(granting), worker="w2", message="平台无应答", details="connect: refused", retries=0)
    [incident] = granting.incidents()
    assert (incident.instance_id, incident.error, incident.detail) == (case, "平台无应答", "connect: refused")
    passes(granting, 5 * MINUTE)
    assert fetch(granting) == []
    retry_incident(granting.store, incident.id, actor=granting["otto"])
    [task] = fetch(granting, "w3")
    complete_external(granting.store, task.id, actor=robot(granting), worker="w3", given={"id": "G", "valid_until": "x"})
    assert granting.incidents() == []
    with granting.store.read() as session:
        told = [line.title for line in case_sheet(session, granting["anna"], case).timeline]
    assert told.count("外部程序办理“开通授权”失败") == 2


def test_a_business_error_goes_the_way_that_the_diagram_foresees(granting: Office) -> None:
    granting.start(resource="房产登记")
    [task] = fetch(granting)
    with pytest.raises(Invalid, match=r"修改|UNKNOWN"):
        throw_error(granting.store, task.id, actor=robot(granting), worker="w1", code="UNKNOWN")
    assert [row.state for row in rows(granting)] == ["waiting"]
    throw_error(granting.store, task.id, actor=robot(granting), worker="w1", code="NO_SUCH_RESOURCE", message="没有该资源")
    assert granting.open_steps() == ["mend"]


def refusing(**takes: str) -> Details:
    """An error event that takes something of the worker's report."""
    event = error("grant", "refused", "NO_SUCH_RESOURCE")
    event.properties.update({f"out.{name}": text for name, text in takes.items()})
    return event


def test_the_case_takes_of_an_error_what_its_event_names(office: Office) -> None:
    office.deploy("start > service:grant > end", GRANT, refusing(reason="why", code="errorCode", said="errorMessage"),
                  "refused > xor:known", "known [reason == 'closed'] > user:mend > end:e2", "known [default] > end:e3",
                  element("mend", name="改正", unit="'A'", post="handler"), forms=ASK, **START)  # fmt: skip
    case = office.start(resource="房产登记")
    [task] = fetch(office)
    with pytest.raises(Invalid) as lacking:
        throw_error(office.store, task.id, actor=robot(office), worker="w1", code="NO_SUCH_RESOURCE")
    assert set(lacking.value.fields) == {"out.reason"}
    assert [row.state for row in rows(office)] == ["waiting"]
    throw_error(office.store, task.id, actor=robot(office), worker="w1", code="NO_SUCH_RESOURCE", message="已停用",
                given={"why": "closed", "secret": "x"})  # fmt: skip
    assert office.open_steps() == ["mend"], "the flow behind the event sees it"
    kept = office.instance(case).variables
    assert (kept["reason"], kept["code"], kept["said"]) == ("closed", "NO_SUCH_RESOURCE", "已停用") and "secret" not in kept
    with office.store.read() as session:
        entry = session.scalars(select(History).where(History.act == "external_error")).one()
    assert entry.data["values"] == {"reason": "closed", "code": "NO_SUCH_RESOURCE", "said": "已停用"}


@pytest.mark.parametrize(("event", "rule"), [
    (refusing(reason="why"), None), (refusing(_hidden="why"), "bad-name"), (refusing(reason="why +"), "bad-expression"),
    (timer("grant", "refused", interrupting=True, duration="PT10M"), "parameter-ignored"),
])  # fmt: skip
def test_the_check_says_where_an_event_takes_nothing(office: Office, event: Details, rule: str | None) -> None:
    event.properties.setdefault("out.reason", "why")
    xml = diagram("start > service:grant > end", GRANT, event, "refused > end:e2", key="test", startPosts="handler", startForm="ask")
    found = {problem.rule for problem in check(Package("test_rules", xml, ASK), frozenset()) if problem.element == "refused" and problem.severity == "error"}
    assert found == ({rule} if rule else set())


def test_what_is_overdue_fires_before_a_late_result(granting: Office) -> None:
    granting.start(resource="房产登记")
    [task] = fetch(granting)
    passes(granting, 11 * MINUTE)
    with pytest.raises(NotRunning):
        complete_external(granting.store, task.id, actor=robot(granting), worker="w1", given={"id": "G", "valid_until": "x"})
    granting.sweep()
    assert granting.open_steps() == ["by_hand"]
    assert [row.state for row in rows(granting)] == ["cancelled"]
    assert fetch(granting) == []


def test_nobody_works_for_a_case_that_stands_still_or_has_ended(granting: Office) -> None:
    case = granting.start(resource="房产登记")
    suspend_instance(granting.store, case, actor=granting["gu"], reason="核查")
    assert fetch(granting) == []
    resume_instance(granting.store, case, actor=granting["gu"], reason="核查完毕")
    [task] = fetch(granting)
    suspend_instance(granting.store, case, actor=granting["gu"], reason="再核查")
    with pytest.raises(NotRunning):
        complete_external(granting.store, task.id, actor=robot(granting), worker="w1", given={"id": "G", "valid_until": "x"})
    terminate_instance(granting.store, case, actor=granting["gu"], reason="无需办理")
    assert [row.state for row in rows(granting)] == ["cancelled"]


def test_only_who_works_from_outside_may(granting: Office) -> None:
    granting.start(resource="房产登记")
    with pytest.raises(NotAllowed):
        fetch(granting, who="anna")
    [task] = fetch(granting)
    for stranger in ("anna", "gu"):
        with pytest.raises(NotAllowed):
            complete_external(granting.store, task.id, actor=granting[stranger], worker="w1", given={})
        with pytest.raises(NotAllowed):
            unlock(granting.store, task.id, actor=granting[stranger])
    set_retries(granting.store, [task.id], 0, actor=granting["otto"])
    assert len(granting.incidents()) == 1
    set_retries(granting.store, [task.id], 2, actor=granting["otto"])
    assert granting.incidents() == []


def test_a_result_that_lacks_what_the_diagram_takes_changes_nothing(granting: Office) -> None:
    granting.start(resource="房产登记")
    [task] = fetch(granting)
    with pytest.raises(Invalid):
        complete_external(granting.store, task.id, actor=robot(granting), worker="w1", given={"id": "G-1"})
    assert ([row.state for row in rows(granting)], granting.incidents()) == (["waiting"], [])
    complete_external(granting.store, task.id, actor=robot(granting), worker="w1", given={"id": "G-1", "valid_until": "x"})


def test_work_behind_which_the_diagram_fails_is_not_given_out_again(office: Office) -> None:
    office.deploy("start > service:grant > xor:g", "g [1 / zero > 0] > end", "g [default] > end:e2",
                  element("grant", topic="grants", out_zero="zero"))
    office.start()
    [task] = fetch(office)
    with pytest.raises(CaseFault):
        complete_external(office.store, task.id, actor=robot(office), worker="w1", given={"zero": 0})
    [incident] = office.incidents()
    assert incident.external_id == task.id
    passes(office, 5 * MINUTE)
    assert fetch(office) == []
    retry_incident(office.store, incident.id, actor=office["otto"])
    [task] = fetch(office)
    complete_external(office.store, task.id, actor=robot(office), worker="w1", given={"zero": 1})
    assert office.incidents() == []


def test_the_urgent_comes_first_and_a_worker_chooses(office: Office) -> None:
    office.deploy("start > service:scan > end", element("scan", topic="scan", priority="weight", in_weight="weight", in_name="name"),
                  forms={"ask": form({"key": "weight", "type": "number", "label": "weight"}, text("name"))}, startForm="ask")
    first, second, third = (office.start(weight=weight, name=f"n{weight}") for weight in (1, 9, 5))
    assert [task.instance_id for task in fetch(office, topic="scan", most=2)] == [second, third]
    assert fetch(office, topic="other") == []
    assert fetch(office, topic="scan", processes=["another"]) == []
    [task] = fetch(office, topic="scan", business_key=office.instance(first).number, names=["name"])
    assert task.given == {"name": "n1"}
    set_priority(office.store, task.id, 77, actor=robot(office))
    assert rows(office)[0].priority == 77


def test_each_instance_of_a_repeated_step_is_a_task_of_its_own(office: Office) -> None:
    office.deploy("start > service:ask > user:check > end", CHECK,
                  element("ask", topic="ask", in_unit="unit", out_reply="answer"),
                  multi("ask", over="['a', 'b']", item="unit", into="replies", result="reply"))
    case = office.start()
    tasks = fetch(office, topic="ask")
    assert [task.given for task in tasks] == [{"unit": "a"}, {"unit": "b"}]
    for task in reversed(tasks):
        complete_external(office.store, task.id, actor=robot(office), worker="w1", given={"answer": task.given["unit"] * 2})
    assert office.open_steps() == ["check"]
    assert office.instance(case).variables["replies"] == ["aa", "bb"]


@pytest.mark.parametrize(("properties", "rule"), [
    ({"topic": "grants"}, None), ({"topic": "two words"}, "topic-name"), ({"topic": "t", "priority": "1 +"}, "bad-expression"),
    ({"topic": "t", "priority": "'high'"}, "priority-not-a-number"), ({"topic": "t", "out.x": "1 +"}, "bad-expression"),
    ({"operation": "cases.due_day", "out.x": "1"}, "parameter-ignored"),
])  # fmt: skip
def test_the_check_says_what_a_topic_may_say(properties: dict[str, str], rule: str | None) -> None:
    package = Package("test_rules", diagram("start > service:x > end", element("x", **properties), startPosts="handler"), {})
    errors = [problem.rule for problem in check(package, frozenset()) if problem.severity == "error"]
    assert (rule in errors) if rule else errors == []


def test_workers_that_fetch_at_once_are_never_given_the_same(granting: Office) -> None:
    for number in range(12):
        granting.start(resource=f"资源{number}")
    got: dict[str, list[int]] = {f"w{number}": [] for number in range(4)}
    gate = threading.Barrier(len(got))

    def works(name: str) -> None:
        gate.wait()
        while tasks := fetch(granting, name, most=2):
            got[name] += [task.id for task in tasks]

    workers = [threading.Thread(target=works, args=(name,)) for name in got]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    everything = [task for tasks in got.values() for task in tasks]
    assert len(everything) == len(set(everything)) == 12


def test_two_that_finish_at_once_one_is_told_that_it_was_late(granting: Office) -> None:
    granting.start(resource="房产登记")
    [task] = fetch(granting)
    gate, told = threading.Barrier(2), []

    def finishes(number: str) -> None:
        gate.wait()
        try:
            complete_external(granting.store, task.id, actor=robot(granting), worker="w1", given={"id": number, "valid_until": "x"})
            told.append("done")
        except NotFound:
            told.append("late")

    workers = [threading.Thread(target=finishes, args=(number,)) for number in ("G-1", "G-2")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(told) == ["done", "late"] and granting.open_steps() == ["check"]


def test_a_fetch_asks_three_things_of_the_database_however_many_tasks_there_are(granting: Office) -> None:
    for number in range(6):
        granting.start(resource=f"资源{number}")
    seen: list[str] = []
    event.listen(granting.store.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    assert len(fetch(granting, most=6)) == 6
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 3, seen


def test_a_worker_that_finds_nothing_has_only_read(granting: Office) -> None:
    """Fifty that wait ask a hundred times a second: they must not take SQLite's one pen from who works."""
    opened: list[bool] = []
    event.listen(granting.store.engine, "begin", lambda connection: opened.append(connection.get_execution_options().get("sharing_write", False)))
    assert fetch(granting) == [] and True not in opened
    granting.start("anna", resource="r1")
    assert len(fetch(granting)) == 1
    opened.clear()
    assert fetch(granting, "w2") == [] and True not in opened, "the lock holds"
    granting.clock.to(granting.clock.now() + MINUTE)
    assert len(fetch(granting, "w2")) == 1 and True in opened
