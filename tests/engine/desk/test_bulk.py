"""Many tasks at once: what goes through is kept, what does not is told with its reason, and nobody gets further than alone."""

from __future__ import annotations

import pytest

from engine.process.desk.bulk import BULK_MAX, BulkReport, bulk_sheet, claim_tasks, complete_tasks
from engine.process.desk.handing import delegate_task
from engine.process.desk.signatures import add_signers
from engine.process.instances import suspend_instance
from engine.process.tables import Task
from engine.process.tasks import claim_task, complete_task
from engine.store.errors import Invalid
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form, text

FORMS = {
    "review": {**form(choice("result", "yes", "no", required=True), text("why", when="result == 'no'", required=True),
                      opinion_when="result == 'no'"), "bulk": True},
    "single": form(choice("result", "yes", "no", required=True)),
}
CHAIN = "start > user:review > user:file > end"
REVIEW = element("review", name="审核", form="review", unit="'A'", post="handler")
FILE = element("file", name="归档", form="single", unit="'A'", post="handler")


@pytest.fixture
def reviews(office: Office) -> list[int]:
    """Five tasks of the same step that waits for the handlers of A."""
    office.deploy(CHAIN, REVIEW, FILE, forms=FORMS, actions="delegate, add_signer")
    return [task_of(office, office.start()) for _ in range(5)]


def task_of(office: Office, case: int) -> int:
    with office.store.read() as session:
        return session.query(Task.id).where(Task.instance_id == case, Task.state == "open").one()[0]


def state(office: Office, task_id: int) -> tuple[str, int | None]:
    with office.store.read() as session:
        task = session.get_one(Task, task_id)
        return task.state, task.assignee_id


def told(report: BulkReport) -> dict[int, str]:
    return {line.task_id: line.message for line in report.failed}


def test_claiming_many_keeps_what_went_through_and_says_what_did_not(office: Office, reviews: list[int]) -> None:
    first, taken, done, suspended, free = reviews
    claim_task(office.store, taken, actor=office["ben"])
    complete_task(office.store, done, actor=office["ben"], answers={"result": "yes"})
    with office.store.read() as session:
        suspend_instance(office.store, session.get_one(Task, suspended).instance_id, actor=office["gu"], reason="等待")
    report = claim_tasks(office.store, [*reviews, free, 4711], actor=office["anna"])
    assert [line.task_id for line in report.done] == [first, free], "each once"
    assert told(report) == {taken: "该待办已被Ben签收", done: "该待办已办结或已撤销，无需重复办理。",
                            suspended: "该办件已结束或已暂停，不能继续办理。", 4711: "没有找到该待办"}
    assert state(office, first) == state(office, free) == ("open", office["anna"].account_id)
    assert state(office, suspended) == ("open", None)


def test_a_stranger_learns_nothing_of_what_they_choose(office: Office, reviews: list[int]) -> None:
    report = claim_tasks(office.store, reviews, actor=office["dora"])
    assert report.done == [] and {(line.number, line.title, line.step_name) for line in report.failed} == {("", "", "")}
    with pytest.raises(Invalid, match="所选待办均不能办理：该待办不属于您的岗位，不能办理"), office.store.read() as session:
        bulk_sheet(session, office["dora"], reviews)


def test_one_form_completes_each_for_itself(office: Office, reviews: list[int]) -> None:
    claim_task(office.store, reviews[0], actor=office["anna"])
    claim_task(office.store, reviews[1], actor=office["ben"])
    report = complete_tasks(office.store, reviews, actor=office["anna"], answers={"result": "yes"}, opinion="同意")
    assert [line.task_id for line in report.done] == [reviews[0], *reviews[2:]]
    assert told(report) == {reviews[1]: "该待办已被同事签收"} and report.again == []
    with office.store.read() as session:
        kept = session.get_one(Task, reviews[2])
        assert (kept.answers, kept.opinion, kept.completed_by) == ({"result": "yes"}, "同意", office["anna"].account_id)
    assert office.open_steps() == ["file"] * 4 + ["review"]


def test_wrong_answers_complete_nothing_and_can_be_sent_again(office: Office, reviews: list[int]) -> None:
    report = complete_tasks(office.store, reviews, actor=office["anna"], answers={"result": "no"})
    assert report.done == [] and report.again == reviews
    assert set(report.errors) == {"why", "opinion"}
    assert {state(office, task) for task in reviews} == {("open", None)}


def test_what_has_signers_or_a_delegate_is_left_for_its_own_page(office: Office, reviews: list[int]) -> None:
    signed, delegated, plain, *_ = reviews
    for task in (signed, delegated):
        claim_task(office.store, task, actor=office["anna"])
    add_signers(office.store, signed, actor=office["anna"], people=[office["ben"].account_id], signing="before", note="")
    delegate_task(office.store, delegated, actor=office["anna"], to=office["ben"].account_id, note="")
    report = complete_tasks(office.store, [signed, delegated, plain], actor=office["anna"], answers={"result": "yes"})
    assert [line.task_id for line in report.done] == [plain]
    assert told(report) == {signed: "该待办涉及加签或委派，须逐件办理", delegated: "该待办已被同事签收"}


def test_only_one_step_of_one_version_whose_form_says_so(office: Office, reviews: list[int]) -> None:
    complete_task(office.store, reviews[0], actor=office["anna"], answers={"result": "yes"})
    single = office.task("file").id
    office.deploy(CHAIN, REVIEW, FILE, forms=FORMS, at="2026-02-01", actions="none")
    newer = task_of(office, office.start())
    for chosen, sentence in (
        ([reviews[1], single], "不是同一流程版本的同一环节"), ([reviews[1], newer], "不是同一流程版本的同一环节"),
        ([single], "“归档”须逐件办理，其表单不允许批量办结"), ([], "请先选择待办"),
        (list(range(1, BULK_MAX + 2)), f"一次最多处理{BULK_MAX}件"),
    ):
        with pytest.raises(Invalid, match=sentence):
            complete_tasks(office.store, chosen, actor=office["anna"], answers={"result": "yes"})
    assert state(office, reviews[1]) == ("open", None)


def test_the_form_leans_only_on_what_all_cases_agree_in(office: Office, reviews: list[int]) -> None:
    with office.store.read() as session:
        sheet = bulk_sheet(session, office["anna"], reviews[:2])
    assert [line.task_id for line in sheet.lines] == reviews[:2] and sheet.left_out == []
    assert "case" not in sheet.names and sheet.names["applicant_unit"] == "A"
