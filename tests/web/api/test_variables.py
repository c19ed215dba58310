"""Data at the API: corrected in a case, set ahead and noted on a task, and found one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from engine.history import History
from engine.process.instances import terminate_instance
from tests.web.api.client import Program, refusal
from tests.web.api.test_access import statements
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]


def fields(response: Any) -> dict[str, str]:
    assert response.status_code == 400, response.get_data(as_text=True)
    found: dict[str, str] = response.get_json()["fields"]
    return found


def signing(program: Programs, desk: Desks) -> tuple[Program, str, int]:
    """The head who is to sign, the task, the case."""
    case = desk("asker").ask()
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=case)
    return head, f"/task/{task['id']}", case


# -- correcting a case --------------------------------------------------------------------------


def test_the_data_of_a_case_are_corrected_by_who_supervises(program: Programs, desk: Desks, cast: Cast) -> None:
    case = desk("asker").ask()
    office, address = program("office_head"), f"/process-instance/{case}/variables"
    read = office.send("GET", f"/process-instance/{case}").headers["ETag"]
    office.put(f"{address}/valid_until", {"value": "2027-06-30", "type": "String", "reason": "申请单位来函更正"})
    office.post(address, {"modifications": {"volume": {"value": 300, "type": "Integer"}, "scope": {"value": "救助科"}}})
    told = office.get(address)
    assert (told["valid_until"]["value"], told["volume"]["value"], told["scope"]["value"]) == ("2027-06-30", 300, "救助科")
    execution = f"/execution/{case}/localVariables"
    office.put(f"{execution}/scope", {"value": "社会救助科"})
    office.post(execution, {"modifications": {"scope": {"value": "救助科"}}})
    assert set(fields(office.send("DELETE", f"{execution}/scope"))) == {"scope"}
    late = office.send("PUT", f"{address}/scope", {"value": "x"}, headers={"If-Match": read})
    assert refusal(late)[:2] == (409, "OptimisticLockingException")
    assert office.send("PUT", f"{address}/scope", {"value": "x"}, headers={"If-Match": "x"}).status_code == 412
    acts = office.get("/history/user-operation", processInstanceId=case, operationType="ModifyVariable")
    assert [act["office"]["act"] for act in acts] == ["corrected"] * 4 and acts[0]["userId"] == "office_head"
    with cast.store.read() as session:
        reasons = [data["reason"] for data in session.scalars(select(History.data).where(History.act == "corrected").order_by(History.id))]
    assert reasons == ["申请单位来函更正", *["经接口办理，未填写理由"] * 3]
    page = text_of(desk("asker").get(f"/cases/{case}"))
    assert "更正数据" in page and "由“2027-02-28”改为“2027-06-30”" in page


def test_what_cannot_be_corrected_is_named_and_nothing_changes(program: Programs, desk: Desks) -> None:
    case = desk("asker").ask()
    office, address = program("office_head"), f"/process-instance/{case}/variables"
    before = office.get(address)
    wrong = {name: {"value": value} for name, value in {"resource_code": "x", "applicant_unit": "014", "colour": "red", "valid_until": "明天"}.items()}
    said = fields(office.send("POST", address, {"modifications": {**wrong, "scope": {"value": "y"}}, "deletions": ["basis", "grant"]}))
    assert set(said) == {"resource_code", "applicant_unit", "colour", "valid_until", "basis", "grant"}
    assert set(fields(office.send("DELETE", f"{address}/basis"))) == {"basis"}
    assert refusal(office.send("POST", address, {}))[0] == 400
    assert refusal(office.send("PUT", f"{address}/scope", {"value": "y", "local": True}))[0] == 400, "nothing is ignored"
    assert refusal(office.send("PUT", f"{address}/scope", {"value": 7, "type": "String"}))[0] == 400
    assert office.get(address) == before
    assert refusal(program("asker").send("PUT", f"{address}/scope", {"value": "y"}))[:2] == (403, "AuthorizationException")
    assert refusal(program("sysadmin").send("PUT", f"{address}/scope", {"value": "y"}))[0] == 404, "who operates sees no case"
    assert refusal(program("outsider").send("DELETE", f"{address}/scope"))[0] == 404
    office.send("DELETE", f"/process-instance/{case}")
    assert refusal(office.send("PUT", f"{address}/scope", {"value": "y"}))[0] == 404, "an ended case is none that runs"


# -- answers set ahead --------------------------------------------------------------------------


def test_answers_are_set_ahead_and_taken_by_an_empty_completion(program: Programs, desk: Desks) -> None:
    head, task, case = signing(program, desk)
    head.put(f"{task}/variables/sign", {"value": "agree", "type": "String"})
    assert head.get(f"{task}/variables")["sign"]["value"] == head.get(f"{task}/variables/sign")["value"] == "agree"
    assert head.get(f"{task}/form-variables")["sign"]["value"] == "agree"
    assert "sign" not in head.get(f"/process-instance/{case}/variables"), "no data of the case yet"
    page = text_of(desk("asker_head").get(task.replace("/task/", "/tasks/")))
    assert "经接口预填，请核对后提交" in page and 'value="agree" id="sign" checked' in page
    head.post(f"{task}/claim", {})
    head.post(f"{task}/unclaim", {})
    told = head.post(f"{task}/complete", {"withVariablesInReturn": True})
    assert told["sign"] == {"value": "agree", "type": "String", "valueInfo": {}}
    assert program("provider").get("/task/count", candidateGroup="013/intake") == {"count": 1}


def test_what_a_completion_sends_itself_counts_before_what_was_set_ahead(program: Programs, desk: Desks) -> None:
    head, task, case = signing(program, desk)
    head.post(f"{task}/variables", {"modifications": {"sign": {"value": "return"}}})
    assert "opinion" in fields(head.send("POST", f"{task}/complete", {})), "a refusal wants its words"
    head.post(f"{task}/complete", {"variables": {"sign": {"value": "agree"}}})
    assert head.get(f"/process-instance/{case}/variables/sign")["value"] == "agree"


def test_a_persons_own_draft_is_shown_before_it(program: Programs, desk: Desks) -> None:
    head, task, _ = signing(program, desk)
    head.put(f"{task}/variables/sign", {"value": "agree"})
    browser, address = desk("asker_head"), task.replace("/task/", "/tasks/")
    browser.get(address)
    assert browser.as_json("PUT", f"{address}/draft", {"answers": {"sign": "return"}, "opinion": "", "known": ""}).status_code == 200
    assert 'value="return" checked' in text_of(browser.get(address))


def test_only_answers_of_the_step_can_be_set_ahead(program: Programs, desk: Desks) -> None:
    head, task, _ = signing(program, desk)
    said = fields(head.send("PUT", f"{task}/variables/basis", {"value": "x"}))
    assert list(said) == ["basis"] and "localVariables" in said["basis"]
    both = {"modifications": {"sign": {"value": "perhaps"}, "colour": {"value": 1}}, "deletions": ["basis"]}
    assert set(fields(head.send("POST", f"{task}/variables", both))) == {"sign", "colour", "basis"}
    assert "sign" not in head.get(f"{task}/variables")
    head.put(f"{task}/variables/sign", {"value": "agree"})
    assert head.send("DELETE", f"{task}/variables/sign").status_code == head.send("DELETE", f"{task}/variables/sign").status_code == 204
    assert refusal(head.send("GET", f"{task}/variables/sign"))[0] == 404
    assert refusal(program("asker").send("PUT", f"{task}/variables/sign", {"value": "agree"}))[0] == 403
    assert refusal(program("outsider").send("PUT", f"{task}/variables/sign", {"value": "agree"}))[0] == 404
    assert refusal(head.send("GET", f"{task}/variables/basis/data"))[0] == 501


def test_they_go_with_a_transfer_and_not_over_a_return(program: Programs, desk: Desks) -> None:
    head, task, case = signing(program, desk)
    head.put(f"{task}/variables/sign", {"value": "agree"})
    head.put(f"{task}/localVariables/mark", {"value": 1})
    head.post(f"{task}/return", {"to": "starter", "reason": "请补充"})
    (again,) = program("asker").get("/task", processInstanceId=case)
    assert "sign" not in program("asker").get(f"/task/{again['id']}/variables") and program("asker").get(f"/task/{again['id']}/localVariables") == {}
    assert refusal(head.send("PUT", f"{task}/variables/sign", {"value": "agree"}))[0] == 404, "closed"


# -- notes on a task ----------------------------------------------------------------------------


def test_a_program_notes_what_it_wants_on_a_task(program: Programs, desk: Desks) -> None:
    head, task, case = signing(program, desk)
    value = {"batch": [1, 2.5, None], "done": False}
    head.put(f"{task}/localVariables/robot 状态", {"value": value, "type": "Json"})
    head.post(f"{task}/localVariables", {"modifications": {"tries": {"value": 3}, "ok": {"value": True}, "gone": {"value": "x"}}})
    head.send("DELETE", f"{task}/localVariables/gone")
    notes = head.get(f"{task}/localVariables")
    assert {name: one["type"] for name, one in notes.items()} == {"robot 状态": "Json", "tries": "Integer", "ok": "Boolean"}
    assert head.get(f"{task}/localVariables/tries") == {"value": 3, "type": "Integer", "valueInfo": {}}
    assert head.get(f"{task}/variables/tries")["value"] == 3, "what the task sees"
    assert list(head.get(f"{task}/localVariables", variableNames="ok")) == ["ok"]
    assert head.get("/task/count", taskVariables="tries_gteq_3") == {"count": 0}, "an address holds texts"
    for operator, wanted, count in (("gteq", 3, 1), ("lt", 3, 0), ("eq", "3", 0)):
        asked = {"taskVariables": [{"name": "tries", "operator": operator, "value": wanted}], "processInstanceId": str(case)}
        assert head.post("/task/count", asked) == {"count": count}, operator
    assert "tries" not in head.get(f"/process-instance/{case}/variables")
    head.post(f"{task}/complete", {"variables": {"sign": {"value": "agree"}}})
    assert "tries" not in program("office_head").get(f"/process-instance/{case}/variables")


def test_notes_have_names_and_an_end(program: Programs, desk: Desks) -> None:
    head, task, _ = signing(program, desk)
    for name in ("_own", "n" * 101, "a\tb", ""):
        assert len(fields(head.send("POST", f"{task}/localVariables", {"modifications": {name: {"value": 1}}}))) == 1, name
    head.put(f"{task}/localVariables/long", {"value": "x" * 16_000})
    assert refusal(head.send("PUT", f"{task}/localVariables/more", {"value": "x" * 1000}))[0] == 400
    assert list(head.get(f"{task}/localVariables")) == ["long"]
    assert refusal(head.send("GET", f"{task}/localVariables/none"))[0] == 404
    assert refusal(program("asker").send("PUT", f"{task}/localVariables/x", {"value": 1}))[0] == 403
    assert refusal(program("outsider").send("GET", f"{task}/localVariables"))[0] == 404
    assert refusal(head.send("POST", f"{task}/localVariables/x/data", {}))[0] == 501


# -- found one by one ---------------------------------------------------------------------------


def test_data_of_running_cases_are_found_one_by_one(program: Programs, desk: Desks) -> None:
    head, task, first = signing(program, desk)
    second = desk("asker").ask(volume="500")
    head.put(f"{task}/localVariables/tries", {"value": 3})
    found = head.get("/variable-instance", processInstanceIdIn=f"{first},{second}", variableName="volume")
    assert [(one["id"], one["value"], one["type"], one["taskId"]) for one in found] == [
        (f"{first}:volume", 200, "Integer", None), (f"{second}:volume", 500, "Integer", None)]  # fmt: skip
    assert found[0]["executionId"] == found[0]["activityInstanceId"] == str(first) and found[0]["processDefinitionId"].startswith("conditional_share:1:")
    assert head.get("/variable-instance", variableName="volume") == found
    assert head.get(f"/variable-instance/{first}:volume") == found[0]
    over = {"variableValues": [{"name": "volume", "operator": "gt", "value": 200}]}
    assert head.post("/variable-instance", over) == found[1:] and head.post("/variable-instance/count", over) == {"count": 1}
    ranged = {"variableValues": [{"name": "volume", "operator": "gt", "value": 100}, {"name": "volume", "operator": "lt", "value": 300},
                                 {"name": "scope", "operator": "like", "value": "社会%"}], "executionIdIn": [str(first)]}  # fmt: skip
    assert [one["name"] for one in head.post("/variable-instance", {**ranged, "sorting": [{"sortBy": "variableName", "sortOrder": "desc"}]})] == ["volume", "scope"]
    assert head.get("/variable-instance/count", variableValues="scope_eq_社会救助科") == {"count": 2}
    assert {one["name"] for one in head.get("/variable-instance", processInstanceIdIn=first, variableNameLike="promise\\_%")} == {
        "promise_no_secrets", "promise_security", "promise_no_third_party"}  # fmt: skip
    (note,) = head.get("/variable-instance", taskIdIn=task.rpartition("/")[2])
    assert (note["name"], note["value"], note["taskId"]) == ("tries", 3, task.rpartition("/")[2]) and head.get(f"/variable-instance/{note['id']}") == note
    whole = head.get("/variable-instance", processInstanceIdIn=first, sortBy="variableType", sortOrder="asc")
    kinds = [one["type"] for one in whole]
    assert kinds == sorted(kinds) and not any(one["name"].startswith("_") for one in whole) and len(whole) > 10


def test_pages_go_on_behind_the_last_row_and_do_not_overlap(program: Programs, desk: Desks) -> None:
    cases = [desk("asker").ask() for _ in range(2)]
    head = program("asker_head")
    asked = {"processInstanceIdIn": ",".join(map(str, cases))}
    whole = [one["id"] for one in head.get("/variable-instance", **asked)]
    for order in ({}, {"sortBy": "variableName", "sortOrder": "desc"}, {"sortBy": "variableType", "sortOrder": "asc"}):
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            response = head.send("GET", "/variable-instance", query_string={**asked, **order, **after, "maxResults": 7})
            seen += [one["id"] for one in response.get_json()]
            if "X-Next-After" not in response.headers:
                break
            after = {"after": response.headers["X-Next-After"]}
        assert sorted(seen) == sorted(whole) and len(seen) == len(set(seen)), order
    assert head.get("/variable-instance", maxResults=3, firstResult=2, **asked) == head.get("/variable-instance", **asked)[2:5]
    assert head.get("/variable-instance/count", **asked) == {"count": len(whole)}


def test_nobody_asks_for_everything_and_nobody_sees_more_than_theirs(program: Programs, desk: Desks, cast: Cast) -> None:
    head, task, case = signing(program, desk)
    head.put(f"{task}/localVariables/tries", {"value": 3})
    for asked in ({}, {"variableNameLike": "%"}):
        for path in ("/variable-instance", "/variable-instance/count", "/history/variable-instance"):
            status, _, said = refusal(head.send("GET", path, query_string=asked))
            assert status == 400 and "variableName" in said
    stranger, number = program("outsider"), task.rpartition("/")[2]
    for query in ({"variableName": "volume"}, {"processInstanceIdIn": case}, {"taskIdIn": number}, {"variableValues": "scope_like_%"}):
        assert stranger.get("/variable-instance", **query) == [], query
    assert stranger.get("/history/variable-instance", variableName="volume") == []
    for wanted in (f"{case}:volume", f"task:{number}:tries", f"{case}:none", f"{case}:_x", "volume", "x:y", "task:1", f"{'9' * 30}:volume"):
        asking = stranger if wanted.endswith(("volume", "tries")) else head
        assert refusal(asking.send("GET", f"/variable-instance/{wanted}"))[0] == 404, wanted
    assert refusal(head.send("GET", "/variable-instance", query_string={"variableName": "volume", "tenantIdIn": "x"}))[0] == 400
    terminate_instance(cast.store, case, actor=cast.actor("office_head"), reason="重复")
    assert head.get("/variable-instance", variableName="volume") == [], "only of what runs"
    (past,) = head.get("/history/variable-instance", variableName="volume")
    assert head.get(f"/history/variable-instance/{case}:volume") == past and refusal(stranger.send("GET", f"/history/variable-instance/{case}:volume"))[0] == 404
    for wanted in (f"task:{number}:tries", f"{case}:none", "x"):
        assert refusal(head.send("GET", f"/history/variable-instance/{wanted}"))[0] == 404
    assert (past["value"], past["processInstanceId"]) == (200, str(case)) and head.get("/history/variable-instance/count", variableName="volume") == {"count": 1}


def test_an_auditor_leaves_a_trace_in_each_case(program: Programs, desk: Desks, cast: Cast) -> None:
    cases = [desk("asker").ask() for _ in range(2)]
    assert len(program("auditor").get("/variable-instance", variableName="volume")) == 2
    with cast.store.read() as session:
        looks = session.scalars(select(History.data).where(History.act == "looked")).all()
    assert sorted(look["instance"] for look in looks) == cases


def test_a_list_of_values_costs_two_statements(program: Programs, desk: Desks, with_token: Callable[..., Program], cast: Cast) -> None:
    for _ in range(3):
        desk("asker").ask()
    head = with_token("asker_head", "read")
    head.get("/variable-instance", variableName="volume")
    with statements(cast) as sent:
        assert len(head.get("/variable-instance", variableName="volume")) == 3
    assert len(sent) <= 4, sent  # who asks, whether their unit has many cases, the list, the values of the page
