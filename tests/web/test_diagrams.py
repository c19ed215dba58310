"""The pages of processes and their versions: what is in force and coming, who changed what and why, and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from engine.process.package import read_package
from engine.process.workshop.versions import process_sheet
from engine.store.clock import MovableClock
from tests.web.cast import RULES, Cast
from tests.web.desk import Desk, text_of
from tests.web.test_drafts import begin, diagram_of, put

Desks = Callable[[str], Desk]


def publish(desk: Desks, cast: Cast, days: str, *, effective: str = "") -> None:
    """The editor sets the reply limit, the approver agrees."""
    editor, approver = desk("editor"), desk("approver")
    draft = begin(editor, cast)
    xml = diagram_of(cast, draft)
    changed = re.sub(r'(TimerRule_ReplyDeadline" sharing:role="deadline" sharing:workingDays=)"\d+"', rf'\1"{days}"', xml, count=1)
    assert changed != xml
    put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": changed})
    editor.get(f"/drafts/{draft}/propose")
    asked = editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": f"答复时限改为{days}天", "effective": effective})
    assert asked.status_code == 303, text_of(asked)
    page = text_of(approver.get(asked.location))
    base = page.split('name="base" value="')[1].split('"')[0]
    assert approver.post(f"{asked.location}/approve", {"base": base, "note": "同意"}).status_code == 303


def test_the_list_shows_each_process_with_what_is_in_force_and_coming(desk: Desks, cast: Cast) -> None:
    desk("asker").ask()
    publish(desk, cast, "5", effective="2026-07-01")
    page = text_of(desk("editor").get("/diagrams"))
    assert "有条件共享申请" in page and "辽阳市政务信息资源共享管理暂行办法" in page
    assert "第2版将于2026-07-01（周三）生效" in page
    assert ">liaoyang_2018<" not in page and ">init" not in page


def test_a_process_tells_who_changed_what_and_why(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    desk("asker").ask()
    publish(desk, cast, "5")
    clock.to("2026-02-11 09:00")
    publish(desk, cast, "6", effective="2026-07-01")
    page = text_of(desk("editor").get("/diagrams/conditional_share"))
    for words in ("冯流程 / 陈流程", "答复时限改为5天", "现行", "待生效", "已被取代", "随产品安装", "将于2026-07-01（周三）生效"):
        assert words in page, words
    changes = text_of(desk("approver").get("/diagrams/conditional_share/versions/2/changes"))
    assert "10 → 5 个工作日" in changes and "/comparisons?before=v" in changes
    assert "没有更早的版本" in text_of(desk("approver").get("/diagrams/conditional_share/versions/1/changes"))


def test_a_version_is_shown_with_its_steps_in_words_and_taken_along_as_it_is(desk: Desks) -> None:
    person = desk("approver")
    page = text_of(person.get("/diagrams/conditional_share/versions/1"))
    for words in ("受理", "提供单位 / 负责人", "10个工作日", "法定最长10个工作日", "第十五条", "reply_letter.docx", "随产品安装"):
        assert words in page, words
    shipped = read_package(RULES / "conditional_share", "liaoyang_2018")
    taken = person.get("/diagrams/conditional_share/versions/1/xml")
    assert taken.get_data() == shipped.xml and "conditional_share-v1.bpmn" in taken.headers["Content-Disposition"]
    letter = person.get("/diagrams/conditional_share/versions/1/documents/reply_letter")
    assert letter.get_data() == shipped.documents["reply_letter"]


def test_an_earlier_version_comes_back_by_a_second_person(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    publish(desk, cast, "5")
    clock.to("2026-02-11 09:00")
    editor = desk("editor")
    path = "/diagrams/conditional_share/versions/1/roll-back"
    assert "退回第1版" in text_of(editor.get(path))
    for given, words in (({"reason": ""}, "请填写退回理由"), ({"reason": "x", "effective": "1.7.2026"}, "正确的日期"),
                         ({"reason": "x", "effective": "0001-01-01"}, "日期"), ({"reason": "x", "effective": "2026-02-11"}, "须晚于今天")):
        refused = editor.post(path, given)
        assert refused.status_code == 422 and words in text_of(refused), given
    asked = editor.post(path, {"reason": "五天来不及"})
    page = text_of(desk("approver").get(asked.location))
    assert "退回第1版" in page and "5 → 10 个工作日" in page
    base = page.split('name="base" value="')[1].split('"')[0]
    approver = desk("approver")
    approver.get(asked.location)
    assert approver.post(f"{asked.location}/approve", {"base": base}).status_code == 303
    with cast.store.read() as session:
        sheet = process_sheet(session, cast.actor("editor"), "conditional_share", cast.store.clock.now())
    assert [(line.version, line.state) for line in sheet.versions] == [(3, "in_force"), (2, "past"), (1, "past")]


def test_a_version_that_no_case_followed_is_deleted_with_a_reason(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    publish(desk, cast, "5", effective="2026-07-01")
    editor, path = desk("editor"), "/diagrams/conditional_share/versions"
    assert "现行有效，不能删除" in text_of(editor.get(f"{path}/1/delete")), "it says why before anybody writes a reason"
    assert editor.post(f"{path}/1/delete", {"reason": "试"}).status_code == 409
    assert f"{path}/2/delete" in text_of(editor.get(f"{path}/2"))
    assert "没有办件按该版本办理过" in text_of(editor.get(f"{path}/2/delete"))
    assert "请填写删除理由" in text_of(editor.post(f"{path}/2/delete", {"reason": ""}))
    assert editor.post(f"{path}/2/delete", {"reason": "时限有误"}).status_code == 303
    page = text_of(editor.get("/diagrams/conditional_share"))
    assert "已删除" in page and "第2版已删除" in page and f"{path}/2/roll-back" not in page and "待生效" not in page
    gone = text_of(editor.get(f"{path}/2"))
    assert "已删除" in gone and "以此版本起草" not in gone and f"{path}/2/delete" not in gone
    assert "第2版" not in text_of(editor.get("/diagrams"))
    for again in ("delete", "roll-back"):
        assert editor.get(f"{path}/2/{again}").status_code == 404
        assert editor.post(f"{path}/2/{again}", {"reason": "试"}).status_code == 404
    assert "流程版本已删除" in text_of(desk("approver").get("/notices"))
    publish(desk, cast, "6")
    assert "第3版" in text_of(editor.get("/diagrams/conditional_share"))


@pytest.mark.parametrize("path", [
    "/diagrams/nothing", "/diagrams/conditional_share/versions/9", "/diagrams/conditional_share/versions/9/xml",
    "/diagrams/conditional_share/versions/9/changes", "/diagrams/conditional_share/versions/9/roll-back", "/diagrams/nothing/versions/1",
    "/diagrams/conditional_share/versions/1/documents/nothing", "/diagrams/conditional_share/versions/99999999999999999999/changes",
])  # fmt: skip
def test_what_is_not_there_is_not_found(desk: Desks, path: str) -> None:
    assert desk("editor").get(path).status_code == 404


@pytest.mark.parametrize("login", ["asker", "office_head", "sysadmin", "auditor"])
def test_the_workshop_is_closed_to_everybody_else(desk: Desks, login: str) -> None:
    person = desk(login)
    for path in ("/diagrams", "/diagrams/conditional_share", "/diagrams/conditional_share/versions/1", "/proposals",
                 "/diagrams/conditional_share/versions/1/xml", "/diagrams/conditional_share/versions/1/changes"):
        assert person.get(path).status_code == 403, path
    assert "流程管理" not in text_of(person.get("/notices"))
