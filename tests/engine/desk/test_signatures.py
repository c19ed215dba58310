"""Added signatures 加签: before, beside and after; the step ends with the last one, and no clock moves by any of them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from engine.process.attachments import upload
from engine.process.incidents import CaseFault
from engine.process.tasks import complete_task, unclaim_task
from engine.store.errors import Invalid, NotAllowed, Stale, TaskClosed, TaskTaken
from engine.store.settings import read_settings
from tests.engine.desk.desk import REVIEW, Desk
from tests.engine.interpreter.diagrams import element


def test_before_the_task_is_completed_they_must_have_signed(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben", "clara", signing="before", note="请先看数据安全")
    assert desk.row(desk.task().id).signatures == 2
    with pytest.raises(Stale, match="Ben、Clara"):
        desk.completes("anna")
    desk.sign("ben")
    desk.sign("clara", "disagree", "缺少依据")
    desk.completes("anna", "不予同意", result="no", why="缺少依据")
    assert desk.office.open_steps(case) == ["file"]
    assert desk.acts(case) == ["started", "signer_added", "signed", "signed", "completed"]


def test_beside_the_completion_is_held_until_the_last_signature_and_is_the_assignees(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben", signing="beside")
    desk.completes("anna", "同意提供")
    assert desk.office.open_steps(case) == ["review", "review"]
    desk.sign("ben", "agree", "无意见")
    done = desk.task("review", "done")
    assert (done.completed_by, done.opinion, done.answers) == (desk.id("anna"), "同意提供", {"result": "yes"})
    completed = desk.entry(case, "completed")
    assert (completed.actor_name, [one["person"] for one in completed.data["signatures"]]) == ("Anna", ["Ben"])
    assert desk.acts(case) == ["started", "signer_added", "held", "signed", "completed"]


def test_after_it_is_completed_they_are_asked(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "clara", signing="after")
    assert desk.office.open_steps(case) == ["review"]
    assert desk.told("clara") == []
    desk.completes("anna")
    assert desk.told("clara", "task") == ["加签：审核"]
    desk.sign("clara")
    assert desk.office.open_steps(case) == ["file"]


def test_whoever_disagrees_afterwards_gives_the_task_back_with_what_was_answered(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "clara", "ben", signing="after")
    desk.completes("anna")
    desk.sign("clara", "disagree", "应先征求意见")
    task = desk.task()
    assert (task.completed_by, task.answers, task.sent_how, task.sent_note) == (None, {"result": "yes"}, "objected", "应先征求意见")
    assert desk.signature("ben").state == "planned"
    desk.completes("anna", "已征求")
    desk.sign("ben")
    assert desk.office.open_steps(case) == ["file"]


def test_who_has_completed_may_change_their_mind_while_others_sign(desk: Desk) -> None:
    desk.opens()
    desk.add("anna", "ben")
    desk.completes("anna")
    desk.completes("anna", "改为不同意", result="no", why="重复")
    desk.sign("ben")
    assert desk.task("review", "done").answers == {"result": "no", "why": "重复"}


def test_a_signature_is_the_signers_own(desk: Desk) -> None:
    desk.opens()
    desk.add("anna", "clara")
    signature = desk.signature("clara").id
    for who in ("anna", "ben"):
        with pytest.raises(TaskTaken, match="Clara本人"):
            complete_task(desk.store, signature, actor=desk.office[who], answers={"stance": "agree"})
    with pytest.raises(NotAllowed):
        complete_task(desk.store, signature, actor=desk.office["dora"], answers={"stance": "agree"})
    with pytest.raises(Stale):
        unclaim_task(desk.store, signature, actor=desk.office["clara"])
    with pytest.raises(Stale, match="只能签署"):
        desk.transfer("clara", "ben", task=signature)
    with pytest.raises(Invalid) as refused:
        desk.sign("clara", "disagree")
    assert "opinion" in refused.value.fields
    desk.sign("clara")
    with pytest.raises(TaskClosed):
        desk.sign("clara")


def test_taking_the_last_one_away_lets_the_case_go_on(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben", "clara")
    desk.completes("anna")
    with pytest.raises(NotAllowed):
        desk.remove("clara", "ben")
    desk.remove("anna", "ben")
    desk.sign("clara")
    assert desk.office.open_steps(case) == ["file"]
    assert desk.told("ben", "task") == ["加签：审核", "减签：审核"]


def test_nobody_signs_twice_for_themselves_or_from_another_unit(desk: Desk) -> None:
    desk.opens()
    desk.add("anna", "ben")
    for who, said in (("anna", "自己"), ("ben", "已在签署之列"), ("dora", "不是该单位"), ("otto", "不是该单位")):
        with pytest.raises(Invalid) as refused:
            desk.add("anna", who)
        assert said in refused.value.fields["people"]
    with pytest.raises(Invalid):
        desk.add("anna", "clara", signing="sideways")
    with pytest.raises(Invalid):
        desk.add("anna")


def test_what_fails_behind_the_last_signature_undoes_the_signature_and_the_operator_learns_of_it(desk: Desk) -> None:
    case = desk.opens("start > user:review > user:file > end", REVIEW, element("file", name="归档", unit="'NOBODY'", post="handler"))
    desk.add("anna", "ben")
    desk.completes("anna")
    with pytest.raises(CaseFault):
        desk.sign("ben")
    assert (desk.signature("ben").state, desk.row(desk.task().id).signatures, desk.acts(case)[-1]) == ("open", 1, "held")
    with pytest.raises(CaseFault):
        desk.remove("anna", "ben")
    assert desk.signature("ben").state == "open"
    [incident] = desk.office.incidents()
    assert (incident.attempts, incident.instance_id) == (2, case)


def test_files_of_a_held_completion_are_the_completions(desk: Desk, tmp_path: Path) -> None:
    case = desk.opens()
    settings = read_settings({"SHARING_BPM_HOME": str(tmp_path), "SHARING_BPM_SECRET_KEY": "only for tests, only for tests, only"})

    def uploaded(who: str, name: str) -> int:
        return upload(desk.store, settings, actor=desk.office[who], name=name, stream=BytesIO(b"%PDF-1.7")).id

    desk.add("anna", "ben", signing="after")
    task = desk.task().id
    complete_task(desk.store, task, actor=desk.office["anna"], answers={"result": "yes"}, attachments=[uploaded("anna", "依据.pdf")])
    complete_task(desk.store, desk.signature("ben").id, actor=desk.office["ben"], answers={"stance": "disagree"}, opinion="缺附件",
                  attachments=[uploaded("ben", "批注.pdf")])  # fmt: skip
    complete_task(desk.store, task, actor=desk.office["anna"], answers={"result": "yes"}, attachments=[uploaded("anna", "补充.pdf")])
    assert [file["name"] for file in desk.entry(case, "completed").data["attachments"]] == ["依据.pdf", "补充.pdf"]
    assert [file["name"] for file in desk.entry(case, "signed").data["attachments"]] == ["批注.pdf"]
