"""Sums over time: exactly what happened, for who may know it, and a reason where nothing is kept."""

from __future__ import annotations

from collections.abc import Callable

from engine.process.instances import start_instance
from engine.store.clock import MovableClock
from tests.engine.interpreter.diagrams import call
from tests.web.api.client import Program, refusal
from tests.web.api.test_access import statements
from tests.web.api.test_upkeep import deploys
from tests.web.cast import Cast
from tests.web.desk import Desk

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]


def total(caller: Program, name: str, **between: str) -> int:
    answer = caller.get(f"/metrics/{name}/sum", **between)
    assert answer.keys() == {"result"}
    return int(answer["result"])


def test_cases_and_people_are_counted_between_two_instants(program: Programs, desk: Desks, clock: MovableClock) -> None:
    desk("asker").ask()
    desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    clock.to("2026-02-11 09:00")
    desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    operator = program("sysadmin")
    assert total(operator, "process-instances") == total(operator, "root-process-instance-start") == 3
    assert total(operator, "task-users") == 1, "one person, however many tasks"
    begun, next_day = "2026-02-10T09:00:00.000+0800", "2026-02-11T09:00:00.000+0800"
    assert total(operator, "process-instances", startDate=next_day) == 1, "from that instant on"
    assert total(operator, "process-instances", startDate=begun, endDate=next_day) == 2, "and before that"
    assert total(operator, "process-instances", endDate=begun) == total(operator, "unique-task-workers", endDate=begun) == 0
    assert total(operator, "task-users", startDate="2026-02-11T01:00:00Z") == 1


def test_a_case_that_another_waits_for_is_counted_with_that_one(program: Programs, cast: Cast) -> None:
    deploys(cast, "start > user:reply > end")
    deploys(cast, "start > call:part > user:reply > end", call("part", "asking"), key="outer")
    start_instance(cast.store, "outer", actor=cast.actor("asker"), answers={})
    seer = program("office")
    assert seer.get("/history/process-instance/count") == {"count": 2}
    assert total(seer, "process-instances") == 1


def test_what_is_not_kept_is_refused_with_the_reason(program: Programs) -> None:
    operator = program("sysadmin")
    for name, reason in (("activity-instance-start", "steps"), ("flow-node-instances", "steps"), ("job-failed", "timers"), ("decision-instances", "DMN")):
        status, kind, said = refusal(operator.send("GET", f"/metrics/{name}/sum"))
        assert (status, kind) == (501, "NotImplementedException") and reason in said
    assert refusal(operator.send("GET", "/metrics/nonsense/sum"))[0] == 404
    assert refusal(operator.send("GET", "/metrics"))[0] == 501
    for wrong in ("startDate=yesterday", "endDate=2026-01-01", "interval=900"):
        assert refusal(operator.send("GET", f"/metrics/process-instances/sum?{wrong}"))[0] == 400, wrong


def test_sums_are_for_who_operates_or_sees_every_case(program: Programs, cast: Cast) -> None:
    for login in ("sysadmin", "office", "auditor"):
        assert total(program(login), "process-instances") == 0
    for login in ("asker", "operator", "editor", "secadmin"):
        assert refusal(program(login).send("GET", "/metrics/process-instances/sum"))[:2] == (403, "AuthorizationException"), login
    operator = program("sysadmin")
    operator.get("/metrics/task-users/sum")
    with statements(cast) as asked:
        operator.get("/metrics/task-users/sum")
    assert len(asked) == 2, "who asks, and the sum"
