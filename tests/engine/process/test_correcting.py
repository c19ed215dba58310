"""Correcting the data of a case: who may, what, into what; what is kept of it and who is told; and that nothing moves by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from engine.history import History
from engine.history_seal import verify
from engine.outbox import OutboxLetter
from engine.process.correcting import correct_data
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.operations import BROUGHT, SUBJECTS, Subject, subject
from engine.process.outside.webhooks import add_webhook
from engine.process.returning import return_task
from engine.process.sheets.case import case_sheet
from engine.process.sheets.task import task_sheet
from engine.process.tables import Notice
from engine.process.withdrawing import withdraw_task
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Stale
from tests.engine.desk.test_at_once import at_once
from tests.engine.interpreter.diagrams import catches_message, element, multi, script, timer
from tests.engine.process.office import Office, choice, form, text

A, HEAD = {"unit": "'A'", "post": "handler"}, {"unit": "'A'", "post": "head"}
FORMS = {
    "apply": form(text("why", label="理由", required=True, max_length=20), {"key": "until", "type": "date", "label": "使用期限"},
                  {"key": "volume", "type": "integer", "label": "数量", "max": 100},
                  {"key": "paper", "type": "file", "label": "材料"}, choice("kind", "a", "b")),
    "check": form(choice("verdict", "yes", "no", required=True), text("basis", when="verdict == 'yes'", required=True)),
    "vote": form(choice("stance", "yes", "no")),
}  # fmt: skip


@pytest.fixture
def applied(office: Office) -> Office:
    """Anna has applied; Ben's post checks, within ten days; Clara signs."""
    office.deploy(
        "start > script:sum > user:check > xor:way", "way [verdict == 'no'] > end:refused", "way [default] > user:sign > end:done",
        script("sum", "total = 3"), element("check", name="审核", form="check", limit="10", **A), element("sign", name="签发", **HEAD),
        forms=FORMS, startForm="apply", title="'关于' + why + '的申请'", actions="return,withdraw",
    )
    office.start("anna", why="租房", until="2027-02-28", volume=5)
    return office


def case_of(office: Office) -> int:
    return office.instances("test")[0].id


def correct(office: Office, who: str = "gu", deletions: tuple[str, ...] = (), reason: str = "录入有误", seen: int | None = None, **values: Any) -> list[str]:
    return correct_data(office.store, case_of(office), actor=office[who], values=values, deletions=deletions, reason=reason, seen=seen)


def data(office: Office) -> Mapping[str, Any]:
    return office.instance(case_of(office)).variables


def entries(office: Office, act: str = "corrected") -> list[Mapping[str, Any]]:
    query = select(History.data).where(History.instance_id == case_of(office), History.act == act).order_by(History.seq)
    with office.store.read() as session:
        return list(session.scalars(query))


def told(office: Office, who: str) -> list[tuple[str, str]]:
    with office.store.read() as session:
        rows = session.execute(select(Notice.title, Notice.text).where(Notice.account_id == office[who].account_id).order_by(Notice.id))
        return [(title, said) for title, said in rows]


def refused(office: Office, deletions: tuple[str, ...] = (), **values: Any) -> dict[str, str]:
    before = (data(office), office.instance(case_of(office)).revision)
    with pytest.raises(Invalid) as wrong:
        correct(office, deletions=deletions, **values)
    assert (data(office), office.instance(case_of(office)).revision) == before, "all or none"
    return dict(wrong.value.fields)


# -- what it does -------------------------------------------------------------------------------


def test_an_answer_is_put_right_on_record_and_whoever_has_a_task_is_told(applied: Office) -> None:
    before = {timer.id: (timer.due_at, timer.state) for timer in applied.timers()}
    assert correct(applied, until="2027-06-30", volume="7") == ["until", "volume"]
    assert (data(applied)["until"], data(applied)["volume"]) == ("2027-06-30", 7), "as the form would keep it"
    [entry] = entries(applied)
    assert entry["reason"] == "录入有误"
    assert entry["changes"][0] == {"name": "until", "label": "使用期限", "words": ["2027-02-28", "2027-06-30"], "from": "2027-02-28", "to": "2027-06-30"}
    assert {timer.id: (timer.due_at, timer.state) for timer in applied.timers()} == before
    assert applied.open_steps() == ["check"]
    with applied.store.read() as session:
        line = case_sheet(session, applied["gu"], case_of(applied)).timeline[-1]
    assert (line.title, line.opinion) == ("更正数据", "录入有误")
    assert line.details == ["“使用期限”由“2027-02-28”改为“2027-06-30”", "“数量”由“5”改为“7”"]
    number = applied.instance(case_of(applied)).number
    for who in ("anna", "ben"):
        assert told(applied, who)[-1] == ("更正数据：审核", f"{number}《关于租房的申请》的“使用期限”、“数量”已更正，请核对后办理。")
    assert told(applied, "dora") == [] and verify(applied.store).ok


def test_the_same_value_again_is_no_act(applied: Office) -> None:
    assert correct(applied, until="2027-02-28", deletions=("kind",)) == []
    assert entries(applied) == [] and told(applied, "ben") == []


def test_the_title_follows_what_it_is_made_of_everywhere(applied: Office) -> None:
    applied.complete("ben", "check", verdict="yes", basis="第五条")
    correct(applied, why="购房")
    instance = applied.instance(case_of(applied))
    assert instance.title == data(applied)["case"]["title"] == "关于购房的申请" and "gygfdsq" in instance.search
    assert {applied.task("check", "done").title, applied.task("sign").title} == {"关于购房的申请"}
    assert applied.task("sign").search == instance.search and entries(applied)[0]["title"] == "关于购房的申请"
    correct(applied, volume=6)
    assert "title" not in entries(applied)[1] and applied.instance(case_of(applied)).title == "关于购房的申请"


def test_nothing_moves_but_what_comes_later_goes_by_it(applied: Office) -> None:
    applied.complete("ben", "check", verdict="yes", basis="第五条")
    correct(applied, verdict="no")
    assert applied.open_steps() == ["sign"], "the gateway was passed and is not asked again"
    return_task(applied.store, applied.task("sign").id, actor=applied["clara"], to="check", reason="重新审核")
    assert applied.task("check").answers == {"verdict": "yes", "basis": "第五条"}, "the record of a step is what was answered"
    correct(applied, deletions=("basis",), verdict="no")
    applied.complete("ben", "check", verdict="no")
    assert applied.instance(case_of(applied)).outcome == "refused"


def test_what_lies_ready_to_be_sent_again_does_not_undo_it(applied: Office) -> None:
    return_task(applied.store, applied.task("check").id, actor=applied["ben"], to="starter", reason="请补充")
    [task] = applied.open_steps()
    assert applied.task(task).answers == {"why": "租房", "until": "2027-02-28", "volume": 5}
    correct(applied, why="购房")
    assert applied.task(task).answers == {"why": "购房", "until": "2027-02-28", "volume": 5}


def test_after_it_a_completion_cannot_be_taken_back(applied: Office) -> None:
    """Taking it back would bring the old value back with it."""
    applied.complete("ben", "check", verdict="yes", basis="第五条")
    task = applied.task("check", "done").id
    correct(applied, basis="第六条")
    with pytest.raises(Stale):
        withdraw_task(applied.store, task, actor=applied["ben"])
    assert data(applied)["basis"] == "第六条"


def test_a_suspended_case_is_corrected_and_goes_on(applied: Office) -> None:
    suspend_instance(applied.store, case_of(applied), actor=applied["gu"], reason="核查")
    correct(applied, until="2027-03-31")
    assert applied.instance(case_of(applied)).state == "suspended"
    resume_instance(applied.store, case_of(applied), actor=applied["gu"], reason="已核实")
    applied.complete("ben", "check", verdict="no")
    assert data(applied)["until"] == "2027-03-31"


def test_a_timer_that_a_wrong_value_held_up_fires_after_it(office: Office) -> None:
    """What is overdue does not come first, as it does before other acts: it is the wrong value that holds it up."""
    office.deploy("start > user:check > end:checked", "late > xor:way", "way [volume > 3] > end:many", "way [default] > end:few",
                  timer("check", "late", interrupting=True, workingDays=2), element("check", **A), forms=FORMS, startForm="apply")
    office.start("anna", why="租房")
    office.sweep("2026-03-02 09:00")
    assert len(office.incidents()) == 1 and office.open_steps() == ["check"]
    assert correct(office, volume=9) == ["volume"] and office.open_steps() == ["check"]
    office.sweep("2026-03-02 12:00")
    assert office.instance(case_of(office)).outcome == "many" and office.incidents() == []


def test_an_answer_may_be_there_before_its_step_asks(office: Office) -> None:
    office.deploy("start > user:check > end", element("check", form="check", **A), forms={"check": form(text("volume", value="volume"))})
    office.start("anna")
    assert correct(office, volume="三") == ["volume"]
    with office.store.read() as session:
        assert task_sheet(session, office["ben"], office.task("check").id).first_values == {"volume": "三"}


# -- what is refused ----------------------------------------------------------------------------


def test_answers_are_judged_by_their_fields(applied: Office) -> None:
    assert refused(applied, until="明天", volume=101, kind="c", why="长" * 21, volume_="x") == {
        "until": "“使用期限”应为日期，例如2026-03-02", "volume": "“数量”不能大于100", "kind": "“kind”没有“c”这一选项",
        "why": "“理由”不能超过20字，现有21字", "volume_": "该办件及其流程中没有“volume_”这一数据",
    }  # fmt: skip
    assert refused(applied, volume="1e400") == {"volume": "“数量”应为整数"}
    assert refused(applied, paper=[1]) == {"paper": "“材料”是附件，不能更正；请由经办人重新上传"}
    assert refused(applied, deletions=("why",)) == {"why": "请填写“理由”"} == refused(applied, why=" ")
    assert refused(applied, deletions=("until",), until="2027-01-01") == {"until": "“使用期限”不能同时更正和删除"}
    correct(applied, deletions=("until",))
    assert data(applied)["until"] is None, "as where it was never answered: an expression may name it"
    applied.complete("ben", "check", verdict="yes", basis="第五条")
    assert refused(applied, deletions=("basis",)) == {"basis": "请填写“basis”"}
    assert correct(applied, verdict="no", deletions=("basis",)) == ["verdict", "basis"], "not asked for by the form any more"


def test_what_the_case_stands_on_stays(applied: Office) -> None:
    said = refused(applied, applicant_unit="B", case={}, _x=1, source_instance=9, resource={"code": "x"}, provider_unit="B")
    assert set(said) == {"applicant_unit", "case", "_x", "source_instance", "resource", "provider_unit"}
    assert all("由系统记录，不能更正" in text for text in said.values())


def test_what_a_step_made_is_corrected_to_its_like_and_not_taken_out(applied: Office) -> None:
    assert correct(applied, total=4) == ["total"] and entries(applied)[0]["changes"][0]["from"] == 3
    assert refused(applied, total="四") == {"total": "“total”应为数字，与原值一致"}
    assert refused(applied, deletions=("total",)) == {"total": "“total”由流程的步骤得出，只能更正，不能删除"} == refused(applied, total=None)


def test_what_a_message_brought_may_be_taken_out_and_long_values_are_told_by_how_they_begin(office: Office) -> None:
    office.deploy("start > catch:wait > user:check > end", catches_message("wait", "news"), element("check", **A))
    office.start("anna")
    office.tell(case_of(office), "news", remark="长" * 800, extra=1)
    assert correct(office, remark="短") == ["remark"]
    [change] = entries(office)[0]["changes"]
    assert change["cut"] and "from" not in change and change["words"] == ["长" * 59 + "…", "短"]
    assert refused(office, remark="长" * 6000) == {"remark": "“remark”不能超过16KB"}
    assert refused(office, extra=None) == {"extra": "“extra”不能为空；如确需去掉，请删除"}
    assert correct(office, deletions=("extra",)) == ["extra"] and "extra" not in data(office)


def test_the_answers_of_one_of_several_are_not_the_cases(office: Office) -> None:
    office.deploy("start > user:vote > end", multi("vote", times="2"), element("vote", form="vote", **A), forms=FORMS)
    office.start("anna")
    assert refused(office, stance="no") == {"stance": "该办件及其流程中没有“stance”这一数据"}


def test_it_takes_the_power_a_reason_and_a_case_that_has_not_ended(applied: Office) -> None:
    for who in ("anna", "clara", "otto", "petra"):
        with pytest.raises(NotAllowed):
            correct(applied, who, until="2027-03-31")
    for reason in ("", "  ", "长" * 501, "a\0"):
        with pytest.raises(Invalid) as wrong:
            correct(applied, reason=reason, until="2027-03-31")
        assert "reason" in wrong.value.fields
    with pytest.raises(Invalid, match="没有需要更正的内容"):
        correct(applied)
    with pytest.raises(Stale, match="If-Match"):
        correct(applied, seen=99, until="2027-03-31")
    with pytest.raises(NotFound):
        correct_data(applied.store, 999, actor=applied["gu"], values={"until": "2027-03-31"}, reason="x")
    terminate_instance(applied.store, case_of(applied), actor=applied["gu"], reason="无需办理")
    with pytest.raises(NotRunning):
        correct(applied, until="2027-03-31")
    assert entries(applied) == []


@pytest.fixture
def about() -> Any:
    """A kind of subject: the answer `about` names it, and its first letter is the key."""

    @subject("tested", brings=("found",))
    def find(session: Any, answers: Mapping[str, Any]) -> Subject:
        asked = str(answers["about"])
        if asked.startswith("x"):
            raise Invalid({"about": f"没有“{asked}”"})
        return Subject({"found": asked}, asked[0], f"事项{asked}")

    yield
    del SUBJECTS["tested"], BROUGHT["tested"]


def test_a_case_stays_about_what_it_is_about(office: Office, about: Any) -> None:
    office.deploy("start > user:check > end", element("check", **A), subject="tested", startForm="ask", forms={"ask": form(text("about", required=True), text("note"))})
    office.start("anna", about="a1", note="n")
    assert office.instance(case_of(office)).title == "事项a1"
    with pytest.raises(Invalid, match="不能改为办理另一事项"):
        correct(office, about="b1")
    assert refused(office, about="x1") == {"about": "没有“x1”"} and "found" in refused(office, found="a2")
    correct(office, about="a2", note="m")
    assert office.instance(case_of(office)).title == "事项a2" and data(office)["about"] == "a2"


# -- two at once --------------------------------------------------------------------------------


def test_a_correction_and_a_completion_at_the_same_moment_lose_nothing(applied: Office) -> None:
    said = at_once(lambda: correct(applied, until="2027-09-30"), lambda: applied.complete("ben", "check", verdict="yes", basis="第五条"))
    assert said == ["ok", "ok"]
    assert (data(applied)["until"], data(applied)["verdict"], applied.open_steps()) == ("2027-09-30", "yes", ["sign"])
    assert len(entries(applied)) == len(entries(applied, "completed")) == 1 and verify(applied.store).ok


def test_of_two_that_correct_what_they_have_seen_one_is_told(applied: Office) -> None:
    revision = applied.instance(case_of(applied)).revision
    said = at_once(lambda: correct(applied, seen=revision, volume=6), lambda: correct(applied, seen=revision, volume=7))
    assert said.count("ok") == 1 and len(entries(applied)) == 1
    assert any("If-Match" in one for one in said)


def test_a_program_that_listens_is_told_that_and_not_what(applied: Office) -> None:
    add_webhook(applied.store, actor=applied["otto"], name="共享平台", url="http://127.0.0.1:9/x", hosts=frozenset({"127.0.0.1"}), kinds=["case.corrected"])
    correct(applied, until="2027-06-30")
    with applied.store.read() as session:
        [letter] = session.scalars(select(OutboxLetter).where(OutboxLetter.channel == "webhook"))
    assert "case.corrected" in str(letter.payload) and "2027-06-30" not in str(letter.payload)
