"""Answers set ahead and notes on a task, and single data of cases, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.process.desk.handing import transfer_task
from engine.process.desk.signatures import add_signers
from engine.process.instances import suspend_instance
from engine.process.outside import once, task_data, todo, variable_list
from engine.process.outside.listing import Cut
from engine.process.sheets.task import task_sheet
from engine.process.tables import Task
from engine.process.tasks import complete_task
from engine.process.withdrawing import withdraw_task
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, TaskClosed, TaskTaken
from tests.engine.desk.test_at_once import at_once
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form, text

A = {"unit": "'A'", "post": "handler"}
FORMS = {
    "apply": form(text("basis"), {"key": "amount", "type": "number", "label": "数量"}, {"key": "urgent", "type": "boolean", "label": "紧急"}),
    "check": form(choice("verdict", "yes", "no", required=True), text("why", required=True, max_length=5), text("basis"), text("secret"),
                  {"key": "paper", "type": "file", "label": "材料"}, {"key": "seen", "type": "boolean", "label": "已阅", "required": True}),
}  # fmt: skip


@pytest.fixture
def checking(office: Office) -> Office:
    """Ben's and Anna's post checks what Anna has applied for."""
    check = element("check", name="核对", form="check", hiddenFields="secret", readonlyFields="basis", **A)
    office.deploy("start > user:check > user:sign > end", check, element("sign", name="签批", **A), startForm="apply", forms=FORMS,
                  actions="return,withdraw,transfer,add_signer")
    office.start("anna", basis="甲", amount=3, urgent=True)
    return office


def task(office: Office, step: str = "check") -> int:
    return office.task(step).id


def prepare(office: Office, who: str = "ben", deletions: tuple[str, ...] = (), **values: Any) -> None:
    task_data.prepare(office.store, task(office), actor=office[who], values=values, deletions=deletions)


def kept(office: Office, number: int) -> Any:
    with office.store.read() as session:
        return session.execute(select(Task.prepared, Task.notes).where(Task.id == number)).one()


def complete(office: Office, who: str = "ben", **answers: Any) -> None:
    once.complete(office.store, task(office), actor=office[who], answers=answers)


def first(office: Office, who: str = "ben") -> Any:
    with office.store.read() as session:
        return task_sheet(session, office[who], task(office))


def test_what_is_set_ahead_lies_in_the_form_and_completes_it(checking: Office) -> None:
    prepare(checking, verdict="yes", seen=False)
    prepare(checking, "anna", why="齐全")
    sheet = first(checking)
    assert (sheet.first_values, sheet.prepared.by) == ({"verdict": "yes", "seen": False, "why": "齐全"}, "Anna")
    with pytest.raises(Invalid) as wrong:
        complete(checking)
    assert wrong.value.fields == {"seen": "须确认“已阅”"}, "what must be there is asked when it is completed"
    number = task(checking)
    complete(checking, seen=True)
    assert checking.task("check", "done").answers == {"verdict": "yes", "why": "齐全", "seen": True}
    assert kept(checking, number).prepared is None


def test_only_what_the_step_lets_one_fill_in(checking: Office) -> None:
    with pytest.raises(Invalid) as wrong:
        prepare(checking, deletions=("nothing",), amount=4, basis="乙", secret="x", verdict="maybe", why="长长长长长长", paper=[1], seen="perhaps")
    said = wrong.value.fields
    assert set(said) == {"nothing", "amount", "basis", "secret", "verdict", "why", "paper", "seen"}
    assert "localVariables" in said["basis"] and "附件" in said["paper"] and kept(checking, task(checking)).prepared is None
    prepare(checking, why="好", verdict=None)
    prepare(checking, deletions=("why", "verdict"))
    assert kept(checking, task(checking)).prepared is None


def test_whose_task_it_is_decides(checking: Office) -> None:
    for who in ("dora", "clara", "gu", "otto"):
        for act in (task_data.prepare, task_data.note):
            with pytest.raises(NotAllowed):
                act(checking.store, task(checking), actor=checking[who], values={"why": "好"})
    checking.claim("anna", "check")
    with pytest.raises(TaskTaken):
        prepare(checking, why="好")
    with pytest.raises(NotFound):
        task_data.note(checking.store, 999, actor=checking["ben"], values={"a": 1})
    suspend_instance(checking.store, checking.instances("test")[0].id, actor=checking["gu"], reason="核查")
    with pytest.raises(NotRunning):
        prepare(checking, "anna", why="好")


def test_they_stay_with_the_task_through_a_transfer_and_end_with_it(checking: Office) -> None:
    number = task(checking)
    prepare(checking, why="好")
    task_data.note(checking.store, number, actor=checking["ben"], values={"tries": 1})
    transfer_task(checking.store, number, actor=checking["ben"], to=checking["anna"].account_id)
    assert first(checking, "anna").first_values["why"] == "好"
    complete_task(checking.store, number, actor=checking["anna"], answers={"verdict": "yes", "why": "自己写", "seen": True})
    assert checking.task("check", "done").answers == {"verdict": "yes", "why": "自己写", "seen": True}, "a person sends all that they see"
    withdraw_task(checking.store, number, actor=checking["anna"])
    assert first(checking, "anna").first_values == {"verdict": "yes", "why": "自己写", "seen": True}, "what was set ahead does not come back"
    assert kept(checking, number).notes == {"tries": 1}
    complete(checking, "anna", verdict="yes", why="好", seen=True)
    with pytest.raises(TaskClosed):
        task_data.note(checking.store, number, actor=checking["anna"], values={"tries": 2})


def test_what_waits_for_a_signature_was_taken(checking: Office) -> None:
    add_signers(checking.store, task(checking), actor=checking["ben"], people=[checking["anna"].account_id], signing="beside")
    number = task(checking)
    task_data.prepare(checking.store, number, actor=checking["ben"], values={"why": "好", "verdict": "yes"})
    once.complete(checking.store, number, actor=checking["ben"], answers={"seen": True})
    assert checking.task("check").answers == {"verdict": "yes", "why": "好", "seen": True} and kept(checking, number).prepared is None


def test_two_programs_at_once_lose_nothing(checking: Office) -> None:
    number = task(checking)
    acts = [lambda place=place: task_data.note(checking.store, number, actor=checking["ben"], values={f"n{place}": place}) for place in range(3)]
    assert at_once(*acts, lambda: prepare(checking, why="好"), lambda: prepare(checking, "anna", verdict="no")) == ["ok"] * 5
    assert kept(checking, number).notes == {"n0": 0, "n1": 1, "n2": 2} and kept(checking, number).prepared["values"] == {"why": "好", "verdict": "no"}


# -- found one by one ---------------------------------------------------------------------------


def names(office: Office, who: str = "anna", cut: Cut = Cut(), **asked: Any) -> list[tuple[int, str]]:
    with office.store.read() as session:
        found, _ = variable_list.of_running(session, office[who], asked, cut)
        assert variable_list.count_running(session, office[who], asked) == len(found) or cut.most is not None
        return [(one.instance_id, one.name) for one in found]


def test_data_are_found_by_name_and_value_on_either_database(checking: Office) -> None:
    other = checking.start("anna", basis="乙", amount=20, urgent=False)
    (mine,) = {one.id for one in checking.instances("test")} - {other}
    assert names(checking, variableName="amount") == [(mine, "amount"), (other, "amount")]
    for operator, value, found in (("gt", 3, [other]), ("lteq", 20.0, [mine, other]), ("eq", "3", []), ("eq", True, [])):
        asked = [{"name": "amount", "operator": operator, "value": value}]
        assert names(checking, variableValues=asked) == [(one, "amount") for one in found], (operator, value)
    assert names(checking, variableValues=[{"name": "urgent", "operator": "eq", "value": True}]) == [(mine, "urgent")]
    assert names(checking, variableValues=[{"name": "no'such\"name", "operator": "eq", "value": 1}]) == names(checking, variableName="no'such") == []
    assert names(checking, processInstanceIdIn=[str(mine)], variableNameLike="a%nt") == [(mine, "amount")]
    for sort in variable_list.SORTS:
        for down in (False, True):
            whole = names(checking, processInstanceIdIn=[str(mine), str(other)], cut=Cut(order=((sort, down),)))
            assert len(set(whole)) == len(whole) == 10, whole
    assert names(checking, "dora", variableName="amount") == names(checking, "otto", processInstanceIdIn=[str(mine)]) == []


def test_notes_are_found_by_their_task(checking: Office) -> None:
    number = task(checking)
    task_data.note(checking.store, number, actor=checking["ben"], values={"tries": 3, "state": {"a": [1]}, "none": None})
    with checking.store.read() as session:
        found, _ = variable_list.of_running(session, checking["anna"], {"taskIdIn": [str(number)]}, Cut(order=(("variableType", False),)))
        assert [(one.name, one.value, one.task_id) for one in found] == [("tries", 3, number), ("state", {"a": [1]}, number), ("none", None, number)]
        for operator, count in (("eq", 1), ("gt", 0)):
            asked = {"taskVariables": [{"name": "tries", "operator": operator, "value": 3}]}
            assert todo.count_open(session, checking["anna"], asked) == count
        page, after = variable_list.of_running(session, checking["anna"], {"taskIdIn": [str(number)]}, Cut(most=2))
        rest, end = variable_list.of_running(session, checking["anna"], {"taskIdIn": [str(number)]}, Cut(most=2, after=after))
        assert [one.name for one in (*page, *rest)] == ["none", "state", "tries"] and end is None


def test_the_record_has_the_data_of_what_has_ended(checking: Office) -> None:
    complete(checking, verdict="yes", why="好", seen=True)
    once.complete(checking.store, task(checking, "sign"), actor=checking["ben"], answers={})
    assert names(checking, variableName="amount") == []
    with checking.store.read() as session:
        for sort in variable_list.PAST_SORTS:
            found, _ = variable_list.of_record(session, checking["anna"], {"variableNameIn": ["amount", "why"]}, Cut(order=((sort, True),)))
            assert sorted((one.name, one.value) for one in found) == [("amount", 3), ("why", "好")]
        assert variable_list.count_record(session, checking["anna"], {"variableName": "amount"}) == 1
        assert variable_list.count_record(session, checking["dora"], {"variableName": "amount"}) == 0
