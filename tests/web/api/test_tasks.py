"""Tasks at the API: asked for in every way, claimed, completed once, and never more than the caller may see."""

from __future__ import annotations

from collections.abc import Callable

from engine.store.clock import MovableClock
from tests.web.api.client import Program, refusal
from tests.web.api.test_access import statements
from tests.web.cast import Cast
from tests.web.desk import Desk

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]


def test_a_task_is_found_claimed_and_completed(program: Programs, desk: Desks) -> None:
    case = desk("asker").ask()
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=case)
    assert task["name"] == "部门负责人审签" and task["assignee"] is None and task["processInstanceId"] == str(case)
    assert task["processDefinitionId"].startswith("conditional_share:1:") and task["office"]["candidateGroup"] == "007/head"
    assert task["created"] == "2026-02-10T09:00:00.000+0800"
    number = task["id"]
    head.post(f"/task/{number}/claim", {"userId": "asker_head"})
    assert head.get(f"/task/{number}")["assignee"] == "asker_head"
    head.post(f"/task/{number}/unclaim")
    assert head.get(f"/task/{number}")["assignee"] is None
    form = head.get(f"/task/{number}/deployed-form")
    assert "sign" in [field.get("key") for field in form["fields"]]
    head.post(f"/task/{number}/complete", {"variables": {"sign": {"value": "agree", "type": "String"}}, "opinion": "同意"})
    assert refusal(head.send("GET", f"/task/{number}"))[:2] == (404, "InvalidRequestException")
    assert program("provider").get("/task/count", candidateGroup="013/intake") == {"count": 1}


def test_answers_that_the_form_refuses_change_nothing(program: Programs, desk: Desks) -> None:
    case = desk("asker").ask()
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=case)
    response = head.send("POST", f"/task/{task['id']}/complete", {"variables": {"sign": {"value": "perhaps"}, "colour": {"value": "red"}}})
    status, kind, _ = refusal(response)
    assert (status, kind) == (400, "InvalidRequestException") and set(response.get_json()["fields"]) >= {"sign", "colour"}
    assert head.get(f"/task/{task['id']}") == task


def test_what_one_may_not_see_is_not_there(program: Programs, desk: Desks) -> None:
    case = desk("asker").ask()
    (task,) = program("asker_head").get("/task", processInstanceId=case)
    stranger = program("outsider")
    assert stranger.get("/task") == [] and stranger.get("/task/count") == {"count": 0}
    for method, end, sent in (("GET", "", None), ("GET", "/variables", None), ("POST", "/claim", {}), ("POST", "/complete", {})):
        assert refusal(stranger.send(method, f"/task/{task['id']}{end}", sent))[0] == 404
    assert program("outsider").send("GET", "/task/no-number").status_code == 404
    asker = program("asker")
    assert asker.get(f"/task/{task['id']}")["id"] == task["id"], "the asker sees the case of the own unit"
    assert refusal(asker.send("POST", f"/task/{task['id']}/complete", {}))[:2] == (403, "AuthorizationException")
    assert refusal(program("asker_head").send("POST", f"/task/{task['id']}/claim", {"userId": "asker"}))[0] == 403


def test_a_retry_completes_nothing_twice(program: Programs, desk: Desks) -> None:
    case = desk("asker").ask()
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=case)
    address, sent, key = f"/task/{task['id']}/complete", {"variables": {"sign": {"value": "agree"}}}, {"Idempotency-Key": "retry-1"}
    assert head.send("POST", address, sent, headers=key).status_code == 204
    again = head.send("POST", address, sent, headers=key)
    assert again.status_code == 204 and again.headers["Idempotency-Replayed"] == "true"
    other = head.send("POST", address, {**sent, "opinion": "改主意"}, headers=key)
    assert refusal(other)[0] == 409, "the same key for something else"
    assert refusal(head.send("POST", address, sent))[0] == 404, "without the key it is a task that is done"
    assert len(program("provider").get("/task", candidateGroup="013/intake")) == 1


def test_who_has_read_an_older_state_is_refused(program: Programs, desk: Desks) -> None:
    case = desk("asker").ask()
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=case)
    read = head.send("GET", f"/task/{task['id']}").headers["ETag"]
    head.post(f"/task/{task['id']}/claim")
    sent = {"variables": {"sign": {"value": "agree"}}}
    late = head.send("POST", f"/task/{task['id']}/complete", sent, headers={"If-Match": read})
    assert refusal(late)[:2] == (409, "OptimisticLockingException")
    assert head.send("POST", f"/task/{task['id']}/complete", sent, headers={"If-Match": '"something"'}).status_code == 412
    now = head.send("GET", f"/task/{task['id']}").headers["ETag"]
    assert head.send("POST", f"/task/{task['id']}/complete", sent, headers={"If-Match": now}).status_code == 204


def test_filters_sorting_and_pages(program: Programs, desk: Desks, clock: MovableClock) -> None:
    first, second, third = desk("asker").ask(), desk("asker").ask(), desk("asker").ask()
    head = program("asker_head")
    numbers = [task["id"] for task in head.get("/task")]
    assert len(numbers) == 3
    query = {"sorting": [{"sortBy": "created", "sortOrder": "desc"}, {"sortBy": "id", "sortOrder": "desc"}]}
    assert [task["id"] for task in head.post("/task", query)] == numbers[::-1]
    assert [task["id"] for task in head.post("/task?firstResult=1&maxResults=1", query)] == [numbers[1]]
    response = head.send("GET", "/task?maxResults=2&sortBy=dueDate&sortOrder=asc")
    after = response.headers["X-Next-After"]
    seen = [task["id"] for task in response.get_json()] + [task["id"] for task in head.get("/task", maxResults=2, sortBy="dueDate", sortOrder="asc", after=after)]
    assert sorted(seen) == numbers
    either = {"orQueries": [{"processInstanceId": str(first), "processInstanceIdIn": [str(third)]}]}
    assert {task["processInstanceId"] for task in head.post("/task", either)} == {str(first), str(third)}
    held = {"processVariables": [{"name": "basis", "operator": "like", "value": "《社会救助%"}]}
    assert head.post("/task/count", held) == {"count": 3}
    assert head.get("/task/count", processVariables="basis_eq_别的") == {"count": 0}
    assert head.get("/task/count", createdAfter="2026-02-10T00:59:00Z") == {"count": 3}
    assert head.get("/task/count", createdBefore="2026-02-10T09:00:00.000+08:00") == {"count": 0}
    assert head.get("/task/count", assignee="asker_head") == {"count": 0} and head.get("/task/count", unassigned="true") == {"count": 3}
    assert head.get("/task/count", candidateUser="asker_head") == {"count": 3} and head.get("/task/count", nameLike="%审签") == {"count": 3}
    assert second
    # What every task lists by: one priority for all, nothing put off, no description.
    for asked, found in (
        ({"priority": 50}, 3), ({"priority": 51}, 0), ({"minPriority": 50}, 3), ({"minPriority": 51}, 0), ({"maxPriority": 50}, 3), ({"maxPriority": 49}, 0),
        ({"followUpBeforeOrNotExistent": "2026-02-10T09:00:00.000+0800"}, 3), ({"followUpAfter": "2026-02-10T09:00:00.000+0800"}, 0), ({"descriptionLike": "%"}, 0),
    ):  # fmt: skip
        assert head.get("/task/count", **asked) == {"count": found}, asked
    both = {"orQueries": [{"minPriority": 10, "processInstanceId": str(first)}]}
    assert head.post("/task/count", both) == {"count": 3}, "all of them have that priority, whatever else is asked beside it"


def test_bad_questions_are_told_by_name(program: Programs, desk: Desks) -> None:
    desk("asker").ask()
    head = program("asker_head")
    for question, named in (
        ("colour=red", "colour"), ("maxResults=100000", "maxResults"), ("createdAfter=yesterday", "createdAfter"), ("sortBy=id", "sortOrder"),
        ("sortBy=colour&sortOrder=asc", "sortBy"), ("assigned=maybe", "assigned"), ("after=nonsense", "翻页"), ("taskId=1&taskId=2", "taskId"),
        ("name=%00", "name"),
    ):  # fmt: skip
        status, _, message = refusal(head.send("GET", f"/task?{question}"))
        assert status == 400 and named in message, question
    for sent, named in (
        ({"colour": "red"}, "colour"), ({"assignee": 7}, "assignee"), ({"sorting": [{"sortBy": "id"}]}, "sortOrder"),
        ({"orQueries": [{"colour": 1}]}, "colour"), ([], "object"), ({"processVariables": [{"name": "x", "operator": "is", "value": 1}]}, "operator"),
    ):  # fmt: skip
        status, _, message = refusal(head.send("POST", "/task", sent))
        assert status == 400 and named in message, sent
    deep = b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert refusal(head.send("POST", "/task", data=deep))[0] == 400
    assert refusal(head.send("POST", "/task", data=b"{" + b" " * 3_000_000 + b"}"))[0] == 413


def test_a_list_costs_one_question_whatever_its_length(program: Programs, desk: Desks, cast: Cast) -> None:
    head = program("asker_head")
    desk("asker").ask()
    head.get("/task")
    with statements(cast) as one:
        head.get("/task")
    for _ in range(3):
        desk("asker").ask()
    with statements(cast) as four:
        assert len(head.get("/task")) == 4
    assert len(one) == len(four) == 3, "who asks, whether their unit has many cases, and what there is"
