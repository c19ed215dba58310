"""Going back and handing on at the API, each to its end: returns, withdrawals, transfers, delegations and signatures in a process of two branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.people.accounts import create_account
from engine.process.definitions import deploy_in
from engine.process.instances import start_instance
from engine.process.package import Package
from engine.store.clock import MovableClock, shanghai
from tests.engine.interpreter.diagrams import diagram, element
from tests.web.api.client import Program, refusal
from tests.web.cast import Cast, one_hash

Programs = Callable[[str], Program]
EVERY = "return,withdraw,transfer,delegate,add_signer,copy_to,urge"


@pytest.fixture
def case(cast: Cast, clock: MovableClock) -> str:
    """An answer of 013, which two of its reviewers then look at side by side, while a program is told; its intake has a second officer."""
    handler, reviewer = {"unit": "'013'", "post": "handler"}, {"unit": "'013'", "post": "business_reviewer"}
    xml = diagram(
        "start > user:reply > and:fork > user:look > and:join > user:file > end", "fork > user:read > join", "fork > service:tell > join",
        element("reply", name="答复", **handler), element("look", name="审核", **reviewer), element("read", name="复核", **reviewer),
        element("tell", name="告知", topic="mail"), element("file", name="归档", **handler), key="asking", startPosts="handler", actions=EVERY,
    )  # fmt: skip
    with cast.store.work() as work:
        deploy_in(work, Package("liaoyang_2018", xml, {}), by="x", approved_by="y", reason="测试", effective_at=shanghai("2026-01-01"))
    unit = cast.actor("provider").unit_id
    cast.ids["twin"] = create_account(cast.store, "twin", "孙住建", unit, actor=None, password_hash=one_hash(), appointments=[(unit, "handler")])
    return str(start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={}))


def tasks(person: Program, case: str) -> dict[str, Any]:
    """The open tasks of the case, by their steps."""
    return {task["taskDefinitionKey"]: task for task in person.get("/task", processInstanceId=case)}


def acts(person: Program, case: str) -> list[str]:
    return [act["office"]["act"] for act in person.get("/history/user-operation", processInstanceId=case, sortBy="timestamp", sortOrder="asc")]


def asks(person: Program, case: str, *instructions: dict[str, Any], annotation: str | None = "答复不完整", **more: Any) -> tuple[int, str]:
    """Sends a modification: the status, and what a refusal says."""
    sent = {"instructions": list(instructions), "annotation": annotation, **more}
    response = person.send("POST", f"/process-instance/{case}/modification", sent)
    return (204, "") if response.status_code == 204 else (response.status_code, refusal(response)[2])


def cancel(step: str) -> dict[str, Any]:
    return {"type": "cancel", "activityId": step}


def before(step: str) -> dict[str, Any]:
    return {"type": "startBeforeActivity", "activityId": step}


def test_several_instructions_that_are_one_return(program: Programs, case: str) -> None:
    provider, reviewer = program("provider"), program("provider_reviewer")
    first = tasks(provider, case)["reply"]
    provider.post(f"/task/{first['id']}/complete")
    open_ = tasks(reviewer, case)
    assert open_.keys() == {"look", "read"}
    status, said = asks(reviewer, case, cancel("look"), before("reply"))
    assert status == 400 and "还会撤销“mail”、“复核”" in said, "what nobody named does not end"
    assert tasks(reviewer, case) == open_
    tree = reviewer.get(f"/process-instance/{case}/activity-instances")["childActivityInstances"]
    ends = [{"type": "cancel", "activityInstanceId": node["id"]} for node in tree]
    assert len(ends) == 3 and asks(reviewer, case, *ends, before("reply"), skipCustomListeners=True, skipIoMappings=True) == (204, "")
    again = tasks(provider, case)
    assert again.keys() == {"reply"} and again["reply"]["assignee"] == "provider" and again["reply"]["id"] != first["id"]
    assert acts(provider, case)[-1] == "returned"
    assert asks(provider, case, cancel("reply"), before("start")) == (204, "")
    assert tasks(program("asker"), case)["start"]["assignee"] == "asker"


def test_a_branch_that_would_go_on_is_not_taken_for_ended(program: Programs, case: str) -> None:
    provider, reviewer = program("provider"), program("provider_reviewer")
    provider.post(f"/task/{tasks(provider, case)['reply']['id']}/complete")
    for instructions, status, word in (
        ([cancel("look"), cancel("read"), before("reply")], 400, "mail"), ([cancel("nowhere"), before("reply")], 400, "nowhere"),
        ([cancel("tell"), before("reply")], 400, "待办"), ([cancel("look"), before("file")], 400, "不能退回该环节"), ([cancel("look"), before("starter")], 400, "step"),
        ([cancel("look")], 501, "startBeforeActivity"), ([before("reply")], 501, "startBeforeActivity"), ([], 501, ""),
        ([cancel("look"), before("reply"), before("reply")], 501, ""), ([{"type": "cancel"}, before("reply")], 400, "activityInstanceId"),
        ([cancel("look"), {"type": "startBeforeActivity"}], 400, "step"), ([cancel("look"), {"type": "startAfterActivity", "activityId": "reply"}], 501, "done"),
        ([cancel("look"), {"type": "startTransition", "transitionId": "f"}], 501, "done"),
        ([cancel("look"), {**before("reply"), "variables": {"x": {"value": 1}}}], 501, "variables"),
        ([cancel("look"), {**before("reply"), "ancestorActivityInstanceId": "x"}], 501, "ancestor"), ([{"type": "jump"}], 400, "type"),
    ):
        got, said = asks(reviewer, case, *instructions)
        assert got == status and word in said, (instructions, got, said)
    every = [cancel(step) for step in ("look", "read", "tell")]
    status, said = asks(reviewer, case, *every, before("reply"), annotation=None)
    assert status == 400 and "理由" in said
    assert asks(program("asker"), case, *every, before("reply"))[0] == 403 and asks(program("outsider"), case, *every, before("reply"))[0] == 404
    assert tasks(reviewer, case).keys() == {"look", "read"} and acts(reviewer, case) == ["started", "completed"]
    assert asks(reviewer, case, *every, before("reply")) == (204, "")


def test_a_task_is_transferred_and_a_delegation_taken_back(program: Programs, case: str) -> None:
    provider, twin = program("provider"), program("twin")
    task = tasks(provider, case)["reply"]["id"]
    provider.post(f"/task/{task}/claim", {"userId": "provider"})
    provider.post(f"/task/{task}/transfer", {"userId": "twin", "note": "我明天出差"})
    assert twin.get(f"/task/{task}")["assignee"] == "twin" and refusal(provider.send("POST", f"/task/{task}/complete", {}))[0] == 409
    twin.post(f"/task/{task}/delegate", {"userId": "provider", "note": "请核对"})
    assert (provider.get(f"/task/{task}")["delegationState"], provider.get(f"/task/{task}")["owner"]) == ("PENDING", "twin")
    assert refusal(provider.send("POST", f"/task/{task}/take-back", {}))[0] in (403, 409), "the owner's to take back"
    twin.post(f"/task/{task}/take-back")
    assert (twin.get(f"/task/{task}")["assignee"], twin.get(f"/task/{task}")["delegationState"]) == ("twin", None)
    twin.post(f"/task/{task}/assignee", {"userId": "provider"})
    assert provider.get(f"/task/{task}")["assignee"] == "provider"
    assert acts(provider, case) == ["started", "claimed", "transferred", "delegated", "taken_back", "transferred"]


def test_a_signer_is_asked_and_let_go_again(program: Programs, case: str) -> None:
    provider, twin = program("provider"), program("twin")
    task = tasks(provider, case)["reply"]["id"]
    provider.post(f"/task/{task}/add-signer", {"userIds": ["twin"], "signing": "beside", "note": "请会签"})
    provider.post(f"/task/{task}/complete")
    assert "reply" in tasks(provider, case), "held until the other has signed"
    (signature,) = twin.get("/task", parentTaskId=task)
    assert refusal(program("asker").send("POST", f"/task/{signature['id']}/remove-signer", {}))[0] == 403
    provider.post(f"/task/{signature['id']}/remove-signer")
    assert tasks(program("provider_reviewer"), case).keys() == {"look", "read"}, "with the last signature the case goes on"
    assert "signer_removed" in acts(provider, case) and refusal(twin.send("GET", f"/task/{signature['id']}"))[0] == 404


def test_what_was_completed_is_taken_back_and_what_is_open_given_back(program: Programs, cast: Cast, clock: MovableClock) -> None:
    xml = diagram("start > user:reply > user:look > end", element("reply", name="答复", unit="'013'", post="handler"),
                  element("look", name="审核", unit="'013'", post="business_reviewer"), key="plain", startPosts="handler", actions=EVERY)
    with cast.store.work() as work:
        deploy_in(work, Package("liaoyang_2018", xml, {}), by="x", approved_by="y", reason="测试", effective_at=shanghai("2026-01-01"))
    case = str(start_instance(cast.store, "plain", actor=cast.actor("asker"), answers={}))
    provider, reviewer = program("provider"), program("provider_reviewer")
    task = tasks(provider, case)["reply"]["id"]
    provider.post(f"/task/{task}/complete")
    assert refusal(reviewer.send("POST", f"/task/{task}/withdraw", {"reason": "x"}))[0] == 403
    provider.post(f"/task/{task}/withdraw", {"reason": "漏了附件"})
    assert tasks(provider, case)["reply"]["id"] == task, "the very task"
    provider.post(f"/task/{task}/complete")
    look = tasks(reviewer, case)["look"]["id"]
    assert {target["step"] for target in reviewer.get(f"/task/{look}/return-targets")} == {"starter", "reply"}
    reviewer.post(f"/task/{look}/return", {"to": "previous", "reason": "依据不全"})
    again = tasks(provider, case)["reply"]
    assert again["assignee"] == "provider"
    assert refusal(provider.send("POST", f"/task/{task}/withdraw", {"reason": "x"}))[0] in (403, 409), "somebody has acted since"
    provider.post(f"/task/{again['id']}/copy-to", {"userIds": ["provider_reviewer"], "note": "请知悉"})
    program("asker").post(f"/task/{again['id']}/urge", {"note": "请尽快"})
    assert provider.get(f"/task/{again['id']}")["office"]["urges"] == 1
    assert acts(provider, case) == ["started", "completed", "withdrawn", "completed", "returned", "copied", "urged"]
