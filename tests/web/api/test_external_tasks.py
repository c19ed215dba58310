"""`external-task`: what an unmodified worker sends, and what it must be told when it is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.history import History
from engine.process.definitions import deploy_in
from engine.process.instances import start_instance
from engine.process.outside.once import forget_answers
from engine.process.package import Package
from engine.process.tables import Task
from engine.store.clock import MovableClock, shanghai
from tests.engine.interpreter.diagrams import diagram, element, error
from tests.web.api.client import Program, refusal
from tests.web.cast import Cast
from web.api import external_tasks

Tokens = Callable[..., Program]
FETCH: dict[str, Any] = {"workerId": "w1", "maxTasks": 5, "topics": [{"topicName": "grants", "lockDuration": 60_000}]}


@pytest.fixture
def cases(cast: Cast) -> list[int]:
    """Two cases of the platform's own process, whose grant a worker carries out."""
    xml = diagram(
        "start > service:grant > user:check > end", "refused > user:mend > end:e2", error("grant", "refused", "NO"),
        element("grant", name="开通授权", topic="grants", in_unit="applicant_unit", in_list="[1, 'a']", out_grant_id="id"),
        element("check", name="核对", unit="'007'", post="handler"), element("mend", name="改正", unit="'007'", post="handler"),
        key="granting", startPosts="handler",
    )  # fmt: skip
    with cast.store.work() as work:
        deploy_in(work, Package("liaoyang_2018", xml, {}), by="x", approved_by="y", reason="测试", effective_at=shanghai("2026-01-01"))
    return [start_instance(cast.store, "granting", actor=cast.actor("asker"), answers={}) for _ in range(2)]


def test_a_worker_fetches_and_completes(with_token: Tokens, cases: list[int], cast: Cast) -> None:
    worker = with_token("operator", "external")
    first, second = worker.post("/external-task/fetchAndLock", FETCH)
    assert (first["topicName"], first["activityId"], first["processInstanceId"]) == ("grants", "grant", str(cases[0]))
    assert first["variables"]["unit"] == {"value": "007", "type": "String", "valueInfo": {}}
    assert first["variables"]["list"]["type"] == "Json" and set(first["variables"]) == {"unit", "list"}
    assert first["processDefinitionId"].startswith("granting:1:") and first["lockExpirationTime"].endswith("+0800")
    assert worker.post("/external-task/fetchAndLock", {**FETCH, "workerId": "w2"}) == []
    worker.post(f"/external-task/{first['id']}/complete", {"workerId": "w1", "variables": {"id": {"value": "G-1", "type": "string"}}})
    assert refusal(worker.send("POST", f"/external-task/{first['id']}/complete", {"workerId": "w1"}))[0] == 404
    status, kind, _ = refusal(worker.send("POST", f"/external-task/{second['id']}/complete", {"workerId": "w2"}))
    assert (status, kind) == (400, "InvalidRequestException")
    assert refusal(worker.send("POST", f"/external-task/{second['id']}/complete", {"workerId": "w1"}))[0] == 400, "the id is missing"
    worker.post(f"/external-task/{second['id']}/bpmnError", {"workerId": "w1", "errorCode": "NO"})
    with cast.store.read() as session:
        assert sorted(session.scalars(select(Task.step).where(Task.state == "open"))) == ["check", "mend"]


def test_of_an_error_the_case_takes_what_its_event_names(with_token: Tokens, cast: Cast) -> None:
    event = error("grant", "refused", "NO")
    event.properties["out.reason"] = "why"
    xml = diagram("start > service:grant > end", "refused > user:mend > end:e2", event, element("grant", name="开通授权", topic="grants"),
                  element("mend", name="改正", unit="'007'", post="handler"), key="refusing", startPosts="handler")  # fmt: skip
    with cast.store.work() as work:
        deploy_in(work, Package("liaoyang_2018", xml, {}), by="x", approved_by="y", reason="测试", effective_at=shanghai("2026-01-01"))
    case = start_instance(cast.store, "refusing", actor=cast.actor("asker"), answers={})
    worker = with_token("operator", "external")
    [task] = worker.post("/external-task/fetchAndLock", FETCH)
    told = {"workerId": "w1", "errorCode": "NO", "variables": {"why": {"value": "已停用"}, "other": {"value": 1}}}
    assert refusal(worker.send("POST", f"/external-task/{task['id']}/bpmnError", {**told, "variables": {}}))[:2] == (400, "InvalidRequestException")
    worker.post(f"/external-task/{task['id']}/bpmnError", told)
    kept = with_token("asker").get(f"/process-instance/{case}/variables")
    assert kept["reason"] == {"value": "已停用", "type": "String", "valueInfo": {}} and "other" not in kept


def test_a_worker_may_ask_for_the_cases_of_one_key(with_token: Tokens, cases: list[int]) -> None:
    ordered = with_token("asker").post("/process-definition/key/granting/start", {"businessKey": "ORDER-7"})
    worker, topic = with_token("operator", "external"), FETCH["topics"][0]
    (found,) = worker.post("/external-task/fetchAndLock", {**FETCH, "topics": [{**topic, "businessKey": "ORDER-7"}]})
    assert (found["businessKey"], found["processInstanceId"]) == ("ORDER-7", ordered["id"])
    rest = worker.post("/external-task/fetchAndLock", FETCH)
    assert len(rest) == len(cases) and all(each["businessKey"].endswith("号") for each in rest), "the others by their numbers"
    assert worker.post("/external-task/fetchAndLock", {**FETCH, "topics": [{**topic, "businessKey": "none"}]}) == []


def test_tries_run_out_and_the_operator_lets_it_be_tried_again(with_token: Tokens, cases: list[int], clock: MovableClock) -> None:
    worker, operator = with_token("operator"), with_token("sysadmin")
    task = worker.post("/external-task/fetchAndLock", {**FETCH, "maxTasks": 1})[0]
    place = f"/external-task/{task['id']}"
    worker.post(f"{place}/failure", {"workerId": "w1", "errorMessage": "无应答", "errorDetails": "trace", "retries": 1, "retryTimeout": 30_000})
    assert operator.get(place)["errorMessage"] == "无应答"
    assert operator.send("GET", f"{place}/errorDetails").get_data(as_text=True) == "trace"
    clock.to(clock.now() + timedelta(seconds=30))
    worker.post("/external-task/fetchAndLock", FETCH)
    worker.post(f"{place}/failure", {"workerId": "w1", "errorMessage": "无应答", "retries": 0})
    assert operator.get("/external-task/count", noRetriesLeft="true") == {"count": 1}
    assert [each["id"] for each in operator.post("/external-task", {"noRetriesLeft": True})] == [task["id"]]
    operator.put(f"{place}/retries", {"retries": 3})
    clock.to(clock.now() + timedelta(minutes=2))
    assert task["id"] in {each["id"] for each in worker.post("/external-task/fetchAndLock", FETCH)}
    worker.post(f"{place}/extendLock", {"workerId": "w1", "newDuration": 120_000})
    worker.post(f"{place}/unlock")
    assert operator.get("/external-task", locked="true", sortBy="id", sortOrder="asc")[0]["id"] != task["id"]
    assert operator.get("/external-task/topic-names", withUnlockedTasks="true") == ["grants"]


def test_a_worker_that_lost_the_answer_asks_again_with_its_key_and_nothing_is_done_twice(
    with_token: Tokens, cases: list[int], cast: Cast, clock: MovableClock
) -> None:
    worker = with_token("operator", "external")
    first, second = worker.post("/external-task/fetchAndLock", FETCH)

    def told(task: dict[str, Any], act: str, key: str, **sent: Any) -> tuple[int, str | None]:
        answer = worker.send("POST", f"/external-task/{task['id']}/{act}", {"workerId": "w1", **sent}, headers={"Idempotency-Key": key})
        return answer.status_code, answer.headers.get("Idempotency-Replayed")

    def acts() -> list[str]:
        with cast.store.read() as session:
            return list(session.scalars(select(History.act).where(History.instance_id.in_(cases), History.act != "started").order_by(History.id)))

    tries = {"errorMessage": "无应答", "retries": 1, "retryTimeout": 1000}
    assert told(first, "failure", "f-1", **tries) == (204, None)
    assert told(first, "failure", "f-1", **tries) == (204, "true")
    assert acts() == ["external_failed"], "a failure that is told twice uses up one try"
    assert told(first, "failure", "f-1", **{**tries, "retries": 0}) == (409, None), "the same key for something else"
    clock.to(clock.now() + timedelta(seconds=1))
    worker.post("/external-task/fetchAndLock", FETCH)

    given = {"id": {"value": "G-1"}}
    assert told(first, "complete", "c-1") == (400, None), "without the id that the diagram takes"
    assert told(first, "complete", "c-1", variables=given) == (204, None), "what was refused has used up no key"
    for _ in range(2):
        assert told(first, "complete", "c-1", variables=given) == (204, "true")
    assert told(first, "complete", "c-2", variables=given)[0] == 404, "another key is another request"
    assert told(second, "bpmnError", "e-1", errorCode="NO") == (204, None)
    assert told(second, "bpmnError", "e-1", errorCode="NO") == (204, "true")
    assert acts() == ["external_failed", "external_completed", "external_error"]
    assert told(second, "bpmnError", "x" * 201, errorCode="NO")[0] == 400
    other = with_token("sysadmin", "external").send("POST", f"/external-task/{first['id']}/complete", {"workerId": "w1", "variables": given},
                                                    headers={"Idempotency-Key": "c-1"})
    assert other.status_code == 403, "an answer is remembered for who got it, and given to who may ask"
    clock.to(clock.now() + timedelta(days=7, seconds=1))
    forget_answers(cast.store)
    assert told(first, "complete", "c-1", variables=given)[0] == 404


def test_two_requests_with_one_key_at_once_do_it_once(with_token: Tokens, cases: list[int], cast: Cast) -> None:
    workers = [with_token("operator", "external") for _ in range(2)]
    task = workers[0].post("/external-task/fetchAndLock", {**FETCH, "maxTasks": 1})[0]
    begin, answers = threading.Barrier(2), list[tuple[int, str | None]]()

    def completes(worker: Program) -> None:
        begin.wait()
        answer = worker.send("POST", f"/external-task/{task['id']}/complete", {"workerId": "w1", "variables": {"id": {"value": "G"}}},
                             headers={"Idempotency-Key": "once"})
        answers.append((answer.status_code, answer.headers.get("Idempotency-Replayed")))

    both = [threading.Thread(target=completes, args=(worker,)) for worker in workers]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(answers, key=str) == [(204, "true"), (204, None)]
    with cast.store.read() as session:
        assert session.scalar(select(func.count()).where(History.act == "external_completed")) == 1


def test_only_the_token_and_the_post_for_it_open_the_door(with_token: Tokens, program: Callable[[str], Program], cases: list[int]) -> None:
    assert refusal(with_token("operator", "read").send("POST", "/external-task/fetchAndLock", FETCH))[0] == 403
    assert refusal(with_token("asker", "external").send("POST", "/external-task/fetchAndLock", FETCH))[0] == 403
    assert refusal(program("asker").send("GET", "/external-task"))[0] == 403
    assert len(program("operator").post("/external-task/fetchAndLock", FETCH)) == 2


def test_who_waits_is_given_what_comes_meanwhile(with_token: Tokens, cases: list[int], cast: Cast) -> None:
    worker = with_token("operator")
    assert len(worker.post("/external-task/fetchAndLock", FETCH)) == 2
    late: list[Any] = []
    waiting = threading.Thread(target=lambda: late.extend(worker.post("/external-task/fetchAndLock", {**FETCH, "asyncResponseTimeout": 9_000})))
    waiting.start()
    new = start_instance(cast.store, "granting", actor=cast.actor("asker"), answers={})
    waiting.join()
    assert [task["processInstanceId"] for task in late] == [str(new)]


def test_a_server_whose_waiting_places_are_taken_answers_at_once(with_token: Tokens, cases: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    worker = with_token("operator")
    worker.post("/external-task/fetchAndLock", FETCH)
    monkeypatch.setattr(external_tasks, "_slots", threading.BoundedSemaphore(1))
    with external_tasks._slots:
        monkeypatch.setattr(external_tasks, "_never", None)  # whoever waited would fail here
        assert worker.post("/external-task/fetchAndLock", {**FETCH, "asyncResponseTimeout": 1_800_000}) == []


@pytest.mark.parametrize("change", [
    {"workerId": ""}, {"maxTasks": 0}, {"maxTasks": 1000}, {"topics": [{"topicName": "grants"}]}, {"nonsense": 1},
    {"topics": [{"topicName": "grants", "lockDuration": 0}]}, {"topics": [{"topicName": "grants", "lockDuration": 10**12}]},
    {"topics": [{"topicName": "grants", "lockDuration": 1000}] * 60}, {"asyncResponseTimeout": 10**9},
])  # fmt: skip
def test_what_no_worker_should_ask_is_named(with_token: Tokens, cases: list[int], change: dict[str, Any]) -> None:
    worker = with_token("operator")
    assert refusal(worker.send("POST", "/external-task/fetchAndLock", {**FETCH, **change}))[:2] == (400, "InvalidRequestException")
    assert len(worker.post("/external-task/fetchAndLock", FETCH)) == 2, "nothing was locked"


def test_a_worker_may_choose_by_what_it_is_given(with_token: Tokens, cases: list[int]) -> None:
    worker = with_token("operator")
    topic = FETCH["topics"][0]  # type: ignore[index]
    for wanted, many in (({"unit": "007"}, 2), ({"unit": "013"}, 0), ({"nothing": "1"}, 0)):
        asked = {**FETCH, "topics": [{**topic, "lockDuration": 1, "processVariables": wanted, "variables": ["unit"]}]}
        found = worker.post("/external-task/fetchAndLock", asked)
        assert len(found) == many and all(set(task["variables"]) == {"unit"} for task in found)
        for task in found:
            worker.post(f"/external-task/{task['id']}/unlock")


def test_retries_of_several_are_set_by_a_query_or_by_their_cases(with_token: Tokens, cases: list[int]) -> None:
    operator = with_token("sysadmin")

    def retries() -> dict[str, int | None]:
        return {each["processInstanceId"]: each["retries"] for each in operator.get("/external-task")}

    first, second = (str(each) for each in cases)
    for sent, found in (
        ({"externalTaskQuery": {"processInstanceId": first}}, {first: 3, second: None}), ({"processInstanceIds": [second]}, {first: 3, second: 3}),
        ({"externalTaskQuery": {"topicName": "none"}}, {first: 3, second: 3}), ({"externalTaskQuery": {}}, {first: 3, second: 3}),
    ):
        assert operator.send("PUT", "/external-task/retries", {"retries": 3, **sent}).status_code == 204
        assert retries() == found
    for sent, word in (({}, "externalTaskIds"), ({"externalTaskQuery": {"colour": 1}}, "colour"), ({"processInstanceQuery": {}}, "processInstanceQuery")):
        status, _, said = refusal(operator.send("PUT", "/external-task/retries", {"retries": 1, **sent}))
        assert status == 400 and word in said
    assert refusal(with_token("asker").send("PUT", "/external-task/retries", {"retries": 1, "externalTaskQuery": {}}))[0] == 403
    assert retries() == {first: 3, second: 3}
