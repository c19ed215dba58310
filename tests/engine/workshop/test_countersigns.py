"""Countersigns in the workshop: replayed with the votes on record, rehearsed by the people who would be asked, compared in words."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.package import Package
from engine.process.workshop.comparing.compare import compare
from tests.engine.interpreter.diagrams import diagram, element, multi
from tests.engine.process.office import Office, choice, form, text
from tests.engine.process.test_countersign import SIGN, VOTE, sign
from tests.engine.workshop.dry_walks import drawn
from tests.engine.workshop.replaying import findings, replayed_as_they_ran, told

CHAINS = ("start > user:sign > xor:came", "came [signed.passed] > user:publish > end:published", "came [default] > user:amend > end:amended")


def parts(over: str = "holders('A', 'handler')", *, sequential: bool = False, **says: str) -> tuple[Any, ...]:
    """All handlers of unit A sign; then the head publishes or a handler amends."""
    return (
        *CHAINS, multi("sign", over=over, item="signer", sequential=sequential), element("sign", name="会签", **{**SIGN, "assignee": "signer", **says}),
        element("publish", unit="'A'", post="head"), element("amend", unit="'A'", post="handler"),
    )  # fmt: skip


@pytest.fixture
def signed(office: Office) -> Office:
    """Two cases: one that both have signed, and one that Ben's objection has decided before Anna had signed."""
    office.deploy(*parts(), forms=VOTE)
    office.start()
    sign(office, "anna", "yes")
    sign(office, "ben", "yes")
    office.complete("clara", "publish")
    office.start()
    sign(office, "ben", "no")
    office.complete("anna", "amend")
    return office


# -- back-test ------------------------------------------------------------------------------------


def test_the_votes_on_record_decide_the_replay_as_they_decided_then(signed: Office) -> None:
    assert replayed_as_they_ran(signed.store) == {}


def test_a_vote_is_found_again_by_who_gave_it_wherever_in_the_list(signed: Office) -> None:
    reversed_list = "[holders('A', 'handler')[1], holders('A', 'handler')[0]]"
    assert findings(signed.store, *parts(reversed_list), forms=VOTE) == {}


def test_under_another_rule_the_same_votes_come_to_another_result(signed: Office) -> None:
    found = findings(signed.store, *parts(countersign="any"), forms=VOTE)
    # One approval is enough, so that the second was not needed; one objection is not, so that Anna would have been asked.
    assert {case: told(of) for case, of in found.items()} == {1: [("lost_step", "sign")], 2: [("route", "sign")]}
    assert found[2][0].text == "记录中“会签”未办理即撤销，按草稿仍须办理"


# -- dry run --------------------------------------------------------------------------------------


def test_in_a_dry_run_each_signs_their_own_and_the_result_ends_it(office: Office) -> None:
    walk = drawn(office, *parts(), forms=VOTE)
    found = walk.starts("A", "anna")
    tasks = found.cases[0].tasks
    assert [([person.login for person in task.people], task.in_person) for task in tasks] == [(["anna"], True), (["ben"], True)]
    refused = walk.does("sign", nth=1, by="anna", stance="yes").stopped
    assert refused is not None and refused.message == "该待办已被Ben签收"


def test_a_dry_run_goes_on_by_the_result(office: Office) -> None:
    walk = drawn(office, *parts(), forms=VOTE)
    walk.starts("A", "anna")
    found = walk.does("sign", nth=1, by="", stance="no")
    assert walk.open() == ["amend"]
    (change,) = [change for change in found.moves[-1].effects.variables if change.name == "signed"]
    assert change.after == {"passed": False, "yes": 0, "no": 1, "total": 2}


# -- comparison -----------------------------------------------------------------------------------


def package(*drawn_parts: Any, forms: dict[str, Any] = VOTE, **properties: str) -> Package:
    return Package("r", diagram(*drawn_parts, startPosts="handler", **properties), forms)


def test_a_comparison_tells_of_the_desk_in_words() -> None:
    before = package(*parts())
    after = package(
        *parts(countersign="ratio", ratio="2/3", hiddenFields="remark", actions="urge,return", returnTo="starter,amend"), actions="none", restricted="True",
        forms={"vote": {**form(choice("stance", "yes", "no", required=True), {**text("remark"), "label": "备注"}), "bulk": True}},
    )  # fmt: skip
    texts = [change.text for change in compare(before, after).changes]
    for words in (
        "用户任务“会签”的表决方式 会签（须全部同意） → 票签（达到比例即通过）", "用户任务“会签”的通过比例 无 → 2/3", "用户任务“会签”的不显示的字段 无 → “备注”",
        "用户任务“会签”的可用动作 无 → 催办、退回", "用户任务“会签”的可以退回到 无 → 发起人、amend", "流程“测试流程”的可用动作 无 → 只能办结",
        "流程“测试流程”的内容不得外发的条件 无 → 是", "表单“表单”的允许批量办结 无 → 是",
    ):  # fmt: skip
        assert words in texts, texts
